"""A run that was interrupted ends as one that went through: the same bits, on one CPU thread."""

import json
from collections.abc import Mapping

import pytest
import torch
from helpers.run_results import Result
from helpers.stories import SAMPLE_EVERY, STEPS_PER_EPOCH, STORIES, TOTAL_STEPS, Told
from torch import Tensor

from trainer_core.protocol.messages import CheckpointSaved, Resumed, SampleReady

pytestmark = pytest.mark.timeout(600)  # the first test here waits for all the runs


@pytest.fixture(params=list(STORIES))
def told(request: pytest.FixtureRequest, stories: Mapping[str, Told]) -> Told:
    return stories[request.param]


def resumed_at(told: Told) -> list[int]:
    return [event.from_step for event in told.resumed.of(Resumed)]


def differing(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> set[str]:
    """Return the names of tensors that are not there twice with the same type, shape and bits."""
    assert one
    return set(one) ^ set(other) | {
        name
        for name in set(one) & set(other)
        if one[name].dtype != other[name].dtype
        or one[name].shape != other[name].shape
        or not torch.equal(_bits(one[name]), _bits(other[name]))
    }


def _bits(tensor: Tensor) -> Tensor:
    return tensor.reshape(-1).view(torch.uint8)


def progress(result: Result) -> object:
    return json.loads((result.state() / "progress.json").read_text(encoding="utf-8"))


def step_facts(result: Result) -> list[tuple[object, ...]]:
    return [
        (number, e.epoch, e.batch_hash, e.loss, e.grad_norm, dict(e.learning_rates))
        for number, e in sorted(result.steps.items())
    ]


@pytest.mark.parametrize("part", ["trained", "optimizer", "generators"])
def test_the_state_at_the_end_is_the_same_bit_for_bit(told: Told, part: str) -> None:
    assert not differing(told.straight.state_tensors(part), told.resumed.state_tensors(part))


def test_the_plain_numbers_of_the_state_are_the_same(told: Told) -> None:
    assert progress(told.resumed) == progress(told.straight)


def test_the_weight_file_holds_the_same_bits(told: Told) -> None:
    assert not differing(told.straight.weights(), told.resumed.weights())


def test_every_step_had_the_same_batches_loss_and_rates(told: Told) -> None:
    assert len(told.straight.steps) == TOTAL_STEPS
    assert step_facts(told.resumed) == step_facts(told.straight)


def test_the_sample_pictures_are_the_same(told: Told) -> None:
    straight, resumed = told.straight.samples(), told.resumed.samples()
    assert len(straight) == TOTAL_STEPS // SAMPLE_EVERY
    # A stop breaks off the picture that is being drawn.
    for name in [name for name in straight if int(name.split("_")[0]) in resumed_at(told)]:
        straight.pop(name)
        resumed.pop(name, None)
    assert resumed == straight


def test_stops_were_neither_at_an_epochs_end_nor_at_a_save(stories: Mapping[str, Told]) -> None:
    for name, story in STORIES.items():
        if not story.stops:
            continue
        told = stories[name]
        assert len(resumed_at(told)) == len(story.stops)
        assert all(step % STEPS_PER_EPOCH for step in resumed_at(told))
        assert {save.step for save in told.straight.of(CheckpointSaved)} == {TOTAL_STEPS}


def test_a_picture_was_drawn_before_the_stop(stories: Mapping[str, Told]) -> None:
    for told in stories.values():
        for stop in told.stops[:1]:
            drawn = [sample.step for sample in stop.ended.of(SampleReady)]
            assert drawn
            assert drawn[0] < resumed_at(told)[0]


def test_one_run_goes_on_right_after_the_end_of_an_epoch(stories: Mapping[str, Told]) -> None:
    assert resumed_at(stories["disk-cache"]) == [STEPS_PER_EPOCH]


def test_the_8_bit_run_really_keeps_its_moments_in_8_bits(stories: Mapping[str, Told]) -> None:
    tensors = stories["8bit-uncached"].straight.state_tensors("optimizer")
    moments = [tensor for name, tensor in tensors.items() if name.endswith(("state1", "state2"))]
    assert moments
    assert {tensor.dtype for tensor in moments} == {torch.uint8}


def test_training_moved_the_weights_between_stop_and_end(told: Told) -> None:
    began = told.before.state_tensors("trained", _newest_suffix(told))
    assert differing(began, told.resumed.state_tensors("trained"))


def _newest_suffix(told: Told) -> str:
    step = resumed_at(told)[-1]
    suffix = f"-step{step:08d}"
    return suffix if told.before.state(suffix).exists() else "-000001"
