"""Which weights, states and pictures are a run's own, as its events and the files themselves say.

A run that is killed between naming a file and telling of it has told less than it wrote; one that
is killed while it removes files has told of more than there is. The files decide.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from trainer_core.checkpoints.naming import WEIGHTS_SUFFIX, SavePoint
from trainer_core.errors import ProtocolError
from trainer_core.files.reading import open_regular
from trainer_core.files.run_folder import STATE_SUFFIX, RunFolder
from trainer_core.files.state_manifest import is_count, read_manifest
from trainer_core.model_files.trained_weights import WrittenBy, weights_written_by
from trainer_core.model_files.weights_file import sha256
from trainer_core.protocol.codec import decode_event
from trainer_core.protocol.messages import (
    CheckpointRemoved,
    CheckpointSaved,
    Event,
    SampleReady,
)


@dataclass(slots=True)
class OwnFiles:
    """The weights and states that this run wrote, by name, with the step they were written at.

    Attributes:
        steps: Of all that are there.
        from_step: Where the run went on from.
        untold: The epochs of those that no event tells of.
        pictures: The names of the sample pictures that events tell of.
    """

    steps: dict[str, int] = field(default_factory=dict)
    from_step: int = 0
    untold: dict[str, int] = field(default_factory=dict)
    pictures: set[str] = field(default_factory=set)

    def may_replace(self, name: str) -> bool:
        """True for a file that this run wrote after the step that it was resumed from."""
        return self.steps.get(name, -1) > self.from_step

    def has(self, name: str, step: int) -> bool:
        """Tell whether the run wrote this result at this step, under its name or one beside it.

        A taken ``cat.safetensors`` makes it ``cat.2.safetensors``.
        """
        stem, suffix = (re.escape(part) for part in (Path(name).stem, Path(name).suffix))
        names = (each for each, at in self.steps.items() if at == step)
        return any(re.fullmatch(rf"{stem}(\.\d+)?{suffix}", each) for each in names)

    def newest_weights(self, *, until: int) -> str | None:
        """Return the weights written last up to a step.

        A run that went on from an earlier state may still have files from beyond its end.
        """
        written = {name: step for name, step in self.steps.items() if step <= until}
        weights = [name for name in written if name.endswith(WEIGHTS_SUFFIX)]
        return max(weights, key=written.__getitem__, default=None)

    def tell_untold(self, output_dir: Path, emit: Callable[[CheckpointSaved], object]) -> None:
        """Tell of what the run wrote up to its state without living to say so."""
        for name, epoch in sorted(self.untold.items()):
            if self.steps[name] <= self.from_step:
                emit(saved_event(output_dir / name, self.steps[name], epoch))
        self.untold.clear()

    def renamed(self, name: str, path: Path) -> None:
        """Take note that what was called ``name`` is ``path`` now, which no event tells of yet."""
        self.steps[path.name] = self.steps.pop(name)
        writer = _writer(path)
        self.untold[path.name] = 0 if writer is None else writer.epoch

    @classmethod
    def of(cls, folder: RunFolder, run_id: str, from_step: int) -> OwnFiles:
        """Look at what is there of a run, and read what its events tell of.

        Args:
            folder: Of the run.
            run_id: The run's.
            from_step: The step of the state that it goes on from.
        """
        own = cls(from_step=from_step)
        told = own._steps_in_events(folder.event_file)
        named = (folder.output_dir / name for name in told)  # some stand beside a taken name
        for path in dict.fromkeys([*folder.weights(), *folder.state_folders(), *named]):
            writer = _writer(path)
            if writer is None and path.is_dir() and path.name in told:
                own.steps[path.name] = told[path.name]  # a state that was damaged since
            elif writer is not None and writer.run_id == run_id:
                if told.get(path.name) != writer.step and not _is_of_step(path, writer, folder):
                    continue  # a copy
                own.steps[path.name] = writer.step
                if told.get(path.name) != writer.step:
                    own.untold[path.name] = writer.epoch
        return own

    def _steps_in_events(self, event_file: Path) -> dict[str, int]:
        """Return the steps of what the events tell of; take the pictures up to the state."""
        told: dict[str, int] = {}
        for event in _events(event_file):
            name = Path(event.path).name
            if isinstance(event, CheckpointSaved):
                told[name] = event.step
            elif isinstance(event, CheckpointRemoved):
                told.pop(name, None)
            elif event.step <= self.from_step:
                self.pictures.add(name)
        return told


def saved_event(path: Path, step: int, epoch: int) -> CheckpointSaved:
    """Return the event that tells of weights or a state that are there."""
    is_state = path.is_dir()
    parts = path.iterdir() if is_state else (path,)
    return CheckpointSaved(
        kind="state" if is_state else "weights",
        step=step,
        epoch=epoch,
        path=str(path),
        size_bytes=sum(part.stat().st_size for part in parts),
        sha256="" if is_state else sha256(path),
    )


def _writer(path: Path) -> WrittenBy | None:
    return _state_written_by(path) if path.is_dir() else weights_written_by(path)


def _state_written_by(state: Path) -> WrittenBy | None:
    try:
        manifest = read_manifest(state)
        numbers = [manifest[name] for name in ("step", "epoch", "batch")]
    except (OSError, ValueError, KeyError):
        return None
    if not all(map(is_count, numbers)):
        return None
    step, epoch, batch = numbers
    return WrittenBy(str(manifest.get("run_id")), step, epoch + (batch > 0))


def _is_of_step(path: Path, writer: WrittenBy, folder: RunFolder) -> bool:
    """Tell that a file does not bear the name of another step than the one it is of."""
    stem = path.name.removesuffix(WEIGHTS_SUFFIX).removesuffix(STATE_SUFFIX)
    is_of_step = stem.startswith(f"{folder.name}-step")
    return not is_of_step or stem == SavePoint("step", writer.step).stem(folder.name)


def _events(event_file: Path) -> Iterator[CheckpointSaved | CheckpointRemoved | SampleReady]:
    if not event_file.is_file():
        return
    with open_regular(event_file) as lines:
        for line in lines:
            is_wanted = b'"checkpoint_' in line or b'"sample_ready"' in line
            event = _event_on(line) if is_wanted else None
            if isinstance(event, CheckpointSaved | CheckpointRemoved | SampleReady):
                yield event


def _event_on(line: bytes) -> Event | None:
    """Return the event on a line; None where a full disk cut it short."""
    try:
        return decode_event(line)
    except ProtocolError:
        return None
