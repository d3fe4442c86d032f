"""What was measured of a LoRA file, in words: a summary, what is broken, and the whole table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from trainer_core.model_files.tensor_index import TensorIndex
from trainer_core.texts import T, Text, text
from trainer_core.tools.lora_outline import LoRAModule, part_of
from trainer_core.tools.weight_statistics import TensorNumbers

_NAMED = 3  # so many broken tensors are named in a warning; the text file names all
_KNOWN_METADATA = (
    "modelspec.title",
    "ss_output_name",
    "ss_base_model_version",
    "ss_sd_model_name",
    "ss_network_module",
    "ss_network_dim",
    "ss_network_alpha",
    "ss_network_args",
)
_LONGEST_VALUE = 120  # characters of a metadata value in the summary
_SHOWN_VALUES = 6  # different ranks or alphas of a part that are listed


@dataclass(slots=True)
class ModuleNumbers:
    """What was measured of one module.

    Attributes:
        module: Its tensors.
        alpha: None if it has none, or an odd one.
        has_odd_alpha: Its alpha is not one number.
        tensors: The numbers of its weights by their own names.
        facts_not_finite: Its numbers beside the weights that are not finite.
        unread: The tensors of types that cannot be read.
    """

    module: LoRAModule
    alpha: float | None = None
    has_odd_alpha: bool = False
    tensors: dict[str, TensorNumbers] = field(default_factory=dict)
    facts_not_finite: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    @property
    def mean(self) -> float:
        """Mean magnitude of all finite weights."""
        finite = {name: n.count - n.not_finite for name, n in self.tensors.items()}
        total = sum(n.mean * finite[name] for name, n in self.tensors.items())
        return total / max(sum(finite.values()), 1)

    @property
    def largest(self) -> float:
        """Magnitude of the largest finite weight."""
        return max((numbers.largest for numbers in self.tensors.values()), default=0.0)

    def whole(self, own_names: Iterable[str]) -> Iterator[str]:
        """Yield the names that tensors have in the file."""
        return (f"{self.module.name}.{name}" for name in own_names)


# ------------------------------------------------------------------ the summary


def summary(index: TensorIndex, measured: Sequence[ModuleNumbers]) -> Iterator[Text]:
    """Yield what a file holds, a line each."""
    size_mib = sum(entry.num_bytes for entry in index.entries.values()) / 2**20
    yield text(
        T(
            "Events",
            "{name}: {tensors} [tensors:tensor|tensors] in {modules} [modules:module|modules], "
            "{size} MiB.",
        ),
        name=index.path.name,
        tensors=len(index.entries),
        modules=len(measured),
        size=f"{size_mib:.1f}",
    )
    for part, of_part in _by_part(measured).items():
        yield from _part_lines(part, of_part)
    if not index.metadata:
        yield text(T("Events", "The file has no metadata."))
        return
    yield text(T("Events", "Metadata: {count} [count:entry|entries]."), count=len(index.metadata))
    for key in _KNOWN_METADATA:
        if key in index.metadata:
            value = str(index.metadata[key])[:_LONGEST_VALUE]
            yield text(T("Events", "{key} = {value}"), key=key, value=value)


def _by_part(measured: Sequence[ModuleNumbers]) -> Mapping[str, list[ModuleNumbers]]:
    parts: dict[str, list[ModuleNumbers]] = {}
    for each in measured:
        parts.setdefault(part_of(each.module.name), []).append(each)
    return parts


def _part_lines(part: str, measured: Sequence[ModuleNumbers]) -> Iterator[Text]:
    entries = [entry for each in measured for entry in each.module.weights.values()]
    yield text(
        T(
            "Events",
            "{part}: {count} [count:module|modules], rank {ranks}, alpha {alphas}, {types}.",
        ),
        part=part or T("Events", "Other parts"),
        count=len(measured),
        ranks=_amounts(each.module.rank for each in measured),
        alphas=_amounts(each.alpha for each in measured),
        types=_amounts(entry.dtype for entry in entries),
    )
    largest = max(measured, key=lambda each: each.largest)
    count = sum(n.count - n.not_finite for each in measured for n in each.tensors.values())
    total = sum(
        n.mean * (n.count - n.not_finite) for each in measured for n in each.tensors.values()
    )
    yield text(
        T("Events", "{part}: mean magnitude {mean}, largest {largest} in {module}."),
        part=part or T("Events", "Other parts"),
        mean=f"{total / max(count, 1):.4g}",
        largest=f"{largest.largest:.4g}",
        module=largest.module.name,
    )


def _amounts(values: Iterable[object]) -> str:
    """Return the one value that all have, or each with how often it occurs: ``8 (190), 4 (2)``."""
    counts = Counter("–" if value is None else _plain(value) for value in values)
    if len(counts) == 1:
        return next(iter(counts))
    listed = [f"{value} ({count})" for value, count in counts.most_common(_SHOWN_VALUES)]
    return ", ".join(listed) + (", …" if len(counts) > _SHOWN_VALUES else "")


def _plain(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


# ------------------------------------------------------------------ what is broken


def faults(
    measured: Sequence[ModuleNumbers], others: Sequence[str]
) -> Iterator[tuple[Text, Text | None]]:
    """Yield what is wrong with the file, and what that means."""
    not_finite = [
        name
        for each in measured
        for name in each.whole(
            [*(name for name, n in each.tensors.items() if n.not_finite), *each.facts_not_finite]
        )
    ]
    zero = [
        name
        for each in measured
        for name in each.whole(
            name for name, n in each.tensors.items() if not n.largest and not n.not_finite
        )
    ]
    missing = [name for each in measured for name in each.whole(each.module.missing())]
    unread = [name for each in measured for name in each.whole(each.unread)]
    template = T("Events", "Not finite (NaN or infinite): {names} ({count} in all)")
    hint = text(T("Events", "The file is of no use: take an earlier save."))
    yield from _fault(template, not_finite, hint)
    template = T("Events", "Zero throughout: {names} ({count} in all)")
    hint = text(T("Events", "These modules change nothing; in all of them, nothing was trained."))
    yield from _fault(template, zero, hint)
    template = T("Events", "Missing: {names} ({count} in all)")
    hint = text(T("Events", "The file is incomplete; get or save it again."))
    yield from _fault(template, missing, hint)
    odd_alphas = [f"{each.module.name}.alpha" for each in measured if each.has_odd_alpha]
    no_floats = [name for each in measured for name in each.whole(each.module.not_floating())]
    hint = text(T("Events", "The file is damaged; get or save it again."))
    yield from _fault(
        T("Events", "Not a single number: {names} ({count} in all)"), odd_alphas, hint
    )
    template = T("Events", "Not of a floating-point type: {names} ({count} in all)")
    yield from _fault(template, no_floats, hint)
    yield from _fault(T("Events", "Of an unknown type: {names} ({count} in all)"), unread)
    yield from _fault(T("Events", "Part of no adapter: {names} ({count} in all)"), others)


def _fault(
    template: str, names: Sequence[str], hint: Text | None = None
) -> Iterator[tuple[Text, Text | None]]:
    if names:
        shown = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
        yield text(template, count=len(names), names=shown), hint


# ------------------------------------------------------------------ the whole table


def table(index: TensorIndex, measured: Sequence[ModuleNumbers]) -> Iterator[str]:
    """Yield the lines of the text file: columns parted by tabs, then the metadata."""
    yield from (str(line) for line in summary(index, measured))
    yield ""
    yield "\t".join(("module", "rank", "alpha", "mean", "largest"))
    for each in measured:
        rank, alpha = (
            "–" if value is None else _plain(value) for value in (each.module.rank, each.alpha)
        )
        yield f"{each.module.name}\t{rank}\t{alpha}\t{each.mean:.6g}\t{each.largest:.6g}"
    yield ""
    yield "\t".join(("tensor", "type", "shape", "mean", "largest", "not finite"))
    for each in measured:
        yield from _tensor_lines(each)
    if index.metadata:
        yield ""
        yield from (f"{key} = {value}" for key, value in sorted(index.metadata.items()))


def _tensor_lines(measured: ModuleNumbers) -> Iterator[str]:
    for name, numbers in measured.tensors.items():
        entry = measured.module.tensors[name]
        shape = " x ".join(map(str, entry.shape))
        amounts = f"{numbers.mean:.6g}\t{numbers.largest:.6g}\t{numbers.not_finite}"
        yield f"{measured.module.name}.{name}\t{entry.dtype}\t{shape}\t{amounts}"
