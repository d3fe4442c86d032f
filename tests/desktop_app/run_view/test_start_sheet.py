from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLabel, QPushButton, QScrollArea, QWidget

from desktop_app.run_view.start_sheet import StartSheet
from desktop_app.words.name_ways import NameWay
from desktop_app.workspace import Workspace
from trainer_core.dataset.findings import Finding
from trainer_core.settings.problems import Severity
from trainer_core.texts import Text


@pytest.fixture
def ready(workspace: Workspace, ready_values: dict[str, object]) -> Workspace:
    """A workspace without any problem; its pictures are being looked at."""
    as_large_as_the_picture = {"buckets.resolution": [64, 64]}
    workspace.document.apply(ready_values | as_large_as_the_picture, "made ready")
    return workspace


@pytest.fixture
def seen(ready: Workspace, qtbot) -> Workspace:
    """The same once its pictures were looked at."""
    qtbot.waitUntil(lambda: not ready.is_looking, timeout=20_000)
    return ready


@pytest.fixture
def window(qtbot) -> QWidget:
    window = QWidget()
    qtbot.addWidget(window)
    return window


@pytest.fixture
def make(window: QWidget, qtbot) -> Iterator[object]:
    """Open the sheet of a workspace."""
    made: list[StartSheet] = []

    def make(workspace: Workspace) -> StartSheet:
        sheet = StartSheet(workspace, window)
        made.append(sheet)
        with qtbot.waitExposed(sheet):
            sheet.show()
        return sheet

    yield make
    for sheet in made:
        sheet.let_go()


def words(sheet: StartSheet) -> set[str]:
    return {label.text() for label in sheet.findChildren(QLabel) if label.isVisible()}


def button(sheet: StartSheet, text: str) -> QPushButton:
    return next(b for b in sheet.findChildren(QPushButton) if b.text() == text and b.isVisible())


def test_enter_is_enough(seen: Workspace, make, qtbot):
    sheet = make(seen)
    assert sheet.start_button.isDefault()
    qtbot.keyClick(sheet, Qt.Key.Key_Return)
    assert sheet.result() == QDialog.DialogCode.Accepted


def test_enter_does_what_has_the_focus_and_not_what_is_shut(seen: Workspace, make, qtbot):
    seen.document.apply({"adapter.netwrok_dim": 32}, "a typing mistake")
    sheet = make(seen)
    sheet.activateWindow()
    mend = button(sheet, "Did you mean network_dim in [adapter]?")
    mend.setFocus()
    qtbot.waitUntil(mend.hasFocus)
    qtbot.keyClick(mend, Qt.Key.Key_Return)
    assert seen.document.value("adapter.network_dim") == 32


def test_the_plan_is_shown(seen: Workspace, make, tmp_path: Path):
    assert {
        "1 × 10 repeats = 10 per epoch",
        "10 steps: one epoch; warm-up: 1",
        str(tmp_path / "out" / "mine.safetensors"),
    } <= words(make(seen))


def test_a_short_plan_needs_no_scrolling(seen: Workspace, make, qtbot):
    bar = make(seen).findChild(QScrollArea).verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() == 0)


def test_start_waits_until_the_pictures_were_looked_at(ready: Workspace, window: QWidget, qtbot):
    assert ready.is_looking
    sheet = StartSheet(ready, window)
    sheet.show()
    assert not sheet.start_button.isEnabled()
    assert "Still looking at the pictures and files…" in words(sheet)
    qtbot.waitUntil(sheet.start_button.isEnabled, timeout=20_000)
    assert "Still looking at the pictures and files…" not in words(sheet)
    sheet.let_go()


def test_an_error_keeps_start_shut_until_it_is_mended_from_here(seen: Workspace, make, qtbot):
    seen.document.apply({"adapter.netwrok_dim": 32}, "a typing mistake")
    sheet = make(seen)
    assert not sheet.start_button.isEnabled()
    assert "Start is possible once the errors are fixed." in words(sheet)
    button(sheet, "Did you mean network_dim in [adapter]?").click()
    qtbot.waitUntil(sheet.start_button.isEnabled, timeout=20_000)
    assert seen.document.value("adapter.network_dim") == 32
    assert not any(text.startswith("Problems: ") for text in words(sheet))


def test_problems_stand_with_the_worst_first(seen: Workspace, make):
    seen.document.apply(
        {"buckets.min_bucket_reso": 128, "adapter.netwrok_dim": 32}, "an error and a notice"
    )
    sheet = make(seen)
    shown = [entry for entry in sheet.problems.findChildren(QLabel) if entry.text()]
    assert "netwrok_dim" in shown[0].text()
    assert "no effect" in shown[-1].text()


def test_a_problem_leads_to_its_setting_and_closes_the_sheet(workspace: Workspace, make, qtbot):
    sheet = make(workspace)
    with qtbot.waitSignal(workspace.setting_wanted) as wanted:
        button(sheet, "Show Base model").click()
    assert wanted.args == ["model.pretrained_model_name_or_path"]
    assert sheet.result() == QDialog.DialogCode.Rejected
    assert not sheet.isVisible()


def test_a_taken_name_is_decided_here(seen: Workspace, make, tmp_path: Path):
    (tmp_path / "out" / "mine.safetensors").touch()
    sheet = make(seen)
    assert sheet.way is NameWay.RENAME
    assert sheet.new_name == "mine-2"
    sheet.names.choose(NameWay.REPLACE)
    seen.document.set_value("adapter.network_dim", 4)  # what was chosen outlasts other changes
    assert sheet.way is NameWay.REPLACE


def test_another_name_is_decided_afresh(seen: Workspace, make, tmp_path: Path):
    (tmp_path / "out" / "mine.safetensors").touch()
    sheet = make(seen)
    sheet.names.choose(NameWay.REPLACE)
    seen.document.set_value("output.output_name", "other")
    assert sheet.way is NameWay.FREE
    (tmp_path / "out" / "third.safetensors").touch()
    seen.document.set_value("output.output_name", "third")
    assert sheet.way is NameWay.RENAME


def test_starting_at_once_is_remembered_when_it_starts(seen: Workspace, make):
    sheet = make(seen)
    sheet.at_once.setChecked(True)
    assert not seen.preferences.settings.start_at_once
    sheet.start_button.click()
    assert seen.preferences.settings.start_at_once


def test_it_is_skipped_only_where_there_is_nothing_to_say(
    seen: Workspace, window: QWidget, tmp_path: Path, qtbot
):
    def may_be_skipped() -> bool:
        sheet = StartSheet(seen, window)
        sheet.let_go()
        return sheet.may_be_skipped

    assert not may_be_skipped()  # nobody asked for it
    seen.preferences.change(start_at_once=True)
    assert may_be_skipped()
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("a cat\n", encoding="utf-8")
    seen.document.set_value("sampling.sample_prompts", prompts.as_posix())
    assert not may_be_skipped()  # nothing says when to draw them: a warning
    seen.document.undo_stack.undo()
    (tmp_path / "out" / "mine.safetensors").touch()
    assert not may_be_skipped()  # the name is taken


def test_shown_while_the_pictures_are_looked_at_it_starts_by_itself(
    ready: Workspace, window: QWidget, qtbot
):
    ready.preferences.change(start_at_once=True)
    sheet = StartSheet(ready, window)
    assert not sheet.may_be_skipped
    with qtbot.waitSignal(sheet.accepted, timeout=20_000):
        sheet.show()
    sheet.let_go()


def test_unticked_while_the_pictures_are_looked_at_it_waits_for_start(
    ready: Workspace, window: QWidget, qtbot
):
    ready.preferences.change(start_at_once=True)
    sheet = StartSheet(ready, window)
    sheet.at_once.setChecked(False)
    sheet.show()
    qtbot.waitUntil(sheet.start_button.isEnabled, timeout=20_000)
    assert sheet.isVisible()
    sheet.let_go()


def test_what_is_mended_here_does_not_start_by_itself(seen: Workspace, make, tmp_path: Path):
    seen.preferences.change(start_at_once=True)
    (tmp_path / "out" / "mine.safetensors").touch()
    sheet = make(seen)
    seen.document.set_value("output.output_name", "other")
    assert sheet.start_button.isEnabled()
    assert sheet.isVisible()


def test_of_many_problems_some_are_shown_and_the_others_counted(seen: Workspace, make):
    def findings(count: int) -> list[Finding]:
        messages = (Text("{number}", {"number": number}) for number in range(count))
        return [Finding(Path("a.png"), Severity.WARNING, message) for message in messages]

    sheet = make(seen)
    for count in (1000, 999):
        seen.problems.set_findings(findings(count))
        shown = [label.text() for label in sheet.problems.findChildren(QLabel) if label.text()]
        assert "39" in shown
        assert "40" not in shown
        links = {link.text() for link in sheet.problems.findChildren(QPushButton)}
        assert f"… and {count - 40} more" in links


def test_a_long_name_of_a_picture_is_wrapped_and_cuts_nothing_off(seen: Workspace, make, qtbot):
    name = "_".join(["a_name_that_goes_on"] * 8) + ".png"
    path = next(row.path for row in seen.dataset.rows).with_name(name)
    message = Text("The end of {path} is missing.", {"path": str(path)})
    seen.problems.set_findings([Finding(path, Severity.ERROR, message)], path.parent.parent)
    sheet = make(seen)
    [area] = [
        area
        for area in sheet.findChildren(QScrollArea)
        if sheet.problems in area.findChildren(type(sheet.problems))
    ]
    qtbot.waitUntil(lambda: area.widget().width() <= area.viewport().width())
    [label] = [each for each in sheet.problems.findChildren(QLabel) if "missing" in each.text()]
    assert label.width() > sheet.width() // 3


def test_a_sheet_that_grew_ends_above_the_end_of_the_screen(seen: Workspace, make, qtbot):
    path = next(row.path for row in seen.dataset.rows)
    message = Text("Something about {path}.", {"path": str(path)})
    findings = [Finding(path.with_name(f"{n}.png"), Severity.WARNING, message) for n in range(30)]
    seen.problems.set_findings(findings, path.parent)
    sheet = make(seen)
    sheet.move(0, sheet.screen().availableGeometry().bottom() - 60)
    sheet.resize(sheet.width(), 60)
    sheet.refresh()
    bottom = sheet.screen().availableGeometry().bottom()
    qtbot.waitUntil(lambda: sheet.height() > 200 and sheet.frameGeometry().bottom() <= bottom)
