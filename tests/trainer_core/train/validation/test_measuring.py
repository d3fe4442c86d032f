"""When the validation loss is due; that it is the same each time is shown with whole runs."""

from __future__ import annotations

import pytest

from trainer_core.train.validation.measuring import ValidationSchedule


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (ValidationSchedule(), [4, 8, 10]),
        (ValidationSchedule(every_n_epochs=2), [8, 10]),
        (ValidationSchedule(every_n_steps=3), [3, 6, 9, 10]),
        (ValidationSchedule(every_n_steps=5, every_n_epochs=1), [4, 5, 8, 10]),
    ],
)
def test_it_is_due_as_asked_and_at_the_end(
    schedule: ValidationSchedule, expected: list[int]
) -> None:
    # Epochs of four steps, a run of ten.
    due = [
        step
        for step in range(1, 11)
        if schedule.is_due(step, -(-step // 4), ends_epoch=step % 4 == 0, is_last=step == 10)
    ]
    assert due == expected
