"""Messages survive the wire; anything else on it is refused or passed over, never a crash."""

from __future__ import annotations

import json

import pytest
from helpers.message_examples import COMMANDS, EVENTS, full, sparse

from trainer_core.errors import ProtocolError
from trainer_core.protocol.codec import MAX_LINE_BYTES, decode_command, decode_event, encode
from trainer_core.protocol.messages import (
    Command,
    Event,
    Finished,
    Phase,
    Progress,
    SampleReady,
    StepDone,
    Stop,
    TextData,
    Warned,
)
from trainer_core.texts import text

EVERY_EVENT = pytest.mark.parametrize(
    "event", [make(kind) for kind in EVENTS for make in (full, sparse)], ids=lambda e: e.event
)
EVERY_COMMAND = pytest.mark.parametrize(
    "command",
    [make(kind) for kind in COMMANDS for make in (full, sparse)],
    ids=lambda c: c.command,
)


@EVERY_EVENT
def test_an_event_survives(event: Event) -> None:
    assert decode_event(encode(event)) == event


@EVERY_COMMAND
def test_a_command_survives(command: Command) -> None:
    assert decode_command(encode(command)) == command


def test_what_came_later_is_no_part_of_a_line_that_has_no_use_for_it() -> None:
    step = StepDone(step=1, epoch=1, loss=0.5, learning_rates={})
    end = Finished(reason="completed", step=1, total_steps=1, seconds=1)

    assert b"measures" not in encode(step)
    assert b"measures" in encode(step.model_copy(update={"measures": {"norm": 1.5}}))
    assert b"method" not in encode(end)
    assert b"method" in encode(end.model_copy(update={"method": "another"}))


@EVERY_EVENT
def test_a_message_is_one_line_of_utf8(event: Event) -> None:
    line = encode(event)

    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json.loads(line.decode("utf-8"))["event"] == event.event


@EVERY_EVENT
def test_fields_of_a_newer_trainer_are_passed_over(event: Event) -> None:
    newer = json.loads(encode(event)) | {"mood": "good", "nested": {"a": [1]}}

    assert decode_event(json.dumps(newer).encode()) == event


@EVERY_COMMAND
def test_fields_of_a_newer_app_are_passed_over(command: Command) -> None:
    newer = json.loads(encode(command)) | {"mood": "good"}

    assert decode_command(json.dumps(newer).encode()) == command


def test_an_event_of_a_newer_trainer_is_passed_over() -> None:
    assert decode_event(b'{"event": "mood_changed", "mood": "good"}\n') is None


def test_a_command_of_a_newer_app_is_refused() -> None:
    with pytest.raises(ProtocolError, match="dance"):
        decode_command(b'{"command": "dance"}')


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"Loading checkpoint shards: 100%",
        b'{"event": "phase", "phase": "trai',
        b"[]",
        b"null",
        b"3",
        b"NaN",
        b'"phase"',
        b"{}",
        b'{"event": null}',
        b'{"event": 3}',
        b'{"event": ["phase"]}',
        b'{"event": {"event": "phase"}}',
        b'{"event": "phase"}',
        b'{"event": "phase", "phase": "dancing"}',
        b'{"event": "progress", "phase": "a", "done": "x", "total": 1}',
        b'{"event": "phase", "phase": "ended", "time": NaN}',
        b'{"event": "phase", "phase": "ended", "time": Infinity}',
        b'{"event": "phase", "phase": "ended", "time": 1e999}',
        b'{"event": "progress", "phase": "a", "total": 1, "done": ' + b"9" * 5000 + b"}",
        b'{"event": "phase", "phase": "ended"} {"event": "detached"}',
        b'{"event": "phase", "phase": "\xff\xfe"}',
        b"\xff\xfe\x00",
        b"\x00" * 100,
        b"[" * 60_000,
        b'{"a":' * 12_000,
    ],
    ids=lambda line: line[:40].decode(errors="replace"),
)
def test_a_line_that_is_no_message_is_refused(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode_event(line)
    with pytest.raises(ProtocolError):
        decode_command(line.replace(b"event", b"command"))


@pytest.mark.parametrize(
    "line", [b'{"command": "stop", "save": "maybe"}', b'{"command": "stop", "save": null}']
)
def test_a_command_with_a_wrong_field_is_refused(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode_command(line)


def test_a_refused_line_is_shown_only_in_part() -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_event(b"x" * 10_000)

    assert len(str(caught.value)) < 200


def test_an_event_may_fill_the_line_to_its_limit_but_no_more() -> None:
    rest = MAX_LINE_BYTES - len(encode(Progress(phase="", done=1, total=1)))

    longest = Progress(phase="x" * rest, done=1, total=1)
    assert len(encode(longest)) == MAX_LINE_BYTES
    assert decode_event(encode(longest)) == longest
    with pytest.raises(ProtocolError, match=f"{MAX_LINE_BYTES + 1} bytes"):
        encode(Progress(phase="x" * (rest + 1), done=1, total=1))


def test_a_longer_line_is_not_even_read() -> None:
    padding = b" " * MAX_LINE_BYTES

    with pytest.raises(ProtocolError):
        decode_event(encode(Phase(phase="ended")) + padding)


def test_a_file_name_that_is_no_valid_text_travels_unharmed() -> None:
    name = b"caf\xe9.png".decode("utf-8", "surrogateescape")
    sample = SampleReady(step=1, epoch=1, prompt_index=0, prompt="", path=name, seed=1)
    warning = Warned(message=TextData.of(text("{path} is odd", path=name)))

    assert decode_event(encode(sample)) == sample
    assert decode_event(encode(warning)) == warning
    assert encode(sample).decode("utf-8")


def test_words_are_kept_readable_on_the_wire() -> None:
    assert "貓".encode() in encode(Progress(phase="貓", done=1, total=1))


def test_stop_saves_unless_told_otherwise() -> None:
    assert decode_command(b'{"command": "stop"}') == Stop(save=True)
    assert decode_command(b'{"command": "stop", "save": false}') == Stop(save=False)
