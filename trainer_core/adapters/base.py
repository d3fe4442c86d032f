"""What every kind of adapter offers: it stands in for one frozen layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn


class Shape(NamedTuple):
    """The size of one adapter; its effect is multiplied by ``alpha / rank``.

    Kinds without a rank are given one too, and take no notice of it.
    """

    rank: int
    alpha: float


WITHOUT_RANK = Shape(1, 1.0)
"""The shape of an adapter whose kind has no rank."""


class Target(Protocol):
    """A frozen layer that can get an adapter.

    ``name`` is the module's name in the file (``lora_unet_...``), ``part`` the part of the model
    it belongs to (``unet``, ``text_encoder``), which decides its learning rate.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - see above

    @property
    def part(self) -> str: ...  # noqa: D102 - see above

    @property
    def layer(self) -> nn.Module: ...  # noqa: D102 - see above


class Adapter(Protocol):
    """Trainable weights for one frozen layer. An implementation is an ``nn.Module`` too.

    It keeps its layer without registering it, so that the layer's weights are not its own. Its
    weights are float32; the layer may be of any type and, until it is attached and run, on the
    meta device. Both are on one device when the layer is called or `merged_weight` is asked.
    """

    def attach(self) -> None:
        """Stand in for the layer from now on: whoever calls the layer gets this output."""
        ...

    def detach(self) -> None:
        """Let the layer work alone again; without effect if it does already."""
        ...

    def merged_weight(self, strength: float = 1.0) -> Tensor:
        """Return the weight that a plain layer would need to do the same.

        It has the shape of the layer's weight, is float32, and on its device.

        Args:
            strength: 0 gives the layer's own weight, 1 the trained one; between them the weight
                changes in proportion.
        """
        ...

    def reset(self, generator: torch.Generator) -> None:
        """Draw fresh weights that change nothing yet; they and ``generator`` are on the CPU."""
        ...

    def saved(self) -> dict[str, Tensor]:
        """Return the tensors of the file by key suffix, such as ``lora_up.weight``.

        Float32; they share the adapter's memory, wherever that is.
        """
        ...

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Copy weights, by key suffix, of any type and on any device.

        Raises:
            ValueError: A tensor is missing or has another shape; the text names it.
        """
        ...


class AdapterKind(Protocol):
    """A class of adapters; its entry in the catalogue says which settings are its options."""

    def __call__(self, layer: nn.Module, shape: Shape, **options: object) -> nn.Module:
        """Build an adapter for ``layer``, float32 on torch's default device.

        Raises:
            TypeError: There is none for a layer of this type.
        """
        ...

    def shape_in(self, tensors: Mapping[str, Tensor]) -> Shape | None:
        """Return the shape of a module's saved tensors; None if there are none of this kind.

        They may be of any type, on any device. A kind without a rank returns `WITHOUT_RANK`.

        Raises:
            ValueError: They are of this kind and do not go together; the text says why.
        """
        ...


class LayerAdapter(nn.Module):
    """The part of an adapter that takes the place of its layer's ``forward``.

    A kind of adapter may build on it; kinds from libraries bring their own way.
    """

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self._layer = (layer,)  # in a tuple, so that torch does not register it
        self._plain: Callable[[Tensor], Tensor] = layer.forward

    @property
    def layer(self) -> nn.Module:
        """The frozen layer."""
        return self._layer[0]

    def attach(self) -> None:
        """Stand in for the layer from now on, once."""
        self.detach()
        self._plain = self.layer.forward
        # Not by assignment: torch's modules look through all their tables at that.
        self.layer.__dict__["forward"] = self.forward

    def detach(self) -> None:
        """Let the layer work as before; without effect if it does already."""
        own = self.layer.__dict__
        if own.get("forward") != self.forward:
            return
        if isinstance(getattr(self._plain, "__self__", None), LayerAdapter):
            own["forward"] = self._plain  # an adapter that came first
        else:
            del own["forward"]

    def plain(self, x: Tensor) -> Tensor:
        """Return what the layer gives for ``x`` without this adapter, under autocast or not."""
        return self._plain(x)
