"""The table of prompts: what its cells show, take and refuse."""

import pytest
from PySide6.QtCore import Qt

from desktop_app.prompt_table.model import Column, PromptTableModel
from trainer_core.prompts.line import parse_prompt_line

LINE = "a cat --n bad --w 512 --h 768 --d 5 --s 20 --l 3.5"


@pytest.fixture
def model(qapp) -> PromptTableModel:
    made = PromptTableModel()
    made.show_lines([LINE, "a dog"])
    return made


def cells(model: PromptTableModel, row: int) -> list[str]:
    return [model.index(row, column).data() for column in Column]


def type_into(model: PromptTableModel, row: int, column: Column, words: str) -> bool:
    return model.setData(model.index(row, column), words)


def test_a_prompt_fills_a_row(model: PromptTableModel):
    assert cells(model, 0) == ["a cat", "bad", "512 × 768", "5", "20", "3.5"]


def test_what_a_prompt_does_not_say_is_shown_as_what_holds_then(model: PromptTableModel):
    assert cells(model, 1) == ["a dog", "", "–", "–", "30", "7.5"]  # steps and scale of sd-scripts
    said = [model.is_said(model.index(1, column)) for column in Column]
    assert said == [True, False, False, False, False, False]


@pytest.mark.parametrize(
    ("column", "words", "name", "value"),
    [
        (Column.PROMPT, "a  bird ", "prompt", "a bird"),
        (Column.NEGATIVE, "blurry, dark", "negative_prompt", "blurry, dark"),
        (Column.SIZE, "640x448", "width", 640),
        (Column.SIZE, "640 × 448", "height", 448),
        (Column.SIZE, "640, 448", "height", 448),
        (Column.SIZE, "640", "height", 640),
        (Column.SEED, "0", "seed", 0),
        (Column.STEPS, "12", "sample_steps", 12),
        (Column.SCALE, "4.25", "scale", 4.25),
    ],
)
def test_what_is_typed_is_in_the_line(model: PromptTableModel, column, words, name, value):
    others = parse_prompt_line(LINE)[0]
    assert type_into(model, 0, column, words)
    values = parse_prompt_line(model.lines[0])[0]
    assert values[name] == value
    assert {n: v for n, v in values.items() if n in others} | {name: value} == values


def test_an_emptied_cell_is_said_no_more(model: PromptTableModel):
    for column in Column:
        if column is not Column.PROMPT:
            assert type_into(model, 0, column, "")
    assert model.lines == ["a cat", "a dog"]


@pytest.mark.parametrize(
    ("column", "words"),
    [(Column.SIZE, "wide"), (Column.SEED, "-1"), (Column.STEPS, "2.5"), (Column.SCALE, "x")],
)
def test_what_does_not_fit_changes_nothing(model: PromptTableModel, column, words):
    assert not type_into(model, 0, column, words)
    assert model.lines == [LINE, "a dog"]


def test_options_typed_behind_a_prompt_go_to_their_columns(model: PromptTableModel):
    assert type_into(model, 1, Column.PROMPT, "a fox --d 7 --w 64 --h 96")
    assert cells(model, 1) == ["a fox", "", "64 × 96", "7", "30", "7.5"]


def test_what_has_no_column_is_kept(model: PromptTableModel):
    model.show_lines(["a cat --ss ddim"])
    assert type_into(model, 0, Column.SEED, "3")
    assert parse_prompt_line(model.lines[0])[0] == {
        "prompt": "a cat",
        "sample_sampler": "ddim",
        "seed": 3,
    }


def test_an_empty_row_counts_once_it_is_filled(model: PromptTableModel, qtbot):
    with qtbot.assertNotEmitted(model.edited):
        model.append([""])
    assert (model.rowCount(), len(model.lines)) == (3, 2)
    with qtbot.waitSignal(model.edited):
        type_into(model, 2, Column.PROMPT, "a bird")
    assert model.lines[2] == "a bird"


def test_removed_rows_are_gone(model: PromptTableModel):
    model.remove([0])
    assert model.lines == ["a dog"]
    assert model.headerData(Column.SCALE, Qt.Orientation.Horizontal) == "Scale"
