"""A model in diffusers' layout: one folder for each part, with a config and a weights file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer_core.errors import ModelFileError
from trainer_core.files.reading import read_limited
from trainer_core.texts import T

#: Names of a part's weights, preferred first.
_WEIGHTS = tuple(
    f"{stem}{variant}{suffix}"
    for suffix in (".safetensors", ".bin")
    for variant in ("", ".fp16", ".non_ema")
    for stem in ("diffusion_pytorch_model", "model", "pytorch_model")
)

_MAX_CONFIG_BYTES = 4 * 2**20


@dataclass(frozen=True, slots=True)
class DiffusersFolder:
    """A folder whose ``model_index.json`` names a pipeline and its parts."""

    path: Path

    @property
    def is_model(self) -> bool:
        """True if the folder has the file that makes it a model."""
        return (self.path / "model_index.json").is_file()

    def pipeline_class(self) -> str:
        """Return the name of the pipeline's class in diffusers."""
        return str(_read_json(self.path / "model_index.json").get("_class_name", ""))

    def config(self, part: str) -> dict[str, Any]:
        """Return the settings of one part (``unet``, ``scheduler``, ...)."""
        name = "scheduler_config.json" if part == "scheduler" else "config.json"
        return _read_json(self.path / part / name)

    def weights(self, part: str) -> Path:
        """Return the weights file of one part, full precision and safetensors first.

        Raises:
            ModelFileError: The part has none.
        """
        for name in _WEIGHTS:
            if (self.path / part / name).is_file():
                return self.path / part / name
        raise ModelFileError(
            T("Errors", "The model folder {path} has no weights in its subfolder {part}."),
            T("Errors", "Copy the whole folder again, or choose a single .safetensors file."),
            path=self.path,
            part=part,
        )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_limited(path, _MAX_CONFIG_BYTES))
    except (OSError, ValueError) as error:
        raise ModelFileError(
            T("Errors", "{path} is missing or cannot be read: {reason}"),
            T("Errors", "Copy the whole model folder again."),
            path=path,
            reason=error,
        ) from error
    return content if isinstance(content, dict) else {}
