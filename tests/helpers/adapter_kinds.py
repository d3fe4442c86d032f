"""Every kind of adapter with values for its options, made from how they are declared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from helpers.setting_values import accepted
from torch import Tensor, nn

from trainer_core.adapters.base import Shape
from trainer_core.catalogue.adapters import ADAPTERS, AdapterEntry
from trainer_core.catalogue.entry import implementation
from trainer_core.settings.param import Param
from trainer_core.settings.schema import TRAIN, TrainSettings

RANK, ALPHA = SHAPE = Shape(
    4, 6.0
)  # a scale that is neither 1 nor a power of two: a forgotten one shows


@dataclass(frozen=True)
class Kind:
    """A kind of adapter of the catalogue with values of its options."""

    name: str
    entry: AdapterEntry
    options: Mapping[str, object]

    def build(self, layer: nn.Module, shape: Shape = SHAPE) -> Any:
        """Return an adapter of the layer, without the randomness that some have in training."""
        return implementation(self.entry.implementation)(layer, shape, **self.options).eval()

    def shape_in(self, tensors: Mapping[str, Tensor]) -> Shape | None:
        found: Shape | None = implementation(self.entry.implementation).shape_in(tensors)
        return found


def options_of(entry: AdapterEntry) -> Iterator[Mapping[str, object]]:
    """Yield options of a kind: the defaults, then every value of one while the others stay."""
    params = {name: _param(name) for name in entry.options}
    defaults = defaults_of(entry)
    yield defaults
    for name, param in params.items():
        others: list[object] = [defaults[name]]
        for raw in accepted(param):
            value = _settings(param, raw).get(param.path)
            if value not in others:
                others.append(value)
                yield {**defaults, name: value}


def defaults_of(entry: AdapterEntry) -> Mapping[str, object]:
    """Return the options of a kind as they are where nothing is said."""
    return {name: _param(name).default for name in entry.options}


def _param(name: str) -> Param:
    path = TRAIN.path_of(name)
    assert path is not None, f"the option {name} is no setting"
    return TRAIN.params()[path]


def _settings(param: Param, raw: object) -> TrainSettings:
    settings, problems = TRAIN.parse({param.section: {param.name: raw}})
    assert settings is not None, problems
    return settings


KINDS = [
    pytest.param(
        Kind(name, entry, options),
        id=" ".join([name, *(f"{option}={value}" for option, value in options.items())]),
    )
    for name, entry in ADAPTERS.items()
    for options in options_of(entry)
]
