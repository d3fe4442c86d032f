"""``param()``: one declared parameter, and the walk over all of them."""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from trainer_core.catalogue.entry import Entry

PathKind = Literal["file", "folder", "file_or_folder", "new_file"]


@dataclass(frozen=True, slots=True)
class ActsIf:
    """Condition under which a parameter acts: another one has one of these values.

    With no values: the other one is set (neither None, False, 0 nor empty), or one of ``or_set``.
    """

    name: str
    values: tuple[object, ...] = ()
    or_set: tuple[str, ...] = ()

    def holds(self, value: object) -> bool:
        """Tell whether the condition holds for the other parameter's ``value``."""
        if self.values:
            return value in self.values
        return bool(value)

    @property
    def words(self) -> list[str]:
        """The values as a run file has them."""
        return [str(v).lower() if isinstance(v, bool) else str(v) for v in self.values]


def acts_if(name: str, *values: object) -> ActsIf:
    """Return the condition "``name`` has one of ``values``" (with none given: is set)."""
    return ActsIf(name, values)


def acts_if_any(*names: str) -> ActsIf:
    """Return the condition "one of ``names`` is set"."""
    return ActsIf(names[0], or_set=names[1:])


class Traits(TypedDict, total=False):
    """What `param` may carry beside default, label and help."""

    unit: str
    minimum: float | None
    maximum: float | None
    step: float | None
    scale: Literal["linear", "log"]
    choices: Mapping[str, Entry]
    path_kind: PathKind | None
    file_filter: str
    when: tuple[ActsIf, ...]
    unset_label: str
    required: bool
    advanced: bool
    multiline: bool
    prompts: bool
    restart: bool
    foreign: tuple[str, ...]
    old_labels: tuple[str, ...]
    shown_before: str
    table: type[Section] | None
    source: str


@dataclass(frozen=True, slots=True)
class ParamSpec:
    """What people and editors need to know of a parameter; see `param`."""

    label: str
    help: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    scale: Literal["linear", "log"] = "linear"
    choices: Mapping[str, Entry] = field(default_factory=dict)
    path_kind: PathKind | None = None
    file_filter: str = ""
    when: tuple[ActsIf, ...] = ()
    unset_label: str = ""
    required: bool = False
    advanced: bool = False
    multiline: bool = False
    prompts: bool = False
    restart: bool = False
    foreign: tuple[str, ...] = ()
    old_labels: tuple[str, ...] = ()
    shown_before: str = ""
    table: type[Section] | None = None
    source: str = ""


def param(default: Any, label: str, help: str, **traits: Unpack[Traits]) -> Any:  # noqa: A002
    """Declare one parameter of a section.

    Args:
        default: The value where nothing is said; None where it may be unset.
        label: 1 to 3 words in sentence case, marked with ``T("Settings", ...)``.
        help: What it does, then a good starting value, marked likewise.
        traits: ``unit`` (px, %; words are marked too, with forms by ``value``), ``minimum`` and
            ``maximum`` (real bounds, both included), ``step`` and ``scale`` for editors,
            ``choices`` (an entry for each value that it takes, by the value's text),
            ``path_kind`` (a new file is one that is written), ``file_filter`` for dialogs,
            ``when`` (all must hold for it to act), ``unset_label`` (what an empty field means),
            ``required`` (nothing goes without it), ``advanced``, ``multiline``, ``prompts`` (its
            texts are the prompts of pictures, written as lines of a prompt file), ``restart``
            (acts at the next start only), ``foreign`` names in other programs' files,
            ``old_labels`` (what kohya_ss's form calls it, for those who look for that),
            ``shown_before`` (the name of a setting of another section in whose form it stands; in
            files it stays where it is), ``table`` (what each table of a list of tables may hold),
            ``source``.
    """
    spec = ParamSpec(label, help, **traits)
    return Field(
        default,
        ge=spec.minimum,
        le=spec.maximum,
        json_schema_extra={"param": typing.cast(Any, spec)},
    )


def _spec(info: FieldInfo) -> ParamSpec | None:
    """Return what `param` declared; None for a field that was declared otherwise."""
    extra = info.json_schema_extra
    spec: object = extra.get("param") if isinstance(extra, dict) else None
    return spec if isinstance(spec, ParamSpec) else None


class Section(BaseModel):
    """A frozen group of parameters that forbids unknown keys and does not coerce types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @field_validator("*")
    @classmethod
    def _is_a_choice(cls, value: object, info: ValidationInfo) -> object:
        spec = _spec(cls.model_fields[str(info.field_name)])
        if (
            spec is not None
            and spec.choices
            and value is not None
            and str(value) not in spec.choices
        ):
            raise PydanticCustomError("no_choice", "not among the choices")
        return value


@dataclass(frozen=True, slots=True)
class Param:
    """A declared parameter at its place in the settings tree."""

    section: str
    name: str
    annotation: Any
    default: object
    spec: ParamSpec

    @property
    def path(self) -> str:
        """``section.name``."""
        return f"{self.section}.{self.name}"

    @property
    def is_optional(self) -> bool:
        """True if the parameter may be unset (None)."""
        return types.NoneType in typing.get_args(self.annotation)

    @property
    def base_type(self) -> Any:
        """The annotation without ``None``: a type or a ``tuple[...]``."""
        if not self.is_optional:
            return self.annotation
        kinds = [a for a in typing.get_args(self.annotation) if a is not types.NoneType]
        return kinds[0] if len(kinds) == 1 else typing.Union[tuple(kinds)]  # noqa: UP007

    @property
    def is_path(self) -> bool:
        """True if the value is a path of the file system."""
        return self.base_type is Path

    @property
    def is_path_list(self) -> bool:
        """True if the value is any number of paths."""
        return self.is_tuple and self.element_type is Path

    @property
    def columns(self) -> Mapping[str, Param]:
        """What a table of a list of tables may hold, by name; nothing for other settings."""
        return {} if self.spec.table is None else _columns(self.path, self.spec.table)

    @property
    def is_tuple(self) -> bool:
        """True if the value is a fixed or open sequence."""
        return typing.get_origin(self.base_type) is tuple

    @property
    def is_gathered(self) -> bool:
        """True if a flag gives one of its values at a time: paths and prompts hold blanks."""
        return self.is_path_list or self.spec.prompts or self.spec.table is not None

    def value_of(self, choice: str) -> str | int:
        """Return the value that a choice stands for."""
        return int(choice) if self.base_type is int else choice

    @property
    def element_type(self) -> Any:
        """The type of a sequence's values."""
        return typing.get_args(self.base_type)[0]

    @property
    def length(self) -> int | None:
        """The number of a sequence's values; None if any number will do, or it is no sequence."""
        if not self.is_tuple:
            return None
        elements = typing.get_args(self.base_type)
        return None if Ellipsis in elements else len(elements)


@functools.cache
def _columns(path: str, table: type[Section]) -> Mapping[str, Param]:
    return {param.name: param for param in section_params(path, table)}


def section_params(section: str, model: type[BaseModel]) -> Iterator[Param]:
    """Yield the parameters that ``model`` declares, in order.

    Raises:
        TypeError: One of its fields is not declared with `param`.
    """
    hints = typing.get_type_hints(model)
    for name, info in model.model_fields.items():
        spec = _spec(info)
        if spec is None:
            raise TypeError(f"{section}.{name} is not declared with param()")
        yield Param(section, name, hints[name], info.default, spec)
