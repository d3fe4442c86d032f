"""What messages are: frozen, named, and finite."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from helpers.message_examples import COMMANDS, EVENTS, full, sparse
from pydantic import BaseModel, ValidationError

from trainer_core.protocol import messages
from trainer_core.protocol.messages import EventBase, Message, Progress, StepDone, TextData
from trainer_core.texts import Text, text

EVERY = pytest.mark.parametrize("kind", [*EVENTS, *COMMANDS], ids=lambda kind: kind.__name__)


def declared(base: type[BaseModel], field: str) -> set[type[BaseModel]]:
    """Return the message classes of the module that carry a name on the wire."""
    return {
        thing
        for thing in vars(messages).values()
        if isinstance(thing, type) and issubclass(thing, base) and field in thing.model_fields
    }


def test_every_event_and_command_that_is_declared_is_on_the_wire() -> None:
    assert declared(EventBase, "event") == set(EVENTS)
    assert declared(Message, "command") == set(COMMANDS)


def test_names_on_the_wire_are_unique() -> None:
    for field, kinds in (("event", EVENTS), ("command", COMMANDS)):
        names = [kind.model_fields[field].default for kind in kinds]
        assert len(set(names)) == len(names)
        assert all(re.fullmatch("[a-z]+(_[a-z]+)*", name) for name in names)


@EVERY
def test_a_message_cannot_be_changed(kind: type[BaseModel]) -> None:
    message = full(kind)
    name = next(iter(kind.model_fields))

    with pytest.raises(ValidationError):
        setattr(message, name, getattr(message, name))


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_an_event_need_not_know_its_time(kind: type[EventBase]) -> None:
    assert sparse(kind).time == 0.0


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_must_be_finite(value: float) -> None:
    with pytest.raises(ValidationError):
        StepDone(step=1, epoch=1, loss=value, learning_rates={})
    with pytest.raises(ValidationError):
        StepDone(step=1, epoch=1, loss=None, learning_rates={"unet": value})


def test_a_loss_may_be_unknown() -> None:
    assert StepDone(step=1, epoch=1, loss=None, learning_rates={}).loss is None


def test_a_missing_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="total"):
        Progress(phase="caching", done=1)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    "words",
    [
        Text("Nothing to fill in."),
        text("{path} at {step} of {share}: {ok} {none}", path=Path("a"), step=3, share=0.5, ok=True,
             none=None),
        text("{loss}", loss=float("nan")),
        text("{error}", error=ValueError("{not} a template")),
    ],
)  # fmt: skip
def test_a_text_travels_with_its_values(words: Text) -> None:
    travelled = TextData.of(words)

    assert travelled.text() == words
    assert str(travelled) == str(words)
