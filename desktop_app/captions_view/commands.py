"""The commands that change many captions, for a menu beside the pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QCursor
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from desktop_app.captions import Captions
from desktop_app.late_modules import late
from desktop_app.models.pictures.dataset_model import DatasetModel
from desktop_app.models.pictures.picture_row import PictureRow
from desktop_app.translation import shown
from trainer_core.dataset.caption_files import CaptionFile
from trainer_core.texts import T

if TYPE_CHECKING:
    from desktop_app.captions_view import dialog, encoding, forms
else:
    dialog = late("desktop_app.captions_view.dialog")
    encoding = late("desktop_app.captions_view.encoding")
    forms = late("desktop_app.captions_view.forms")

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
        self.add_word.triggered.connect(lambda _checked=False: self.ask(forms.TriggerWordForm()))
        self.replace = QAction(shown(T("App", "&Find and replace in captions…")), self)
        self.replace.triggered.connect(lambda _checked=False: self.ask(forms.ReplaceForm()))

    def ask(self, form: forms.CaptionForm) -> dialog.CaptionsDialog:
        """Show the dialog of a form."""
        asking = dialog.CaptionsDialog(form, self._scopes(), self._captions, self._window)
        asking.open()
        return asking

    def ask_encoding(self, row: PictureRow, file: CaptionFile) -> None:
        """Ask under the mouse how a caption that is not UTF-8 is to be read."""
        self.encodings(row, file).popup(QCursor.pos())

    def ask_encoding_of(self, picture: Path) -> bool:
        """Ask the same of the caption of a picture; False if there is nothing to convert."""
        rows = (row for row in self._dataset.rows if row.path == picture)
        found = next(encoding.captions_to_convert(rows), None)
        if found is not None:
            self.ask_encoding(*found)
        return found is not None

    def encodings(self, row: PictureRow, file: CaptionFile) -> QMenu:
        """Return the menu of how a caption that is not UTF-8 reads."""
        # A dialog in front lets no menu of another window be used.
        window = QApplication.activeModalWidget() or self._window
        return encoding.encoding_menu(row, file, self._dataset.rows, self._convert, window)

    def _convert(self, captions: list[tuple[PictureRow, CaptionFile]], name: str) -> None:
        changes = encoding.conversions(captions, name)
        title = shown(T("App", "conversion of captions to UTF-8"))
        self._captions.batch.make(changes, title)

    def _scopes(self) -> list[dialog.Scope]:
        trained = [row for row in self._dataset.rows if not row.is_left_out]
        listed, selected = self._listed(), self._selected()
        scopes = [
            dialog.Scope(shown(T("App", "All captions ({count})"), count=len(trained)), trained)
        ]
        if len(listed) != len(self._dataset.rows):
            label = shown(T("App", "Of the listed pictures ({count})"), count=len(listed))
            scopes.append(dialog.Scope(label, listed))
        if len(selected) > 1:
            label = shown(T("App", "Of the selected pictures ({count})"), count=len(selected))
            scopes.append(dialog.Scope(label, selected))
        return scopes
