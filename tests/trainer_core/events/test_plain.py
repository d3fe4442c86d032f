"""Plain lines of a run: each thing once, steps now and then, and how long it still takes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import pytest

from trainer_core.events.plain import PlainProgress
from trainer_core.protocol.messages import (
    EventBase,
    Finished,
    Plan,
    Progress,
    StepDone,
    TextData,
    Warned,
)
from trainer_core.texts import text

Told = Callable[[Sequence[tuple[float, EventBase]]], list[str]]


@pytest.fixture
def told() -> Told:
    """Return the lines that are written for events, each at a time in seconds."""

    def told(events: Sequence[tuple[float, EventBase]]) -> list[str]:
        read_end, write_end = os.pipe()
        clock = [0.0]
        progress = PlainProgress(write_end, now=lambda: clock[0])
        for clock[0], event in events:
            progress(event)
        progress.close()
        os.close(write_end)
        with os.fdopen(read_end, encoding="utf-8") as file:
            return file.read().splitlines()

    return told


def plan(steps: int) -> Plan:
    return Plan.model_validate(
        {
            "pictures": 1,
            "showings_per_epoch": 1,
            "buckets": [],
            "batches_per_epoch": 1,
            "steps_per_epoch": 1,
            "total_steps": steps,
            "epochs": 1,
            "warmup_steps": 0,
        }
    )


def step(number: int, loss: float | None = 0.25) -> StepDone:
    return StepDone.model_validate(
        {"step": number, "epoch": 1, "loss": loss, "learning_rates": {}, "seconds": 1.0}
    )


def test_the_first_step_the_last_and_one_every_ten_seconds_are_told(told: Told) -> None:
    # A step in 4 s.
    events: list[tuple[float, EventBase]] = [(0.0, plan(8))]
    events += [(4.0 * number, step(number)) for number in range(1, 9)]

    assert told(events)[1:] == [
        "Step 1 of 8, epoch 1, loss 0.2500",
        "Step 4 of 8, epoch 1, loss 0.2500, 0:00:16 left",
        "Step 7 of 8, epoch 1, loss 0.2500, 0:00:04 left",
        "Step 8 of 8, epoch 1, loss 0.2500",
    ]


def test_waiting_for_data_is_told_with_the_step_that_comes_after_it(told: Told) -> None:
    waiting = [step(number).model_copy(update={"data_wait_s": 0.4}) for number in (1, 2, 3)]
    events: list[tuple[float, EventBase]] = [(0.0, plan(3))]
    events += [(float(number), each) for number, each in enumerate(waiting)]

    assert told(events)[1:] == [
        "Step 1 of 3, epoch 1, loss 0.2500",
        "Step 3 of 3, epoch 1, loss 0.2500, 0.8 s of waiting for data",
    ]


def test_the_time_left_is_that_of_the_steps_to_come(told: Told) -> None:
    # 100 s for the 10 steps since the first: 3590 steps in 35,900 s.
    (line,) = told([(0.0, plan(3601)), (0.0, step(1)), (100.0, step(11))])[2:]

    assert line.endswith(", 9:58:20 left")


def test_a_loss_that_is_no_number_is_said_so(told: Told) -> None:
    assert told([(0.0, step(1, loss=None))]) == ["Step 1 of 0, epoch 1, loss not finite"]


def test_the_end_of_a_phase_is_told_and_a_line_every_ten_seconds(told: Told) -> None:
    events = [(2.0 * n, Progress(phase="encoding", done=n, total=11)) for n in range(12)]

    assert told(events) == [
        "encoding: 1 of 11",
        "encoding: 6 of 11",
        "encoding: 11 of 11",
    ]


def test_warnings_are_marked_and_the_way_on_is_shown(told: Told) -> None:
    warned = Warned(message=TextData.of(text("It is late.")))
    ended = Finished(
        reason="stopped", step=2, total_steps=9, seconds=1.0, weights=None, state="/a/x-state"
    )

    lines = told([(0.0, warned), (0.0, ended)])

    assert lines[0] == "Warning: It is late."
    assert lines[-1] == "To go on from there: the same command with --continue."
