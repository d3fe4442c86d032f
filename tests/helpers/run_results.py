"""What runs left on disk, and many runs in one process."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from helpers.trainer_process import PATIENCE_S, PYTHON
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from trainer_core.files.run_folder import RunFolder
from trainer_core.protocol.codec import decode_event
from trainer_core.protocol.messages import EventBase, Resumed, StepDone

E = TypeVar("E", bound=EventBase)

_ONE_AFTER_ANOTHER = """
import json, pathlib, shutil, sys
from trainer_core.__main__ import main
runs, answer, source, copies = sys.argv[1:]
codes = []
for words in json.loads(runs):
    codes.append(main(["train", *words]))
    if copies:
        shutil.copytree(source, f"{copies}/{len(codes)}")
pathlib.Path(answer).write_text(json.dumps(codes))
"""


def train_one_after_another(
    answer: Path,
    runs: Iterable[Sequence[object]],
    *,
    env: Mapping[str, str] | None = None,
    copied: tuple[Path, Path] | None = None,
) -> list[int]:
    """Train in one new process, which imports torch once; return the exit codes.

    Args:
        answer: A file for the answer, in a folder of the test's own.
        runs: The arguments of ``train`` for each run. All have the same ``mixed_precision``:
            accelerate cannot change it within a process.
        env: Variables over those of the tests.
        copied: A folder, and one in which copies of it are made: ``1`` after the first run.
    """
    words = json.dumps([[str(word) for word in run] for run in runs])
    folders = copied or ("", "")
    command = [*PYTHON, "-c", _ONE_AFTER_ANOTHER, words, str(answer), *map(str, folders)]
    done = subprocess.run(
        command,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    codes: list[int] = json.loads(answer.read_text(encoding="utf-8"))
    return codes


@dataclass(frozen=True)
class Result:
    """The files of one run, read when asked for."""

    folder: RunFolder

    @classmethod
    def at(cls, output_dir: Path, name: str) -> Result:
        """Return what the run called ``name`` left in ``output_dir``."""
        return cls(RunFolder(output_dir, name))

    @property
    def events(self) -> list[EventBase]:
        """Everything in the event file."""
        lines = self.folder.event_file.read_bytes().splitlines()
        return [event for event in map(decode_event, lines) if event is not None]

    def of(self, kind: type[E]) -> list[E]:
        """Return the events of one kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def steps(self) -> dict[int, StepDone]:
        """Every step of the run; what was done again after a resume counts once."""
        found: dict[int, StepDone] = {}
        for event in self.events:
            if isinstance(event, Resumed):
                found = {step: done for step, done in found.items() if step <= event.from_step}
            elif isinstance(event, StepDone):
                assert event.step not in found
                found[event.step] = event
        return found

    @property
    def losses(self) -> list[float | None]:
        """The loss of every step, in order."""
        return [event.loss for _, event in sorted(self.steps.items())]

    @property
    def hashes(self) -> list[str]:
        """The hash of every step's batches, in order."""
        return [event.batch_hash for _, event in sorted(self.steps.items())]

    def weights(self, suffix: str = "") -> dict[str, Tensor]:
        """Return the tensors of the weight file with ``suffix``, such as ``-step00000004``."""
        return load_file(self._weights_path(suffix))

    def metadata(self, suffix: str = "") -> dict[str, str]:
        """Return the metadata of a weight file."""
        with safe_open(self._weights_path(suffix), "pt") as file:
            return dict(file.metadata())

    def state(self, suffix: str = "") -> Path:
        """Return the folder of the state with ``suffix``."""
        return self.folder.output_dir / f"{self.folder.name}{suffix}-state"

    def state_tensors(self, part: str, suffix: str = "") -> dict[str, Tensor]:
        """Return the tensors of ``part`` (trained, optimizer, generators) of a state."""
        return load_file(self.state(suffix) / f"{part}.safetensors")

    def samples(self) -> dict[str, bytes]:
        """Return the sample pictures by file name."""
        return {path.name: path.read_bytes() for path in sorted(self.folder.samples.iterdir())}

    def _weights_path(self, suffix: str) -> Path:
        return self.folder.output_dir / f"{self.folder.name}{suffix}.safetensors"
