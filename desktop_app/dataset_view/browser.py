"""The thumbnails with what chooses among them, and the selected picture beside them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from desktop_app.captions import Captions
from desktop_app.dataset_view.details import PictureDetails
from desktop_app.dataset_view.filter_bar import FilterBar
from desktop_app.dataset_view.picture_commands import PictureCommands
from desktop_app.models.pictures.left_out import LeftOut
from desktop_app.models.pictures.picture_filter import PictureFilter
from desktop_app.models.pictures.picture_list import PictureList, PictureRole
from desktop_app.models.pictures.picture_row import PictureRow
from desktop_app.models.prompt_choice import PromptChoice
from desktop_app.outside import open_path
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.widgets.pictures.thumbnail_grid import ThumbnailGrid
from trainer_core.dataset.pictures import Size
from trainer_core.texts import T

_GRID_SHARE, _DETAILS_SHARE = 3, 2
_MUCH_PX = 1000


class PictureBrowser(QSplitter):
    """A grid of pictures, and everything about the one that is selected."""

    filter_dropped = Signal()  # a picture was wanted that the chosen folder or bucket hides

    def __init__(
        self,
        captions: Captions,
        left_out: LeftOut,
        prompts: PromptChoice,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._rows: Sequence[PictureRow] = ()
        self._filter = PictureFilter()
        self._pictures = PictureList(self)
        self.grid = ThumbnailGrid(
            path_role=PictureRole.PATH,
            caption_role=PictureRole.CAPTION,
            badge_role=PictureRole.SEVERITY,
            dimmed_role=PictureRole.IS_LEFT_OUT,
        )
        self.grid.setModel(self._pictures)
        self.grid.setAccessibleName(shown(T("App", "Pictures")))
        self.bar = FilterBar(self)
        self.commands = PictureCommands(self.grid, self.selected_rows, left_out, prompts)
        self.details = PictureDetails(captions, left_out, self)
        self.commands.serve(self.details.picture, self.details.picture)
        self.details.show_picture(None)
        self._lay_out()
        self.bar.size_changed.connect(self.grid.set_side)
        self.bar.filter_changed.connect(self._on_filter_changed)
        self.grid.selectionModel().currentChanged.connect(self._show_details)
        self.details.step_wanted.connect(self._step)
        self.grid.activated.connect(self._open)
        for keys, step in (("Alt+Left", -1), ("Alt+Right", 1)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(lambda step=step: self._step(step))

    def show_rows(self, rows: Sequence[PictureRow]) -> None:
        """Show these pictures; what was chosen stays, the selected picture too."""
        self._rows = rows
        self.bar.show_found(sum(bool(row.findings) for row in rows))
        self.bar.show_left_out(sum(row.is_left_out for row in rows))
        # A picture that was just mended must not vanish under the hands that mended it.
        self._list(always=self._selected())

    @property
    def listed_rows(self) -> list[PictureRow]:
        """The pictures that are listed, in their order."""
        return self._pictures.rows

    def selected_rows(self) -> list[PictureRow]:
        """Return the selected pictures; the one that is looked at comes first."""
        current = self.grid.currentIndex()
        indexes = sorted(
            self.grid.selectionModel().selectedIndexes(), key=lambda i: (i != current, i.row())
        )
        return [self._pictures.picture(index.row()) for index in indexes]

    def show_folders(self, folders: Collection[Path] | None, subset: int | None = None) -> None:
        """Show the pictures of these concepts' folders in a subset, of all with None."""
        self._filter = replace(self._filter, folders=folders, subset=subset)
        self._list()

    def show_bucket(self, bucket: Size | None) -> None:
        """Show the pictures of one training size, of all with None."""
        self._filter = replace(self._filter, bucket=bucket)
        self._list()

    def reload(self) -> None:
        """Read every picture anew: the files may have changed."""
        self.grid.reload()
        self.details.picture.reload()

    def reload_picture(self, path: Path) -> None:
        """Read one picture anew: its file has changed."""
        self.grid.reload_picture(path)
        self.details.picture.reload()

    def reveal(self, path: Path) -> bool:
        """Select a picture and scroll to it, even if it was filtered out; tell if it is there."""
        row = self._pictures.row_of(path)
        if row is None and any(other.path == path for other in self._rows):
            self.bar.clear()
            self.filter_dropped.emit()
            self._filter = PictureFilter()
            self._list()
            row = self._pictures.row_of(path)
        if row is not None:
            self._select(row)
        return row is not None

    def _on_filter_changed(self) -> None:
        self._filter = replace(
            self._filter,
            only_found=self.bar.only_found,
            only_left_out=self.bar.only_left_out,
            words=self.bar.words,
        )
        self._list()

    def _list(self, *, always: Path | None = None) -> None:
        selected, place = self._selected(), self.grid.currentIndex().row()
        self._pictures.show(self._filter.pass_on(self._rows, always=always))
        if self.grid.currentIndex().isValid():
            self._show_details()
            return
        row = None if selected is None else self._pictures.row_of(selected)
        if row is None:
            row = min(max(place, 0), self._pictures.rowCount() - 1)
        if row >= 0:
            self._select(row)
        else:
            self._show_details()

    def _select(self, row: int) -> None:
        index = self._pictures.index(row)
        flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
        self.grid.selectionModel().setCurrentIndex(index, flag)
        self.grid.scrollTo(index)

    def _selected(self) -> Path | None:
        current = self.grid.currentIndex()
        return self._pictures.picture(current.row()).path if current.isValid() else None

    def _step(self, step: int) -> None:
        row = self.grid.currentIndex().row() + step
        if 0 <= row < self._pictures.rowCount():
            self._select(row)

    def _show_details(self) -> None:
        current, count = self.grid.currentIndex(), self._pictures.rowCount()
        if not current.isValid():
            self.details.show_picture(None)
            return
        number = current.row()
        row = self._pictures.picture(number)
        near = (n for n in (number + 1, number - 1) if 0 <= n < count)
        self.details.show_picture(
            row,
            preview=self.grid.loader.thumbnail(row.path),
            neighbours=tuple(self._pictures.picture(n).path for n in near),
        )
        self.details.show_position(number + 1, count)

    def _open(self, index: QModelIndex) -> None:
        open_path(self._pictures.picture(index.row()).path, self)

    def _lay_out(self) -> None:
        look = tokens.current()
        listed = QWidget(self)
        column = QVBoxLayout(listed)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(look.gap_s)
        column.addWidget(self.bar)
        column.addWidget(self.grid, 1)
        self.addWidget(listed)
        self.addWidget(self.details)
        self.setSizes([_GRID_SHARE * _MUCH_PX, _DETAILS_SHARE * _MUCH_PX])
        self.setStretchFactor(0, _GRID_SHARE)
        self.setStretchFactor(1, _DETAILS_SHARE)
        self.setChildrenCollapsible(False)
