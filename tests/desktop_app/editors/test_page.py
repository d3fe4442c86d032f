import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel

from desktop_app.document import Document
from desktop_app.editors.page import SettingsPage
from desktop_app.preferences import Preferences
from desktop_app.widgets.icon_button import IconButton
from desktop_app.workspace import Workspace


@pytest.fixture
def document(workspace: Workspace) -> Document:
    return workspace.document


@pytest.fixture
def page(workspace: Workspace, qtbot) -> SettingsPage:
    page = SettingsPage(workspace, ("optimizer", "hardware"))
    qtbot.addWidget(page)
    page.resize(420, 400)
    page.show()
    page.activateWindow()
    return page


def test_a_revealed_setting_is_in_sight_and_has_the_focus(page: SettingsPage, qtbot):
    page.reveal("hardware.num_cpu_threads_per_process")
    row = page.forms[1].rows["hardware.num_cpu_threads_per_process"]
    qtbot.waitUntil(lambda: not row.visibleRegion().isEmpty())
    qtbot.waitUntil(row.editor.fields()[0].hasFocus)


def test_the_focused_setting_is_explained(page: SettingsPage, qtbot):
    page.reveal("optimizer.lr_scheduler")
    row = page.forms[0].rows["optimizer.lr_scheduler"]
    qtbot.waitUntil(row.editor.fields()[0].hasFocus)
    texts = [label.text() for label in page.findChildren(QLabel)]
    assert any("How the learning rate moves over the run." in text for text in texts)


def test_labels_of_all_forms_share_one_width(page: SettingsPage):
    widths = {row.label.width() for form in page.forms for row in form.rows.values()}
    assert len(widths) == 1


def test_unfolded_parts_are_remembered(page: SettingsPage, preferences: Preferences):
    page.forms[0].advanced.set_open(True)
    assert preferences.is_open("optimizer")
    assert not preferences.is_open("hardware")


def test_nothing_is_wider_than_a_narrow_dock(page: SettingsPage, qtbot):
    for form in page.forms:
        form.advanced.set_open(True)
    for form in page.forms:
        assert form.minimumSizeHint().width() <= 400


def test_a_page_cannot_be_made_so_narrow_that_its_fields_are_cut_off(page: SettingsPage, qtbot):
    for form in page.forms:
        form.advanced.set_open(True)
    page.resize(50, 400)
    widest = max(form.minimumSizeHint().width() for form in page.forms)
    qtbot.waitUntil(lambda: page.minimumSizeHint().width() >= widest)
    page.resize(page.minimumSizeHint().width(), 400)
    for form in page.forms:
        assert form.visibleRegion().boundingRect().width() in (0, form.width())


def test_tab_goes_from_field_to_field(workspace: Workspace, qtbot):
    page = SettingsPage(workspace, ("dataset", "model"))
    qtbot.addWidget(page)
    page.show()
    page.activateWindow()
    workspace.document.set_value("buckets.resolution", [640, 640])  # which shows a reset
    page.bar.take_focus()
    qtbot.waitUntil(page.bar.field.hasFocus)
    reached = []
    while not reached or reached[-1] is not page.bar.field:
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        reached.append(QApplication.focusWidget())
    assert not [widget for widget in reached if isinstance(widget, IconButton)]
    fields = [f for form in page.forms for row in form.rows.values() for f in row.editor.fields()]
    wanted = [field for field in fields if field.isVisible() and field.isEnabled()]
    assert [widget for widget in reached if widget in wanted] == wanted
