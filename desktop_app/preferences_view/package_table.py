"""The table of what the trainer needs: wanted, found, and how it stands."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QBrush, QColor
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from desktop_app.theme import tokens
from desktop_app.trainer_python.facts import PackageState
from desktop_app.trainer_python.requirements import Fit
from desktop_app.translation import shown
from desktop_app.words.python import name_words, state_words
from trainer_core.texts import T

_STATE_COLUMN = 3


class PackageTable(QTreeWidget):
    """One line for every wanted package; what does not fit stands out."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._states: list[PackageState] = []
        titles = (
            T("App", "Package"),
            T("App", "Wanted"),
            T("App", "Found"),
            T("App", "State"),
        )
        self.setHeaderLabels([shown(title) for title in titles])
        self.setAccessibleName(shown(T("App", "Packages of the trainer")))
        self.setObjectName("packages")
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionsMovable(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self._fit()

    def show_states(self, states: Sequence[PackageState]) -> None:
        """Show these packages instead."""
        if list(states) == self._states:
            return
        self._states = list(states)
        self.clear()
        for state in states:
            found = state.found or "–"
            wanted = state.wanted.bounds.removeprefix("==")
            words = [name_words(state), wanted, found, state_words(state)]
            self.addTopLevelItem(QTreeWidgetItem(words))
        self._colour()
        self._fit()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange and hasattr(self, "_states"):
            self._colour()

    def _colour(self) -> None:
        look = tokens.current()
        for number, state in enumerate(self._states):
            item = self.topLevelItem(number)
            if item is not None:
                colour = look.success if state.fit is Fit.OK else look.error
                item.setForeground(_STATE_COLUMN, QBrush(QColor(colour)))

    def _fit(self) -> None:
        """Be as high as the lines: the page scrolls, not the table."""
        row = self.sizeHintForRow(0) if self._states else self.fontMetrics().lineSpacing()
        self.setFixedHeight(self.header().sizeHint().height() + row * max(len(self._states), 1))
