"""The methods: what is trained, and the file that it becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from trainer_core.catalogue.adapters import shaping_options
from trainer_core.catalogue.entry import Entry
from trainer_core.catalogue.families import PARTS, PartEntry
from trainer_core.texts import T


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodEntry(Entry):
    """A method; ``implementation`` is its class, see `trainer_core.methods.base.Method`.

    Attributes:
        outputs: The kinds of files that it can write, the usual one first.
        result: The sentence that tells where its result is, with ``{path}``.
        note: What the result is called in the notes of sample pictures.
        architecture: What follows the base model's ``modelspec.architecture``, such as ``lora``;
            empty for a whole model.
        sections: The sections of the settings that only it and methods that name them too have.
        options: Such settings of other sections, by name.
        trains_denoiser: Whether it can train the denoiser.
        trains_text_encoders: Whether it can train text encoders.
        no_denoiser: The path of the setting that leaves the denoiser out, if there is one.
        no_text_encoders: The same of text encoders.
        shaping: The paths of its settings that decide which numbers a state holds: with another
            value it cannot be gone on from. Each with the path of the setting that, switched on,
            takes the decision from it; empty if there is none.
    """

    outputs: tuple[str, ...]
    result: str
    note: str = "Model"
    architecture: str = ""
    sections: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    trains_denoiser: bool = True
    trains_text_encoders: bool = True
    no_denoiser: str = ""
    no_text_encoders: str = ""
    shaping: Mapping[str, str] = field(default_factory=dict)

    def can_train(self, part: PartEntry) -> bool:
        """Tell whether ``part`` is trained with some settings."""
        return self.trains_text_encoders if part.is_text_encoder else self.trains_denoiser

    def trains(self, part: PartEntry, values: Callable[[str], object]) -> bool:
        """Tell whether ``part`` is trained; it also needs a learning rate above 0.

        Args:
            part: Of any family.
            values: Gives the value of the setting at a path.
        """
        left_out = self.no_text_encoders if part.is_text_encoder else self.no_denoiser
        return self.can_train(part) and not (left_out and values(left_out))


USUAL_METHOD = "adapter"

METHODS: Mapping[str, MethodEntry] = {
    USUAL_METHOD: MethodEntry(
        label=T("Settings", "LoRA"),
        help=T("Settings", "Trains small weights beside the base model, as a file of their own."),
        implementation="trainer_core.methods.adapter:AdapterMethod",
        outputs=("safetensors",),
        result=T("Events", "The LoRA: {path}"),
        note="Lora",  # as the notes of other programs' pictures have it
        architecture="lora",
        sections=("adapter",),
        no_denoiser="adapter.network_train_text_encoder_only",
        no_text_encoders="adapter.network_train_unet_only",
        shaping={
            "adapter.LoRA_type": "",
            "adapter.network_dim": "adapter.dim_from_weights",
            "adapter.network_train_unet_only": "",
            "adapter.network_train_text_encoder_only": "",
            **{f"adapter.{name}": "" for name in shaping_options()},
        },
    ),
}


def taking(section: str, name: str) -> tuple[str, ...]:
    """Return the names of the methods with which the setting ``name`` of ``section`` may act.

    What no method claims acts with all; the rate of a part acts where that part can be trained.
    """
    parts = [part for part in PARTS.values() if part.rate == name]
    is_claimed = any(section in entry.sections for entry in METHODS.values())
    is_option = any(name in entry.options for entry in METHODS.values())

    def takes(entry: MethodEntry) -> bool:
        return (
            (not is_claimed or section in entry.sections)
            and (not is_option or name in entry.options)
            and (not parts or any(map(entry.can_train, parts)))
        )

    return tuple(method for method, entry in METHODS.items() if takes(entry))
