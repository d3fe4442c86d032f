import json
from typing import Any

import pytest
import torch
from diffusers import optimization
from helpers import vectors
from torch.nn import Parameter

from trainer_core.catalogue.schedules import SCHEDULES, constant, with_warmup
from trainer_core.errors import SettingsError
from trainer_core.optim.schedule import RateSchedule, build_schedule
from trainer_core.settings.optimizer import OptimizerSettings

FILE = "lr_schedules.json"
CASES = vectors.load(FILE)["cases"]
DEFAULTS = OptimizerSettings().model_dump()
OF_DIFFUSERS = [
    name
    for name, entry in SCHEDULES.items()
    if entry.implementation.startswith(f"{optimization.__name__}:")
]


def _is_offered(case: dict[str, Any]) -> bool:
    """Tell whether the schedule can be chosen; a class of torch cannot be named freely yet."""
    return case["lr_scheduler"] in SCHEDULES and case["lr_scheduler_type"] is None


NOW = [case for case in CASES if _is_offered(case)]


def _optimizer(rates: list[float], default: float) -> torch.optim.Optimizer:
    groups = [{"params": [Parameter(torch.zeros(1))], "lr": rate} for rate in rates]
    return torch.optim.AdamW(groups, lr=default)


def _rates(case: dict[str, Any]) -> list[float]:
    """Return the rates of every step and after the last one, group by group."""
    total_steps = case["max_train_steps"] * case["num_processes"]
    asked = case["lr_warmup_steps"]
    optimizer = _optimizer(case.get("group_lrs", [case["base_lr"]]), case["base_lr"])
    schedule = build_schedule(
        case["lr_scheduler"],
        optimizer,
        total_steps=total_steps,
        # A float is a share of the schedule's length.
        warmup_steps=int(asked * total_steps) if isinstance(asked, float) else asked,
        # Most of these settings are called so, the others lr_decay_steps.
        values={**case, **{f"lr_scheduler_{name}": value for name, value in case.items()}},
    )
    rates = set_rates(optimizer)
    for _ in range(case["max_train_steps"]):
        schedule.step()
        rates += set_rates(optimizer)
    return rates


def set_rates(optimizer: torch.optim.Optimizer) -> list[float]:
    return [group["lr"] for group in optimizer.param_groups]


def _recorded(case: dict[str, Any]) -> object:
    if "error" in case:
        return case["error"]
    steps = [*case["lr_at_step"], case["lr_after_last_step"]]
    flat = [rate for rates in steps for rate in (rates if isinstance(rates, list) else [rates])]
    return pytest.approx(flat, rel=1e-6, abs=1e-15)


def test_every_schedule_of_diffusers_has_a_recorded_case() -> None:
    assert {case["lr_scheduler"] for case in NOW} >= set(OF_DIFFUSERS)


@pytest.mark.parametrize("case", NOW, ids=lambda case: case["command_line"])
def test_rates_equal_the_recorded_ones(case: dict[str, Any]) -> None:
    vectors.check(FILE, case["command_line"], actual=_rates(case), recorded=_recorded(case))


def test_every_listed_deviation_is_a_recorded_case() -> None:
    vectors.check_listing(FILE, [case["command_line"] for case in NOW])


def test_constant_ignores_the_warmup() -> None:
    optimizer = _optimizer([1e-4], 1e-4)

    schedule = build_schedule(
        constant(), optimizer, total_steps=50, warmup_steps=5, values=DEFAULTS
    )

    assert [schedule.at(step) for step in range(51)] == [[1e-4]] * 51


@pytest.mark.parametrize("name", with_warmup())
def test_a_run_that_is_all_warmup_rises_to_its_end(name: str) -> None:
    optimizer = _optimizer([1e-3], 1e-3)
    schedule = build_schedule(name, optimizer, total_steps=4, warmup_steps=4, values=DEFAULTS)

    rates = [rate for step in range(4) for rate in schedule.at(step)]

    assert rates == pytest.approx([0.0, 0.25e-3, 0.5e-3, 0.75e-3])


@pytest.mark.parametrize("name", OF_DIFFUSERS)
def test_rates_are_to_the_bit_those_that_the_library_sets_itself(name: str) -> None:
    theirs, ours = (_optimizer([1e-3, 3e-4], 1e-3) for _ in range(2))
    library = optimization.get_scheduler(
        name, theirs, num_warmup_steps=3, num_training_steps=17, num_cycles=2, power=1.5
    )
    values = {"lr_scheduler_num_cycles": 2, "lr_scheduler_power": 1.5}
    schedule = build_schedule(name, ours, total_steps=17, warmup_steps=3, values=values)

    for step in range(20):
        assert set_rates(ours) == set_rates(theirs) == schedule.at(step)
        assert [group["initial_lr"] for group in ours.param_groups] == [1e-3, 3e-4]
        theirs.step()
        library.step()
        schedule.step()


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_goes_on_where_another_stood(name: str) -> None:
    options: dict[str, Any] = {"total_steps": 9, "warmup_steps": 2, "values": DEFAULTS}
    first, second = (_optimizer([1e-3, 3e-4], 1e-3) for _ in range(2))
    straight = build_schedule(name, first, **options)
    for _ in range(5):
        straight.step()

    resumed = build_schedule(name, second, **options)
    resumed.load_state_dict(json.loads(json.dumps(straight.state_dict())))
    assert set_rates(second) == set_rates(first)
    straight.step()
    resumed.step()
    assert set_rates(second) == set_rates(first) == straight.at(6)


def test_a_resumed_schedule_has_the_rates_that_are_set_now() -> None:
    optimizer = _optimizer([2e-3], 2e-3)
    schedule = build_schedule("linear", optimizer, total_steps=10, warmup_steps=0, values=DEFAULTS)

    schedule.load_state_dict({"steps": 5})

    assert set_rates(optimizer) == [1e-3]


def test_groups_that_were_loaded_anew_are_moved_too() -> None:
    optimizer = _optimizer([1e-3], 1e-3)
    schedule = RateSchedule(optimizer, lambda step: 1 / (1 + step))

    optimizer.load_state_dict(optimizer.state_dict())  # as accelerate does
    schedule.step()

    assert set_rates(optimizer) == [0.5e-3]


def test_a_rate_that_is_a_tensor_is_set_in_place() -> None:
    # What a captured step needs: it reads the rate from where it was.
    rate = torch.tensor(1e-3)
    optimizer = torch.optim.Adam([Parameter(torch.zeros(1))], lr=rate, capturable=True)
    schedule = RateSchedule(optimizer, lambda step: 1 / (1 + step))

    schedule.step()

    assert optimizer.param_groups[0]["lr"] is rate
    assert rate.item() == pytest.approx(0.5e-3)


def test_polynomial_refuses_a_rate_below_its_end() -> None:
    with pytest.raises(SettingsError, match="polynomial schedule falls to 1e-07"):
        build_schedule(
            "polynomial", _optimizer([1e-4], 0.0), total_steps=9, warmup_steps=0, values=DEFAULTS
        )
