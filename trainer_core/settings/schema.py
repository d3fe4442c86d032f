"""A tree of settings: its sections, what is declared in them, and how raw values become it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from pydantic import ValidationError, create_model

from trainer_core.catalogue.families import PARTS, TRAINABLE, PartEntry
from trainer_core.catalogue.methods import METHODS, MethodEntry, taking
from trainer_core.settings.adapter import AdapterSettings
from trainer_core.settings.augmentation import AugmentationSettings
from trainer_core.settings.buckets import BucketSettings
from trainer_core.settings.cache import CacheSettings
from trainer_core.settings.captions import CaptionSettings
from trainer_core.settings.dataset import DatasetSettings
from trainer_core.settings.document import (
    UNSET,
    Raw,
    absolute,
    closest,
    explained,
    from_raw,
    mistake,
    replaced,
    to_raw,
)
from trainer_core.settings.hardware import HardwareSettings
from trainer_core.settings.model import ModelSettings
from trainer_core.settings.optimizer import OptimizerSettings
from trainer_core.settings.output import OutputSettings
from trainer_core.settings.param import ActsIf, Param, Section, acts_if, section_params
from trainer_core.settings.problems import Problem, Severity
from trainer_core.settings.sampling import SamplingSettings
from trainer_core.settings.tables import table_problems, with_absolute_paths
from trainer_core.settings.validation import ValidationSettings
from trainer_core.texts import T, Text, text

AUTO = "auto"
"""The value of a setting that is decided by what is found in the files or the machine."""

Facts = Mapping[str, object]
"""What "auto" came to, by the setting's name, and what else is known: ``{"family": "sd1"}``."""

Values = Callable[[str], object]
"""Gives the Python value at ``section.name``."""

Conditions = tuple[ActsIf, ...]
"""All must hold."""


class Settings(Section):
    """A frozen tree of sections.

    Setting names are unique across sections, so a flag or a foreign file needs no section.
    """

    def get(self, path: str) -> object:
        """Return the value at ``section.name``."""
        section, name = path.split(".")
        return getattr(getattr(self, section), name)


S = TypeVar("S", bound=Settings)


@dataclass(frozen=True, eq=False)
class Schema(Generic[S]):
    """What forms, flags, files and checks need to know of one tree of settings.

    Attributes:
        tree: The model that raw values validate to.
        titles: What the sections are called, in the order of the form.
        choosing: Gives the conditions under which a parameter acts that come of what was chosen
            to be done with the whole tree, beside those that were declared with it.
    """

    tree: type[S]
    titles: Mapping[str, str]
    choosing: Callable[[Param], Conditions] = lambda _: ()

    @classmethod
    def of_section(cls, name: str, title: str, section: type[Section]) -> Schema[Settings]:
        """Return the schema of settings that are a single section, such as those of a tool."""
        fields: dict[str, Any] = {name: (section, section())}
        tree = create_model(f"{section.__name__}Tree", __base__=Settings, **fields)
        return Schema(tree, {name: title})

    @functools.cached_property
    def sections(self) -> Mapping[str, type[Section]]:
        """The section models by name, in the order of the form."""
        fields = self.tree.model_fields
        return MappingProxyType({name: type(info.default) for name, info in fields.items()})

    def params(self) -> Mapping[str, Param]:
        """Return every parameter by its path ``section.name``, in order."""
        return self._params

    def path_of(self, name: str) -> str | None:
        """Return ``section.name`` of the setting called ``name``, None if there is none."""
        return self._paths.get(name)

    def form(self, section: str) -> tuple[Param, ...]:
        """Return what is edited in the form of a section, in order.

        That is what is declared in it, but for what is shown in the form of another one.
        """
        return self._forms[section]

    def form_of(self, path: str) -> str:
        """Return the section in whose form ``section.name`` is edited."""
        host = self.path_of(self._params[path].spec.shown_before)
        return path.partition(".")[0] if host is None else host.partition(".")[0]

    def defaults(self) -> S:
        """Return the settings of which nothing was said."""
        return self.tree()

    def parse(self, raw: Mapping[str, Any]) -> tuple[S | None, list[Problem]]:
        """Validate a raw document.

        Returns:
            The frozen settings, or None if any value cannot be used, and every problem of form:
            unknown sections and names, wrong types, values out of bounds. Checks across settings
            are in `trainer_core.settings.rules`.
        """
        problems: list[Problem] = []
        known: Raw = {}
        for section, values in raw.items():
            if section not in self.sections:
                problems.append(_unknown_section(self, section, values))
            elif not isinstance(values, Mapping):
                problems.append(_not_a_table(section))
            else:
                known[section] = dict(self._known_values(section, values, problems))
        try:
            settings = self.tree.model_validate(known)
        except ValidationError as error:
            return None, [*problems, *explained(error, self._params)]
        broken = any(problem.severity is Severity.ERROR for problem in problems)
        return (None if broken else settings), problems

    def as_raw(self, settings: Settings) -> Raw:
        """Return every value of ``settings`` as a raw document."""
        tree: Raw = {section: {} for section in self.sections}
        for path, param in self._params.items():
            tree[param.section][param.name] = to_raw(param, settings.get(path))
        return tree

    def completed(self, raw: Mapping[str, Any]) -> Raw:
        """Return ``raw`` with every setting of the sections it touches written out, in order.

        A later change of defaults then cannot change an old run. Unknown keys are kept.
        """
        tree = replaced(raw, {})
        whole: Raw = {name: {} for name, values in tree.items() if isinstance(values, dict)}
        for param in self._params.values():
            if param.section in whole and not param.columns:  # no tables need no line
                whole[param.section][param.name] = to_raw(param, param.default)
        return tree | {name: defaults | tree[name] for name, defaults in whole.items()}

    def with_absolute_paths(self, raw: Mapping[str, Any], folder: Path) -> Raw:
        """Return ``raw`` with relative paths made absolute: they are meant from ``folder``."""
        tree = replaced(raw, {})
        for param in self._params.values():
            values = tree.get(param.section)
            if not isinstance(values, dict) or param.name not in values:
                continue
            value = values[param.name]
            if param.is_path and value != UNSET:
                values[param.name] = absolute(value, folder)
            elif param.is_path_list and isinstance(value, list):
                values[param.name] = [absolute(each, folder) for each in value]
            elif param.columns and isinstance(value, list):
                values[param.name] = with_absolute_paths(param, value, folder)
        return tree

    def idle(self, param: Param, values: Values, facts: Facts) -> ActsIf | None:
        """Return the condition that keeps a parameter from acting, None if it acts.

        Args:
            param: The parameter.
            values: Gives the values of the others.
            facts: What "auto" came to. A condition on what is not known yet is taken to hold:
                better to say nothing than something wrong.
        """
        conditions = self.conditions(param)
        return next((c for c in conditions if not self._holds(c, values, facts)), None)

    def conditions(self, param: Param) -> Conditions:
        """Return all conditions under which a parameter acts."""
        return (*self.choosing(param), *param.spec.when)

    def _holds(self, condition: ActsIf, values: Values, facts: Facts) -> bool:
        others = (acts_if(name) for name in condition.or_set)
        return self._one_holds(condition, values, facts) or any(
            self._one_holds(other, values, facts) for other in others
        )

    def _one_holds(self, condition: ActsIf, values: Values, facts: Facts) -> bool:
        path = self.path_of(condition.name)
        if path is None:
            return condition.name not in facts or condition.holds(facts[condition.name])
        if not all(self._holds(c, values, facts) for c in self.choosing(self._params[path])):
            return True  # what is not there at all hinders nothing
        value = values(path)
        if value != AUTO or condition.holds(value):
            return condition.holds(value)
        return condition.name not in facts or condition.holds(facts[condition.name])

    @functools.cached_property
    def _params(self) -> Mapping[str, Param]:
        found = (p for name, model in self.sections.items() for p in section_params(name, model))
        return MappingProxyType({param.path: param for param in found})

    @functools.cached_property
    def _forms(self) -> Mapping[str, tuple[Param, ...]]:
        forms: dict[str, list[Param]] = {section: [] for section in self.sections}
        for param in self._params.values():
            if not param.spec.shown_before:
                guests = (p for p in self._params.values() if p.spec.shown_before == param.name)
                forms[param.section] += [*guests, param]
        return MappingProxyType({section: tuple(found) for section, found in forms.items()})

    @functools.cached_property
    def _paths(self) -> Mapping[str, str]:
        paths: dict[str, str] = {}
        for path, param in self._params.items():
            paths.setdefault(param.name, path)
        return paths

    def _known_values(
        self, section: str, values: Mapping[str, Any], problems: list[Problem]
    ) -> Iterator[tuple[str, Any]]:
        for name, value in values.items():
            param = self._params.get(f"{section}.{name}")
            if param is None:
                problems.append(_unknown_name(self, section, name, value))
            elif param.columns and isinstance(value, list):
                found = list(table_problems(param, value))
                problems += found
                yield name, () if found else from_raw(param, value)
            else:
                yield name, from_raw(param, value)


AnySchema = Schema[Any]
"""One of whatever settings."""


# ------------------------------------------------------------------ the settings of a training run


class TrainSettings(Settings):
    """A frozen snapshot of everything a run was asked to do."""

    model: ModelSettings = ModelSettings()
    dataset: DatasetSettings = DatasetSettings()
    buckets: BucketSettings = BucketSettings()
    captions: CaptionSettings = CaptionSettings()
    augmentation: AugmentationSettings = AugmentationSettings()
    cache: CacheSettings = CacheSettings()
    adapter: AdapterSettings = AdapterSettings()
    optimizer: OptimizerSettings = OptimizerSettings()
    validation: ValidationSettings = ValidationSettings()
    sampling: SamplingSettings = SamplingSettings()
    output: OutputSettings = OutputSettings()
    hardware: HardwareSettings = HardwareSettings()

    @property
    def method(self) -> MethodEntry:
        """The chosen method."""
        return METHODS[self.model.training_method]

    def known_family(self, facts: Facts) -> str | None:
        """Return the base model's family: as set, or as found; None if it is not known yet."""
        chosen = facts.get("family") if self.model.family == AUTO else self.model.family
        return chosen if isinstance(chosen, str) and chosen in TRAINABLE else None

    def trained_parts(self, family: str | None = None) -> list[PartEntry]:
        """Return the parts that are trained if their learning rate is above 0.

        Args:
            family: Whose parts; None: of any family.
        """
        parts = PARTS.values() if family is None else TRAINABLE[family].parts
        return [part for part in parts if self.method.trains(part, self.get)]

    def rate_setting(self, part: PartEntry) -> str:
        """Return the name of the setting that gives a part's learning rate: its own if it is set.

        Or that of the part whose rate it shares without one, or the common one.
        """
        names = [name for name in (part.rate, part.rate_like) if name]
        is_set = (name for name in names if getattr(self.optimizer, name) is not None)
        return next(is_set, "learning_rate")

    def rate_of(self, part: PartEntry) -> float:
        """Return a part's learning rate."""
        rate: float = getattr(self.optimizer, self.rate_setting(part))
        return rate


def _by_method(param: Param) -> Conditions:
    """Return that a parameter acts with some of the methods only, if that is so."""
    methods = taking(param.section, param.name)
    return () if len(methods) == len(METHODS) else (acts_if("training_method", *methods),)


TRAIN = Schema(
    TrainSettings,
    MappingProxyType(
        {
            "model": T("Settings", "Model"),
            "dataset": T("Settings", "Dataset"),
            "buckets": T("Settings", "Resolution"),
            "captions": T("Settings", "Captions"),
            "augmentation": T("Settings", "Augmentation, masks"),
            "cache": T("Settings", "Cache"),
            "adapter": T("Settings", "Network"),
            "optimizer": T("Settings", "Training"),
            "validation": T("Settings", "Validation"),
            "sampling": T("Settings", "Samples"),
            "output": T("Settings", "Output"),
            "hardware": T("Settings", "Hardware"),
        }
    ),
    _by_method,
)

Rule = Callable[[TrainSettings, Facts], Iterator[Problem]]
"""A check across settings; see `trainer_core.settings.rules`."""

Rules = tuple[Rule, ...]


# ------------------------------------------------------------------ names that there are not


def _removal(path: str, message: Text) -> Problem:
    return mistake(path, message, text(T("Problems", "Remove it.")), {path: None})


def _not_a_table(section: str) -> Problem:
    return _removal(section, text(T("Problems", "[{name}] must be a table."), name=section))


def _unknown_section(schema: AnySchema, section: str, values: Any) -> Problem:
    if not isinstance(values, Mapping):
        return _outside_of_sections(schema, section, values)
    message = text(T("Problems", "There is no section [{name}]."), name=section)
    guess = closest(section, schema.sections)
    if guess is None:
        return _removal(section, message)
    hint = text(T("Problems", "Did you mean [{guess}]?"), guess=guess)
    moved = {f"{guess}.{name}": value for name, value in values.items()}
    return mistake(section, message, hint, {section: None} | moved)


def _outside_of_sections(schema: AnySchema, name: str, value: Any) -> Problem:
    message = text(T("Problems", "{name} stands above all sections."), name=name)
    path = schema.path_of(name)
    if path is None:
        return _removal(name, message)
    hint = text(T("Problems", "It belongs to [{section}]."), **_named(path))
    return mistake(name, message, hint, {name: None, path: value})


def _unknown_name(schema: AnySchema, section: str, name: str, value: Any) -> Problem:
    path = f"{section}.{name}"
    message = text(T("Problems", "There is no setting {name} in [{section}]."), **_named(path))
    right_path = schema.path_of(name)
    if right_path is not None:
        hint = text(T("Problems", "It belongs to [{section}]."), **_named(right_path))
        return mistake(path, message, hint, {path: None, right_path: value})
    guess = closest(name, [param.name for param in schema.params().values()])
    target = schema.path_of(guess) if guess else None
    if target is None:
        return _removal(path, message)
    hint = text(T("Problems", "Did you mean {name} in [{section}]?"), **_named(target))
    return mistake(path, message, hint, {path: None, target: value})


def _named(path: str) -> dict[str, str]:
    section, _, name = path.partition(".")
    return {"section": section, "name": name}
