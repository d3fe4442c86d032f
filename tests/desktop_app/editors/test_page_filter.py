"""A page of forms under the filter that all pages share."""

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QToolButton, QWidget

from desktop_app.document import Document
from desktop_app.editors.filter_result import FilterResult
from desktop_app.editors.form import HelpLine
from desktop_app.editors.page import SettingsPage
from desktop_app.editors.row import Row
from desktop_app.models.settings_filter import SettingsFilter
from desktop_app.preferences import Preferences
from desktop_app.widgets.collapsible import Collapsible
from desktop_app.workspace import Workspace
from trainer_core.settings.schema import TRAIN


@pytest.fixture
def document(workspace: Workspace) -> Document:
    return workspace.document


@pytest.fixture
def settings_filter(workspace: Workspace) -> SettingsFilter:
    return workspace.filter


@pytest.fixture
def outside(qtbot) -> QLineEdit:
    """A field of another window of the app."""
    field = QLineEdit()
    qtbot.addWidget(field)
    field.show()
    return field


@pytest.fixture
def page(workspace: Workspace, qtbot) -> SettingsPage:
    sections = ("optimizer", "hardware")
    page = SettingsPage(workspace, sections)
    qtbot.addWidget(page)
    page.resize(420, 700)
    page.move(QCursor.pos() + QPoint(200, 200))  # the mouse is elsewhere
    page.show()
    page.activateWindow()
    return page


def row(page: SettingsPage, path: str) -> Row:
    return next(form.rows[path] for form in page.forms if path in form.rows)


def rows_in_sight(page: SettingsPage) -> list[str]:
    return [p for form in page.forms for p, row in form.rows.items() if row.isVisible()]


def found(page: SettingsPage) -> list[str]:
    """Return the settings of other pages that are shown."""
    forms = page.findChild(FilterResult).forms
    return [p for form in forms for p, row in form.rows.items() if row.isVisible()]


def help_of(page: SettingsPage) -> str:
    return page.findChild(HelpLine).text()


def buttons(page: SettingsPage, words: str) -> list[QPushButton]:
    found = (b for b in page.findChildren(QPushButton) if words in b.text())
    return [button for button in found if button.isVisible()]


def type_words(page: SettingsPage, words: str, qtbot) -> None:
    page.bar.take_focus()
    qtbot.waitUntil(page.bar.field.hasFocus)
    qtbot.keyClicks(page.bar.field, words)


def focus(widget: QWidget, qtbot) -> None:
    widget.activateWindow()
    widget.setFocus()
    qtbot.waitUntil(widget.hasFocus)


def test_typing_leaves_what_contains_the_words(page: SettingsPage, qtbot):
    type_words(page, "same seed and data", qtbot)
    assert rows_in_sight(page) == ["hardware.seed"]


def test_a_section_without_a_match_goes_with_its_title(page: SettingsPage, settings_filter):
    settings_filter.set_words("same seed and data")
    assert [form.isVisible() for form in page.forms] == [False, True]


def test_a_match_among_the_advanced_shows_without_unfolding(
    page: SettingsPage, settings_filter, preferences: Preferences
):
    assert not row(page, "optimizer.max_grad_norm").isVisible()
    settings_filter.set_words("max_grad_norm")
    assert rows_in_sight(page) == ["optimizer.max_grad_norm"]
    assert not preferences.is_open("optimizer")
    settings_filter.clear()
    assert not row(page, "optimizer.max_grad_norm").isVisible()


def test_folds_come_back_as_they_were(page: SettingsPage, settings_filter):
    page.forms[0].advanced.set_open(True)
    settings_filter.set_words("seed")
    settings_filter.clear()
    assert row(page, "optimizer.max_grad_norm").isVisible()
    assert not row(page, "hardware.num_cpu_threads_per_process").isVisible()
    for fold in page.findChildren(Collapsible):
        assert fold.findChildren(QToolButton)[0].isVisible()


def test_a_page_without_a_match_says_so_and_leads_back(page: SettingsPage, settings_filter):
    settings_filter.set_words("zebra")
    assert rows_in_sight(page) == []
    [clear] = buttons(page, "Clear filter")
    clear.click()
    assert "hardware.seed" in rows_in_sight(page)
    assert buttons(page, "Clear filter") == []


def test_matches_of_other_pages_are_fields_that_work(
    page: SettingsPage, settings_filter, document: Document, qtbot
):
    settings_filter.set_words("network_dim")
    qtbot.waitUntil(lambda: found(page) == ["adapter.network_dim"])
    [form] = page.findChild(FilterResult).forms
    field = form.rows["adapter.network_dim"].editor.fields()[0]
    focus(field, qtbot)
    assert "network_dim" in help_of(page)
    field.selectAll()
    qtbot.keyClicks(field, "17")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert document.value("adapter.network_dim") == 17
    document.undo_stack.undo()
    assert form.rows["adapter.network_dim"].editor.raw() == 8


def test_one_list_holds_the_matches_of_every_page(page: SettingsPage, settings_filter, qtbot):
    settings_filter.set_words("e")
    wanted = set(settings_filter.matching()) - set(rows_in_sight(page))
    qtbot.waitUntil(lambda: set(found(page)) == wanted)
    count = f"{len(settings_filter.matching())} of {len(TRAIN.params())} settings"
    assert count in [label.text() for label in page.bar.findChildren(QLabel)]


def test_the_pages_follow_in_their_order_whichever_was_looked_for_first(
    page: SettingsPage, settings_filter, qtbot
):
    settings_filter.set_words("output_dir")
    qtbot.waitUntil(lambda: found(page) == ["output.output_dir"])
    settings_filter.set_words("folder")
    qtbot.waitUntil(lambda: "output.output_dir" in found(page) and len(found(page)) > 2)
    forms = [f for f in page.findChild(FilterResult).forms if f.isVisible()]
    assert sorted(forms, key=lambda f: f.y()) == sorted(
        forms, key=lambda f: list(TRAIN.sections).index(f.section)
    )


def test_the_filter_s_end_takes_the_fields_of_other_pages_away(
    page: SettingsPage, settings_filter, qtbot
):
    settings_filter.set_words("network_dim")
    qtbot.waitUntil(lambda: found(page) == ["adapter.network_dim"])
    settings_filter.clear()
    assert found(page) == []


def test_enter_goes_to_the_first_match(page: SettingsPage, qtbot):
    type_words(page, "same seed and data", qtbot)
    qtbot.keyClick(page.bar.field, Qt.Key.Key_Return)
    qtbot.waitUntil(row(page, "hardware.seed").editor.fields()[0].hasFocus)


def test_enter_goes_to_a_match_of_another_page_if_there_is_no_other(page: SettingsPage, qtbot):
    type_words(page, "network_dim", qtbot)
    qtbot.keyClick(page.bar.field, Qt.Key.Key_Return)
    [form] = page.findChild(FilterResult).forms
    qtbot.waitUntil(form.rows["adapter.network_dim"].editor.fields()[0].hasFocus)


def test_a_wanted_setting_that_is_hidden_clears_the_filter(
    page: SettingsPage, settings_filter, qtbot
):
    settings_filter.set_words("seed")
    page.reveal("optimizer.lr_scheduler")
    assert not settings_filter.is_active
    qtbot.waitUntil(row(page, "optimizer.lr_scheduler").editor.fields()[0].hasFocus)


def test_a_wanted_setting_that_is_shown_keeps_the_filter(page: SettingsPage, settings_filter):
    settings_filter.set_words("seed")
    page.reveal("hardware.seed")
    assert settings_filter.words == "seed"


def test_what_begins_to_differ_appears(page: SettingsPage, settings_filter, document: Document):
    settings_filter.set_only_changed(True)
    document.set_value("hardware.seed", 5)
    assert rows_in_sight(page) == ["hardware.seed"]


def test_a_row_that_no_longer_differs_stays_until_the_focus_leaves(
    page: SettingsPage, settings_filter, document: Document, outside: QLineEdit, qtbot
):
    document.set_value("hardware.seed", 5)
    document.set_value("optimizer.max_train_epochs", 3)
    settings_filter.set_only_changed(True)
    focus(row(page, "hardware.seed").editor.fields()[0], qtbot)
    document.reset("hardware.seed")
    assert "hardware.seed" in rows_in_sight(page)
    focus(row(page, "optimizer.max_train_epochs").editor.fields()[0], qtbot)
    assert "hardware.seed" in rows_in_sight(page)  # nothing moves between two clicks
    focus(outside, qtbot)
    qtbot.waitUntil(lambda: rows_in_sight(page) == ["optimizer.max_train_epochs"])


def test_a_row_that_no_longer_differs_goes_when_nobody_is_at_it(
    page: SettingsPage, settings_filter, document: Document
):
    document.set_value("hardware.seed", 5)
    settings_filter.set_only_changed(True)
    document.undo_stack.undo()
    assert rows_in_sight(page) == []


def test_another_file_is_shown_whole(
    page: SettingsPage, settings_filter, document: Document, qtbot
):
    everything = rows_in_sight(page)
    document.set_value("hardware.seed", 5)
    settings_filter.set_only_changed(True)
    focus(row(page, "hardware.seed").editor.fields()[0], qtbot)
    document.new()
    assert not settings_filter.only_changed
    assert rows_in_sight(page) == everything


def test_the_menu_says_what_is_filtered_by_on_every_page(
    page: SettingsPage, settings_filter, workspace: Workspace, qtbot
):
    other = SettingsPage(workspace, ("model",))
    qtbot.addWidget(other)
    next(a for a in page.bar.choices() if "differs" in a.text()).trigger()
    assert settings_filter.only_changed
    assert [a.isChecked() for a in other.bar.choices()] == [True, False, False]


def test_advanced_settings_are_unfolded_and_folded_everywhere(
    page: SettingsPage, preferences: Preferences
):
    everything = page.bar.choices()[-1]
    everything.trigger()
    assert row(page, "optimizer.max_grad_norm").isVisible()
    assert row(page, "hardware.num_cpu_threads_per_process").isVisible()
    assert preferences.is_open("hardware")
    everything.trigger()
    assert not row(page, "optimizer.max_grad_norm").isVisible()


def test_folding_hides_no_match(page: SettingsPage, settings_filter):
    settings_filter.set_words("max_grad_norm")
    page.forms[0].advanced.set_open(True)
    page.forms[0].advanced.set_open(False)
    assert rows_in_sight(page) == ["optimizer.max_grad_norm"]


def test_a_row_that_no_longer_differs_stays_under_the_mouse(
    page: SettingsPage, settings_filter, document: Document
):
    document.set_value("hardware.seed", 5)
    settings_filter.set_only_changed(True)
    page.setAttribute(Qt.WidgetAttribute.WA_UnderMouse)
    document.reset("hardware.seed")
    assert rows_in_sight(page) == ["hardware.seed"]
    page.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, False)
    QApplication.sendEvent(page, QEvent(QEvent.Type.Leave))
    assert rows_in_sight(page) == []


def test_the_fields_that_are_found_stand_in_one_column(page, settings_filter, qtbot):
    settings_filter.set_words("step")
    qtbot.waitUntil(lambda: bool(found(page)))
    forms = [*page.forms, *page.findChild(FilterResult).forms]
    rows = [row for form in forms for row in form.rows.values() if row.isVisible()]
    qtbot.waitUntil(lambda: len({row.label.width() for row in rows}) == 1)
    settings_filter.set_words("")
    own = max(form.label_width() for form in page.forms)
    assert {row.label.width() for form in page.forms for row in form.rows.values()} == {own}
