"""The thumbnails with what chooses among them, and the selected picture below."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from PySide6.QtCore import QModelIndex, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from desktop_app.dataset_view.details import PictureDetails
from desktop_app.models.picture_list import PictureList, PictureRole
from desktop_app.models.picture_row import PictureRow
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.widgets.thumbnail_grid import ThumbnailGrid
from trainer_core.texts import T


class PictureBrowser(QWidget):
    """A grid of pictures: all of them, those of one folder, or those with findings."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: Sequence[PictureRow] = ()
        self._folders: Collection[Path] | None = None
        self._pictures = PictureList(self)
        self.grid = ThumbnailGrid(
            path_role=PictureRole.PATH,
            caption_role=PictureRole.CAPTION,
            badge_role=PictureRole.SEVERITY,
        )
        self.grid.setModel(self._pictures)
        self.grid.setAccessibleName(shown(T("App", "Pictures")))
        self._only_found = QCheckBox(self)
        self._note = QLabel(self)
        self._note.setProperty("role", "dim")
        self._details = PictureDetails(self)
        self._details.show_picture(None)
        self._lay_out()
        self._only_found.toggled.connect(self._filter)
        self.grid.selectionModel().currentChanged.connect(self._show_details)
        self._pictures.modelReset.connect(self._show_details)
        self._pictures.dataChanged.connect(self._show_details)
        self.grid.activated.connect(self._open)

    def show_rows(self, rows: Sequence[PictureRow]) -> None:
        """Show these pictures; the folder and the filter that were chosen stay."""
        self._rows = rows
        found = sum(bool(row.findings) for row in rows)
        words = T("App", "Only pictures with problems ({count})")
        self._only_found.setText(shown(words, count=found))
        self._only_found.setVisible(found > 0)
        if not found:
            self._only_found.setChecked(False)
        self._filter()

    def show_folders(self, folders: Collection[Path] | None) -> None:
        """Show the pictures of these concepts' folders, of all with None."""
        self._folders = folders
        self._filter()

    def show_note(self, words: str) -> None:
        """Say something beside the filter."""
        self._note.setText(words)

    def reveal(self, path: Path) -> None:
        """Select a picture and scroll to it, even if it was filtered out."""
        if self._pictures.row_of(path) is None:
            self._only_found.setChecked(False)
        row = self._pictures.row_of(path)
        if row is not None:
            index = self._pictures.index(row)
            self.grid.setCurrentIndex(index)
            self.grid.scrollTo(index)

    def _filter(self) -> None:
        only_found = self._only_found.isChecked()
        self._pictures.show(
            [
                row
                for row in self._rows
                if (self._folders is None or row.folder in self._folders)
                and (row.findings or not only_found)
            ]
        )

    def _show_details(self) -> None:
        current = self.grid.currentIndex()
        row = self._pictures.picture(current.row()) if current.isValid() else None
        self._details.show_picture(row)

    def _open(self, index: QModelIndex) -> None:
        path = self._pictures.picture(index.row()).path
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))

    def _lay_out(self) -> None:
        look = tokens.current()
        bar = QHBoxLayout()
        bar.setContentsMargins(look.gap_m, 0, look.gap_m, 0)
        bar.setSpacing(look.gap_l)
        bar.addWidget(self._only_found)
        bar.addWidget(self._note, 1)
        bar.addWidget(self._size_slider())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(look.gap_s)
        column.addLayout(bar)
        column.addWidget(self.grid, 1)
        column.addWidget(self._details)

    def _size_slider(self) -> QSlider:
        side = tokens.current().thumbnail
        slider = QSlider(Qt.Orientation.Horizontal, self)
        slider.setRange(side // 2, 2 * side)
        slider.setValue(side)
        slider.setFixedWidth(side)
        slider.setToolTip(shown(T("App", "Size of the thumbnails")))
        slider.setAccessibleName(slider.toolTip())
        slider.valueChanged.connect(self.grid.set_side)
        return slider
