import pytest
import torch
from torch.nn import Parameter

from trainer_core.catalogue.families import FAMILIES
from trainer_core.errors import SettingsError
from trainer_core.optim.groups import parameter_groups, part_rates


def _parameters(count: int) -> list[Parameter]:
    return [Parameter(torch.zeros(1)) for _ in range(count)]


def _rates(*rates: float) -> dict[str, float]:
    return part_rates(dict(zip(FAMILIES["sdxl"].parts, rates, strict=True)))


def test_text_encoders_come_first() -> None:
    found = list(_rates(1e-4, 5e-5, 6e-5).items())

    assert found == [("text_encoder", 5e-5), ("text_encoder_2", 6e-5), ("unet", 1e-4)]


def test_a_part_with_rate_0_is_not_trained() -> None:
    assert _rates(1e-3, 0.0, 1e-4) == {"text_encoder_2": 1e-4, "unet": 1e-3}


def test_groups_carry_name_weights_and_rate() -> None:
    unet, text_encoder = _parameters(2), _parameters(3)

    groups = parameter_groups([("text_encoder", text_encoder, 5e-5), ("unet", unet, 1e-4)])

    assert [(group["name"], group["lr"]) for group in groups] == [
        ("text_encoder", 5e-5),
        ("unet", 1e-4),
    ]
    assert [group["params"] for group in groups] == [text_encoder, unet]


def test_a_part_without_weights_makes_no_group() -> None:
    groups = parameter_groups([("text_encoder", [], 1e-4), ("unet", _parameters(1), 1e-4)])

    assert [group["name"] for group in groups] == ["unet"]


def test_nothing_to_train_is_refused() -> None:
    with pytest.raises(SettingsError, match="Nothing would be trained"):
        parameter_groups([("unet", [], 1e-4)])
