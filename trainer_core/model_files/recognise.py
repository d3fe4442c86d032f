"""Tells what kind of model a file or folder holds, by its tensors' names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from trainer_core.catalogue.families import FAMILIES, FamilyEntry
from trainer_core.errors import ModelFileError, SettingsError
from trainer_core.model_files.diffusers_folder import DiffusersFolder
from trainer_core.model_files.other_kinds import OTHER_KINDS, TASKS, OtherKind
from trainer_core.model_files.stated_noise import (
    SILENT,
    StatedNoise,
    noise_of_file,
    noise_of_folder,
)
from trainer_core.model_files.tensor_index import TensorEntry, TensorIndex
from trainer_core.model_files.weights_file import read_index
from trainer_core.texts import T

_UNET = "model.diffusion_model."
_STATE_FILES = ("manifest.json", "train_state.json", "optimizer.bin", "random_states_0.pkl")


@dataclass(frozen=True, slots=True)
class ModelReport:
    """What can be said of a model before its tensors are read.

    Attributes:
        path: The file or folder.
        kind: What it is: one of `FAMILIES` or of `OTHER_KINDS`.
        size_mib: Of all tensors in it.
        dtype: The element type of most of them ("F16"), empty if there are none.
        noise: What it says of the noise that it was trained with.
    """

    path: Path
    kind: str
    size_mib: float
    dtype: str
    noise: StatedNoise = SILENT


def inspect_model(path: Path) -> ModelReport:
    """Find out what a file or folder holds, reading no tensor.

    Raises:
        ModelFileError: It is missing, damaged or hostile, or a folder that is no model.
    """
    if path.is_dir():
        return _inspect_folder(path)
    index = read_index(path)
    return _report(path, kind_of(index.entries), [index], noise_of_file(index))


def kind_of(entries: Mapping[str, TensorEntry]) -> str:
    """Tell what kind of model the tensors make up: one of `FAMILIES` or of `OTHER_KINDS`."""
    kind = _first_match(_whole_models(), entries)
    if kind is not None and kind not in FAMILIES:
        return kind
    has_unet = any(name.startswith(_UNET) for name in entries)
    if kind is None or not has_unet:
        return _first_match(_single_parts(), entries) or OtherKind.UNKNOWN
    first, last = (entries.get(f"{_UNET}{end}.weight") for end in ("input_blocks.0.0", "out.2"))
    if first is None or last is None or len(first.shape) < 2 or not last.shape:
        return kind
    return _kind_by_channels(kind, first.shape[1], last.shape[0])


def _kind_by_channels(kind: str, given: object, gives: object) -> str:
    """Return the family of a denoiser that is given latents alone; else what it is for."""
    if given == gives:
        return kind
    more = given - gives if isinstance(given, int) and isinstance(gives, int) else 0
    return TASKS.get(more, OtherKind.OTHER_TASK)


def _first_match(fragments: Mapping[str, tuple[str, ...]], names: Iterable[str]) -> str | None:
    """Return the first kind one of whose fragments occurs in a tensor's name."""
    joined = "\n".join(names)
    for kind, of_kind in fragments.items():
        if any(fragment in joined for fragment in of_kind):
            return kind
    return None


def _whole_models() -> dict[str, tuple[str, ...]]:
    others = {str(kind): o.fragments for kind, o in OTHER_KINDS.items() if not o.is_part}
    return others | {entry.kind: entry.fragments for entry in _most_special_first()}


def _most_special_first() -> list[FamilyEntry]:
    """Return the families; later ones kept names of earlier ones."""
    return list(FAMILIES.values())[::-1]


def _single_parts() -> dict[str, tuple[str, ...]]:
    return {str(kind): other.fragments for kind, other in OTHER_KINDS.items() if other.is_part}


def require_trainable_prediction(found: str, kind: str) -> None:
    """Refuse a model that predicts what its family cannot be trained to.

    Args:
        found: What it predicts, by its name in the catalogue.
        kind: Its family.

    Raises:
        SettingsError: It predicts something else.
    """
    if found not in FAMILIES[kind].predictions:
        raise SettingsError(
            T("Errors", "The base model predicts {found}, which cannot be trained here."),
            T("Errors", "Choose a base model that predicts noise or velocity."),
            setting="model.pretrained_model_name_or_path",
            found=found,
        )


def _inspect_folder(path: Path) -> ModelReport:
    folder = DiffusersFolder(path)
    if folder.is_model:
        kind = _kind_of_folder(folder)
        parts = FAMILIES[kind].folders if kind in FAMILIES else ()
        indexes = [folder.index(part) for part in parts]
        noise = noise_of_folder(folder.scheduler()) if parts else SILENT
        return _report(path, kind, indexes, noise)
    if any((path / name).is_file() for name in _STATE_FILES):
        return _report(path, OtherKind.TRAINING_STATE, [], SILENT)
    raise ModelFileError(
        T("Errors", "The folder {path} is no model: it has no model_index.json."),
        T("Errors", "Choose a .safetensors or .ckpt file, or a diffusers folder."),
        path=path,
    )


def _kind_of_folder(folder: DiffusersFolder) -> str:
    """Tell the kind of a diffusers folder."""
    others = (kind for kind, o in OTHER_KINDS.items() if o.is_folder and o.is_folder(folder))
    other = next(others, None)
    if other is not None:
        return other
    entry = next((entry for entry in _most_special_first() if entry.is_folder(folder)), None)
    if entry is None:
        return OtherKind.OTHER_BASE
    denoiser = folder.config(entry.folders[0])
    given, gives = denoiser.get("in_channels", 4), denoiser.get("out_channels", 4)
    return _kind_by_channels(entry.kind, given, gives)


def _report(path: Path, kind: str, indexes: list[TensorIndex], noise: StatedNoise) -> ModelReport:
    entries = [entry for index in indexes for entry in index.entries.values()]
    size_mib = round(sum(entry.num_bytes for entry in entries) / 2**20, 1)
    dtypes = Counter(entry.dtype for entry in entries).most_common(1)
    return ModelReport(path, kind, size_mib, dtypes[0][0] if dtypes else "", noise)


def require_base_model(report: ModelReport, wanted: Collection[str]) -> None:
    """Refuse a model that is of none of the ``wanted`` families, in words that name both.

    Raises:
        ModelFileError: It is something else.
    """
    if report.kind in wanted:
        return
    other = {str(kind): other for kind, other in OTHER_KINDS.items()}.get(report.kind)
    raise ModelFileError(
        T("Errors", "{path} is a {found} model.") if other is None else other.refusal,
        T("Errors", "Choose a base model of this kind: {wanted}."),
        path=report.path,
        found=FAMILIES[report.kind].label if other is None else "",
        wanted=", ".join(FAMILIES[kind].label for kind in wanted),
    )
