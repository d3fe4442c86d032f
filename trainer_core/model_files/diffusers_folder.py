"""A model in diffusers' layout: one folder for each part, with a config and its weights."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trainer_core.catalogue.precisions import SAVE_PRECISIONS
from trainer_core.errors import ModelFileError
from trainer_core.files.reading import read_limited
from trainer_core.model_files.part_configs import checked_scheduler
from trainer_core.model_files.tensor_index import TensorEntry, TensorIndex
from trainer_core.model_files.weights_file import read_index
from trainer_core.texts import T

#: Of diffusers and transformers, preferred first: ``model.fp16.safetensors``, or the list of its
#: pieces, ``model.safetensors.index.fp16.json`` (older: ``model.safetensors.fp16.index.json``).
_WEIGHTS = re.compile(
    r"(?P<stem>diffusion_pytorch_model|model|pytorch_model)(?:\.(?P<variant>\w+))?"
    r"\.(?P<kind>safetensors|bin)(?P<pieces>(?:\.(?P<of_pieces>\w+))?\.index"
    r"(?:\.(?P<of_index>\w+))?\.json)?"
)
_KINDS = ("safetensors", "bin")
#: They are called like number formats; the more exact come first, others (``ema``) last.
_VARIANTS = ("", "fp32", *SAVE_PRECISIONS, "non_ema")
_STEMS = ("diffusion_pytorch_model", "model", "pytorch_model")
_MAX_JSON_BYTES = 64 * 2**20
_MAX_PIECES = 1000
_AGAIN = T("Errors", "Copy the whole model folder again.")


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

    def config_path(self, part: str) -> Path:
        """Return the file with the settings of one part."""
        return self.path / part / "config.json"

    def config(self, part: str) -> dict[str, Any]:
        """Return the settings of one part (``unet``, ``vae``, ...) as they stand there.

        Raises:
            ModelFileError: They are missing or cannot be read.
        """
        return _read_json(self.config_path(part))

    def scheduler(self) -> dict[str, Any]:
        """Return the checked settings of the noise schedule.

        Raises:
            ModelFileError: They are missing, cannot be read, or say what cannot be.
        """
        path = self.path / "scheduler" / "scheduler_config.json"
        return checked_scheduler(path, _read_json(path))

    def weights(self, part: str) -> Path:
        """Return the weights file of one part, or the list of its pieces.

        Whole files, full precision and safetensors come first.

        Raises:
            ModelFileError: The part has none.
        """
        folder = self.path / part
        names: list[str] = []
        with contextlib.suppress(OSError):  # there is none, or it may not be looked into
            names = [path.name for path in folder.iterdir()]
        ranked = [(rank, name) for name in names if (rank := _rank(name)) is not None]
        files = [folder / name for _, name in sorted(ranked) if (folder / name).is_file()]
        if files:
            return files[0]
        raise ModelFileError(
            T("Errors", "The model folder {path} has no weights in its subfolder {part}."),
            T("Errors", "Copy the whole folder again, or choose a single .safetensors file."),
            path=self.path,
            part=part,
        )

    def index(self, part: str) -> TensorIndex:
        """Read which tensors a part has, and where, whether in one file or in pieces.

        Raises:
            ModelFileError: There is none, or a file is missing or damaged.
        """
        path = self.weights(part)
        return _index_of_pieces(path) if path.suffix == ".json" else read_index(path)


def _rank(name: str) -> tuple[int, ...] | None:
    """Return how far back a file stands among the weights of a part; None if it is none."""
    match = _WEIGHTS.fullmatch(name)
    if match is None:
        return None
    variant = match["variant"] or match["of_pieces"] or match["of_index"] or ""
    known = variant in _VARIANTS
    return (
        _KINDS.index(match["kind"]),
        _VARIANTS.index(variant) if known else len(_VARIANTS),
        match["pieces"] is not None,
        _STEMS.index(match["stem"]),
    )


def _index_of_pieces(path: Path) -> TensorIndex:
    """Read the list of a part's pieces, and the headers of all of them.

    Format: ``{"metadata": {...}, "weight_map": {tensor: file beside it}}``.
    """
    places = _read_json(path).get("weight_map")
    if not isinstance(places, dict) or not places or not all(map(_is_file_name, places.values())):
        raise _not_a_list(path)
    names = sorted(set(places.values()))
    if len(names) > _MAX_PIECES:
        raise _not_a_list(path)
    missing = next((path.with_name(n) for n in names if not path.with_name(n).is_file()), None)
    if missing is not None:
        raise ModelFileError(T("Errors", "{path} does not exist."), _AGAIN, path=missing)
    pieces = {name: read_index(path.with_name(name)) for name in names}
    entries: dict[str, TensorEntry] = {}
    for tensor, name in places.items():
        entry = pieces[name].entries.get(tensor)
        if entry is None:
            raise ModelFileError(
                T("Errors", "{path} lacks the tensor {name}."),
                _AGAIN,
                path=path.with_name(name),
                name=tensor,
            )
        entries[tensor] = replace(entry, file=name)
    return TensorIndex(path, entries, pieces[names[0]].metadata)


def _is_file_name(value: object) -> bool:
    """Tell whether a value names a file in the same folder, and no way out of it."""
    return isinstance(value, str) and re.fullmatch(r"[\w.-]{1,200}", value) is not None


def _not_a_list(path: Path) -> ModelFileError:
    return ModelFileError(
        T("Errors", "{path} does not say which file has which tensor."), _AGAIN, path=path
    )


def _read_json(path: Path) -> dict[str, Any]:
    """Return the table in a JSON file of the folder.

    Raises:
        ModelFileError: It is missing, cannot be read, or holds something else.
    """
    try:
        content = json.loads(read_limited(path, _MAX_JSON_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelFileError(
            T("Errors", "{path} is missing or cannot be read: {reason}"),
            _AGAIN,
            path=path,
            reason=error,
        ) from error
    if not isinstance(content, dict):
        raise ModelFileError(T("Errors", "{path} holds no settings."), _AGAIN, path=path)
    return content
