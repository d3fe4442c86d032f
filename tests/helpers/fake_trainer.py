"""A stand-in for the trainer: speaks the protocol, with its files and lock, but needs no torch.

Tests import `fake_command`; the app then runs this file as the trainer. It takes the trainer's own
arguments (``train RUN.toml --overwrite --continue``) after options that choose what goes wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import queue
import random
import shutil
import signal
import sys
import threading
import time
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from trainer_core.environment.launch import events_are_asked_for
from trainer_core.files.run_folder import RunFolder
from trainer_core.files.run_lock import RunLock
from trainer_core.files.state_manifest import MANIFEST_NAME, state_step
from trainer_core.protocol.codec import decode_command, encode
from trainer_core.protocol.command_file import COMMAND_SUFFIX
from trainer_core.protocol.messages import (
    BucketCount,
    CheckpointSaved,
    Command,
    Continue,
    Detach,
    Detached,
    DiskFilled,
    EventBase,
    Failed,
    Finished,
    Hello,
    Overflowed,
    Pause,
    Phase,
    Plan,
    Progress,
    Resumed,
    SampleNow,
    SampleReady,
    SaveNow,
    StepDone,
    Stop,
    TextData,
    Warned,
)
from trainer_core.settings import files
from trainer_core.settings.schema import TRAIN, TrainSettings
from trainer_core.version import __version__


def fake_command(**options: object) -> list[str]:
    """Return the program and arguments that start the fake; True stands for a bare option.

    ``fake_command(steps=40, delay=0.01, fail_at=3)``; the options are those of `_arguments`.
    """
    words = []
    for name, value in options.items():
        words.append("--" + name.replace("_", "-"))
        words += [] if value is True else [str(value)]
    return [sys.executable, "-I", "-u", "-X", "utf8", str(Path(__file__).resolve()), *words]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--delay", type=float, default=0.005, help="seconds per step")
    parser.add_argument("--sample-every", type=int, help="steps between sample pictures")
    parser.add_argument("--save-seconds", type=float, default=0.0)
    parser.add_argument("--protocol", type=int, default=1)
    parser.add_argument("--trainer-version", default=__version__)
    parser.add_argument("--no-hello", action="store_true")
    parser.add_argument("--silent-exit", type=int, help="leave at once with this code")
    parser.add_argument("--last-words", default="Illegal instruction", help="said before that")
    parser.add_argument("--garbage", action="store_true", help="break the stream in every way")
    parser.add_argument("--fail-at", type=int)
    parser.add_argument("--fail-setting", default="", help="the setting that it fails at")
    parser.add_argument("--full-at", type=int, help="the disk is full from this step on")
    parser.add_argument("--kill-at", type=int, help="die as by kill -9")
    parser.add_argument("--lose-from", type=int, help="the app's pipe is full from this step")
    parser.add_argument("--lose-until", type=int)
    parser.add_argument("--deaf", action="store_true", help="ignore commands")
    parser.add_argument("--ignore-sigterm", action="store_true")
    parser.add_argument("--log-lines", type=int, default=0, help="lines on stderr per step")
    parser.add_argument("train", choices=["train"])
    parser.add_argument("run_file", type=Path)
    parser.add_argument("--overwrite", action="store_true")
    parser.add_argument("--continue", action="store_true", dest="continue_")
    return parser.parse_args()


class Wire:
    """Writes events to the event file and, unless it is lost, to stdout."""

    def __init__(self, folder: RunFolder, append: bool) -> None:
        folder.path.mkdir(parents=True, exist_ok=True)
        self._path = folder.event_file
        self._file: BinaryIO = self._path.open("ab" if append else "wb", buffering=0)
        self.is_open = events_are_asked_for()  # as the real one: nobody else is told of them
        self._lost_from: int | None = None

    def send(self, event: EventBase) -> None:
        line = encode(event.model_copy(update={"time": time.time()}))
        offset = self._file.tell()
        self._file.write(line)
        if not self.is_open:
            self._lost_from = offset if self._lost_from is None else self._lost_from
            return
        if self._lost_from is not None:
            lost = Overflowed(path=str(self._path), offset=self._lost_from, end=offset)
            self.raw(encode(lost))
            self._lost_from = None
        self.raw(line)

    def raw(self, data: bytes) -> None:
        with contextlib.suppress(BrokenPipeError):  # the app is gone
            while data:
                data = data[os.write(1, data) :]


class FakeRun:
    """One run from hello to its end."""

    def __init__(self, options: argparse.Namespace, settings: TrainSettings) -> None:
        assert settings.output.output_dir is not None
        self._options = options
        self._folder = RunFolder(settings.output.output_dir, settings.output.output_name)
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._random = random.Random(0)
        self._wire = Wire(self._folder, append=options.continue_)
        self._started = time.monotonic()

    def run(self) -> int:
        self._folder.samples.mkdir(parents=True, exist_ok=True)
        with RunLock(self._folder.lock_file):
            return self._run()

    def _run(self) -> int:
        shutil.copyfile(self._options.run_file, self._folder.run_file)
        self._listen()
        step = self._open()
        for phase, total in (("loading", 3), ("caching", 10)):
            self._wire.send(Phase.model_validate({"phase": phase}))
            for done in range(1, total + 1):
                self._wire.send(Progress(phase=phase, done=done, total=total))
        self._wire.send(Phase(phase="training"))
        return self._train(step)

    def _listen(self) -> None:
        if self._options.ignore_sigterm:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        else:
            signal.signal(signal.SIGTERM, lambda *_: self._commands.put(Stop()))
        self._folder.control.mkdir(exist_ok=True)
        threading.Thread(target=self._read_commands, daemon=True).start()
        threading.Thread(target=self._watch_folder, daemon=True).start()

    def _watch_folder(self) -> None:
        while not self._options.deaf:
            for path in sorted(self._folder.control.glob(f"*{COMMAND_SUFFIX}")):
                self._commands.put(decode_command(path.read_bytes()))
                path.unlink()
            time.sleep(0.01)

    def _read_commands(self) -> None:
        buffer = b""
        while data := self._read():
            *lines, buffer = (buffer + data).split(b"\n")
            for line in lines:
                if not self._options.deaf:
                    self._commands.put(decode_command(line))

    def _read(self) -> bytes:
        with contextlib.suppress(OSError):
            return os.read(0, 4096)
        return b""

    def _open(self) -> int:
        options = self._options
        if not options.no_hello:
            hello = Hello(
                protocol=options.protocol,
                version=options.trainer_version,
                pid=os.getpid(),
                run_id="",
                run_folder="",
            )
            self._wire.send(hello)  # before anything is known of the run
            known = {"run_id": "fake", "run_folder": str(self._folder.path), "device": "cpu"}
            self._wire.send(hello.model_copy(update=known))
        self._wire.send(_plan(options.steps))
        state = self._folder.newest_state() if options.continue_ else None
        if state is None:
            return 0
        step = state_step(state)
        self._wire.send(Resumed(from_step=step, state=str(state)))
        return step

    def _train(self, first: int) -> int:
        for step in range(first + 1, self._options.steps + 1):
            stop = self._obey(step - 1)
            if stop is not None:
                return self._end("stopped", step - 1, stop.save)
            time.sleep(self._options.delay)
            self._misbehave(step)
            if step == self._options.full_at:
                stop = self._wait_for_room()
                if stop is not None:
                    return self._fail_elsewhere(step, stop)
            if step == self._options.fail_at:
                return self._fail(step)
            self._wire.send(self._step_done(step))
            if self._options.sample_every and step % self._options.sample_every == 0:
                self._sample(step)
                self._enter(False)
        return self._end("completed", self._options.steps, True)

    def _obey(self, step: int) -> Stop | None:
        is_paused = False
        while is_paused or not self._commands.empty():
            match self._commands.get():
                case Stop() as stop:
                    return stop
                case Detach():
                    self._wire.send(Detached())
                case SaveNow():
                    self._save(step)
                    self._enter(is_paused)
                case SampleNow():
                    self._sample(step)
                    self._enter(is_paused)
                case Pause():
                    is_paused = True
                    self._enter(is_paused)
                case Continue():
                    is_paused = False
                    self._enter(is_paused)
        return None

    def _wait_for_room(self) -> Stop | None:
        """Wait for what is said: go on, or stop."""
        self._wire.send(Phase(phase="saving"))
        folder = str(self._folder.output_dir)
        self._wire.send(DiskFilled(folder=folder, needed_bytes=12 * 2**20, free_bytes=3 * 2**20))
        self._enter(True)
        while True:
            match self._commands.get():
                case Stop() as stop:
                    return stop
                case Continue():
                    self._enter(False)
                    return None

    def _fail_elsewhere(self, step: int, stop: Stop) -> int:
        place = Path(stop.folder) if stop.folder else self._folder.output_dir.parent
        state = place / f"{self._folder.name}-step{step:08d}-state"
        state.mkdir(parents=True)
        message = TextData(template="The disk is full.")
        self._wire.send(Failed(kind="disk_full", message=message, state=str(state), step=step))
        return 1

    def _enter(self, is_paused: bool) -> None:
        self._wire.send(Phase(phase="paused" if is_paused else "training"))

    def _sample(self, step: int) -> None:
        self._wire.send(Phase(phase="sampling"))
        for number, colour in enumerate(("crimson", "seagreen")):
            path = self._folder.samples / f"{step:08d}_{number:02d}_7.png"
            Image.new("RGB", (32, 32), colour).save(path)
            drawn = {"prompt_index": number, "prompt": f"a {colour} square", "seed": 7}
            at = {"step": step, "epoch": 1, "path": str(path)}
            self._wire.send(SampleReady.model_validate(drawn | at))

    def _misbehave(self, step: int) -> None:
        options = self._options
        for number in range(options.log_lines):
            self._log(f"12:00:00 INFO step {step}, line {number}\n")
        if options.garbage and step == 2:
            self._wire.raw(b"\xff\x00 not a message\n" + b'{"event": "step_done", "step": "x"}\n')
            self._wire.raw(b'{"event": "from_the_future", "value": 1}\n{"a": 1}\n[]\n\n')
            self._wire.raw(b"x" * 200_000 + b"\n")
            self._wire.send(
                Warned(message=TextData(template="Only {count} left.", values={"count": 3}))
            )
        if step == options.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        self._wire.is_open = not (
            options.lose_from is not None
            and options.lose_from <= step < (options.lose_until or sys.maxsize)
        )

    def _log(self, words: str) -> None:
        with self._folder.log_file.open("a", encoding="utf-8") as file:
            file.write(words)
        with contextlib.suppress(BrokenPipeError):
            sys.stderr.write(words)

    def _step_done(self, step: int) -> StepDone:
        share = step / self._options.steps
        noise = self._random.lognormvariate(0, 0.35)
        rate = 0.5 * (1 + math.cos(math.pi * share))
        return StepDone(
            step=step,
            epoch=1 + step * 4 // (self._options.steps + 1),
            loss=(0.06 + 0.1 * math.exp(-4 * share)) * noise,
            learning_rates={"text_encoder": 5e-5 * rate, "unet": 1e-4 * rate},
            grad_norm=0.4 * noise,
            images_per_second=1 / max(self._options.delay, 1e-3),
            memory_mib=1500.0,
            seconds=self._options.delay,
        )

    def _save(self, step: int) -> tuple[Path, Path]:
        """Write weights and a state; return their paths."""
        self._wire.send(Phase(phase="saving"))
        time.sleep(self._options.save_seconds)
        weights = self._folder.output_dir / f"{self._folder.name}.safetensors"
        weights.write_bytes(b"fake")
        state = self._folder.output_dir / f"{self._folder.name}-step{step:08d}-state"
        state.mkdir(exist_ok=True)
        (state / MANIFEST_NAME).write_text(json.dumps({"step": step}), encoding="utf-8")
        self._wire.send(
            CheckpointSaved(kind="weights", step=step, epoch=1, path=str(weights), size_bytes=4)
        )
        return weights, state

    def _end(self, reason: str, step: int, save: bool) -> int:
        weights, state = self._save(step) if save else (None, None)
        self._wire.is_open = True
        self._wire.send(Phase(phase="ended"))
        finished = {
            "reason": reason,
            "step": step,
            "total_steps": self._options.steps,
            "seconds": time.monotonic() - self._started,
            "weights": str(weights) if weights else None,
            "state": str(state) if state else None,
        }
        self._wire.send(Finished.model_validate(finished))
        return 0

    def _fail(self, step: int) -> int:
        message = TextData(template="The loss is not finite at step {step}.", values={"step": step})
        hint = TextData(template="Use a smaller learning rate.")
        log_file = str(self._folder.log_file)
        failed = Failed(kind="numeric", message=message, hint=hint, log_file=log_file, step=step)
        self._wire.send(failed.model_copy(update={"setting": self._options.fail_setting}))
        return 1


def _plan(steps: int) -> Plan:
    return Plan(
        pictures=15,
        showings_per_epoch=max(steps // 4, 1),
        buckets=(BucketCount(width=512, height=512, count=15),),
        batches_per_epoch=max(steps // 4, 1),
        steps_per_epoch=max(steps // 4, 1),
        total_steps=steps,
        epochs=4,
        warmup_steps=0,
        trainable_parameters={"unet": 797_184},
        device="cpu",
    )


def main() -> int:
    """Play the part that the options describe."""
    options = _arguments()
    if options.silent_exit is not None:
        sys.stderr.write(f"{options.last_words}\n")
        return options.silent_exit
    settings, problems = TRAIN.parse(files.load(options.run_file).raw)
    assert settings is not None, problems
    return FakeRun(options, settings).run()


if __name__ == "__main__":
    sys.exit(main())
