"""The real trainer as a process of its own: started, listened to, told things, ended."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self, TypeVar

import tomlkit

from trainer_core.environment.launch import EVENTS_VARIABLE
from trainer_core.protocol.codec import decode_event
from trainer_core.protocol.messages import Command, EventBase, Failed, StepDone

# As the app starts it.
PYTHON = (sys.executable, "-I", "-u", "-X", "utf8")
TELLS_EVENTS = {EVENTS_VARIABLE: "1"}
PATIENCE_S = 120.0  # far above what anything here takes, for machines that are busy

E = TypeVar("E", bound=EventBase)


def trainer_command(*words: object, before: str = "") -> list[str]:
    """Return the command line of the trainer; ``before`` is Python to run ahead of its main."""
    if not before:
        return [*PYTHON, "-m", "trainer_core", *map(str, words)]
    main = "import sys\nfrom trainer_core.__main__ import main\nsys.exit(main())"
    return [*PYTHON, "-c", f"{before}\n{main}", *map(str, words)]


@dataclass(frozen=True)
class Ended:
    """How a process ended and what it said."""

    code: int
    events: Sequence[EventBase]
    out: str
    log: str

    def of(self, kind: type[E]) -> list[E]:
        """Return the events of one kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def failed(self) -> Failed:
        """The event that says why the run failed; there is exactly one, and it is the last."""
        (failed,) = self.of(Failed)
        assert self.events[-1] is failed
        return failed

    @property
    def steps(self) -> list[int]:
        """The optimizer steps that were done."""
        return [event.step for event in self.of(StepDone)]


def run_trainer(
    *words: object,
    before: str = "",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Ended:
    """Run the trainer to its end with nothing on stdin, and return what it said."""
    with TrainerProcess(*words, before=before, cwd=cwd, env=env) as process:
        return process.end()


class TrainerProcess:
    """A running trainer; leaving the ``with`` block kills it if it still runs.

    Args:
        words: Arguments of the trainer, such as ``"train", run_file``.
        before: Python code to run in the process ahead of the trainer's main.
        cwd: Working folder.
        env: Variables over those of the tests; an empty value removes one.
        popen: Further arguments of `subprocess.Popen`, such as ``preexec_fn``.
    """

    def __init__(
        self,
        *words: object,
        before: str = "",
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        **popen: object,
    ) -> None:
        asked = {**os.environ, **TELLS_EVENTS, **(env or {})}
        variables = {name: value for name, value in asked.items() if value}
        self.popen = subprocess.Popen(
            trainer_command(*words, before=before),
            cwd=cwd,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **popen,
        )
        self.events: list[EventBase] = []
        self._queue: queue.SimpleQueue[EventBase | None] = queue.SimpleQueue()
        self._out = _Reader(self.popen.stdout, self._take)
        self._log = _Reader(self.popen.stderr)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait(PATIENCE_S)
        self._out.join()
        self._log.join()
        for stream in (self.popen.stdin, self.popen.stdout, self.popen.stderr):
            stream.close()

    def wait_for(self, kind: type[E], is_wanted: Callable[[E], bool] = lambda event: True) -> E:
        """Return the next event of ``kind`` that ``is_wanted``; those before it are passed over."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                event = self._queue.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {kind.__name__} in time:\n{self.log}") from None
            if event is None:
                raise AssertionError(f"it ended without {kind.__name__}:\n{self.log}")
            if isinstance(event, kind) and is_wanted(event):
                return event

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something holds that no event tells of, such as a file being there."""
        deadline = time.monotonic() + PATIENCE_S
        while not is_so():
            assert self.popen.poll() is None, f"it ended too early:\n{self.log}"
            assert time.monotonic() < deadline, f"not in time:\n{self.log}"
            time.sleep(0.02)

    def send(self, command: Command) -> None:
        """Write a command to the process's stdin."""
        self.popen.stdin.write(command.model_dump_json().encode() + b"\n")
        self.popen.stdin.flush()

    def signal(self, number: int) -> None:
        """Send the process a signal."""
        self.popen.send_signal(number)

    def end(self) -> Ended:
        """Wait until it has ended by itself and return what it said."""
        code = self.popen.wait(PATIENCE_S)
        self._out.join()
        self._log.join()
        return Ended(code, self.events, self._out.text, self._log.text)

    @property
    def log(self) -> str:
        """What it wrote to stderr so far."""
        return self._log.text

    def _take(self, line: bytes | None) -> None:
        event = decode_event(line) if line and line.startswith(b'{"') else None
        if event is not None:
            self.events.append(event)
        if event is not None or line is None:
            self._queue.put(event)


class _Reader(threading.Thread):
    """Reads a pipe to its end; ``take`` gets every line, and None at the end."""

    def __init__(
        self, pipe: IO[bytes] | None, take: Callable[[bytes | None], None] = lambda line: None
    ) -> None:
        super().__init__(daemon=True)
        assert pipe is not None
        self._pipe, self._take = pipe, take
        self._lines: list[bytes] = []
        self.start()

    @property
    def text(self) -> str:
        return b"".join(self._lines).decode(errors="replace")

    def run(self) -> None:
        for line in self._pipe:
            self._lines.append(line)
            self._take(line)
        self._take(None)


def tiny_values(model: Path, pictures: Path, output: Path) -> dict[str, object]:
    """Return settings, by ``section.name``, of a run of 4 steps on two buckets."""
    return {
        "model.pretrained_model_name_or_path": str(model),
        "dataset.train_data_dir": str(pictures),
        "buckets.resolution": [128, 128],
        "adapter.network_dim": 2,
        "adapter.network_alpha": 1.0,
        "optimizer.optimizer_type": "AdamW",
        "optimizer.max_train_steps": 4,
        "output.output_dir": str(output),
        "output.output_name": "tiny",
        "output.save_every_n_epochs": "unset",
        "hardware.mixed_precision": "no",
        "hardware.num_cpu_threads_per_process": 1,
        "hardware.seed": 7,
    }


def write_run_file(path: Path, values: Mapping[str, object]) -> Path:
    """Write a run file with ``values`` by ``section.name``; None leaves a setting out."""
    tree: dict[str, object] = {"format": "loom/2"}
    for key, value in values.items():
        section, _, name = key.rpartition(".")
        if value is not None:
            tree.setdefault(section, {})[name] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(tomlkit.dumps(tree), encoding="utf-8")
    return path


@dataclass
class TinyProject:
    """A run of a few steps on a tiny model, in a folder of its own.

    ``values`` are its settings by ``section.name``; `run_file` writes them with changes.
    """

    folder: Path
    model: Path
    pictures: Path
    values: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.values = {**tiny_values(self.model, self.pictures, self.output), **self.values}

    @property
    def output(self) -> Path:
        """The output folder; it does not exist before the first run."""
        return self.folder / "output"

    def run_file(self, changes: Mapping[str, object] | None = None, name: str = "run.toml") -> Path:
        """Write the run file with ``changes`` (None leaves a setting out) and return its path."""
        return write_run_file(self.folder / name, {**self.values, **(changes or {})})
