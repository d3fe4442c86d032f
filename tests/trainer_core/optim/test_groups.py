import pytest
import torch
from torch.nn import Parameter

from trainer_core.catalogue.families import FAMILIES
from trainer_core.errors import SettingsError
from trainer_core.optim.groups import parameter_groups, part_rates


def _parameters(count: int) -> list[Parameter]:
    return [Parameter(torch.zeros(1)) for _ in range(count)]


def _rates(learning_rate: float, **own_rates: float | None) -> dict[str, float]:
    parts = FAMILIES["sd1"].parts
    return part_rates(parts, learning_rate=learning_rate, own_rates=own_rates)


def test_each_part_has_its_own_rate() -> None:
    rates = _rates(1e-3, text_encoder_lr=5e-5, unet_lr=1e-4)

    assert list(rates.items()) == [("text_encoder", 5e-5), ("unet", 1e-4)]


def test_a_part_without_a_rate_gets_the_learning_rate() -> None:
    assert _rates(1e-3, text_encoder_lr=None, unet_lr=1e-4) == {
        "text_encoder": 1e-3,
        "unet": 1e-4,
    }


def test_a_part_with_rate_0_is_not_trained() -> None:
    assert _rates(1e-3, text_encoder_lr=0.0, unet_lr=None) == {"unet": 1e-3}


def test_groups_carry_name_weights_and_rate() -> None:
    unet, text_encoder = _parameters(2), _parameters(3)
    rates = {"text_encoder": 5e-5, "unet": 1e-4}

    groups = parameter_groups({"unet": unet, "text_encoder": iter(text_encoder)}, rates)

    assert [(group["name"], group["lr"]) for group in groups] == list(rates.items())
    assert groups[0]["params"] == text_encoder
    assert groups[1]["params"] == unet


def test_a_part_without_weights_or_rate_makes_no_group() -> None:
    groups = parameter_groups(
        {"unet": _parameters(1), "text_encoder": []}, {"text_encoder": 1e-4, "unet": 1e-4}
    )

    assert [group["name"] for group in groups] == ["unet"]


def test_nothing_to_train_is_refused() -> None:
    with pytest.raises(SettingsError, match="Nothing would be trained"):
        parameter_groups({"unet": _parameters(1)}, {"text_encoder": 1e-4})
