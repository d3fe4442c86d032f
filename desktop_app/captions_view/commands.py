"""The commands that change many captions, for a menu beside the pictures."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QCursor
from PySide6.QtWidgets import QMenu, QWidget

from desktop_app.captions import Captions
from desktop_app.captions_view.dialog import CaptionsDialog, Scope
from desktop_app.captions_view.encoding import conversions, encoding_menu
from desktop_app.captions_view.forms import CaptionForm, ReplaceForm, TriggerWordForm
from desktop_app.models.pictures.dataset_model import DatasetModel
from desktop_app.models.pictures.picture_row import PictureRow
from desktop_app.translation import shown
from trainer_core.dataset.caption_files import CaptionFile
from trainer_core.texts import T

Rows = Callable[[], list[PictureRow]]


class CaptionCommands(QObject):
    """Opens the dialogs over the pictures that are trained, listed or selected."""

    def __init__(
        self,
        dataset: DatasetModel,
        captions: Captions,
        window: QWidget,
        *,
        listed: Rows,
        selected: Rows,
    ) -> None:
        super().__init__(window)
        self._dataset = dataset
        self._captions = captions
        self._window = window
        self._listed, self._selected = listed, selected
        self.add_word = QAction(shown(T("App", "Add a &trigger word…")), self)
        self.add_word.triggered.connect(lambda _checked=False: self.ask(TriggerWordForm()))
        self.replace = QAction(shown(T("App", "&Find and replace in captions…")), self)
        self.replace.triggered.connect(lambda _checked=False: self.ask(ReplaceForm()))

    def ask(self, form: CaptionForm) -> CaptionsDialog:
        """Show the dialog of a form."""
        dialog = CaptionsDialog(form, self._scopes(), self._captions, self._window)
        dialog.open()
        return dialog

    def ask_encoding(self, row: PictureRow, file: CaptionFile) -> None:
        """Ask under the mouse how a caption that is not UTF-8 is to be read."""
        self.encodings(row, file).popup(QCursor.pos())

    def encodings(self, row: PictureRow, file: CaptionFile) -> QMenu:
        """Return the menu of how a caption that is not UTF-8 reads."""
        return encoding_menu(row, file, self._dataset.rows, self._convert, self._window)

    def _convert(self, captions: list[tuple[PictureRow, CaptionFile]], encoding: str) -> None:
        changes = conversions(captions, encoding)
        title = shown(T("App", "conversion of captions to UTF-8"))
        self._captions.batch.make(changes, title)

    def _scopes(self) -> list[Scope]:
        trained = [row for row in self._dataset.rows if not row.is_left_out]
        listed, selected = self._listed(), self._selected()
        scopes = [Scope(shown(T("App", "All captions ({count})"), count=len(trained)), trained)]
        if len(listed) != len(self._dataset.rows):
            label = shown(T("App", "Of the listed pictures ({count})"), count=len(listed))
            scopes.append(Scope(label, listed))
        if len(selected) > 1:
            label = shown(T("App", "Of the selected pictures ({count})"), count=len(selected))
            scopes.append(Scope(label, selected))
        return scopes
