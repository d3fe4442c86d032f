"""How many files there are at one time is what going through a whole run comes to."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest

from trainer_core.checkpoints.retention import Action, Remove, Save, SaveSchedule
from trainer_core.disk_space.counts import Length, file_counts, rounds_of_samples
from trainer_core.settings.output import OutputSettings
from trainer_core.settings.sampling import SamplingSettings
from trainer_core.train.loop import SampleSchedule

BY_STEPS: list[dict[str, Any]] = [
    {},
    {"save_every_n_steps": 3},
    {"save_every_n_steps": 3, "save_last_n_steps": 7},
    {"save_every_n_steps": 4, "save_last_n_steps": 8, "save_last_n_steps_state": 1},
    {"save_every_n_steps": 1, "save_last_n_steps": 2},
]
BY_EPOCHS: list[dict[str, Any]] = [
    {"save_every_n_epochs": None},
    {"save_every_n_epochs": 1},
    {"save_every_n_epochs": 1, "save_last_n_epochs": 2},
    {"save_every_n_epochs": 2, "save_last_n_epochs": 1, "save_last_n_epochs_state": 3},
]
STATES: list[dict[str, Any]] = [{}, {"save_state": True}, {"save_state_on_train_end": True}]
LENGTHS = [Length(23, 5, 5), Length(25, 5, 5), Length(1, 5, 1), Length(3, 1, 3)]


def most_at_once(settings: dict[str, Any], length: Length) -> Counter[str]:
    """Go through a run as the schedule has it; return the most files of each kind."""
    schedule = SaveSchedule(
        output_name="cat", last_step=length.total_steps, last_epoch=length.epochs, **settings
    )
    own: dict[str, str] = {}
    most: Counter[str] = Counter()

    def carry_out(actions: Iterable[Action]) -> None:
        for action in actions:
            if isinstance(action, Save):
                own[action.name] = action.kind
            elif isinstance(action, Remove):
                own.pop(action.name, None)
            for kind, count in Counter(own.values()).items():
                most[kind] = max(most[kind], count)

    for step in range(1, length.total_steps + 1):
        epoch = -(-step // length.steps_per_epoch)
        carry_out(schedule.after_step(step, epoch=epoch, own=own))
        if step % length.steps_per_epoch == 0:
            carry_out(schedule.after_epoch(epoch, step=step, own=own))
    carry_out(schedule.at_end(length.total_steps, epoch=length.epochs))
    return most


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize(("steps", "epochs"), list(itertools.product(BY_STEPS, BY_EPOCHS)))
@pytest.mark.parametrize("states", STATES)
def test_the_counts_are_those_of_a_whole_run(
    steps: dict[str, Any], epochs: dict[str, Any], states: dict[str, Any], length: Length
) -> None:
    settings = {**steps, **epochs, **states}
    output = OutputSettings(**settings, save_state_every_n_minutes=None)

    counts, most = file_counts(output, length), most_at_once(settings, length)
    # Where older files go, saves after steps, after epochs and at the end may each be at their
    # most at another time.
    spare = sum("save_last" in name for name in (*steps, *epochs)) and 2
    assert most["weights"] <= counts.weights <= most["weights"] + spare
    assert most["state"] <= counts.states <= most["state"] + spare


def test_of_states_that_are_kept_for_minutes_two_are_there_for_a_moment() -> None:
    output = OutputSettings(save_every_n_epochs=None, save_state_every_n_minutes=10)
    assert file_counts(output, Length(100, 10, 10)) == (1, 2)

    output = output.model_copy(update={"save_state": True})
    assert file_counts(output, Length(100, 10, 10)) == (1, 2)


@pytest.mark.parametrize(
    ("by_steps", "by_epochs", "at_first"),
    [(None, None, False), (4, None, True), (None, 2, False), (4, 2, True), (10, 2, False)],
)
def test_the_rounds_of_samples_are_those_of_a_whole_run(
    by_steps: int | None, by_epochs: int | None, at_first: bool
) -> None:
    schedule = SampleSchedule(every_n_steps=by_steps, every_n_epochs=by_epochs, at_first=at_first)
    rounds = int(at_first)
    for step in range(1, 24):
        ends_epoch = step % 5 == 0
        rounds += schedule.is_due_after_step(step) or (
            ends_epoch and schedule.is_due_after_epoch(step // 5)
        )
    sampling = SamplingSettings(
        sample_every_n_steps=by_steps, sample_every_n_epochs=by_epochs, sample_at_first=at_first
    )

    assert rounds_of_samples(sampling, Length(23, 5, 5)) == rounds
