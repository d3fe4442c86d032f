"""The modules of a LoRA file by the names of its tensors, whichever program wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from trainer_core.catalogue.families import PARTS
from trainer_core.model_files.tensor_index import TensorEntry, TensorIndex

#: What a tensor of an adapter is called within its module. Sources: sd-scripts networks/lora.py,
#: LyCORIS lycoris/modules, PEFT's key names.
_OWN_NAME = re.compile(
    r"(?P<module>.+?)\.(?P<own>"
    r"alpha|rank|scalar|dora_scale|diff|diff_b|w_norm|b_norm|on_input|rescale|bias_\w+"
    r"|oft_\w+|(?:lora|hada|lokr)_\w+(?:\.\w+)*)"
)
#: The axis along which a matrix has the rank.
_RANK_AXES: Mapping[str, int] = {
    "lora_down.weight": 0,
    "lora_A.weight": 0,
    "lora.down.weight": 0,
    "hada_w1_b": 0,
    "lokr_w1_b": 0,
    "lokr_w2_b": 0,
}
#: A matrix is of no use without the other one.
_PAIRS = (("lora_down.weight", "lora_up.weight"), ("lora_A.weight", "lora_B.weight"))
#: Numbers about the module, not weights of it.
_FACTS = frozenset({"alpha", "rank", "scalar", "on_input"})


@dataclass(slots=True)
class LoRAModule:
    """The tensors of one layer's adapter by their own names."""

    name: str
    tensors: dict[str, TensorEntry] = field(default_factory=dict)

    @property
    def weights(self) -> Mapping[str, TensorEntry]:
        """The tensors that are weights."""
        return {name: entry for name, entry in self.tensors.items() if name not in _FACTS}

    @property
    def rank(self) -> int | None:
        """The rank of its matrices, None if it has none."""
        for name, axis in _RANK_AXES.items():
            entry = self.tensors.get(name)
            if entry is not None and len(entry.shape) > axis:
                return entry.shape[axis]
        return None

    def missing(self) -> Iterator[str]:
        """Yield the matrices whose counterpart is there and which are not."""
        for pair in _PAIRS:
            if sum(name in self.tensors for name in pair) == 1:
                yield from (name for name in pair if name not in self.tensors)


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
        match = _OWN_NAME.fullmatch(key)
        if match is None:
            others.append(key)
        else:
            name = match["module"]
            modules.setdefault(name, LoRAModule(name)).tensors[match["own"]] = entry
    return LoRAOutline(tuple(modules.values()), tuple(others))


def part_of(module: str) -> str:
    """Return what the form calls the part of the model that a module belongs to, "" if unknown."""
    fitting = [part for part in PARTS.values() if module.startswith(part.prefix)]
    return max(fitting, key=lambda part: len(part.prefix)).label if fitting else ""
