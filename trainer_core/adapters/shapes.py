"""Rank and alpha of every adapter: one for all, another for convolutions, or those of a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torch import Tensor, nn

from trainer_core.adapters.base import AdapterKind, Shape, Target


def shapes(
    targets: Iterable[Target], *, linear: Shape, conv: Shape | None = None
) -> dict[str, Shape]:
    """Return the shape of each target's adapter by its name.

    Args:
        targets: The layers.
        linear: For linear layers and convolutions of 1x1, which are linear layers too.
        conv: For other convolutions; None: as ``linear``.
    """
    wide = linear if conv is None else conv
    return {target.name: wide if _is_wide(target.layer) else linear for target in targets}


def shapes_in(
    kind: AdapterKind, targets: Iterable[Target], tensors: Mapping[str, Mapping[str, Tensor]]
) -> dict[str, Shape]:
    """Return the shapes that a file's modules have; targets without a module get none.

    Args:
        kind: The class of the adapters.
        targets: The layers.
        tensors: The file's tensors by module and key suffix, of any type.

    Raises:
        ValueError: A module's tensors do not go together.
    """
    found = {target.name: kind.shape_in(tensors.get(target.name, {})) for target in targets}
    return {name: shape for name, shape in found.items() if shape is not None}


def _is_wide(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Conv2d) and set(layer.kernel_size) != {1}
