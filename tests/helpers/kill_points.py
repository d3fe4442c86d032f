"""What a run leaves when it is killed before each of its file operations, and what comes of it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from helpers.run_results import Result
from helpers.trainer_process import TELLS_EVENTS
from safetensors import safe_open

from trainer_core.files.run_folder import RunFolder
from trainer_core.protocol.codec import decode_event
from trainer_core.protocol.messages import (
    CheckpointRemoved,
    CheckpointSaved,
    EventBase,
    Finished,
    SampleReady,
)
from trainer_core.settings import files

E = TypeVar("E", bound=EventBase)

SERVER = Path(__file__).with_name("kill_server.py")
_LEFTOVER = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{8}\.(?P<kind>part|old)")
# They tell of the moment, or of the run's id, which is another one after a start anew.
_OF_THE_MOMENT = re.compile(
    r"ss_training_(started|finished)_at|modelspec\.(date|hash_sha256)|sshs_.*|loom_run_id|ss_session_id"
)


class KillServer:
    """The warm process of `kill_server`, for as long as the ``with`` block lasts."""

    def __init__(self, folder: Path, warm_up: Sequence[object]) -> None:
        self._folder = folder
        self._warm_up = warm_up

    def __enter__(self) -> Self:
        """Start it, and let it import everything."""
        self._errors = (self._folder / "server.log").open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-X", "utf8", "-u", str(SERVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, **TELLS_EVENTS, "PYTHONPATH": str(SERVER.parents[2])},
        )
        assert self.run(self._warm_up) == 0
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def run(self, words: Sequence[object], **watching: object) -> int:
        """Run the trainer; return its exit code. ``watching`` is the rest of the job."""
        job = {"words": [str(word) for word in words], "log": str(self._folder / "log")}
        job |= {
            name: value if isinstance(value, int) else str(value)
            for name, value in watching.items()
        }
        (self._folder / "log").write_bytes(b"")
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(job).encode() + b"\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    @property
    def log(self) -> str:
        """What the last fork wrote."""
        return (self._folder / "log").read_text(encoding="utf-8", errors="replace")

    def of(self, kind: type[E]) -> list[E]:
        """Return what the last fork told, of one kind."""
        lines = [line for line in self.log.encode().splitlines() if line.startswith(b'{"')]
        return [event for event in map(decode_event, lines) if isinstance(event, kind)]


def kinds_of(copies: Path) -> list[int]:
    """Return the last of each row of copies that differ in nothing that is read again.

    What lies half written under another name is removed unread, nobody reads the log, and of the
    events only those of files, and whether there is a step.
    """
    numbers = sorted(int(path.name) for path in copies.iterdir())
    keys = [_content(copies / str(number)) for number in numbers]
    following: list[object] = [*keys[1:], None]
    rows = zip(numbers, keys, following, strict=True)
    return [number for number, key, after in rows if key != after]


def _content(folder: Path) -> Mapping[str, str]:
    content = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        leftovers = [match for part in name.split("/") if (match := _LEFTOVER.fullmatch(part))]
        if path.name in ("trainer.log", "lock") or any(m["kind"] == "part" for m in leftovers):
            continue
        for match in leftovers:
            name = name.replace(match[0], f".{match['name']}.old")
        content[name] = "" if path.is_dir() else hashlib.sha256(_read_again(path)).hexdigest()
    return content


def _read_again(path: Path) -> bytes:
    if path.name != "events.jsonl":
        return path.read_bytes()
    lines = path.read_bytes().splitlines()
    kept = [line for line in lines if re.search(rb'"(checkpoint_|sample_|finished)', line)]
    return b"\n".join(kept) + b"+" * any(b'"step_done"' in line for line in lines)


@dataclass(frozen=True, slots=True)
class Left:
    """Everything that a finished run left, but for what tells of the moment."""

    names: Sequence[str]
    weights: Mapping[str, object]
    states: Mapping[str, object]
    samples: Mapping[str, bytes]
    steps: object
    told: object

    @classmethod
    def by(cls, folder: RunFolder) -> Left:
        """Read it; everything bears the id of the one run."""
        result = Result(folder)
        inside = [path.relative_to(folder.output_dir) for path in folder.path.iterdir()]
        names = [path.name for path in folder.output_dir.iterdir()]
        run_id = files.load(folder.run_file).run["id"]
        return cls(
            names=sorted([*names, *map(str, inside)]),
            weights={path.name: _weights(path, run_id) for path in folder.weights()},
            states={path.name: _state(path, run_id) for path in folder.states()},
            samples=result.samples(),
            steps=[
                (n, e.epoch, e.batch_hash, e.loss, e.grad_norm, dict(e.learning_rates))
                for n, e in sorted(result.steps.items())
            ],
            told=_told(result),
        )

    def differences(self, other: Left) -> list[str]:
        """Return the names of what is not the same."""
        return [name for name in self.__slots__ if getattr(self, name) != getattr(other, name)]


def _weights(path: Path, run_id: object) -> object:
    with safe_open(path, "np") as file:
        metadata = file.metadata()
        tensors = {key: file.get_tensor(key).tobytes() for key in file.keys()}  # noqa: SIM118
    assert metadata["loom_run_id"] == run_id
    kept = {name: metadata[name] for name in metadata if not _OF_THE_MOMENT.fullmatch(name)}
    return kept, tensors


def _state(path: Path, run_id: object) -> object:
    manifest = json.loads((path / "manifest.json").read_bytes())
    assert manifest["run_id"] == run_id
    del manifest["run_id"], manifest["seal"]
    manifest["settings"]["output"]["output_dir"] = None
    return manifest, {part.name: part.read_bytes() for part in path.glob("*.safetensors")}


def _told(result: Result) -> object:
    """Return what the events say is there, and how the run ended."""
    saved: dict[str, int] = {}
    for event in result.events:
        if isinstance(event, CheckpointSaved):
            saved[Path(event.path).name] = event.step
        elif isinstance(event, CheckpointRemoved):
            saved.pop(Path(event.path).name, None)
    output = result.folder.output_dir
    there = {name: step for name, step in saved.items() if (output / name).exists()}
    end = result.of(Finished)[-1]
    paths = [path and Path(path).name for path in (end.weights, end.state)]
    pictures = {Path(event.path).name for event in result.of(SampleReady)}
    return there, pictures, (end.reason, end.step, end.total_steps, *paths)
