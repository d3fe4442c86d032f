"""The adapters of a run: built for a model's layers, hooked in, saved and loaded together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from trainer_core.adapters.base import AdapterKind
from trainer_core.errors import ModelFileError
from trainer_core.runtime.draws import generator
from trainer_core.texts import T


@dataclass(frozen=True, slots=True)
class Target:
    """A frozen layer that gets an adapter.

    ``name`` is the module's name in the file (``lora_unet_...``), ``part`` the part of the model
    it belongs to (``unet``, ``text_encoder``), which decides its learning rate.
    """

    name: str
    part: str
    layer: nn.Module


class AdapterSet(nn.Module):
    """All adapters of a run by module name. They act for as long as they are attached."""

    def __init__(self, targets: Iterable[Target], adapters: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.targets = tuple(targets)
        self.adapters = nn.ModuleDict(adapters)
        self._handles: list[RemovableHandle] = []

    def attach(self) -> None:
        """Add every adapter's change to its layer's output from now on, once."""
        self.detach()
        for target in self.targets:
            adapter: Any = self.adapters[target.name]
            self._handles.append(target.layer.register_forward_hook(_adding(adapter)))

    def detach(self) -> None:
        """Let the layers work alone again."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def reset(self, seed: int) -> None:
        """Draw fresh weights; each module's depend on the seed and its name only."""
        for name, adapter in self.adapters.items():
            drawn: Any = adapter
            drawn.reset(generator(seed, f"adapter {name}"))

    def parameters_of(self, part: str) -> list[nn.Parameter]:
        """Return the trainable weights of one part, in the order of its layers."""
        names = [target.name for target in self.targets if target.part == part]
        return [weight for name in names for weight in self.adapters[name].parameters()]

    def parts(self) -> list[str]:
        """Return the parts that have adapters, each once, in order."""
        return list(dict.fromkeys(target.part for target in self.targets))

    def saved(self) -> dict[str, Tensor]:
        """Return every tensor of the file by its key ``<module>.<suffix>``."""
        found: dict[str, Tensor] = {}
        for target in self.targets:
            adapter: Any = self.adapters[target.name]
            found |= {f"{target.name}.{key}": value for key, value in adapter.saved().items()}
        return found

    def load(self, tensors: Mapping[str, Tensor], name: str) -> list[str]:
        """Take the weights of a file called ``name``.

        Returns:
            The modules of the file that this set has no adapter for.

        Raises:
            ModelFileError: A module is missing or has another shape.
        """
        modules = by_module(tensors)
        for target in self.targets:
            adapter: Any = self.adapters[target.name]
            try:
                adapter.load(modules.get(target.name, {}))
            except ValueError as error:
                raise ModelFileError(
                    T("Errors", "{name} does not fit: {module}: {reason}"),
                    T("Errors", "Use the rank and the parts that it was trained with."),
                    name=name,
                    module=target.name,
                    reason=error,
                ) from error
        return sorted(set(modules) - set(self.adapters))


def _adding(adapter: Any) -> Any:
    def hook(layer: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        change: Tensor = adapter.delta(args[0])
        return output + change

    return hook


def build(kind: AdapterKind, targets: Iterable[Target], *, rank: int, alpha: float) -> AdapterSet:
    """Build an adapter of one rank for every target."""
    targets = tuple(targets)
    adapters = {target.name: kind(target.layer, rank=rank, alpha=alpha) for target in targets}
    return AdapterSet(targets, adapters)


def build_like(
    kind: AdapterKind, targets: Iterable[Target], tensors: Mapping[str, Tensor]
) -> AdapterSet:
    """Build adapters with the rank and alpha that each module has in ``tensors``.

    Targets that the file has no module for get no adapter.
    """
    modules = by_module(tensors)
    chosen: list[Target] = []
    adapters: dict[str, nn.Module] = {}
    for target in targets:
        shape = kind.shape_in(modules.get(target.name, {}))
        if shape is not None:
            rank, alpha = shape
            chosen.append(target)
            adapters[target.name] = kind(target.layer, rank=rank, alpha=alpha)
    return AdapterSet(chosen, adapters)


def by_module(tensors: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Return a file's tensors grouped by module name."""
    modules: dict[str, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        module, _, suffix = key.partition(".")
        modules.setdefault(module, {})[suffix] = value
    return modules


def count(parameters: Iterable[torch.nn.Parameter]) -> int:
    """Return how many numbers the parameters hold."""
    return sum(parameter.numel() for parameter in parameters)
