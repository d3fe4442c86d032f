"""The bar above a page of forms: what to look for, what else to leave out, and what is left."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop_app.editors.base import add_menu_key
from desktop_app.models.settings_filter import SettingsFilter
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.widgets.find_field import FindField
from desktop_app.widgets.icon_button import IconButton
from trainer_core.texts import T

_COUNTS = {
    (False, False): T("App", "{shown} of {all} [all:setting|settings]"),
    (True, False): T("App", "Differing from the default: {shown} of {all}"),
    (False, True): T("App", "With a problem: {shown} of {all}"),
    (True, True): T("App", "Differing and with a problem: {shown} of {all}"),
}


class FilterBar(QWidget):
    """Shows and changes the filter that all pages share."""

    entered = Signal()  # Enter was pressed in the field
    menu_opening = Signal()

    def __init__(self, settings_filter: SettingsFilter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._filter = settings_filter
        self.field = FindField(shown(T("App", "Find settings")), self)
        self.field.setToolTip(
            shown(
                T(
                    "App",
                    "Looks through all pages: in names, helps, values, and in the names that "
                    "kohya_ss has for them (Ctrl+F)",
                )
            )
        )
        self._button = IconButton("filter", shown(T("App", "Choose what is shown")), self)
        self._menu = QMenu(self)
        self._only_changed = self._choice(T("App", "Only what &differs from the defaults"))
        self._only_problems = self._choice(T("App", "Only what has a &problem"))
        self._menu.addSeparator()
        self.advanced = self._choice(T("App", "Show &advanced settings"))
        self._counted = QWidget(self)
        self._count = QLabel(self)
        self._clear = QPushButton(shown(T("App", "Clear filter")), self)
        self._lay_out()
        self._connect()
        self._show_filter()

    def choices(self) -> list[QAction]:
        """Return what the menu offers: differing, troubled, advanced."""
        return [self._only_changed, self._only_problems, self.advanced]

    def show_count(self, count: int, total: int) -> None:
        """Say how many settings of all pages pass; nothing is said if none does."""
        words = _COUNTS[self._filter.only_changed, self._filter.only_problems]
        self._count.setText(shown(words, shown=count, all=total))
        self._counted.setVisible(self._filter.is_active and count > 0)

    def take_focus(self) -> None:
        """Be ready for other words."""
        self.field.setFocus()
        self.field.selectAll()

    def clear(self) -> None:
        """Show everything again."""
        self._filter.clear()
        self.field.setFocus()

    def _choice(self, words: str) -> QAction:
        choice = self._menu.addAction(shown(words))
        choice.setCheckable(True)
        return choice

    def _connect(self) -> None:
        self.field.textChanged.connect(self._filter.set_words)
        self.field.returnPressed.connect(self.entered)
        self._only_changed.toggled.connect(self._filter.set_only_changed)
        self._only_problems.toggled.connect(self._filter.set_only_problems)
        self.advanced.triggered.connect(self._filter.advanced_wanted)
        self._menu.aboutToShow.connect(self.menu_opening)
        self._clear.clicked.connect(self.clear)
        self._filter.changed.connect(self._show_filter)

    def _show_filter(self) -> None:
        now = self._filter
        if self.field.text() != now.words:
            self.field.setText(now.words)
        self._only_changed.setChecked(now.only_changed)
        self._only_problems.setChecked(now.only_problems)
        self._button.setProperty("active", now.only_changed or now.only_problems)
        self._button.style().polish(self._button)

    def _lay_out(self) -> None:
        look = tokens.current()
        self._button.setMenu(self._menu)
        add_menu_key(self, self._button)
        self._button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._count.setProperty("role", "dim")
        self._clear.setProperty("role", "link")
        self._clear.setCursor(Qt.CursorShape.PointingHandCursor)
        line = QHBoxLayout()
        line.setSpacing(look.gap_m)
        line.addWidget(self.field, 1)
        line.addWidget(self._button)
        counted = QHBoxLayout(self._counted)
        counted.setContentsMargins(0, 0, 0, 0)
        counted.addWidget(self._count, 1)
        counted.addWidget(self._clear)
        column = QVBoxLayout(self)
        column.setContentsMargins(look.gap_l, look.gap_m, look.gap_m, look.gap_m)
        column.setSpacing(look.gap_s)
        column.addLayout(line)
        column.addWidget(self._counted)
