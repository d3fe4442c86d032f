from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any

import pytest
import torch
from torch.nn import Parameter
from torch.optim import Optimizer

from trainer_core.catalogue.optimizers import OPTIMIZERS, OptimizerEntry
from trainer_core.errors import SettingsError
from trainer_core.optim import build as build_module
from trainer_core.optim.build import build_optimizer, display_name
from trainer_core.optim.groups import ParameterGroup, parameter_groups
from trainer_core.runtime.speed import fastest_kernels

BuildOptimizer = Callable[..., Optimizer]
OF_ADAM = ["AdamW", "AdamW8bit"]


@pytest.fixture(params=OPTIMIZERS)
def build(request: pytest.FixtureRequest) -> BuildOptimizer:
    return partial(build_optimizer, request.param)


@pytest.fixture
def weight() -> Parameter:
    # Larger than the 4096 elements below which bitsandbytes keeps 32-bit state.
    return Parameter(torch.linspace(-1, 1, 8192).reshape(64, 128))


@pytest.fixture
def groups(weight: Parameter) -> list[ParameterGroup]:
    return parameter_groups([("unet", [weight], 0.01)])


def _usual_rate(name: str) -> float:
    return 1.0 if OPTIMIZERS[name].rate == "one" else 0.01


def _train(optimizer: Optimizer, weight: Parameter, steps: int) -> float:
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (weight - 3).square().mean()
        loss.backward()
        optimizer.step()
    return float(loss.detach())


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_lowers_a_loss(name: str, weight: Parameter) -> None:
    groups = parameter_groups([("unet", [weight], _usual_rate(name))])
    optimizer = build_optimizer(name, groups, lr=0.5, args={})

    first = _train(optimizer, weight, 1)
    assert _train(optimizer, weight, 50) < first


@pytest.mark.parametrize("name", OF_ADAM)
def test_adam_moves_each_weight_by_about_the_rate(
    name: str, groups: list[ParameterGroup], weight: Parameter
) -> None:
    optimizer = build_optimizer(name, groups, lr=0.5, args={})

    first = _train(optimizer, weight, 1)
    last = _train(optimizer, weight, 50)

    # Adam moves each weight by about the rate per step: 50 x 0.01 of a mean distance of 3.
    assert last < first * (2.6 / 3) ** 2


def test_every_optimizer_goes_on_from_its_saved_state(
    build: BuildOptimizer, groups: list[ParameterGroup], weight: Parameter
) -> None:
    optimizer = build(groups, lr=0.5, args={})
    _train(optimizer, weight, 3)
    saved_weight, saved_state = weight.detach().clone(), deepcopy(optimizer.state_dict())
    _train(optimizer, weight, 3)

    again = Parameter(saved_weight)
    resumed = build(parameter_groups([("unet", [again], 0.01)]), lr=0.5, args={})
    resumed.load_state_dict(saved_state)
    _train(resumed, again, 3)

    assert torch.equal(again, weight)


def test_every_optimizer_keeps_the_group_names(
    build: BuildOptimizer, groups: list[ParameterGroup]
) -> None:
    optimizer = build(groups, lr=0.5, args={})

    assert [(g["name"], g["lr"]) for g in optimizer.param_groups] == [("unet", 0.01)]
    assert optimizer.defaults["lr"] == 0.5


def test_arguments_reach_every_optimizer(
    build: BuildOptimizer, groups: list[ParameterGroup]
) -> None:
    optimizer = build(groups, lr=0.5, args={"weight_decay": 0.1})

    assert optimizer.param_groups[0]["weight_decay"] == 0.1


def test_an_unknown_argument_is_named_with_those_that_exist(
    build: BuildOptimizer, groups: list[ParameterGroup]
) -> None:
    with pytest.raises(SettingsError, match="has no argument decay") as caught:
        build(groups, lr=0.5, args={"decay": 0.1})

    assert "weight_decay" in str(caught.value.hint)


@pytest.mark.parametrize("name", ["lr", "params"])
def test_what_the_settings_give_is_no_extra_argument(
    build: BuildOptimizer, groups: list[ParameterGroup], name: str
) -> None:
    with pytest.raises(SettingsError, match=f"has no argument {name}"):
        build(groups, lr=0.5, args={name: 0.1})


@pytest.mark.parametrize("name", OF_ADAM)
@pytest.mark.parametrize("args", [{"betas": 0.9}, {"betas": (0.9, 2.0)}, {"weight_decay": -1.0}])
def test_a_refused_value_is_an_error_in_words(
    name: str, groups: list[ParameterGroup], args: dict[str, Any]
) -> None:
    with pytest.raises(SettingsError, match="refuses its arguments"):
        build_optimizer(name, groups, lr=0.5, args=args)


@pytest.fixture
def _as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let torch's optimizers be built as on a GPU, with weights on the CPU."""
    gpu = torch.device("cuda")
    monkeypatch.setattr(build_module, "fastest_kernels", lambda kind, _: fastest_kernels(kind, gpu))


@pytest.mark.usefixtures("_as_on_a_gpu")
@pytest.mark.parametrize("name", ["foreach", "differentiable"])
def test_another_way_to_update_is_not_fused_too(groups: list[ParameterGroup], name: str) -> None:
    optimizer = build_optimizer("AdamW", groups, lr=0.5, args={name: True})

    assert optimizer.defaults[name] is True
    assert not optimizer.defaults["fused"]


@pytest.mark.usefixtures("_as_on_a_gpu")
@pytest.mark.parametrize("args", [{}, {"foreach": False}, {"differentiable": False}])
def test_on_a_gpu_it_is_fused_otherwise(groups: list[ParameterGroup], args: dict[str, Any]) -> None:
    assert build_optimizer("AdamW", groups, lr=0.5, args=args).defaults["fused"] is True


def test_ways_to_update_that_exclude_each_other_are_an_error_in_words(
    groups: list[ParameterGroup],
) -> None:
    args = {"foreach": True, "fused": True}
    with pytest.raises(SettingsError, match="AdamW refuses its arguments") as caught:
        build_optimizer("AdamW", groups, lr=0.5, args=args)

    assert caught.value.setting == "optimizer.optimizer_args"


def test_adamw_8bit_keeps_its_state_in_one_byte(
    groups: list[ParameterGroup], weight: Parameter
) -> None:
    optimizer = build_optimizer("AdamW8bit", groups, lr=0.5, args={})
    _train(optimizer, weight, 1)

    assert optimizer.state[weight]["state1"].dtype == torch.uint8


def test_display_name_is_the_class_with_its_arguments(groups: list[ParameterGroup]) -> None:
    # The texts of metadata.json, ss_optimizer.
    args = {"weight_decay": 0.1, "betas": (0.9, 0.99)}

    plain = display_name(build_optimizer("AdamW", groups, lr=0.5, args={}), {})
    with_arguments = display_name(build_optimizer("AdamW", groups, lr=0.5, args=args), args)

    assert plain == "torch.optim.adamw.AdamW"
    assert with_arguments == "torch.optim.adamw.AdamW(weight_decay=0.1,betas=(0.9, 0.99))"


def test_what_makes_an_optimizer_what_its_name_says_is_fixed(
    groups: list[ParameterGroup], monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = OptimizerEntry(
        label="AMSGrad", implementation="torch.optim:AdamW", fixed={"amsgrad": True}
    )
    monkeypatch.setattr(build_module, "OPTIMIZERS", {"AMSGrad": entry})

    assert build_optimizer("AMSGrad", groups, lr=0.5, args={}).defaults["amsgrad"] is True
    with pytest.raises(SettingsError, match="has no argument amsgrad"):
        build_optimizer("AMSGrad", groups, lr=0.5, args={"amsgrad": False})


def test_a_package_that_cannot_be_loaded_is_named_with_a_way_out(
    groups: list[ParameterGroup], monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = OptimizerEntry(
        label="Soap", implementation="no_such_soap.optim:Soap", package="soap>=1"
    )
    monkeypatch.setattr(build_module, "OPTIMIZERS", {"Soap": entry})

    with pytest.raises(SettingsError, match="Soap needs no_such_soap, which cannot be") as caught:
        build_optimizer("Soap", groups, lr=0.5, args={})

    assert "Choose AdamW, or install no_such_soap" in str(caught.value.hint)
