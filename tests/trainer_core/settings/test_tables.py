"""A list of tables: values of declared settings, told of by the number of the table."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer_core.settings.document import replaced
from trainer_core.settings.files import FORMAT, RunFile, dumps, loads
from trainer_core.settings.problems import Problem
from trainer_core.settings.schema import TRAIN
from trainer_core.settings.subsets import OF_THE_WHOLE_RUN, OWN, OWN_SECTIONS, SUBSET

PATH = "dataset.subsets"
PARAM = TRAIN.params()[PATH]


def problems_of(*rows: object) -> list[Problem]:
    return TRAIN.parse({"dataset": {"subsets": list(rows)}})[1]


def test_values_are_those_of_the_settings_of_the_same_name() -> None:
    settings, _ = TRAIN.parse(
        {"dataset": {"subsets": [{"image_dir": "a", "resolution": 768, "flip_aug": True}]}}
    )
    assert settings is not None
    (table,) = settings.dataset.subsets
    assert table.image_dir == Path("a")
    assert table.own == {"resolution": (768, 768), "flip_aug": True}


def test_every_setting_of_pictures_and_captions_may_be_a_subset_s_own() -> None:
    for section, model in OWN_SECTIONS.items():
        for name in model.model_fields:
            assert (name in OWN) is (name not in OF_THE_WHOLE_RUN)
            if name in OWN:
                column, of_run = PARAM.columns[name], TRAIN.params()[f"{section}.{name}"]
                assert (column.base_type, column.spec.minimum, column.spec.maximum) == (
                    of_run.base_type,
                    of_run.spec.minimum,
                    of_run.spec.maximum,
                )
    assert set(PARAM.columns) == set(SUBSET.model_fields)


@pytest.mark.parametrize(
    ("row", "message", "hint", "mended"),
    [
        (
            {"image_dir": "a", "num_repeat": 3},
            "subsets[2].num_repeat is no setting.",
            "Did you mean num_repeats?",
            {"image_dir": "a", "num_repeats": 3},
        ),
        (
            {"image_dir": "a", "sharpness": 3},
            "subsets[2].sharpness is no setting.",
            "Remove it.",
            {"image_dir": "a"},
        ),
        (
            {"num_repeats": 0},
            "subsets[2].num_repeats is 0, but must be at least 1.",
            "Remove it.",
            {},
        ),
        (
            {"is_reg": "yes"},
            'subsets[2].is_reg is "yes", but must be true or false.',
            "Use the default, false.",
            {"is_reg": False},
        ),
        (
            {"resize_interpolation": "lanczoss"},
            'subsets[2].resize_interpolation is "lanczoss", but must be one of auto,',
            "Did you mean lanczos?",
            {"resize_interpolation": "lanczos"},
        ),
    ],
)
def test_a_mistake_is_named_with_its_table_and_mended_there(
    row: dict[str, object], message: str, hint: str, mended: dict[str, object]
) -> None:
    (problem,) = problems_of({"image_dir": "first"}, row)
    assert str(problem.message).startswith(message)
    assert problem.suggestion is not None
    assert str(problem.suggestion.message) == hint
    assert problem.suggestion.changes == {PATH: [{"image_dir": "first"}, mended]}


def test_what_is_no_table_is_taken_away() -> None:
    (problem,) = problems_of({"image_dir": "a"}, 4)
    assert str(problem.message) == "subsets[2] must be a table."
    assert problem.suggestion is not None
    assert problem.suggestion.changes == {PATH: [{"image_dir": "a"}]}


def test_paths_in_tables_are_meant_from_the_file() -> None:
    rows = [{"image_dir": "a", "pictures": ["b/1.png", "/c"], "num_repeats": 2}, 5]
    absolute = TRAIN.with_absolute_paths({"dataset": {"subsets": rows}}, Path("/sets"))
    assert absolute["dataset"]["subsets"] == [
        {"image_dir": "/sets/a", "pictures": ["/sets/b/1.png", "/c"], "num_repeats": 2},
        5,
    ]


WRITTEN = f"""format = "{FORMAT}"

[dataset]
train_data_dir = "p"

# The large ones.
[[dataset.subsets]]
image_dir = "a"  # mine
num_repeats = 2

[[dataset.subsets]]
image_dir = "b"
"""


def written_with(content: str, rows: list[dict[str, object]]) -> str:
    file = loads(content, "run.toml")
    written = dumps(RunFile(replaced(file.raw, {PATH: rows}), file.toml))
    assert loads(written, "run.toml").raw["dataset"].get("subsets", []) == rows
    return written


def test_comments_in_tables_survive_a_change() -> None:
    written = written_with(WRITTEN, [{"image_dir": "a", "num_repeats": 3}, {"image_dir": "c"}])
    assert "# The large ones." in written
    assert 'image_dir = "a"  # mine' in written


@pytest.mark.parametrize("count", [0, 1, 3])
def test_tables_come_and_go(count: int) -> None:
    written_with(WRITTEN, [{"image_dir": str(number)} for number in range(count)])


def test_an_empty_list_in_the_middle_of_a_section_becomes_tables() -> None:
    content = f'format = "{FORMAT}"\n[dataset]\nsubsets = []\ntrain_batch_size = 3\n[model]\n'
    written = written_with(content, [{"image_dir": "a"}])
    assert loads(written, "run.toml").raw["dataset"]["train_batch_size"] == 3
