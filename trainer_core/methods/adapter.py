"""Training adapters on a frozen base model: LoRA and its kin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self, TypeVar, cast

import torch
from torch import Tensor

from trainer_core.adapters.base import WITHOUT_RANK, AdapterKind, Shape
from trainer_core.adapters.set import AdapterSet, build, by_module, count
from trainer_core.adapters.shapes import shapes, shapes_in
from trainer_core.catalogue.adapters import ADAPTERS
from trainer_core.catalogue.entry import implementation
from trainer_core.checkpoints.metadata import DYNAMIC, NetworkFacts
from trainer_core.checkpoints.weights import incomplete, read_adapter, write_lora
from trainer_core.errors import ModelFileError, about
from trainer_core.families.base import Family, LayerKind, Target
from trainer_core.methods.base import TrainGroup, Warn
from trainer_core.methods.network_args import network_args, unlike
from trainer_core.model_files.weights_file import tensor_hash
from trainer_core.optim.groups import part_rates
from trainer_core.settings.schema import TrainSettings
from trainer_core.texts import T, text

_KINDS: frozenset[LayerKind] = frozenset({"linear", "conv"})
_WEIGHTS = "adapter.network_weights"
_RANK, _ALPHA = "adapter.network_dim", "adapter.network_alpha"
_HASH = "sshs_model_hash"

N = TypeVar("N", int, float)


class AdapterMethod:
    """Adapters on the parts that have a learning rate; see `trainer_core.methods.base.Method`."""

    def __init__(self, settings: TrainSettings) -> None:
        self._settings = settings.adapter
        self._entry = ADAPTERS[settings.adapter.LoRA_type]
        self._rates = _rates(settings)
        self._options = {name: getattr(self._settings, name) for name in self._entry.options}
        self._set = AdapterSet((), {})

    @classmethod
    def of(cls, settings: TrainSettings) -> Self:
        """Read from the settings which adapters are trained, and at which rates."""
        return cls(settings)

    def prepare(self, family: Family, *, seed: int | None, warn: Warn) -> None:
        """Build the adapters: drawn from the seed, or with starting weights.

        Raises:
            ModelFileError: The starting weights cannot be used.
        """
        targets = [
            target
            for part in self._rates
            if part in (family.entry.denoiser, *family.entry.text_encoders)
            for target in family.targets(part, _KINDS)
            if target.is_standard
        ]
        path = self._settings.network_weights
        with about(setting=_WEIGHTS):
            weights = self._starting_weights(path, warn) if path is not None else None
            self._set = build(self._kind, targets, self._shapes(targets, weights), self._options)
            if seed is not None:
                self._set.reset(seed)
            if weights is not None:
                self._take(weights, warn)

    def attach(self, device: torch.device) -> None:
        """Bring the adapters, float32, to ``device`` and let each stand in for its layer."""
        self._set.to(device).attach()

    def keeps_float32(self, part: str) -> bool:
        """Tell that the frozen base model may have any type: adapters cast what they are given."""
        del part
        return False

    def trains(self, part: str) -> bool:
        """Tell whether a part has adapters."""
        return part in self._set.parts()

    def rates(self) -> Mapping[str, float]:
        """Return the learning rate of each part that the settings let train."""
        return self._rates

    def groups(self) -> Sequence[TrainGroup]:
        """Return one group for each part that has adapters."""
        parts = self._set.parts()
        return [
            TrainGroup(part, self._set.parameters_of(part), rate)
            for part, rate in self._rates.items()
            if part in parts
        ]

    def counts(self) -> Mapping[str, int]:
        """Return how many numbers are trained in each part."""
        return {part: count(self._set.parameters_of(part)) for part in self._set.parts()}

    def state(self) -> dict[str, Tensor]:
        """Return every tensor of the adapters by its key in a file, float32, not copied."""
        return self._set.saved()

    def load_state(self, tensors: Mapping[str, Tensor], name: str) -> None:
        """Copy the weights of a state of the run ``name`` from any device.

        Raises:
            ModelFileError: They are of other adapters.
        """
        self._set.load(tensors, name)

    def after_step(self) -> Mapping[str, Tensor]:
        """Nothing is due after a step of these adapters."""
        return {}

    def write(
        self, target: Path, *, precision: str, metadata: Mapping[str, str], replace: bool
    ) -> None:
        """Write the adapters in the kohya key format; see the protocol."""
        write_lora(
            target, self._set.saved(), metadata=metadata, precision=precision, replace=replace
        )

    def facts(self) -> NetworkFacts:
        """Return the adapters' class in the reference trainer's words, their size and options."""
        ranks, alphas = self._built()
        return NetworkFacts(
            module=self._entry.module,
            dim=_one_of(ranks),
            alpha=_one_of(alphas),
            args=network_args(self._entry, self._options),
        )

    def used(self) -> Mapping[str, object]:
        """Return rank and alpha, where they are others than was asked for."""
        adapter, (ranks, alphas) = self._settings, self._built()
        asked_and_used = {
            _RANK: (adapter.network_dim, _one_of(ranks)),
            _ALPHA: (adapter.network_alpha, _one_of(alphas)),
        }
        return {
            path: used
            for path, (asked, used) in asked_and_used.items()
            if used not in (asked, None, DYNAMIC)
        }

    def _built(self) -> tuple[set[int], set[float]]:
        """Return every rank and alpha that the adapters have; none for a kind without them."""
        if not self._entry.has_rank:
            return set(), set()
        modules = by_module(self._set.saved()).values()
        shapes = {shape for module in modules if (shape := self._kind.shape_in(module))}
        return {shape.rank for shape in shapes}, {shape.alpha for shape in shapes}

    # ------------------------------------------------------------- building

    @property
    def _kind(self) -> AdapterKind:
        return cast(AdapterKind, implementation(self._entry.implementation))

    @property
    def _shape(self) -> Shape:
        if not self._entry.has_rank:
            return WITHOUT_RANK
        rank, alpha = self._settings.network_dim, self._settings.network_alpha
        return Shape(rank, float(rank if alpha is None else alpha))

    @property
    def _is_shape_from_weights(self) -> bool:
        return self._settings.dim_from_weights and self._entry.has_rank

    def _shapes(
        self, targets: Sequence[Target], weights: Mapping[str, Tensor] | None
    ) -> dict[str, Shape]:
        if weights is not None and self._is_shape_from_weights:
            modules = by_module(weights)
            found = shapes_in(self._kind, targets, modules)
            if targets and not found:
                raise ModelFileError(
                    T("Errors", "No module of {path} fits what is trained; its first is {name}."),
                    self._hint_at_what_does_not_fit(),
                    path=self._settings.network_weights,
                    name=min(modules),
                )
            return found
        return shapes(targets, linear=self._shape)

    def _starting_weights(self, path: Path, warn: Warn) -> Mapping[str, Tensor]:
        marks = self._entry.marks
        file = read_adapter(path, marks)
        for module, parts in by_module(file.tensors).items():
            try:
                self._kind.shape_in(parts)
            except ValueError as error:
                raise incomplete(path, module, error, marks) from error
        stored = file.metadata.get(_HASH)
        if stored is not None and stored != tensor_hash(path):
            message = T(
                "Events",
                "{path} was changed since it was saved, or is damaged: its weights do not fit "
                "their hash ({name}).",
            )
            warn(text(message, path=path, name=_HASH))
        for name, before, now in unlike(file.metadata, self._entry, self._options):
            message = T("Events", "{path} was trained with {name} = {before}, not {now}.")
            warn(text(message, path=path, name=name, before=before, now=now))
        return file.tensors

    def _take(self, weights: Mapping[str, Tensor], warn: Warn) -> None:
        """Load starting weights; say which of the file's modules there is no adapter for."""
        path = self._settings.network_weights
        try:
            unused = self._set.load(weights, str(path))
        except ModelFileError as error:
            error.hint = text(self._hint_at_what_does_not_fit(), param="dim_from_weights")
            raise
        if unused:
            message = T(
                "Events",
                "{count} [count:module|modules] of {path} [count:is|are] not used, such as {name}.",
            )
            warn(text(message, count=len(unused), path=path, name=unused[0]))

    def _hint_at_what_does_not_fit(self) -> str:
        if self._entry.has_rank and not self._is_shape_from_weights:
            return T("Errors", "Turn on {param}, or use the rank and parts of that file.")
        return T("Errors", "Use the parts and options that it was trained with, and its model.")


def _one_of(values: set[N]) -> N | str | None:
    """Return what all modules have, None if there is nothing, and `DYNAMIC` if they differ."""
    return DYNAMIC if len(values) > 1 else next(iter(values), None)


def _rates(settings: TrainSettings) -> dict[str, float]:
    """Return the rate of each part, of any family, that the settings let train."""
    return part_rates({part: settings.rate_of(part) for part in settings.trained_parts()})
