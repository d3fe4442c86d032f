"""Any optimizer goes on to the bit after its running state was saved and put back."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import prodigyopt
import pytest
import schedulefree
import torch
from bitsandbytes.optim import AdamW8bit
from torch import Tensor
from torch.nn import Parameter
from torch.optim import SGD, Optimizer

from trainer_core.checkpoints.safetensors_file import read_file, write_into
from trainer_core.errors import StateError
from trainer_core.optim.running_state import (
    RunningState,
    restore_running_state,
    running_state,
)

Build = Callable[[list[dict[str, Any]]], Optimizer]


class Nested(Optimizer):
    """Keeps everything that could be kept: nested, shared by all, in its groups and beside them."""

    def __init__(self, params: Any, lr: float = 0.1, momentum: float = 0.5) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "best": math.inf, "seen": None})
        self.extra = [torch.zeros(1), 0]

    def step(self, closure: Any = None) -> None:
        shared = self.state["all"]
        shared["count"] = shared.get("count", 0) + 1
        for group in self.param_groups:
            group["best"] = min(group["best"], shared["count"])
            group["seen"] = (group["seen"], True) if shared["count"] < 4 else ("x", 0.1)
            for weight in group["params"]:
                kept = self.state[weight]
                past = kept.setdefault("past", [])
                past.append({"gradient": weight.grad.clone(), 0: [(None, -math.inf, "text")]})
                del past[:-3]
                self.extra = [self.extra[0] + weight.grad.sum(), self.extra[1] + 1]
                mean = sum(each["gradient"] for each in past) / len(past)
                with torch.no_grad():
                    weight -= group["lr"] * (mean + group["momentum"] * self.extra[0].sin())

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "extra": self.extra}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.extra = state_dict["extra"]
        super().load_state_dict(state_dict)


KINDS: dict[str, Build] = {
    "prodigyopt": lambda groups: prodigyopt.Prodigy(groups, lr=1.0, d0=1e-3),
    "prodigyopt-sliced": lambda groups: prodigyopt.Prodigy(groups, lr=1.0, d0=1e-3, slice_p=3),
    "schedulefree": lambda groups: schedulefree.AdamWScheduleFree(groups, warmup_steps=4),
    "schedulefree-sgd": lambda groups: schedulefree.SGDScheduleFree(groups, lr=0.1),
    "AdamW": lambda groups: torch.optim.AdamW(groups, lr=0.1, amsgrad=True),
    "AdamW8bit": lambda groups: AdamW8bit(groups, lr=0.1, min_8bit_size=16),
    "SGD": lambda groups: SGD(groups, lr=0.1, momentum=0.9),
    "Adagrad": lambda groups: torch.optim.Adagrad(groups, lr=0.1),
    "Adadelta": lambda groups: torch.optim.Adadelta(groups, lr=0.1),
    "NAdam": lambda groups: torch.optim.NAdam(groups, lr=0.1),
    "LBFGS": lambda groups: torch.optim.LBFGS(
        [weight for group in groups for weight in group["params"]], lr=0.1, max_iter=2
    ),
    "Nested": lambda groups: Nested(groups),
}


@pytest.fixture(params=KINDS)
def build(request: pytest.FixtureRequest) -> Build:
    return KINDS[request.param]


def weights() -> list[Parameter]:
    """Return a matrix that is large enough for 8 bits, and a vector that begins with zeros."""
    generator = torch.Generator().manual_seed(1)
    return [Parameter(torch.randn(64, 128, generator=generator)), Parameter(torch.zeros(5))]


def optimizer_of(build: Build, parameters: list[Parameter]) -> Optimizer:
    optimizer = build([{"params": [each], "name": str(n)} for n, each in enumerate(parameters)])
    if hasattr(optimizer, "train"):
        optimizer.train()
    return optimizer


def advance(optimizer: Optimizer, parameters: list[Parameter], steps: range) -> None:
    """Do steps whose gradients depend on the weights and on the number of the step."""
    for number in steps:
        generator = torch.Generator().manual_seed(number)
        noises = [torch.randn(each.shape, generator=generator) for each in parameters]

        def loss(noises: list[Tensor] = noises) -> Tensor:
            optimizer.zero_grad()
            total = sum(
                ((weight - noise) ** 2).mean()
                for weight, noise in zip(parameters, noises, strict=True)
            )
            total.backward()
            return total

        if isinstance(optimizer, torch.optim.LBFGS):
            optimizer.step(loss)
        else:
            loss()
            optimizer.step()


def through_a_file(state: RunningState, folder: Path) -> RunningState:
    """Return the state after it was written and read again."""
    path = folder / "optimizer.safetensors"
    with path.open("wb") as file:
        write_into(file, state.tensors)
    outline = json.loads(json.dumps(state.outline, allow_nan=False))
    return RunningState(state.kind, state.count, read_file(path)[0], outline)


def resumed(optimizer: Optimizer, build: Build, parameters: list[Parameter], folder: Path) -> Any:
    """Return copies of the weights, and a fresh optimizer of them with the running state."""
    state = through_a_file(running_state(optimizer), folder)
    copies = [Parameter(each.detach().clone()) for each in parameters]
    fresh = optimizer_of(build, copies)
    restore_running_state(fresh, state)
    return copies, fresh


def test_training_goes_on_to_the_bit(tmp_path: Path, build: Build) -> None:
    straight = weights()
    optimizer = optimizer_of(build, straight)
    advance(optimizer, straight, range(6))
    began = [each.detach().clone() for each in straight]

    copies, fresh = resumed(optimizer, build, straight, tmp_path)
    advance(optimizer, straight, range(6, 12))
    advance(fresh, copies, range(6, 12))

    assert all(torch.equal(*pair) for pair in zip(copies, straight, strict=True))
    assert not torch.equal(began[0], straight[0])


def test_without_the_running_state_it_would_not(tmp_path: Path, build: Build) -> None:
    straight = weights()
    optimizer = optimizer_of(build, straight)
    advance(optimizer, straight, range(6))

    copies = [Parameter(each.detach().clone()) for each in straight]
    advance(optimizer, straight, range(6, 12))
    advance(optimizer_of(build, copies), copies, range(6, 12))

    assert not torch.equal(copies[0], straight[0])


def test_everything_kept_comes_back_in_its_type(tmp_path: Path, build: Build) -> None:
    parameters = weights()
    optimizer = optimizer_of(build, parameters)
    advance(optimizer, parameters, range(6))
    _, fresh = resumed(optimizer, build, parameters, tmp_path)

    assert_same(fresh.state_dict(), optimizer.state_dict())


def assert_same(found: object, expected: object) -> None:
    """Compare nested values, types included and tensors bit by bit."""
    assert type(found) is type(expected)
    if isinstance(expected, Tensor):
        assert found.dtype == expected.dtype
        assert torch.equal(found, expected)
    elif isinstance(expected, dict):
        assert set(found) == set(expected)
        for key in expected:
            assert_same(found[key], expected[key])
    elif isinstance(expected, list | tuple):
        assert len(found) == len(expected)
        for pair in zip(found, expected, strict=True):
            assert_same(*pair)
    else:
        assert found == expected


def test_arguments_come_from_the_settings_and_everything_else_from_the_state(
    tmp_path: Path,
) -> None:
    parameters = weights()
    before = prodigyopt.Prodigy([{"params": parameters, "name": "unet"}], weight_decay=0.1)
    advance(before, parameters, range(3))
    state = through_a_file(running_state(before), tmp_path)

    after = prodigyopt.Prodigy([{"params": weights(), "name": "all"}], weight_decay=0.2, d_coef=2.0)
    restore_running_state(after, state)
    [group], [old] = after.param_groups, before.param_groups

    assert (group["weight_decay"], group["d_coef"], group["name"]) == (0.2, 2.0, "all")
    running = {"d", "d_max", "d_numerator", "d_denom", "d_hat", "k"}
    assert {name: group[name] for name in running} == {name: old[name] for name in running}


def test_arguments_that_a_class_passes_on_to_its_base_come_from_the_settings() -> None:
    class Own(SGD):
        def __init__(self, params: Any, own: int = 1, **others: Any) -> None:
            super().__init__(params, **others)
            self.param_groups[0]["own"] = own
            self.param_groups[0]["counted"] = 3

    outline = running_state(Own(weights(), lr=0.5, momentum=0.9)).outline["groups"]

    assert outline == [{"dict": [["lr", 0.5], ["counted", 3]]}]


def test_tensors_are_the_optimizer_s_own_and_bear_the_path_to_them() -> None:
    parameters = weights()
    optimizer = Nested(parameters)
    advance(optimizer, parameters, range(2))
    state = running_state(optimizer)

    assert set(state.tensors) == {
        "0.past.0.gradient", "0.past.1.gradient", "1.past.0.gradient", "1.past.1.gradient",
        "more.extra.0",
    }  # fmt: skip
    gradient = optimizer.state[parameters[1]]["past"][0]["gradient"]
    assert state.tensors["1.past.0.gradient"] is gradient


def test_keys_that_look_alike_stay_apart(tmp_path: Path) -> None:
    [weight] = parameters = [Parameter(torch.zeros(1))]
    kept = {"a": {"b.c": torch.ones(1), 0: torch.ones(2)}, "a.b": {"c": torch.ones(3)}}
    kept["a"]["0"] = torch.ones(4)
    optimizer = SGD(parameters)
    optimizer.state[weight] = kept
    fresh = SGD(parameters)

    restore_running_state(fresh, through_a_file(running_state(optimizer), tmp_path))

    assert_same(fresh.state[weight], kept)


def test_a_tensor_keeps_its_type_whatever_that_of_the_weights(tmp_path: Path) -> None:
    [weight] = parameters = [Parameter(torch.ones(4, dtype=torch.bfloat16))]
    average = torch.tensor([0.1, 0.2, 0.3, 0.4])  # float32; bfloat16 would round it
    optimizer, fresh = SGD(parameters), SGD(parameters)
    optimizer.state[weight] = {"average": average}

    restore_running_state(fresh, through_a_file(running_state(optimizer), tmp_path))

    assert_same(fresh.state[weight]["average"], average)


@pytest.mark.parametrize(
    ("build", "on"),
    [
        (lambda weight: torch.optim.AdamW([weight], foreach=False), "cpu"),
        (lambda weight: torch.optim.AdamW([weight], foreach=False, capturable=True), "meta"),
    ],
)
def test_a_counter_lies_where_torch_keeps_it(build: Callable[[Parameter], Any], on: str) -> None:
    """The state of a run on the CPU, taken up on a device; ``meta`` stands for that."""
    weight = Parameter(torch.ones(4, device="meta"))
    pairs = [[name, {"tensor": f"0.{name}"}] for name in ("step", "exp_avg", "exp_avg_sq")]
    outline = {
        "parameters": [[0, {"dict": pairs}]],
        "shared": {"dict": []},
        "groups": [{"dict": []}],
        "more": {"dict": []},
    }
    moments = {"0.exp_avg": torch.ones(4), "0.exp_avg_sq": torch.ones(4)}
    tensors = {"0.step": torch.tensor(3.0), **moments}
    optimizer = build(weight)

    restore_running_state(optimizer, RunningState("AdamW", 1, tensors, outline))

    kept = optimizer.state[weight]
    assert {name: value.device.type for name, value in kept.items()} == {
        "step": on, "exp_avg": "meta", "exp_avg_sq": "meta",
    }  # fmt: skip


def test_what_was_kept_apart_from_the_weights_stays_on_the_cpu() -> None:
    weight = Parameter(torch.ones(4, device="meta"))
    optimizer, fresh = SGD([weight]), SGD([weight])
    optimizer.state[weight] = {"paged out": torch.ones(4), "beside": torch.ones(4, device="meta")}

    restore_running_state(fresh, running_state(optimizer))

    assert fresh.state[weight]["paged out"].device.type == "cpu"
    assert fresh.state[weight]["beside"].device.type == "meta"


def test_what_cannot_be_saved_is_named() -> None:
    [weight] = parameters = [Parameter(torch.ones(4))]
    optimizer = SGD(parameters)
    optimizer.state[weight] = {"past": [torch.Generator()]}

    with pytest.raises(StateError, match=r"SGD keeps 0\.past\.0 as a Generator"):
        running_state(optimizer)


@pytest.mark.parametrize(
    ("optimizer", "words"),
    [
        (lambda: torch.optim.Adam(weights()), "saved with SGD x 2, this run uses Adam x 2"),
        (lambda: SGD(weights()[:1]), "saved with SGD x 2, this run uses SGD x 1"),
    ],
)
def test_a_state_of_another_optimizer_is_refused(
    optimizer: Callable[[], Optimizer], words: str
) -> None:
    with pytest.raises(StateError, match=words):
        restore_running_state(optimizer(), running_state(SGD(weights())))
