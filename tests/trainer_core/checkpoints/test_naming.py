"""Files and folders have the names of the reference trainer."""

from __future__ import annotations

import pytest

from trainer_core.checkpoints.naming import SavePoint, is_result_name
from trainer_core.files.writing import ASIDE_EXTRA_BYTES
from trainer_core.settings.output_names import MAX_NAME_BYTES

STEP, EPOCH, END = SavePoint("step", 200), SavePoint("epoch", 3), SavePoint("end")
KEPT = SavePoint("kept", 200)


@pytest.mark.parametrize(
    ("point", "weights", "state"),
    [
        (STEP, "cat-step00000200.safetensors", "cat-step00000200-state"),
        (EPOCH, "cat-000003.safetensors", "cat-000003-state"),
        (END, "cat.safetensors", "cat-state"),
    ],
)
def test_names_carry_step_or_epoch(point: SavePoint, weights: str, state: str) -> None:
    assert point.weights_name("cat") == weights
    assert point.state_name("cat") == state


def test_names_without_an_output_name_say_what_they_are() -> None:
    assert [point.weights_name(None) for point in (STEP, EPOCH, END)] == [
        "at-step00000200.safetensors",
        "epoch-000003.safetensors",
        "last.safetensors",
    ]


def test_the_longest_name_fits_into_a_file_system_while_it_is_written() -> None:
    point = SavePoint("step", 100_000_000)  # the largest number of steps that can be set
    name = "x" * MAX_NAME_BYTES

    for result in (point.weights_name(name), point.state_name(name)):
        assert len(result) + ASIDE_EXTRA_BYTES <= 255


@pytest.mark.parametrize("point", [STEP, EPOCH, END, KEPT, SavePoint("step", 100_000_000)])
def test_a_run_knows_its_own_results(point: SavePoint) -> None:
    assert is_result_name("a+b", point.weights_name("a+b"))
    assert is_result_name("a+b", point.state_name("a+b"))


@pytest.mark.parametrize(
    "name",
    ["cat-2.safetensors", "cats.safetensors", "cat-2-000003.safetensors", "cat.run", "cat.ckpt"],
)
def test_a_run_leaves_the_results_of_others(name: str) -> None:
    assert not is_result_name("cat", name)
