from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester

from desktop_app.models.problems_model import Column, ProblemsModel
from trainer_core.dataset.findings import Finding
from trainer_core.settings.problems import Problem, Severity, Suggestion
from trainer_core.settings.schema import TRAIN
from trainer_core.texts import text

NOTICE = Problem("optimizer.lr_warmup", Severity.NOTICE, text("No effect."))
ERROR = Problem(
    "adapter.network_dim",
    Severity.ERROR,
    text("{name} is 0.", name="network_dim"),
    Suggestion(text("Use {value}.", value=8), {"adapter.network_dim": 8}),
)
FINDING = Finding(
    Path("/pictures/10_cat/a.png"),
    Severity.WARNING,
    text("{path} is small.", path="/pictures/10_cat/a.png"),
    text("Take a larger one."),
)


@pytest.fixture
def model(qapp: object) -> ProblemsModel:
    model = ProblemsModel(TRAIN)
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning, model)
    return model


def row_words(model: ProblemsModel, row: int) -> list[object]:
    return [model.index(row, column).data() for column in Column]


def test_the_worst_stand_first_whatever_they_are_about(model: ProblemsModel):
    model.set_problems([NOTICE, ERROR])
    model.set_findings([FINDING], Path("/pictures"))
    severities = [model.entry(row).severity for row in range(model.rowCount())]
    assert severities == [Severity.ERROR, Severity.WARNING, Severity.NOTICE]


def test_a_row_says_what_where_and_what_to_do(model: ProblemsModel):
    model.set_problems([ERROR])
    assert row_words(model, 0) == ["“Network rank” is 0.", "Network rank", "Use 8"]


def test_a_finding_names_its_picture(model: ProblemsModel):
    model.set_findings([FINDING], Path("/pictures"))
    assert row_words(model, 0) == ["10_cat/a.png is small.", "a.png", "Take a larger one."]
    assert model.entry(0).picture == Path("/pictures/10_cat/a.png")


def test_a_finding_is_mended_by_a_setting_or_left_out(model: ProblemsModel):
    changes = {"adapter.network_dim": 8}
    model.set_findings([replace(FINDING, suggestion=text("Use {n}.", n=8), changes=changes)])
    entry = model.entry(0)
    assert (entry.button, entry.changes, entry.hint) == ("Use 8", changes, "")
    assert [way.button for way in entry.ways] == ["Use 8", "Leave out of this run"]
    assert [dict(way.changes) for way in entry.ways] == [changes, {}]


def test_every_way_out_of_a_problem_has_a_button(model: ProblemsModel):
    ways = [Suggestion(text("Use {n}.", n=n), {"adapter.network_dim": n}) for n in (8, 16)]
    problem = Problem(
        "adapter.network_dim", Severity.ERROR, text("Which?"), ways[0], other_ways=(ways[1],)
    )
    model.set_problems([problem])
    found = model.entry(0).ways
    assert [way.button for way in found] == ["Use 8", "Use 16"]
    assert [way.changes for way in found] == [way.changes for way in ways]


def test_new_problems_replace_the_old_and_leave_findings(model: ProblemsModel):
    model.set_problems([ERROR])
    model.set_findings([FINDING], Path("/pictures"))
    model.set_problems([])
    assert model.count(Severity.ERROR) == 0
    assert model.count(Severity.WARNING) == 1


def test_the_same_problems_again_disturb_no_view(model: ProblemsModel, qtbot):
    model.set_problems([ERROR])
    with qtbot.assertNotEmitted(model.modelReset):
        model.set_problems([ERROR])


def test_every_column_has_a_heading(model: ProblemsModel):
    headings = [model.headerData(column, Qt.Orientation.Horizontal) for column in Column]
    assert all(headings)
