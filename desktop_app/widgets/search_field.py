"""A field that finds rows of a model while one types."""

from __future__ import annotations

from PySide6.QtCore import QAbstractItemModel, QEvent, QModelIndex, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QCompleter, QLineEdit, QWidget

from desktop_app.theme.icons import icon


class SearchField(QLineEdit):
    """A line that lists the rows whose ``search_role`` contains what is typed."""

    chosen = Signal(object)  # the chosen row's value of ``result_role``

    def __init__(
        self,
        model: QAbstractItemModel,
        *,
        search_role: int,
        result_role: int,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._result_role = result_role
        self.setClearButtonEnabled(True)
        self._sign = QAction(icon("search"), "", self)
        self.addAction(self._sign, QLineEdit.ActionPosition.LeadingPosition)
        completer = QCompleter(model, self)
        completer.setCompletionRole(search_role)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setWidget(self)
        chosen = completer.activated[QModelIndex]  # type: ignore[index]  # no overloads in stubs
        chosen.connect(self._on_activated)
        popup = completer.popup()
        if popup is not None:
            popup.setObjectName("searchList")
        self._completer = completer
        self.textEdited.connect(self._on_edited)
        self.returnPressed.connect(self._on_return)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the sign in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._sign.setIcon(icon("search"))

    def _on_edited(self, words: str) -> None:
        self._completer.setCompletionPrefix(words.strip())
        if words.strip() and self._completer.completionCount():
            self._completer.complete()
        else:
            self._hide_popup()

    def _hide_popup(self) -> None:
        popup = self._completer.popup()
        if popup is not None:
            popup.hide()

    def _on_return(self) -> None:
        if self.text().strip() and self._completer.completionCount():
            self._on_activated(self._completer.completionModel().index(0, 0))

    def _on_activated(self, index: QModelIndex) -> None:
        self.clear()
        self.chosen.emit(index.data(self._result_role))
