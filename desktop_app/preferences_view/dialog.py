"""The preferences: a list of pages, and what is chosen on them acts at once."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QListWidget,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop_app.preferences_view.caches_page import CachesPage
from desktop_app.preferences_view.general_page import GeneralPage
from desktop_app.preferences_view.trainer_page import TrainerPage
from desktop_app.questions import Ask, ask
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.workspace import Workspace
from trainer_core.texts import T

_FIRST_SIZE_PX = QSize(820, 640)
_LIST_WIDTH_PX = 150


class PreferencesDialog(QDialog):
    """The window of the preferences; training goes on behind it."""

    def __init__(
        self, workspace: Workspace, parent: QWidget | None = None, *, ask: Ask = ask
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(shown(T("App", "Preferences")))
        self.resize(_FIRST_SIZE_PX)
        self.general = GeneralPage(workspace.preferences)
        self.trainer = TrainerPage(workspace.python, workspace.run, workspace.data_dir, ask=ask)
        self.caches = CachesPage(ask=ask)
        self._names: list[str] = []
        self._list = QListWidget(self)
        self._list.setAccessibleName(shown(T("App", "Pages")))
        self._list.setObjectName("pages")
        self._list.setFixedWidth(_LIST_WIDTH_PX)
        self._pages = QStackedWidget(self)
        self._add("general", shown(T("App", "General")), self.general)
        self._add("trainer", shown(T("App", "Trainer")), self.trainer)
        self._add("caches", shown(T("App", "Caches")), self.caches)
        self._list.currentRowChanged.connect(self._pages.setCurrentIndex)
        self._lay_out()
        self.show_page("general")

    def show_page(self, name: str) -> None:
        """Turn to ``general``, ``trainer`` or ``caches``; an unknown name leaves it as it is."""
        if name in self._names:
            self._list.setCurrentRow(self._names.index(name))

    @property
    def page(self) -> str:
        """The name of the page that is shown."""
        return self._names[self._list.currentRow()]

    def _add(self, name: str, title: str, page: QWidget) -> None:
        page.setProperty("scrolled", True)
        page.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)  # it is a class of its own
        area = QScrollArea(self._pages)
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Tab goes on to what the page holds
        area.setWidget(page)
        self._names.append(name)
        self._list.addItem(title)
        self._pages.addWidget(area)

    def _lay_out(self) -> None:
        look = tokens.current()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        close = buttons.button(QDialogButtonBox.StandardButton.Close)
        close.setText(shown(T("App", "Close")))
        close.setIcon(QIcon())
        close.setAutoDefault(False)  # Return belongs to the page
        buttons.rejected.connect(self.close)
        rule = QFrame(self)
        rule.setProperty("role", "line")
        rule.setFixedWidth(look.line)
        pages = QHBoxLayout()
        pages.setSpacing(0)
        pages.addWidget(self._list)
        pages.addWidget(rule)
        pages.addWidget(self._pages, 1)
        footer = QHBoxLayout()
        footer.setContentsMargins(look.gap_m, look.gap_m, look.gap_m, look.gap_m)
        footer.addWidget(buttons)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(pages, 1)
        layout.addLayout(footer)
