"""A message as one line of JSON, and back."""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter, ValidationError

from trainer_core.errors import ProtocolError
from trainer_core.protocol.messages import Command, Event, Message
from trainer_core.texts import T

MAX_LINE_BYTES = 64 * 1024

_EVENTS: TypeAdapter[Event] = TypeAdapter(Event)
_COMMANDS: TypeAdapter[Command] = TypeAdapter(Command)


def encode(message: Message) -> bytes:
    """Return ``message`` as a line of UTF-8 JSON with its line feed.

    Raises:
        ProtocolError: The line would be longer than `MAX_LINE_BYTES`.
    """
    content = json.dumps(message.content(), ensure_ascii=False, separators=(",", ":"))
    # File names may hold bytes that are no UTF-8; as JSON's own escapes they travel unharmed.
    line = content.encode(errors="backslashreplace") + b"\n"
    if len(line) > MAX_LINE_BYTES:
        raise ProtocolError(
            T("Errors", "A message of {size} [size:byte|bytes] is too long for the wire."),
            size=len(line),
        )
    return line


def decode_event(line: bytes) -> Event | None:
    """Return the event on ``line``, None if its kind is unknown (a newer trainer's).

    Raises:
        ProtocolError: The line is not an event at all, or its fields are wrong.
    """
    data = _parse(line)
    kind = data.get("event")
    if isinstance(kind, str) and kind not in EVENT_KINDS:
        return None
    try:
        return _EVENTS.validate_python(data)
    except ValidationError as error:
        raise _not_a_message(line) from error


def decode_command(line: bytes) -> Command:
    """Return the command on ``line``.

    Raises:
        ProtocolError: The line is not a command.
    """
    try:
        return _COMMANDS.validate_python(_parse(line))
    except ValidationError as error:
        raise _not_a_message(line) from error


def _parse(line: bytes) -> dict[str, Any]:
    if len(line) > MAX_LINE_BYTES:
        raise _not_a_message(line)
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _not_a_message(line) from error
    if not isinstance(data, dict):
        raise _not_a_message(line)
    return data


def _not_a_message(line: bytes) -> ProtocolError:
    shown = line[:80].decode(errors="replace").strip()
    return ProtocolError(T("Errors", "This line is not a message: {line}"), line=shown)


def _event_kinds() -> frozenset[str]:
    mapping = _EVENTS.json_schema()["discriminator"]["mapping"]
    return frozenset(mapping)


EVENT_KINDS = _event_kinds()
