"""The kinds of adapters: what each takes, and by what its files are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trainer_core.catalogue.entry import Entry
from trainer_core.texts import T


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterEntry(Entry):
    """A kind of adapter; ``implementation`` is its class.

    Attributes:
        options: The settings that it takes as keywords, beside rank and alpha.
        marks: Endings of keys that only its files have: files are recognised by them.
        module: ``ss_network_module`` of its files.
        algo: The algorithm's name in ``ss_network_args``, where the module has several.
    """

    options: tuple[str, ...] = ()
    marks: tuple[str, ...]
    module: str
    algo: str = ""


ADAPTERS: Mapping[str, AdapterEntry] = {
    "Standard": AdapterEntry(
        label=T("Settings", "Standard"),
        help=T(
            "Settings",
            "LoRA on the attention and feed-forward layers of the U-Net and the text encoder.",
        ),
        implementation="trainer_core.adapters.lora:LoRA",
        marks=("lora_down.weight", "lora_up.weight"),
        module="networks.lora",
        source="Hu et al. 2021, arXiv:2106.09685",
    ),
}
