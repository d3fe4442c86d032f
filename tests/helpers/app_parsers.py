"""The parsers of the app's own records and of what it hears, as a table for `mutations`."""

from __future__ import annotations

import datetime
import itertools
import json
from pathlib import Path

from helpers.message_examples import EVENTS, full
from helpers.mutations import Parser, as_file, plain_json
from helpers.record_parsers import NothingRead
from PySide6.QtCore import QByteArray

from desktop_app.document_file.recovery import RecoveryFile, Unsaved
from desktop_app.models.runs.used_settings import read_records
from desktop_app.preferences import RECENT_LIMIT, Preferences
from desktop_app.process.event_file import events_in
from desktop_app.process.run_register import RunRegister, past_outcome
from desktop_app.trainer_python.facts import MARK, PythonFacts
from desktop_app.translation import shown
from desktop_app.words.endings import trigger_words
from desktop_app.words.used import differences, everything
from trainer_core.files.run_folder import RunFolder
from trainer_core.protocol.codec import encode
from trainer_core.protocol.messages import Failed, Progress, Warned
from trainer_core.settings import files
from trainer_core.settings.schema import TRAIN


def app_parsers(folder: Path) -> list[Parser]:
    """Return the parsers; they put what they read into ``folder``."""
    return [
        events(),
        run_register(folder),
        past_events(folder),
        recovery_file(folder),
        used_settings(folder),
        preferences(folder),
        probe(),
    ]


def events() -> Parser:
    """Say what events have to say, in the user's language."""

    def parse(content: bytes) -> None:
        found = events_in(content)
        if not found:
            raise NothingRead
        for event in found:
            if isinstance(event, Warned | Failed):
                shown(event.message.text()).encode()
            if isinstance(event, Progress) and event.work is not None:
                shown(event.work.text())

    return Parser(
        name="texts of events",
        samples=tuple(encode(full(kind)) for kind in (Warned, Failed, Progress)),
        parse=parse,
        allowed=(NothingRead,),
        unwrap=plain_json,
        share=500,
    )


def run_register(folder: Path) -> Parser:
    """Read which runs there were, and look for them."""
    register = RunRegister(folder / "runs.json")
    register.note(Path("/runs/a.run"), Path("/runs/a.toml"))
    register.note(Path("/runs/b.run"))

    def parse(_: Path) -> None:
        if not register.runs():
            raise NothingRead
        register.find()

    return Parser(
        name="run register",
        samples=((folder / "runs.json").read_bytes(),),
        parse=as_file(folder / "runs.json", parse),
        allowed=(NothingRead,),
        unwrap=plain_json,
        share=300,
    )


def past_events(folder: Path) -> Parser:
    """Read how a run ended."""
    run = RunFolder(folder, "past")
    run.path.mkdir()
    lines = [encode(full(kind)) for kind in EVENTS if kind.__name__ in ("StepDone", "Finished")]

    def parse(_: Path) -> None:
        if past_outcome(run).state is None:
            raise NothingRead

    return Parser(
        name="end of a run",
        samples=(b"".join(lines),),
        parse=as_file(run.event_file, parse),
        allowed=(NothingRead,),
        unwrap=lambda _: (lines[-1], lambda changed: lines[0] + changed + b"\n"),
        share=200,
    )


def recovery_file(folder: Path) -> Parser:
    """Read unsaved changes."""
    place = RecoveryFile(folder / "unsaved.json")
    run_file = files.loads('format = "loom/2"\n[adapter]\nnetwork_dim = 2\n', "mine.toml")
    when = datetime.datetime(2026, 5, 1, 12, tzinfo=datetime.UTC)
    place.write(Unsaved(run_file, Path("/runs/mine.toml"), "stamp", when))

    def parse(_: Path) -> None:
        found = place.read()
        if found is None:
            raise NothingRead
        found.kept.replace(tzinfo=None).isoformat()
        files.dumps(found.file)

    return Parser(
        name="recovery file",
        samples=((folder / "unsaved.json").read_bytes(),),
        parse=as_file(folder / "unsaved.json", parse),
        allowed=(NothingRead,),
        unwrap=plain_json,
        share=200,
    )


def used_settings(folder: Path) -> Parser:
    """Read what a run really used, and say so."""
    run = RunFolder(folder, "used")
    run.path.mkdir()
    raw = TRAIN.as_raw(TRAIN.defaults())
    files.save(run.run_file, files.RunFile(raw), replace=True)
    used = {
        "model.family": "sd1",
        "hardware.seed": 7,
        "hardware.mixed_precision": "bf16",
        "buckets.resolution": [512, 512],
        "optimizer.unet_lr": 1e-4,
        "optimizer.optimizer_args": ["a=1"],
    }
    facts = {
        "run_id": "id",
        "device": "CPU",
        "latent_cache": "memory",
        "text_encoder": "trained",
        "trainable_parameters": {"unet": 12, "text_encoder": 3},
        "trigger_words": ["robot"],
        "used": used,
    }

    def parse(_: Path) -> None:
        records = read_records(run, "id")
        if records is None:
            raise NothingRead
        differences(records)
        everything(records)
        trigger_words(records.facts)

    return Parser(
        name="effective.json",
        samples=(json.dumps(facts).encode(),),
        parse=as_file(run.effective_file, parse),
        allowed=(NothingRead,),
        unwrap=plain_json,
        share=50,
    )


def preferences(folder: Path) -> Parser:
    """Read the preferences: whatever is damaged counts as never chosen."""
    numbers = itertools.count()
    kept = Preferences(folder / "sound.ini")
    kept.change(theme="dark", start_at_once=True, trainer_python=Path("/usr/bin/python"))
    kept.remember_file(Path("/a.toml"))
    kept.remember_file(Path("/b.toml"))
    kept.keep_layout("docks", QByteArray(b"\x00\x01abc"))
    kept.keep_named_layouts({"mine": QByteArray(b"a"), "貓": QByteArray(b"b")})
    kept.keep_open("adapter", True)
    kept.keep_chart_shown("loss", False)
    kept.keep_sample_side(256)
    kept.write()
    sample = (folder / "sound.ini").read_bytes()

    def parse(content: bytes) -> None:
        # Qt remembers what it read of a file by its name.
        path = folder / f"{next(numbers)}.ini"
        path.write_bytes(content)
        found = Preferences(path)
        path.unlink()
        assert len(found.recent_files) <= RECENT_LIMIT
        assert 0 <= found.sample_side < 2**15
        assert isinstance(found.layout("docks"), QByteArray)
        assert all(isinstance(state, QByteArray) for state in found.named_layouts.values())
        found.is_open("adapter")
        found.is_chart_shown("loss", at_first=True)
        if found.settings == type(found.settings)():
            raise NothingRead

    return Parser(
        name="preferences",
        samples=(sample,),
        parse=parse,
        allowed=(NothingRead,),
        share=200,
    )


def probe() -> Parser:
    """Read what a Python says of itself."""
    card = {"name": "H", "memory": 2**37, "has_bf16": True}
    answers = (
        {"kind": "packages", "packages": {"torch": "2.5"}, "trainer": "1.0"},
        {"kind": "torch_error", "reason": "x"},
        {"kind": "torch", "version": "2", "cuda": "12", "rocm": None, "cards": [card]},
    )

    def parse(content: bytes) -> None:
        facts = PythonFacts(Path("/usr/bin/python"))
        found = facts.with_line(content.decode(errors="replace"))
        if found is facts:
            raise NothingRead
        found.found("torch")
        found.states([])
        if found.torch_error is not None:
            shown(found.torch_error)

    return Parser(
        name="probe of a Python",
        samples=tuple((MARK + json.dumps(answer)).encode() for answer in answers),
        parse=parse,
        allowed=(NothingRead,),
        unwrap=lambda content: (
            content.removeprefix(MARK.encode()),
            lambda changed: MARK.encode() + changed,
        ),
        share=200,
    )
