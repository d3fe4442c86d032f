"""The adapters of a run: built for a model's layers, attached, saved and loaded together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from trainer_core.adapters.base import AdapterKind, Shape, Target
from trainer_core.errors import ModelFileError
from trainer_core.runtime.draws import generator
from trainer_core.texts import T


class AdapterSet(nn.Module):
    """All adapters of a run by module name. They act for as long as they are attached."""

    def __init__(self, targets: Iterable[Target], adapters: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.targets = tuple(targets)
        self.adapters = nn.ModuleDict(adapters)

    def attach(self) -> None:
        """Let every adapter stand in for its layer from now on, once."""
        self.detach()
        for adapter in self._in_order():
            adapter.attach()

    def detach(self) -> None:
        """Let the layers work alone again."""
        for adapter in reversed(self._in_order()):
            adapter.detach()

    def _in_order(self) -> list[Any]:
        return [self.adapters[target.name] for target in self.targets]

    def reset(self, seed: int) -> None:
        """Draw fresh weights on the CPU; each module's depend on the seed and its name only."""
        for name, adapter in self.adapters.items():
            drawn: Any = adapter
            drawn.reset(generator(seed, f"adapter {name}"))

    def parameters_of(self, part: str) -> list[nn.Parameter]:
        """Return the trainable weights of one part, float32, in the order of its layers."""
        names = [target.name for target in self.targets if target.part == part]
        return [weight for name in names for weight in self.adapters[name].parameters()]

    def parts(self) -> list[str]:
        """Return the parts that have adapters, each once, in order."""
        return list(dict.fromkeys(target.part for target in self.targets))

    def saved(self) -> dict[str, Tensor]:
        """Return every tensor of the file by its key ``<module>.<suffix>``.

        Float32; they share the adapters' memory, wherever that is.
        """
        found: dict[str, Tensor] = {}
        for target in self.targets:
            adapter: Any = self.adapters[target.name]
            found |= {f"{target.name}.{key}": value for key, value in adapter.saved().items()}
        return found

    def load(self, tensors: Mapping[str, Tensor], name: str) -> list[str]:
        """Copy the weights, of any type and on any device, of a file called ``name``.

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


def build(
    kind: AdapterKind,
    targets: Iterable[Target],
    shapes: Mapping[str, Shape],
    options: Mapping[str, object] | None = None,
) -> AdapterSet:
    """Build an adapter for every target that has a shape, float32 on torch's default device.

    Args:
        kind: The class of the adapters.
        targets: The layers, of any type and on any device.
        shapes: The shape of each adapter by its target's name; see `trainer_core.adapters.shapes`.
        options: What else the kind takes, by keyword.

    Raises:
        TypeError: There is no adapter of this kind for a layer.
    """
    chosen = tuple(target for target in targets if target.name in shapes)
    more = options or {}
    return AdapterSet(
        chosen, {target.name: kind(target.layer, shapes[target.name], **more) for target in chosen}
    )


def by_module(tensors: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Return a file's tensors themselves, by module name and then by key suffix."""
    modules: dict[str, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        module, _, suffix = key.partition(".")
        modules.setdefault(module, {})[suffix] = value
    return modules


def count(parameters: Iterable[torch.nn.Parameter]) -> int:
    """Return how many numbers the parameters hold, on the meta device too."""
    return sum(parameter.numel() for parameter in parameters)
