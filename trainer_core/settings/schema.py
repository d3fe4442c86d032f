"""All settings of a training run: the sections together."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType

from trainer_core.settings.adapter import AdapterSettings
from trainer_core.settings.dataset import DatasetSettings
from trainer_core.settings.hardware import HardwareSettings
from trainer_core.settings.model import ModelSettings
from trainer_core.settings.optimizer import OptimizerSettings
from trainer_core.settings.output import OutputSettings
from trainer_core.settings.param import Param, Section, section_params
from trainer_core.settings.sampling import SamplingSettings
from trainer_core.texts import T


class TrainSettings(Section):
    """A frozen snapshot of everything a run was asked to do.

    Setting names are unique across sections, so a flag or a foreign file needs no section.
    """

    model: ModelSettings = ModelSettings()
    dataset: DatasetSettings = DatasetSettings()
    adapter: AdapterSettings = AdapterSettings()
    optimizer: OptimizerSettings = OptimizerSettings()
    sampling: SamplingSettings = SamplingSettings()
    output: OutputSettings = OutputSettings()
    hardware: HardwareSettings = HardwareSettings()

    def get(self, path: str) -> object:
        """Return the value at ``section.name``."""
        section, name = path.split(".")
        return getattr(getattr(self, section), name)


SECTION_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "model": T("Settings", "Model"),
        "dataset": T("Settings", "Pictures"),
        "adapter": T("Settings", "Network"),
        "optimizer": T("Settings", "Training"),
        "sampling": T("Settings", "Samples"),
        "output": T("Settings", "Output"),
        "hardware": T("Settings", "Hardware"),
    }
)


def sections() -> Mapping[str, type[Section]]:
    """Return the section models by name, in the order of the form."""
    return {name: type(info.default) for name, info in TrainSettings.model_fields.items()}


@functools.cache
def params() -> Mapping[str, Param]:
    """Return every parameter by its path ``section.name``, in order."""
    found = (p for name, model in sections().items() for p in section_params(name, model))
    return MappingProxyType({param.path: param for param in found})


@functools.cache
def path_of(name: str) -> str | None:
    """Return ``section.name`` of the setting called ``name``, None if there is none."""
    return next((path for path, param in params().items() if param.name == name), None)
