"""The kinds of adapters: what each takes, and by what its files are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from trainer_core.catalogue.entry import Entry
from trainer_core.texts import T

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterEntry(Entry):
    """A kind of adapter; ``implementation`` is its class.

    Attributes:
        options: The settings that it takes as keywords, beside rank and alpha.
        shaping: Those of them that decide which tensors it has, so that others do not fit.
        arguments: What ``ss_network_args`` calls those options that have another name there.
        marks: What the keys of its files end in, beside ``alpha``; no other endings are taken.
        together: Endings of which none is of use without the others.
        rank_axes: The axis that has the rank, by the ending of the matrix's key.
        has_rank: Whether rank and alpha mean anything to it.
        module: ``ss_network_module`` of its files.
        algo: The algorithm's name in ``ss_network_args``, where the module has several.
        shapes: Gives the shapes of what is saved of the adapter of one layer, for the shape of the
            layer's weight and the rank; None where nobody can tell before it is built.
    """

    options: tuple[str, ...] = ()
    shaping: tuple[str, ...] = ()
    arguments: Mapping[str, str] = field(default_factory=dict)
    marks: tuple[str, ...]
    together: tuple[tuple[str, ...], ...] = ()
    rank_axes: Mapping[str, int] = field(default_factory=dict)
    has_rank: bool = True
    module: str
    algo: str = ""
    shapes: Callable[[Shape, int], tuple[Shape, ...]] | None = None


def _lora_shapes(layer: Shape, rank: int) -> tuple[Shape, ...]:
    """Return the shapes of the down factor, the up factor and alpha."""
    return (rank, *layer[1:]), (layer[0], rank, *(1 for _ in layer[2:])), ()


ADAPTERS: Mapping[str, AdapterEntry] = {
    "Standard": AdapterEntry(
        label=T("Settings", "Standard"),
        help=T(
            "Settings",
            "LoRA on the attention and feed-forward layers of the U-Net and the text encoder.",
        ),
        implementation="trainer_core.adapters.lora:LoRA",
        marks=("lora_down.weight", "lora_up.weight"),
        together=(("lora_down.weight", "lora_up.weight"),),
        rank_axes={"lora_down.weight": 0},
        module="networks.lora",
        shapes=_lora_shapes,
        source="Hu et al. 2021, arXiv:2106.09685",
    ),
}


def taking(option: str) -> tuple[str, ...]:
    """Return the names of the kinds that take the setting called ``option``."""
    return tuple(name for name, entry in ADAPTERS.items() if option in entry.options)


def with_rank() -> tuple[str, ...]:
    """Return the names of the kinds that have a rank and an alpha."""
    return tuple(name for name, entry in ADAPTERS.items() if entry.has_rank)


def shaping_options() -> tuple[str, ...]:
    """Return the settings that decide which tensors an adapter of any kind has."""
    return tuple(dict.fromkeys(name for entry in ADAPTERS.values() for name in entry.shaping))
