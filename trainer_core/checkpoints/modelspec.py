"""The ``modelspec.*`` entries of a weight file: what it is, in the words of a shared standard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from trainer_core.catalogue.predictions import PREDICTIONS, USUAL_PREDICTION
from trainer_core.version import __version__

MODELSPEC_VERSION = "1.0.1"
PROGRAM = f"lora-loom/{__version__}"

DIFFUSERS = "diffusers"
GENERATIVE_MODELS = "https://github.com/Stability-AI/generative-models"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """What a weight file says of itself.

    ``architecture`` is the base model's, with ``/lora`` for an adapter; ``implementation`` names
    the code whose layout the tensors have. ``saved_at`` is Unix time in seconds.
    """

    architecture: str
    implementation: str
    resolution: tuple[int, int]
    saved_at: float
    title: str | None = None
    prediction_type: str = PREDICTIONS[USUAL_PREDICTION].modelspec
    timesteps: Sequence[int] | None = None
    encoder_layer: int | None = None


def modelspec_metadata(spec: ModelSpec) -> dict[str, str]:
    """Return the entries of ``spec``; what is unset has none.

    Source: vectors/README.md, metadata.json; github.com/Stability-AI/ModelSpec.
    """
    width, height = spec.resolution
    entries = {
        "sai_model_spec": MODELSPEC_VERSION,
        "architecture": spec.architecture,
        "implementation": spec.implementation,
        "implementation_version": PROGRAM,
        "title": spec.title if spec.title is not None else _untitled(spec),
        "resolution": f"{width}x{height}",
        "date": datetime.fromtimestamp(int(spec.saved_at)).isoformat(),
        "prediction_type": spec.prediction_type,
    }
    if spec.timesteps is not None:
        entries["timestep_range"] = f"{spec.timesteps[0]},{spec.timesteps[-1]}"
    if spec.encoder_layer is not None:
        entries["encoder_layer"] = str(spec.encoder_layer)
    return {f"modelspec.{key}": value for key, value in entries.items()}


def _untitled(spec: ModelSpec) -> str:
    kind = "LoRA" if spec.architecture.endswith("/lora") else "Checkpoint"
    return f"{kind}@{spec.saved_at}"
