"""The parsers of text and of records of earlier runs, as a table for `mutations`."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import random
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from helpers.message_examples import COMMANDS, EVENTS, full, sparse
from helpers.model_parsers import header_json
from helpers.mutations import Parser, as_file, plain_json, put
from torch.nn import Parameter
from torch.optim import AdamW, Optimizer

from trainer_core.checkpoints.state import (
    Position,
    StateFacts,
    read_state,
    restore_generators,
    restore_optimizer,
    restoring,
    write_state,
)
from trainer_core.dataset.caption_files import seen
from trainer_core.dataset.captions import caption_lines
from trainer_core.errors import DatasetError, ProtocolError, SettingsError, StateError
from trainer_core.files.plain_text import find_control
from trainer_core.files.replaced_run import ReplacedRun
from trainer_core.files.run_folder import RunFolder
from trainer_core.files.run_lock import RunLock, lock_holder
from trainer_core.files.state_manifest import (
    MANIFEST_NAME,
    DamagedManifest,
    check_form,
    is_sound,
    looks_damaged,
    read_manifest,
    sealed,
    state_run,
    state_settings,
    state_step,
)
from trainer_core.preflight import prompt_problems
from trainer_core.prompts.file import load_prompts
from trainer_core.protocol.codec import decode_command, decode_event, encode
from trainer_core.protocol.command_file import CommandFolder, next_command_name
from trainer_core.settings import files
from trainer_core.settings.rules.check import check
from trainer_core.settings.schema import TRAIN
from trainer_core.train.earlier.own_files import OwnFiles
from trainer_core.train.run_start import changed_settings


class NothingRead(Exception):  # noqa: N818 - no error: a record that cannot be used is as none
    """What was read says nothing."""


def record_parsers(folder: Path) -> list[Parser]:
    """Return the parsers; they put what they read into ``folder``."""
    return [
        run_file(),
        *prompt_files(folder),
        caption(folder),
        edited_caption(folder),
        event_line(),
        command_line(),
        command_file(folder),
        last_event(folder),
        own_files(folder),
        lock_file(folder),
        mark_of_replaced(folder),
        *state_manifests(folder),
        *state_files(folder),
    ]


# ------------------------------------------------------------------ what people write

_RUN_FILE = """\
format = "loom/2"  # ours
[model]
clip_skip = 2
[dataset]
resolution = [512, 768]
train_data_dir = 'C:\\pictures'
more_pictures = ["a.png", "/b/c.png"]
[adapter]
network_dim = 16
[[dataset.subsets]]
image_dir = "cats"
resolution = [768, 512]
is_reg = true
[optimizer]
learning_rate = 1e-4
optimizer_args = ["weight_decay=0.1", "betas=0.9,0.99"]
max_train_steps = "unset"
[sampling]
prompt_list = ["a cat --n bad --w 512 --d 3", "{a|b} \\u2013w 64"]
[output]
output_name = "燈籠"
output_dir = "out"
training_comment = "a\\nb"
save_state = true
"""


def run_file() -> Parser:
    """Read a run file, check its values, and write it again."""

    def parse(content: bytes) -> None:
        text = content.decode("utf-8-sig")
        read = files.loads(text, "run.toml")
        raw = TRAIN.with_absolute_paths(read.raw, Path("/runs"))
        settings, problems = TRAIN.parse(raw)
        if settings is not None:
            problems += [*check(settings, {}), *prompt_problems(settings)]
        for problem in problems:
            str(problem.message).encode()
            [str(way.message) for way in problem.ways_out]
        tomllib.loads(files.dumps(read))

    return Parser(
        name="run file",
        samples=(_RUN_FILE.encode(),),
        parse=parse,
        allowed=(SettingsError, UnicodeDecodeError),  # that one is told by `load`
        unwrap=toml_as_json,
        share=500,
    )


def toml_as_json(content: bytes) -> tuple[bytes, Callable[[bytes], bytes]]:
    """Unwrap a TOML file: its tables as JSON, and back."""

    def wrap(changed: bytes) -> bytes:
        try:
            return "\n".join(_toml_lines(json.loads(changed))).encode("utf-8", "surrogatepass")
        except (ValueError, RecursionError):  # what only a text can be
            return b"x = " + changed

    return json.dumps(tomllib.loads(content.decode())).encode(), wrap


def _toml_lines(tree: Any) -> Iterator[str]:
    if not isinstance(tree, dict):
        yield _toml_value(tree)
        return
    for name, value in tree.items():
        if not isinstance(value, dict):
            yield f"{json.dumps(name, ensure_ascii=False)} = {_toml_value(value)}"
    for name, value in tree.items():
        if isinstance(value, dict):
            yield f"[{json.dumps(name, ensure_ascii=False)}]"
            yield from _toml_lines(value)


def _toml_value(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml_value, value)) + "]"
    if isinstance(value, dict):
        pairs = (f"{json.dumps(k)} = {_toml_value(v)}" for k, v in value.items())
        return "{" + ", ".join(pairs) + "}"
    return json.dumps(value, ensure_ascii=False)  # null is none of TOML's: a mistake too


def prompt_files(folder: Path) -> list[Parser]:
    """Read prompt files of every kind."""
    lines = (
        "a cat --n bad --w 512 --h 700 --d 1 --l 7.5 --s 28 --ss k_euler_a\n# no\n貓 \u2013w 3\n"
    )
    table = '[prompt]\nnegative_prompt = "bad"\nscale = 7.5\n[[prompt.subset]]\nprompt = "a cat"\n'
    table += "width = 512\nseed = 3\n"
    entries = [
        "a cat --w 64",
        {"prompt": "貓", "width": 512, "height": 64, "seed": 1, "scale": 7, "sample_steps": 20},
        {"prompt": "b", "negative_prompt": "c", "sample_sampler": "ddim", "scale": 1.5},
    ]
    samples = {"txt": lines.encode(), "toml": table.encode(), "json": json.dumps(entries).encode()}
    unwraps = {"txt": None, "toml": toml_as_json, "json": plain_json}

    def parse(path: Path) -> None:
        found = load_prompts(path)
        for prompt in found.prompts:
            assert math.isfinite(prompt.scale)
            assert prompt.seed is None or 0 <= prompt.seed < 2**64
            assert 1 <= prompt.steps <= 1000
            words = prompt.prompt + prompt.negative_prompt
            words.encode()
            assert find_control(words.replace("\v", " ")) is None
        for problem in found.problems:
            str(problem).encode()

    return [
        Parser(
            name=f"prompts.{kind}",
            samples=(sample,),
            parse=as_file(folder / f"prompts.{kind}", parse),
            allowed=(SettingsError,),
            unwrap=unwraps[kind],
        )
        for kind, sample in samples.items()
    ]


_CAPTIONS = ("\ufeffa cat, 貓\r\nsecond\r\n".encode(), b"a robot\n", "é, 😀\n\n".encode())


def caption(folder: Path) -> Parser:
    """Read a caption; what no text holds must be refused."""

    def judge(content: bytes, is_accepted: bool) -> str | None:
        return "no text" if is_accepted and find_control(content.decode()) else None

    return Parser(
        name="caption",
        samples=_CAPTIONS,
        parse=as_file(folder / "caption.txt", caption_lines),
        allowed=(DatasetError,),
        judge=judge,
    )


def edited_caption(folder: Path) -> Parser:
    """Read a caption to edit it; written unchanged it is the same but for its mark."""

    def parse(path: Path) -> None:
        before = seen(path)
        written = before.with_text(before.text).data or b""
        assert written.split() == (before.data or b"").removeprefix(b"\xef\xbb\xbf").split()

    return Parser(
        name="edited caption",
        samples=(b"a robot\n", "é, 😀\r\n".encode()),
        parse=as_file(folder / "edited.txt", parse),
        allowed=(DatasetError,),
        share=500,
    )


# ------------------------------------------------------------------ what app and trainer say


def event_line() -> Parser:
    """Read an event and say what it has to say."""

    def parse(line: bytes) -> None:
        event = decode_event(line)
        for name in ("message", "hint", "work"):
            said = getattr(event, name, None)
            str(said)
        if event is not None:
            encode(event)

    return Parser(
        name="event",
        samples=tuple(encode(make(kind)) for kind in EVENTS for make in (full, sparse)),
        parse=parse,
        allowed=(ProtocolError,),
        unwrap=plain_json,
    )


def command_line() -> Parser:
    """Read a command."""
    return Parser(
        name="command",
        samples=tuple(encode(full(kind)) for kind in COMMANDS),
        parse=decode_command,
        allowed=(ProtocolError,),
        unwrap=plain_json,
    )


def command_file(folder: Path) -> Parser:
    """Take a command from a control folder."""
    place = folder / "control"
    place.mkdir()
    taker = CommandFolder(place)

    def parse(content: bytes) -> None:
        (place / f"{next_command_name()}.json").write_bytes(content)
        (found,) = taker.take()
        if isinstance(found, ProtocolError):
            raise found

    return Parser(
        name="control file",
        samples=tuple(encode(full(kind)) for kind in COMMANDS),
        parse=parse,
        allowed=(ProtocolError,),
        unwrap=plain_json,
        share=300,
    )


# ------------------------------------------------------------------ what earlier runs left


def last_event(folder: Path) -> Parser:
    """Read the step at which a run was completed."""
    run = RunFolder(folder, "last")
    run.path.mkdir()
    finished = b'{"event": "finished", "reason": "completed", "step": 12}'

    def parse(_: Path) -> None:
        step = run.completed_step()
        if step is None:
            raise NothingRead
        assert type(step) is int
        assert step >= 0

    return Parser(
        name="last event",
        samples=(b'{"event": "hello"}\n' + finished + b"\n",),
        parse=as_file(run.event_file, parse),
        allowed=(NothingRead,),
        unwrap=lambda _: (finished, lambda changed: b'{"event": "hello"}\n' + changed + b"\n"),
    )


def own_files(folder: Path) -> Parser:
    """Read which files a run wrote."""
    run = RunFolder(folder / "own", "cat")
    run.path.mkdir(parents=True)
    kinds = ("CheckpointSaved", "CheckpointRemoved", "SampleReady")
    lines = tuple(encode(full(kind)) for kind in EVENTS if kind.__name__ in kinds)

    def parse(_: Path) -> None:
        own = OwnFiles.of(run, "id", 3)
        if not own.pictures:
            raise NothingRead

    return Parser(
        name="events of own files",
        samples=(b"".join(lines),),
        parse=as_file(run.event_file, parse),
        allowed=(NothingRead,),
        unwrap=lambda _: (lines[0], lambda changed: changed + b"\n" + b"".join(lines[1:])),
        share=300,
    )


def lock_file(folder: Path) -> Parser:
    """Read who holds a lock that is held."""
    path = folder / "lock"

    def parse(content: bytes) -> None:
        with RunLock(path):
            put(path, content)
            holder = lock_holder(path)
        assert holder is not None
        if holder.pid is None:
            raise NothingRead
        assert 0 < holder.pid < 2**31
        assert math.isfinite(holder.started)

    return Parser(
        name="lock",
        samples=(b'{"pid": 12, "started": 1700000000.5, "host": "here"}',),
        parse=parse,
        allowed=(NothingRead,),
        unwrap=plain_json,
        share=500,
    )


def mark_of_replaced(folder: Path) -> Parser:
    """Tell whether a folder is one of replaced runs."""
    run = RunFolder(folder, "old")
    place = folder / "old.replaced"
    place.mkdir()

    def parse(_: Path) -> None:
        if not ReplacedRun(run).is_any():
            raise NothingRead

    return Parser(
        name="mark of replaced",
        samples=(b'{"format": "loom-replaced/1", "name": "old"}',),
        parse=as_file(place / "replaced.json", parse),
        allowed=(NothingRead,),
        unwrap=plain_json,
        share=300,
    )


def state_manifests(folder: Path) -> list[Parser]:
    """Read manifests: damaged as they are, and sealed as if they had been written so."""
    state = _written_state(folder / "manifest-state")
    path = state / MANIFEST_NAME
    content = path.read_bytes()
    plain = json.dumps(read_manifest(state)).encode()

    def parse(_: Path) -> None:
        for read in (looks_damaged, is_sound, state_step, state_settings, state_run):
            read(state)
        manifest = read_manifest(state)
        check_form(manifest)
        assert 0 <= manifest["epoch"] <= manifest["step"] < 2**63
        changed_settings(manifest["settings"], TRAIN.as_raw(TRAIN.defaults()))

    sealed_one = Parser(
        name="manifest",
        samples=(content, plain),
        parse=as_file(path, parse),
        allowed=(DamagedManifest,),
        unwrap=plain_json,
        share=500,
    )
    unwrap = lambda _: (plain, _sealed_again)  # noqa: E731
    return [
        sealed_one,
        Parser(
            name="manifest sealed anew",
            samples=(content,),
            parse=as_file(path, parse),
            allowed=(DamagedManifest,),
            unwrap=unwrap,
            share=500,
        ),
    ]


def _sealed_again(changed: bytes) -> bytes:
    with contextlib.suppress(ValueError, TypeError, RecursionError):
        return sealed(json.loads(changed))
    return changed


def _optimizer() -> Optimizer:
    weight = Parameter(torch.ones(2, 3))
    optimizer = AdamW([weight], lr=0.1)
    weight.grad = torch.ones(2, 3)
    optimizer.step()
    return optimizer


def _written_state(folder: Path) -> Path:
    settings = TRAIN.as_raw(TRAIN.defaults())
    with _own_draws():
        write_state(
            folder,
            StateFacts("id", "cat", 7, Position(3, 1, 2), "pictures", settings, "0" * 64),
            trained={"a": torch.ones(2, 3)},
            optimizer=_optimizer(),
            progress={"schedule": {"steps": 3}, "scaler": {"scale": 2.0, "_growth_tracker": 3}},
        )
    return folder


@contextlib.contextmanager
def _own_draws() -> Iterator[None]:
    """Seed the process's generators, for states that are the same every time; put them back."""
    numbers, draws = random.getstate(), torch.get_rng_state()
    random.seed(1)
    torch.default_generator.manual_seed(1)
    try:
        yield
    finally:
        random.setstate(numbers)
        torch.set_rng_state(draws)


def state_files(folder: Path) -> list[Parser]:
    """Put states back whose files are damaged, though their hashes are right."""
    state = _written_state(folder / "files-state")
    manifest = read_manifest(state)
    optimizer = _optimizer()

    def restore(name: str, content: bytes) -> None:
        before = (state / name).read_bytes()
        entry = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        put(state / name, content)
        changed = manifest | {"files": manifest["files"] | {name: entry}}
        put(state / MANIFEST_NAME, sealed(changed))
        try:
            saved = read_state(state)
            with _own_draws(), restoring(saved):
                restore_optimizer(optimizer, saved)
                restore_generators(saved)
        finally:
            put(state / name, before)

    def parser(name: str, unwrap: Any, share: int) -> Parser:
        return Parser(
            name=f"state's {name}",
            samples=((state / name).read_bytes(),),
            parse=lambda content: restore(name, content),
            allowed=(StateError,),
            unwrap=unwrap,
            share=share,
        )

    return [
        parser("progress.json", plain_json, 300),
        parser("generators.safetensors", header_json, 200),
        parser("optimizer.safetensors", header_json, 200),
        parser("trained.safetensors", header_json, 100),
    ]
