"""What a model's files say of the noise that it was trained with: what it predicts, at which SNR.

Source: the marker tensors of v-prediction models; AUTOMATIC1111's web interface, which takes the
config of a checkpoint from the ``.yaml`` of the same name; the ``modelspec`` standard and the names
of sd-scripts; diffusers' scheduler configs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from trainer_core.catalogue.entry import OFF, ON, position
from trainer_core.catalogue.families import FAMILIES
from trainer_core.catalogue.predictions import (
    PREDICTIONS,
    USUAL_PREDICTION,
    ZERO_SNR_MARKER,
    prediction_called,
)
from trainer_core.model_files.tensor_index import TensorIndex
from trainer_core.texts import T

_PARAMETERIZATION = re.compile(rb"""^\s*parameterization\s*:\s*["']?(\w+)""", re.MULTILINE)
_MAX_YAML_BYTES = 2**20
#: Of metadata that name the prediction; older and newer spellings.
_PREDICTION_KEYS = ("modelspec.prediction_type", "modelspec.predict_key")
_ZERO_SNR_KEY = "ss_zero_terminal_snr"

BY_MARKER = T("Problems", "its marker tensor")
BY_YAML = T("Problems", "the .yaml file beside it")
BY_METADATA = T("Problems", "its metadata")
BY_SCHEDULER = T("Problems", "its scheduler's config")


class Statement(NamedTuple):
    """What is said of one thing, and which part of the files says it, in words."""

    value: str
    by: str


@dataclass(frozen=True, slots=True)
class StatedNoise:
    """What a model's files say; None where they are silent.

    Attributes:
        prediction: What the denoiser predicts: a name of the catalogue, or one that is not there.
        zero_snr: Whether the last timestep is noise alone: ``on`` or ``off``.
    """

    prediction: Statement | None = None
    zero_snr: Statement | None = None


SILENT = StatedNoise()


def noise_of_file(index: TensorIndex) -> StatedNoise:
    """Return what a single file says: by marker tensors, a ``.yaml`` beside it, or metadata."""
    prediction = next(_predictions_of_file(index), None)
    return StatedNoise(prediction, _zero_snr_of_file(index))


def noise_of_folder(scheduler: Mapping[str, object]) -> StatedNoise:
    """Return what the scheduler's config of a diffusers folder says; it is never silent."""
    prediction = str(scheduler.get("prediction_type", USUAL_PREDICTION))
    zero_snr = position(bool(scheduler.get("rescale_betas_zero_snr")))
    return StatedNoise(
        Statement(prediction_called(prediction) or prediction, BY_SCHEDULER),
        Statement(zero_snr, BY_SCHEDULER),
    )


def _predictions_of_file(index: TensorIndex) -> Iterator[Statement]:
    for name, entry in PREDICTIONS.items():
        if entry.marker and entry.marker in index.entries:
            yield Statement(name, BY_MARKER)
    beside = _prediction_beside(index.path)
    if beside:
        yield Statement(beside, BY_YAML)
    for key in _PREDICTION_KEYS:
        stated = prediction_called(str(index.metadata.get(key)))
        if stated is not None:
            yield Statement(stated, BY_METADATA)
    stated = _prediction_by_architecture(index.metadata)
    if stated is not None:
        yield Statement(stated, BY_METADATA)


def _prediction_by_architecture(metadata: Mapping[str, str]) -> str | None:
    """Return what a model predicts whose architecture has a name for each prediction."""
    architecture = metadata.get("modelspec.architecture", "").partition("/")[0]
    for entry in FAMILIES.values():
        known = {USUAL_PREDICTION: entry.names, **entry.names_by_prediction}
        fitting = [name for name, names in known.items() if names.architecture == architecture]
        if len(fitting) == 1 < len(known):
            return fitting[0]
    return None


def _zero_snr_of_file(index: TensorIndex) -> Statement | None:
    if ZERO_SNR_MARKER in index.entries:
        return Statement(ON, BY_MARKER)
    word = index.metadata.get(_ZERO_SNR_KEY, "")
    found = {"True": ON, "False": OFF}.get(word)
    return None if found is None else Statement(found, BY_METADATA)


def _prediction_beside(path: Path) -> str | None:
    """Return what the ``.yaml`` with the file's name says, in the words of CompVis' configs."""
    yaml = path.with_suffix(".yaml")
    if yaml == path or not yaml.is_file():
        return None
    try:
        with yaml.open("rb") as file:
            found = _PARAMETERIZATION.search(file.read(_MAX_YAML_BYTES))
    except OSError:
        return None
    word = found[1].decode() if found else ""
    return prediction_called(word) or word or None
