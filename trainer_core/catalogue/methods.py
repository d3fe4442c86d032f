"""The methods: what is trained, and the file that it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trainer_core.catalogue.entry import Entry
from trainer_core.texts import T


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodEntry(Entry):
    """A method.

    Attributes:
        sections: The sections of the settings that only it has.
        outputs: The kinds of files that it can write, the usual one first.
    """

    sections: tuple[str, ...]
    outputs: tuple[str, ...]


METHODS: Mapping[str, MethodEntry] = {
    "adapter": MethodEntry(
        label=T("Settings", "LoRA"),
        help=T("Settings", "Trains small weights beside the base model, as a file of their own."),
        implementation="trainer_core.methods.adapter:AdapterMethod",
        sections=("adapter",),
        outputs=("safetensors",),
    ),
}
