"""The folder of a run beside its weights: where each thing is, and what is there."""

from __future__ import annotations

import itertools
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from typing_extensions import TypedDict  # what pydantic asks for

from trainer_core.errors import OutputError
from trainer_core.files.form import Count, checked, plain_json
from trainer_core.files.links import is_link, is_taken, link_error
from trainer_core.files.presence import is_file, is_folder
from trainer_core.files.reading import open_regular
from trainer_core.files.state_manifest import MANIFEST_NAME, looks_damaged, state_step
from trainer_core.files.writing import output_error
from trainer_core.texts import T

RUN_SUFFIX = ".run"
STATE_SUFFIX = "-state"
_LINE_LIMIT = 64 * 1024  # bytes; no event is longer
_SAMPLE = re.compile(r"\d{8,}_\d{2,}_\d+\.png")  # step, index of the prompt, seed


class _Completed(TypedDict):
    """What the last event of a completed run says."""

    event: Literal["finished"]
    reason: Literal["completed"]
    step: Count


@dataclass(frozen=True, slots=True)
class RunFolder:
    """``<output_dir>/<name>.run`` and the weights and states beside it."""

    output_dir: Path
    name: str

    @classmethod
    def at(cls, path: Path) -> RunFolder:
        """Return the run whose folder is ``path``, which ends in ``.run``."""
        return cls(path.parent, path.name.removesuffix(RUN_SUFFIX))

    @property
    def path(self) -> Path:
        """The folder itself."""
        return self.output_dir / f"{self.name}{RUN_SUFFIX}"

    @property
    def run_file(self) -> Path:
        """What was asked, with the seed drawn and the run's id."""
        return self.path / "run.toml"

    @property
    def effective_file(self) -> Path:
        """What the trainer really used (JSON)."""
        return self.path / "effective.json"

    @property
    def event_file(self) -> Path:
        """Every event, one JSON object a line."""
        return self.path / "events.jsonl"

    @property
    def log_file(self) -> Path:
        """The log for people."""
        return self.path / "trainer.log"

    @property
    def samples(self) -> Path:
        """Sample pictures."""
        return self.path / "samples"

    @property
    def control(self) -> Path:
        """Commands, one renamed file each."""
        return self.path / "control"

    @property
    def lock_file(self) -> Path:
        """Held by the trainer for as long as it runs."""
        return self.path / "lock"

    @property
    def final_weights(self) -> Path:
        """The weights of the whole run."""
        return self.output_dir / f"{self.name}.safetensors"

    @property
    def _records(self) -> tuple[Path, ...]:
        return (self.run_file, self.effective_file, self.event_file, self.log_file)

    def records(self) -> list[Path]:
        """Return what is here of a run's records: the files and sample pictures that we write.

        Whatever else lies in the folder is somebody else's, and the lock stays where it is.
        """
        samples = _listed(self.samples) if not is_link(self.samples) else []
        pictures = (path for path in samples if is_sample_name(path.name))
        return [path for path in (*self._records, *pictures) if is_file(path) or is_link(path)]

    def links(self) -> list[Path]:
        """Return what is a link where we write: nothing is written through it."""
        places = (self.path, self.samples, self.control, self.lock_file, *self._records)
        return [path for path in places if is_link(path)]

    def refuse_links(self) -> None:
        """Refuse to write where a link leads elsewhere.

        Raises:
            OutputError: There is one.
        """
        for path in self.links():
            raise output_error(link_error(path), path)

    def refuse_obstacles(self) -> None:
        """Refuse what takes the place of a folder or file of the run, links among it.

        Raises:
            OutputError: There is something.
        """
        self.refuse_links()
        hint = T("Errors", "Move or rename it, or choose another output name.")
        for path in (self.path, self.samples, self.control):
            if is_taken(path) and not is_folder(path):
                raise OutputError(T("Errors", "{path} is no folder."), hint, path=path)
        appended = (self.lock_file, self.event_file, self.log_file)
        for path in (self.lock_file, *self._records):
            # A pipe in the place of the others is replaced.
            if is_folder(path) or (path in appended and is_taken(path) and not is_file(path)):
                raise OutputError(T("Errors", "{path} is no file."), hint, path=path)

    def require(self) -> None:
        """Refuse to write where the folder is no longer there: it would be made anew, and half.

        Raises:
            OutputError: It was removed or renamed, its disk is away, or a link took its place.
        """
        if not is_folder(self.path):
            raise OutputError(
                T("Errors", "The run's folder {folder} is gone."),
                T(
                    "Errors",
                    "It was removed or renamed, or its disk is away. Bring it back, or choose "
                    "another output folder.",
                ),
                folder=self.path,
            )
        self.refuse_links()

    def exists(self) -> bool:
        """Tell whether there is something of this name to lose: weights, states, a trained step.

        What a start left that never came to its first step does not count.
        """
        return bool(self.weights() or self.state_folders()) or self._has_trained()

    def _has_trained(self) -> bool:
        try:
            with open_regular(self.event_file) as lines:
                return any(b'"step_done"' in line for line in lines)
        except OSError:
            return False

    def weights(self) -> list[Path]:
        """Return the weight files of this name, in order of their names.

        ``name-000003.safetensors`` is no epoch of ``name`` where a run is called so itself.
        """
        pattern = re.compile(rf"{re.escape(self.name)}(-\d{{6,}}|-step\d{{8,}})?\.safetensors")
        return [path for path in self._matching(pattern) if self._is_ours(path.stem)]

    def state_folders(self) -> list[Path]:
        """Return the folders that bear the name of a state, complete or not."""
        number = r"(-\d{6,}|-(step|kept)\d{8,})?"
        pattern = re.compile(rf"{re.escape(self.name)}{number}{STATE_SUFFIX}")
        found = self._matching(pattern)
        return [path for path in found if self._is_ours(path.name.removesuffix(STATE_SUFFIX))]

    def states(self) -> list[Path]:
        """Return the complete states of this name, oldest step first."""
        found = [(state_step(path), path) for path in self.state_folders()]
        return [path for step, path in sorted(found) if step >= 0]

    def newest_damaged_state(self) -> Path | None:
        """Return the newest state if it is damaged as far as manifests and sizes tell, else None.

        What a damaged manifest cannot say of its step, the time at which it was written does.
        """
        sound = self.newest_state()
        last = (-1, 0) if sound is None else _age(sound)
        damaged = [path for path in self.state_folders() if looks_damaged(path)]
        newer = [path for path in damaged if path == sound or _is_newer(_age(path), last)]
        return max(newer, key=lambda path: _age(path)[1], default=None)

    def newest_state(self) -> Path | None:
        """Return the complete state with the highest step, None if there is none."""
        states = self.states()
        return states[-1] if states else None

    def completed_step(self) -> int | None:
        """Return the step at which the run came to its end, None if it was left before."""
        try:
            with open_regular(self.event_file) as lines:
                lines.seek(max(0, lines.seek(0, os.SEEK_END) - _LINE_LIMIT))
                last = checked(_Completed, plain_json(lines.read().splitlines()[-1]))
        except (OSError, ValueError, LookupError):
            return None
        return last["step"]

    def _matching(self, pattern: re.Pattern[str]) -> list[Path]:
        return [path for path in _listed(self.output_dir) if pattern.fullmatch(path.name)]

    def _is_ours(self, stem: str) -> bool:
        return stem == self.name or not (self.output_dir / f"{stem}{RUN_SUFFIX}").is_dir()


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (OSError, ValueError):  # not there, not to be read, or no name at all
        return []


def is_sample_name(name: str) -> bool:
    """Tell whether a run's sample picture is called so."""
    return _SAMPLE.fullmatch(name) is not None


def is_run_folder(path: Path) -> bool:
    """Tell whether a run keeps its records in ``path``."""
    return path.name.endswith(RUN_SUFFIX) and is_file(RunFolder.at(path).event_file)


def free_name(output_dir: Path, name: str) -> str:
    """Return ``name``, or the first of ``name-2``, ``name-3``, ... that no run uses here."""
    candidates = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    return next(each for each in candidates if not RunFolder(output_dir, each).exists())


def _age(state: Path) -> tuple[int, int]:
    """Return the step of a state, -1 if it does not say, and when its manifest was written."""
    try:
        return state_step(state), (state / MANIFEST_NAME).stat().st_mtime_ns
    except OSError:
        return -1, 0


def _is_newer(age: tuple[int, int], last: tuple[int, int]) -> bool:
    knows_steps = min(age[0], last[0]) >= 0
    return age[0] > last[0] if knows_steps else age[1] > last[1]
