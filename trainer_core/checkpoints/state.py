"""A resumable state on disk: our own safetensors and JSON, no pickle, checked before use.

A state folder holds ``adapter.safetensors``, ``optimizer.safetensors``, ``generators.safetensors``,
``progress.json`` and, written last, ``manifest.json`` with every file's size and SHA-256. The
folder is filled under a temporary name and renamed when complete.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor
from torch.optim import Optimizer

from trainer_core.errors import NumericError, OutputError, StateError
from trainer_core.files.run_folder import MANIFEST_NAME
from trainer_core.files.writing import publish_file, publish_folder
from trainer_core.texts import T
from trainer_core.version import __version__

STATE_FORMAT = "loom-state/1"

_TENSOR_FILES = ("adapter.safetensors", "optimizer.safetensors", "generators.safetensors")
_PROGRESS_FILE = "progress.json"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a run stands: optimizer steps done, and the place inside the epoch.

    ``epoch`` counts from 0; ``batch`` is the next batch of that epoch.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0


@dataclass(frozen=True, slots=True)
class StateFacts:
    """What a state says of itself: whose it is, and what it was trained with.

    ``pictures`` is a fingerprint of the pictures and their order; ``settings`` the raw document.
    """

    run_id: str
    name: str
    seed: int
    position: Position
    pictures: str
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SavedState:
    """A state as read: its facts and its tensors, not yet put anywhere."""

    folder: Path
    facts: StateFacts
    adapter: Mapping[str, Tensor]
    optimizer: Mapping[str, Tensor]
    generators: Mapping[str, Tensor]
    progress: Mapping[str, Any] = field(default_factory=dict)


def write_state(
    folder: Path,
    facts: StateFacts,
    *,
    adapter: Mapping[str, Tensor],
    optimizer: Optimizer,
    progress: Mapping[str, Any],
    replace: bool = False,
) -> int:
    """Write a state to ``folder`` and return its size in bytes.

    Args:
        folder: Final name; appears only when everything in it is complete.
        facts: What the state says of itself.
        adapter: The adapter's weights, in full precision.
        optimizer: Its state is stored tensor by tensor in the types that they have.
        progress: Plain data of schedulers, scaler and counters.
        replace: Whether a state of the same run may be replaced.

    Raises:
        OutputError: It cannot be written, or does not read back as it was.
        NumericError: A weight or the optimizer's state is not finite.
    """
    tensors, numbers = _optimizer_parts(optimizer)
    _refuse_non_finite(adapter)
    _refuse_non_finite(tensors)
    plain = {"optimizer": numbers, "python": _python_state(), **progress}
    files = {
        "adapter.safetensors": save(_contiguous(adapter)),
        "optimizer.safetensors": save(tensors),
        "generators.safetensors": save(_generator_states()),
        _PROGRESS_FILE: json.dumps(plain).encode(),
    }
    manifest = {
        "format": STATE_FORMAT,
        "program": __version__,
        "run_id": facts.run_id,
        "name": facts.name,
        "seed": facts.seed,
        "step": facts.position.step,
        "epoch": facts.position.epoch,
        "batch": facts.position.batch,
        "pictures": facts.pictures,
        "settings": facts.settings,
        "files": {name: _entry(content) for name, content in files.items()},
    }
    files[MANIFEST_NAME] = json.dumps(manifest, indent=1).encode()

    def fill(aside: Path) -> None:
        for name, content in files.items():
            _write_checked(aside / name, content)

    publish_folder(folder, fill, replace=replace)
    return sum(len(content) for content in files.values())


def read_state(folder: Path) -> SavedState:
    """Read a state and check every file against the manifest.

    Raises:
        StateError: It is no state, incomplete, damaged, or of a newer program.
    """
    manifest = _manifest(folder)
    try:
        for name in (*_TENSOR_FILES, _PROGRESS_FILE):
            _check_file(folder / name, manifest["files"][name])
        facts = StateFacts(
            run_id=manifest["run_id"],
            name=manifest["name"],
            seed=manifest["seed"],
            position=Position(manifest["step"], manifest["epoch"], manifest["batch"]),
            pictures=manifest["pictures"],
            settings=manifest["settings"],
        )
        adapter, optimizer, generators = (
            load((folder / name).read_bytes()) for name in _TENSOR_FILES
        )
        progress = json.loads((folder / _PROGRESS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise _damaged(folder, error) from error
    return SavedState(folder, facts, adapter, optimizer, generators, progress)


def restore_optimizer(optimizer: Optimizer, state: SavedState) -> None:
    """Put the saved state into ``optimizer``, every tensor in the type it was saved in.

    ``Optimizer.load_state_dict`` would cast to the parameters' type.

    Raises:
        StateError: The state is of another optimizer or of other parameters.
    """
    numbers: Mapping[str, Any] = state.progress["optimizer"]
    parameters = _parameters(optimizer)
    if numbers["kind"] != type(optimizer).__name__ or numbers["count"] != len(parameters):
        raise StateError(
            T("Errors", "The state was saved with {saved}, this run uses {asked}."),
            T("Errors", "Set the optimizer and the network as they were, or start a new run."),
            saved=f"{numbers['kind']} x {numbers['count']}",
            asked=f"{type(optimizer).__name__} x {len(parameters)}",
        )
    for index, parameter in enumerate(parameters):
        prefix = f"{index}."
        entry: dict[str, Any] = dict(numbers["values"].get(str(index), {}))
        for key, value in state.optimizer.items():
            if key.startswith(prefix):
                name = key.removeprefix(prefix)
                is_counter = name == "step" and value.ndim == 0  # torch keeps it on the CPU
                entry[name] = value if is_counter else value.to(parameter.device)
        if entry:
            optimizer.state[parameter] = entry
    for group, values in zip(optimizer.param_groups, numbers["groups"], strict=True):
        group.update(values)


def restore_generators(state: SavedState) -> None:
    """Put the process's generators where they stood when the state was written."""
    version, numbers, gauss = state.progress["python"]
    random.setstate((version, tuple(numbers), gauss))
    torch.set_rng_state(state.generators["cpu"])
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            saved = state.generators.get(f"cuda{index}")
            if saved is not None:
                torch.cuda.set_rng_state(saved, index)


# ------------------------------------------------------------------ writing


def _write_checked(path: Path, content: bytes) -> None:
    """Write a file of the state and compare it with what was to be written."""

    def verify(part: Path) -> None:
        if part.read_bytes() != content:
            raise OutputError(
                T("Errors", "{path} does not read back as it was written."),
                T("Errors", "Check the disk, or choose another output folder."),
                path=path,
            )

    publish_file(path, lambda file: file.write(content), verify=verify)


def _refuse_non_finite(tensors: Mapping[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise NumericError(
                T("Errors", "{name} is not finite; the state was not saved."),
                T("Errors", "Lower the learning rate and go on from an earlier save."),
                setting="optimizer.learning_rate",
                name=name,
            )


def _contiguous(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}


def _parameters(optimizer: Optimizer) -> list[Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _optimizer_parts(optimizer: Optimizer) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Split an optimizer's state into tensors by ``<parameter>.<name>`` and plain numbers."""
    tensors: dict[str, Tensor] = {}
    values: dict[str, dict[str, Any]] = {}
    parameters = _parameters(optimizer)
    for index, parameter in enumerate(parameters):
        for name, value in optimizer.state.get(parameter, {}).items():
            if isinstance(value, Tensor):
                tensors[f"{index}.{name}"] = value
            else:
                values.setdefault(str(index), {})[name] = value
    numbers = {
        "kind": type(optimizer).__name__,
        "count": len(parameters),
        "values": values,
        "groups": [_plain_group(group) for group in optimizer.param_groups],
    }
    return _contiguous(tensors), numbers


def _plain_group(group: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what of a group changes over a run; the rest comes from the settings."""
    return {name: group[name] for name in ("lr", "initial_lr") if name in group}


def _generator_states() -> dict[str, Tensor]:
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        for index, value in enumerate(torch.cuda.get_rng_state_all()):
            states[f"cuda{index}"] = value
    return states


def _python_state() -> list[Any]:
    version, numbers, gauss = random.getstate()
    return [version, list(numbers), gauss]


def _entry(content: bytes) -> dict[str, Any]:
    return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


# ------------------------------------------------------------------ reading


def _manifest(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise StateError(
            T("Errors", "There is no state folder {path}."),
            T("Errors", "Choose a folder whose name ends in -state."),
            path=folder,
        )
    try:
        manifest = json.loads((folder / MANIFEST_NAME).read_text(encoding="utf-8"))
        state_format = manifest["format"]
    except FileNotFoundError as error:
        raise StateError(
            T("Errors", "{path} is no complete state of LoRA Loom: it has no manifest."),
            T("Errors", "Choose another state; those of other programs cannot be resumed."),
            path=folder,
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, error) from error
    if state_format != STATE_FORMAT:
        raise StateError(
            T("Errors", "{path} has the format {found}; this version reads {format}."),
            T("Errors", "Update LoRA Loom to resume from it."),
            path=folder,
            found=state_format,
            format=STATE_FORMAT,
        )
    checked: dict[str, Any] = manifest
    return checked


def _check_file(path: Path, entry: Mapping[str, Any]) -> None:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != entry["sha256"]:
        raise _damaged(path.parent, f"{path.name} is not as it was written")


def _damaged(folder: Path, reason: object) -> StateError:
    return StateError(
        T("Errors", "The state {path} is damaged: {reason}"),
        T("Errors", "Resume from an older state beside it."),
        path=folder,
        reason=reason,
    )
