"""Parameter groups: which part of the model is trained, and at which rate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypedDict

from torch.nn import Parameter

from trainer_core.catalogue.families import PartEntry
from trainer_core.errors import SettingsError
from trainer_core.texts import T


class ParameterGroup(TypedDict):
    """One group as torch's optimizers take it; the name tells charts and states them apart."""

    name: str
    params: list[Parameter]
    lr: float


def part_rates(rates: Mapping[PartEntry, float]) -> dict[str, float]:
    """Return the rate of every part that is trained by its name, text encoders first.

    A part whose rate is 0 is left out, so that no module is made for it (guide-facts 72,
    behaviours 35).
    """
    ordered = sorted(rates, key=lambda part: not part.is_text_encoder)
    return {part.name: rates[part] for part in ordered if rates[part] > 0}


def parameter_groups(
    groups: Iterable[tuple[str, Sequence[Parameter], float]],
) -> list[ParameterGroup]:
    """Return the named groups that have parameters, as torch's optimizers take them.

    Args:
        groups: Name, parameters (of any shape) and learning rate of each.

    Raises:
        SettingsError: None has any.
    """
    found = [
        ParameterGroup(name=name, params=list(parameters), lr=rate)
        for name, parameters, rate in groups
        if parameters
    ]
    if not found:
        raise SettingsError(
            T("Errors", "Nothing would be trained: no part has both weights and a learning rate."),
            T("Errors", "Give the U-Net or the text encoder a learning rate above 0."),
            setting="optimizer.unet_lr",
        )
    return found
