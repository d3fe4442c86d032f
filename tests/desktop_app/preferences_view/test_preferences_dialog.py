from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator

import pytest
from helpers.scripted_python import ScriptedPython
from PySide6.QtCore import QCoreApplication, QEvent, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QListWidget, QWidget
from pytestqt.qtbot import QtBot

from desktop_app.preferences_view.dialog import PreferencesDialog
from desktop_app.preferences_view.opening import PreferencesWindow
from desktop_app.theme import tokens
from desktop_app.theme.style import apply_theme
from desktop_app.workspace import Workspace

pytestmark = pytest.mark.usefixtures("scripted")


@pytest.fixture
def opening(workspace: Workspace, qtbot: QtBot) -> Iterator[PreferencesWindow]:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    made = PreferencesWindow(workspace, window)
    yield made
    if made.dialog is not None:
        made.dialog.close()


@pytest.fixture
def themed(workspace: Workspace, qapp: QApplication) -> Iterator[None]:
    """The app follows its theme, as when it was started."""
    workspace.preferences.changed.connect(
        lambda: apply_theme(qapp, workspace.preferences.settings.theme)
    )
    yield
    apply_theme(qapp, "light")


def test_a_wanted_page_is_shown(opening: PreferencesWindow, workspace: Workspace) -> None:
    workspace.preferences_wanted.emit("trainer")
    assert opening.dialog is not None
    assert opening.dialog.isVisible()
    assert opening.dialog.page == "trainer"


def test_tab_leads_from_the_pages_to_the_first_field(
    opening: PreferencesWindow, qtbot: QtBot
) -> None:
    opening.show()
    dialog = opening.dialog
    assert dialog is not None
    [pages] = dialog.findChildren(QListWidget, "pages")
    pages.setFocus()
    qtbot.keyClick(pages, Qt.Key.Key_Tab)
    assert dialog.focusWidget() in dialog.general.rows["theme"].editor.fields()


def test_the_dialog_is_opened_once_and_turned(
    opening: PreferencesWindow, workspace: Workspace
) -> None:
    opening.show()
    first = opening.dialog
    assert first is not None
    assert first.page == "general"
    workspace.preferences_wanted.emit("trainer")
    assert opening.dialog is first
    assert first.page == "trainer"


def test_an_unknown_page_leaves_the_one_at_hand(opening: PreferencesWindow) -> None:
    opening.show("trainer")
    opening.show("moon")
    assert opening.dialog is not None
    assert opening.dialog.page == "trainer"


def test_a_closed_dialog_is_made_anew(opening: PreferencesWindow) -> None:
    opening.show()
    first = opening.dialog
    assert first is not None
    first.close()
    opening.show()
    assert opening.dialog is not None
    assert opening.dialog is not first
    assert opening.dialog.isVisible()


@pytest.mark.usefixtures("themed")
def test_the_theme_acts_at_once_and_is_kept(
    opening: PreferencesWindow, workspace: Workspace
) -> None:
    opening.show()
    assert opening.dialog is not None
    row = opening.dialog.general.rows["theme"]
    row.committed.emit("app.theme", "dark")
    assert workspace.preferences.settings.theme == "dark"
    window = QGuiApplication.palette().window().color().name()
    assert window == tokens.DARK.window
    row.reset_wanted.emit("app.theme")
    assert workspace.preferences.settings.theme == "system"


def test_a_theme_chosen_elsewhere_is_shown(
    opening: PreferencesWindow, workspace: Workspace
) -> None:
    opening.show()
    assert opening.dialog is not None
    workspace.preferences.change(theme="dark")
    assert opening.dialog.general.rows["theme"].editor.raw() == "dark"


def test_fifty_openings_leave_nothing_behind(
    opening: PreferencesWindow,
    workspace: Workspace,
    scripted: ScriptedPython,
    looked: Callable[[Workspace], None],
) -> None:
    def once() -> None:
        opening.show("trainer")
        dialog = opening.dialog
        assert isinstance(dialog, PreferencesDialog)
        QCoreApplication.processEvents()
        dialog.close()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    once()
    looked(workspace)
    gc.collect()
    widgets, threads = len(QApplication.allWidgets()), threading.active_count()
    timers = len(workspace.findChildren(QTimer))
    for _ in range(50):
        once()
    looked(workspace)
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    assert len(QApplication.allWidgets()) == widgets
    assert threading.active_count() <= threads
    assert len(workspace.findChildren(QTimer)) <= timers
