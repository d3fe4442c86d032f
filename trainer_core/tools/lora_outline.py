"""The modules of a LoRA file by the names of its tensors, whichever program wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from trainer_core.catalogue.adapters import ADAPTERS
from trainer_core.catalogue.families import part_of_module
from trainer_core.model_files.tensor_index import ITEM_BYTES, TensorEntry, TensorIndex

#: A module and what its tensor is called within it. This program's module names have no dots.
_OURS = "|".join(re.escape(mark) for entry in ADAPTERS.values() for mark in entry.marks)
#: Sources: sd-scripts networks/lora.py, LyCORIS lycoris/modules, PEFT's key names.
_FOREIGN = (
    r"alpha|rank|scalar|dora_scale|diff|diff_b|w_norm|b_norm|on_input|rescale|bias_\w+"
    r"|oft_\w+|(?:lora|hada|lokr)_\w+(?:\.\w+)*"
)
_KEYS = (re.compile(rf"([^.]+)\.({_OURS})"), re.compile(rf"(.+?)\.({_FOREIGN})"))
#: The axis along which a matrix has the rank.
_RANK_AXES: Mapping[str, int] = {
    "lora_A.weight": 0,
    "lora.down.weight": 0,
    "hada_w1_b": 0,
    "lokr_w1_b": 0,
    "lokr_w2_b": 0,
} | {name: axis for entry in ADAPTERS.values() for name, axis in entry.rank_axes.items()}
#: Matrices of which none is of use without the others.
_TOGETHER = frozenset(names for entry in ADAPTERS.values() for names in entry.together) | {
    ("lora_A.weight", "lora_B.weight")
}
#: Numbers about the module, not weights of it; a tensor without axes is one too.
_FACTS = frozenset({"alpha", "rank", "scalar", "on_input"})
#: The only weights that are whole numbers in a sound file. Source: LyCORIS, its sparse biases.
_WHOLE_NUMBERS = frozenset({"bias_indices", "bias_size"})


@dataclass(slots=True)
class LoRAModule:
    """The tensors of one layer's adapter by their own names."""

    name: str
    tensors: dict[str, TensorEntry] = field(default_factory=dict)

    @property
    def weights(self) -> Mapping[str, TensorEntry]:
        """The tensors that are weights."""
        return {
            name: entry
            for name, entry in self.tensors.items()
            if entry.shape and name not in _FACTS
        }

    @property
    def rank(self) -> int | None:
        """The rank of its matrices, None if it has none."""
        for name, axis in _RANK_AXES.items():
            entry = self.tensors.get(name)
            if entry is not None and len(entry.shape) > axis:
                return entry.shape[axis]
        return None

    def not_floating(self) -> Iterator[str]:
        """Yield the weights that must be floating-point numbers and are not."""
        for name, entry in self.weights.items():
            is_float = entry.dtype.startswith(("F", "BF"))
            if entry.dtype in ITEM_BYTES and not is_float and name not in _WHOLE_NUMBERS:
                yield name

    def missing(self) -> Iterator[str]:
        """Yield the matrices whose counterparts are there and which are not."""
        for names in _TOGETHER:
            if not self.tensors.keys().isdisjoint(names):
                yield from (name for name in names if name not in self.tensors)


@dataclass(frozen=True, slots=True)
class LoRAOutline:
    """What a file holds: its modules in order, and the tensors that belong to none."""

    modules: tuple[LoRAModule, ...]
    others: tuple[str, ...]


def outline(index: TensorIndex) -> LoRAOutline:
    """Return the modules of a file; none if it is no LoRA."""
    modules: dict[str, LoRAModule] = {}
    others = []
    for key, entry in sorted(index.entries.items()):
        match = next(filter(None, (pattern.fullmatch(key) for pattern in _KEYS)), None)
        if match is None:
            others.append(key)
        else:
            name, own_name = match.groups()
            modules.setdefault(name, LoRAModule(name)).tensors[own_name] = entry
    return LoRAOutline(tuple(modules.values()), tuple(others))


def part_of(module: str) -> str:
    """Return what the form calls the part of the model that a module belongs to, "" if unknown."""
    part = part_of_module(module)
    return part.label if part is not None else ""
