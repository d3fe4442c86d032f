"""A resumable state on disk: our own safetensors and JSON, no pickle, checked before use.

A state folder holds ``trained.safetensors``, ``optimizer.safetensors``, ``generators.safetensors``,
``progress.json`` and, written last, ``manifest.json`` with every file's size and SHA-256 and a
seal over its own content. The folder is filled under a temporary name and renamed when complete.
Format 1, in which the first file was ``adapter.safetensors``, and states without a seal are still
read.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from trainer_core.checkpoints.progress import (
    Progress,
    progress_of_format_1,
    python_generator,
)
from trainer_core.checkpoints.safetensors_file import (
    Convert,
    Written,
    differences,
    is_finite,
    read_file,
    unchanged,
    write_into,
)
from trainer_core.errors import ModelFileError, NumericError, OutputError, StateError
from trainer_core.files.form import WrongForm, checked, plain_json
from trainer_core.files.reading import read_limited
from trainer_core.files.state_manifest import (
    MANIFEST_NAME,
    check_file,
    check_form,
    manifest_format,
    read_manifest,
    sealed,
)
from trainer_core.files.writing import publish_file, publish_folder
from trainer_core.optim.running_state import RunningState, restore_running_state, running_state
from trainer_core.texts import T
from trainer_core.version import __version__

STATE_FORMAT = "loom-state/2"

_TRAINED_FILES = {"loom-state/1": "adapter.safetensors", STATE_FORMAT: "trained.safetensors"}
_OPTIMIZER_FILE = "optimizer.safetensors"
_GENERATORS_FILE = "generators.safetensors"
_PROGRESS_FILE = "progress.json"
_PROGRESS_BYTES = 64 * 2**20


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

    ``pictures`` is a fingerprint of the pictures and their order; ``settings`` the raw document;
    ``base`` the hash of the base model's files, empty where it is not known.
    """

    run_id: str
    name: str
    seed: int
    position: Position
    pictures: str
    settings: Mapping[str, Any]
    base: str = ""


@dataclass(frozen=True, slots=True)
class SavedState:
    """A state as read: its facts and its tensors on the CPU, not yet put anywhere."""

    folder: Path
    facts: StateFacts
    trained: Mapping[str, Tensor]
    optimizer: Mapping[str, Tensor]
    generators: Mapping[str, Tensor]
    progress: Progress


def write_state(
    folder: Path,
    facts: StateFacts,
    *,
    trained: Mapping[str, Tensor],
    optimizer: Optimizer,
    progress: Mapping[str, Any],
    replace: bool = False,
) -> None:
    """Write a state to ``folder``.

    Args:
        folder: Final name; appears only when everything in it is complete.
        facts: What the state says of itself.
        trained: The trained weights by name, float32, on any device.
        optimizer: Its running state is stored tensor by tensor in the types that they have.
        progress: Plain data of schedule, scaler and counters.
        replace: Whether a state of the same run may be replaced.

    Raises:
        OutputError: It cannot be written, or does not read back as it was.
        NumericError: A weight or the optimizer's state is not finite.
        StateError: The optimizer keeps something that cannot be saved.
    """
    running = running_state(optimizer)
    numbers = {"kind": running.kind, "count": running.count, "outline": running.outline}
    plain = json.dumps({"optimizer": numbers, "python": _python_state(), **progress}).encode()

    def fill(aside: Path) -> None:
        entries = {
            name: _write_tensors(aside / name, tensors, convert)
            for name, tensors, convert in (
                (_TRAINED_FILES[STATE_FORMAT], trained, _finite),
                (_OPTIMIZER_FILE, running.tensors, _finite),
                (_GENERATORS_FILE, _generator_states(), unchanged),
            )
        }
        _write_checked(aside / _PROGRESS_FILE, plain)
        entries[_PROGRESS_FILE] = _entry(len(plain), hashlib.sha256(plain).hexdigest())
        manifest = sealed({**_manifest_of(facts), "files": entries})
        _write_checked(aside / MANIFEST_NAME, manifest)

    publish_folder(folder, fill, replace=replace)


def read_state(folder: Path) -> SavedState:
    """Read a state and check every file against the manifest.

    Raises:
        StateError: It is no state, incomplete, damaged, or of a newer program.
    """
    manifest = _manifest(folder)
    names = (_TRAINED_FILES[manifest["format"]], _OPTIMIZER_FILE, _GENERATORS_FILE)
    try:
        for name in (*names, _PROGRESS_FILE):
            check_file(folder, name, manifest["files"][name])
        facts = StateFacts(
            run_id=manifest["run_id"],
            name=manifest["name"],
            seed=manifest["seed"],
            position=Position(manifest["step"], manifest["epoch"], manifest["batch"]),
            pictures=manifest["pictures"],
            settings=manifest["settings"],
            base=str(manifest.get("base", "")),
        )
        trained, optimizer, generators = (read_file(folder / name)[0] for name in names)
        progress = plain_json(read_limited(folder / _PROGRESS_FILE, _PROGRESS_BYTES))
        if manifest["format"] != STATE_FORMAT:
            progress = progress_of_format_1(progress, optimizer)
        checked_progress = checked(Progress, progress)
        _try_generators(checked_progress["python"], generators)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, ModelFileError) as error:
        raise damaged(folder, error) from error
    return SavedState(folder, facts, trained, optimizer, generators, checked_progress)


@contextlib.contextmanager
def restoring(state: SavedState) -> Iterator[None]:
    """Say that the state is damaged where what is put back lacks something or is of another form.

    Raises:
        StateError: It is.
    """
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise damaged(state.folder, error) from error
    except RuntimeError as error:  # torch's for shapes that do not fit; nested too deep
        raise damaged(state.folder, error) from error


def restore_optimizer(optimizer: Optimizer, state: SavedState) -> None:
    """Put the saved state into ``optimizer``: types as saved, on its parameters' devices.

    Raises:
        StateError: The state is of another optimizer or of other parameters.
    """
    numbers = state.progress["optimizer"]
    restore_running_state(
        optimizer,
        RunningState(numbers["kind"], numbers["count"], state.optimizer, numbers["outline"]),
    )


def restore_generators(state: SavedState) -> None:
    """Put the process's generators where they stood when the state was written."""
    random.setstate(python_generator(state.progress["python"]))
    torch.set_rng_state(state.generators["cpu"])
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            saved = state.generators.get(f"cuda{index}")
            if saved is not None:
                torch.cuda.set_rng_state(saved, index)


# ------------------------------------------------------------------ writing


def _manifest_of(facts: StateFacts) -> dict[str, Any]:
    """Return what the manifest says of the state, without its files."""
    return {
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
        "base": facts.base,
    }


def _write_tensors(path: Path, tensors: Mapping[str, Tensor], convert: Convert) -> dict[str, Any]:
    """Write a file of the state, read it back, and return its entry in the manifest."""
    written: list[Written] = []

    def verify(part: Path) -> None:
        if differences(part, written[0]):
            raise _reads_otherwise(path)

    publish_file(
        path,
        lambda file: written.append(write_into(file, tensors, convert=convert)),
        verify=verify,
    )
    return _entry(written[0].size, written[0].sha256)


def _write_checked(path: Path, content: bytes) -> None:
    """Write a small file of the state and compare it with what was to be written."""

    def verify(part: Path) -> None:
        if part.read_bytes() != content:
            raise _reads_otherwise(path)

    publish_file(path, lambda file: file.write(content), verify=verify)


def _reads_otherwise(path: Path) -> OutputError:
    return OutputError(
        T("Errors", "{path} does not read back as it was written."),
        T("Errors", "Check the disk, or choose another output folder."),
        path=path,
    )


def _finite(name: str, piece: Tensor) -> Tensor:
    """Return the piece as it is, or refuse the state."""
    if not is_finite(piece):
        raise NumericError(
            T("Errors", "{name} is not finite; the state was not saved."),
            T("Errors", "Lower the learning rate and go on from an earlier save."),
            setting="optimizer.learning_rate",
            name=name,
        )
    return piece


def _generator_states() -> dict[str, Tensor]:
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        for index, value in enumerate(torch.cuda.get_rng_state_all()):
            states[f"cuda{index}"] = value
    return states


def _python_state() -> list[Any]:
    version, numbers, gauss = random.getstate()
    return [version, list(numbers), gauss]


def _entry(size: int, sha256: str) -> dict[str, Any]:
    return {"size": size, "sha256": sha256}


# ------------------------------------------------------------------ reading


def _manifest(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise StateError(
            T("Errors", "There is no state folder {path}."),
            T("Errors", "Choose a folder whose name ends in -state."),
            path=folder,
        )
    try:
        state_format = manifest_format(folder)
        is_known = state_format in _TRAINED_FILES
        manifest = read_manifest(folder) if is_known else {}
        if is_known:
            check_form(manifest)
    except FileNotFoundError as error:
        raise StateError(
            T("Errors", "{path} is no complete state of LoRA Loom: it has no manifest."),
            T("Errors", "Choose another state; those of other programs cannot be resumed."),
            path=folder,
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise damaged(folder, error) from error
    if not is_known:
        raise StateError(
            T("Errors", "{path} has the format {found}; this version reads {format}."),
            T("Errors", "Update LoRA Loom to resume from it."),
            path=folder,
            found=state_format,
            format=STATE_FORMAT,
        )
    return manifest


def _try_generators(python: list[Any], generators: Mapping[str, Tensor]) -> None:
    """Refuse states that no generator takes.

    Raises:
        ValueError: It is none of Python's, or the one of the CPU is none of torch's.
        KeyError: There is none of the CPU.
    """
    cpu = generators["cpu"]
    try:
        random.Random().setstate(python_generator(python))
        torch.Generator().set_state(cpu)
    except (TypeError, ArithmeticError, RuntimeError) as error:
        raise WrongForm(f"python, {_GENERATORS_FILE}") from error


def damaged(folder: Path, reason: object) -> StateError:
    """Return the error of a state that is not as it was written."""
    return StateError(
        T("Errors", "The state {path} is damaged: {reason}"),
        T("Errors", "Resume from an older state beside it."),
        setting="output.resume",
        path=folder,
        reason=reason,
    )
