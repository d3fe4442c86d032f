"""One declared parameter: what it carries, and when it acts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest
from pydantic import BaseModel, Field, ValidationError

from trainer_core.catalogue.entry import Entry
from trainer_core.settings.param import (
    Section,
    acts_if,
    param,
    section_params,
)

COLOURS = {"red": Entry(label="Red"), "blue": Entry(label="Blue")}


class Paint(Section):
    """A section of every kind of parameter."""

    coats: int = param(1, "Coats", "How many.", unit="coats", minimum=1, maximum=9, step=1)
    gloss: float | None = param(None, "Gloss", "How shiny.", minimum=0.0, maximum=1.0, step=0.1)
    colour: str = param("red", "Colour", "Which one.", choices=COLOURS)
    tin: Path | None = param(None, "Tin", "Where it is.", path_kind="file")
    size: tuple[Annotated[int, Field(ge=1)], int] = param((2, 3), "Size", "Width, height.")
    notes: tuple[str, ...] = param((), "Notes", "Anything.")


PARAMS = {each.name: each for each in section_params("paint", Paint)}


def test_parameters_come_in_the_order_of_their_declaration() -> None:
    assert list(PARAMS) == ["coats", "gloss", "colour", "tin", "size", "notes"]


def test_a_parameter_knows_its_place_default_and_traits() -> None:
    coats = PARAMS["coats"]

    assert (coats.path, coats.default) == ("paint.coats", 1)
    assert (coats.spec.label, coats.spec.help, coats.spec.unit) == ("Coats", "How many.", "coats")
    assert (coats.spec.minimum, coats.spec.maximum, coats.spec.step) == (1, 9, 1)


@pytest.mark.parametrize(
    ("name", "base_type", "is_optional"),
    [("coats", int, False), ("gloss", float, True), ("colour", str, False), ("tin", Path, True)],
)
def test_the_base_type_is_the_annotation_without_none(
    name: str, base_type: object, is_optional: bool
) -> None:
    assert PARAMS[name].base_type == base_type
    assert PARAMS[name].is_optional is is_optional


@pytest.mark.parametrize("value", ["red", "blue"])
def test_a_choice_takes_the_values_of_its_entries(value: str) -> None:
    assert Paint.model_validate({"colour": value}).colour == value


@pytest.mark.parametrize("value", ["green", "Red", "", None, 1, ["red"]])
def test_a_choice_takes_no_other_value(value: object) -> None:
    with pytest.raises(ValidationError):
        Paint.model_validate({"colour": value})


def test_an_optional_choice_may_be_unset() -> None:
    class Wall(Section):
        colour: str | None = param(None, "Colour", "Which one.", choices=COLOURS)

    assert Wall.model_validate({"colour": None}).colour is None
    with pytest.raises(ValidationError):
        Wall.model_validate({"colour": "green"})


def test_only_a_path_is_a_path_and_only_a_list_is_a_list() -> None:
    assert [name for name, each in PARAMS.items() if each.is_path] == ["tin"]
    assert [name for name, each in PARAMS.items() if each.is_tuple] == ["size", "notes"]


def test_a_list_knows_its_length_and_what_it_is_made_of() -> None:
    size, notes = PARAMS["size"], PARAMS["notes"]

    assert (size.length, size.element_type) == (2, int)
    assert (notes.length, notes.element_type) == (None, str)


@pytest.mark.parametrize("value", [0, 10, True, "1", 1.0])
def test_a_value_outside_of_the_declaration_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        Paint.model_validate({"coats": value})


@pytest.mark.parametrize("value", [1, 9])
def test_both_bounds_are_included(value: int) -> None:
    assert Paint.model_validate({"coats": value}).coats == value


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(ValidationError, match="colours"):
        Paint.model_validate({"colours": "red"})


def test_a_section_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Paint().coats = 2


def test_a_field_without_param_is_named() -> None:
    class Careless(BaseModel):
        width: int = 3

    with pytest.raises(TypeError, match=r"brush\.width is not declared with param\(\)"):
        list(section_params("brush", Careless))


@pytest.mark.parametrize("value", ["a", Path("a"), True, 3, 0.5, ("a",)])
def test_without_values_a_condition_asks_whether_the_other_is_set(value: object) -> None:
    assert acts_if("other").holds(value)


@pytest.mark.parametrize("value", [None, False, 0, 0.0, "", ()])
def test_nothing_and_zero_count_as_not_set(value: object) -> None:
    assert not acts_if("other").holds(value)


def test_with_values_a_condition_asks_for_one_of_them() -> None:
    condition = acts_if("other", "linear", "cosine")

    assert [
        value for value in ("linear", "cosine", "constant", None) if condition.holds(value)
    ] == [
        "linear",
        "cosine",
    ]


def test_a_condition_may_ask_for_not_set() -> None:
    condition = acts_if("other", None)

    assert condition.holds(None)
    assert not condition.holds(0)


def test_values_of_a_condition_are_worded_as_in_a_run_file() -> None:
    assert acts_if("other", True, False, "AdamW", 3).words == ["true", "false", "AdamW", "3"]
