"""The whole view of a picture folder: an invitation while there is none, then what is in it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QSplitter,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from desktop_app.captions import Captions
from desktop_app.dataset_view.browser import PictureBrowser
from desktop_app.dataset_view.side import DatasetSide
from desktop_app.dataset_view.summary import check_words, stats
from desktop_app.dataset_view.view_layout import ViewLayout
from desktop_app.models.dataset_model import DatasetModel
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.widgets.drop_area import DropArea, dropped_folder
from desktop_app.widgets.elided_label import ElidedLabel
from desktop_app.widgets.icon_button import IconButton
from desktop_app.widgets.stat_row import StatRow
from trainer_core.texts import T

_SIDE_PX = 210  # at first; the rest is the pictures


class DatasetView(QWidget):
    """Shows a `DatasetModel`; a folder dropped anywhere on it is handed on."""

    folder_chosen = Signal(object)  # Path

    def __init__(
        self, model: DatasetModel, captions: Captions, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._model = model
        self._is_dragging = False
        self.setAcceptDrops(True)
        self._invitation = DropArea(shown(T("App", "Choose a folder…")), self)
        self._invitation.button.clicked.connect(self._choose)
        self._path = ElidedLabel(parent=self)
        self._stats = StatRow(self)
        self._side = DatasetSide(self)
        self.browser = PictureBrowser(captions, self)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(self._invitation)
        self._pages.addWidget(self._content())
        browser = self.browser
        splitters = (self._parts, self._side, browser, browser.details)
        self.view_layout = ViewLayout(splitters, browser.bar.slider, self)
        self._side.folders_chosen.connect(self.browser.show_folders)
        self._side.bucket_chosen.connect(self.browser.show_bucket)
        self.browser.filter_dropped.connect(self._side.choose_all)
        self._side.picture_wanted.connect(self.reveal)
        model.changed.connect(self._show)
        model.busy_changed.connect(self._show_page)
        model.findings_changed.connect(self._show_rows)
        model.picture_changed.connect(self.browser.reload_picture)
        model.progress_changed.connect(self._show_progress)
        self._show()

    def reveal(self, path: Path) -> None:
        """Show a picture, or the pictures of a concept's folder, whatever was chosen before."""
        if self.browser.reveal(path):
            return
        if any(row.folder == path for row in self._model.rows):
            self._side.choose_all()
            self._side.choose(path)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Invite a folder that is dragged over the view."""
        if dropped_folder(event.mimeData()) is not None:
            event.acceptProposedAction()
            self._set_dragging(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:  # noqa: N802 - Qt's name
        """Show again what was shown before."""
        self._set_dragging(False)

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """Hand on the folder."""
        self._set_dragging(False)
        folder = dropped_folder(event.mimeData())
        if folder is not None:
            event.acceptProposedAction()
            self.folder_chosen.emit(folder)

    # ---------------------------------------------------------------- what is shown

    def _show(self) -> None:
        scan = self._model.scan
        if scan is not None:
            self._path.setText(str(scan.request.folder))
            self._stats.show_stats(stats(scan))
            self._side.show_index(scan.index)
            self._side.show_buckets(scan)
        self._show_rows()
        self._show_progress()
        self._show_page()

    def _show_rows(self) -> None:
        folder = self._model.folder or Path()
        self._side.show_findings(self._model.findings, folder)
        self.browser.show_rows(self._model.rows)

    def _show_progress(self) -> None:
        self.browser.bar.show_note(check_words(self._model.progress))

    def _show_page(self) -> None:
        invitation = self._words_of_invitation()
        self._invitation.set_target(self._is_dragging)
        if invitation is not None:
            self._invitation.say(*invitation)
        self._pages.setCurrentIndex(1 if invitation is None else 0)

    def _words_of_invitation(self) -> tuple[str, str] | None:
        """Return headline and explanation, None if there are pictures to show instead."""
        scan, folder = self._model.scan, self._model.folder
        if self._is_dragging:
            return shown(T("App", "Drop it to train these pictures")), ""
        if folder is None:
            headline = T("App", "Drop a folder of pictures here")
            return shown(headline), shown(_EXPLANATION)
        if scan is None:
            return shown(T("App", "Looking at the pictures…")), str(folder)
        if scan.failure is not None:
            hint = scan.failure.hint
            return shown(scan.failure.message), "" if hint is None else shown(hint)
        if not scan.rows:
            return shown(T("App", "There are no pictures in this folder")), shown(_EXPLANATION)
        return None

    def _set_dragging(self, is_dragging: bool) -> None:
        self._is_dragging = is_dragging
        self._show_page()

    # ---------------------------------------------------------------- parts

    def _choose(self) -> None:
        title = shown(T("App", "Choose a folder of pictures"))
        start = str(self._model.folder or Path.home())
        chosen = QFileDialog.getExistingDirectory(self, title, start)
        if chosen:
            self.folder_chosen.emit(Path(chosen))

    def _rescan(self) -> None:
        self.browser.reload()
        self._model.rescan()

    def _content(self) -> QWidget:
        look = tokens.current()
        page = QWidget(self)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, look.gap_m, 0, 0)
        column.setSpacing(look.gap_m)
        for row in (self._path_row(), self._stat_row()):
            row.setContentsMargins(look.gap_m, 0, look.gap_m, 0)
            column.addLayout(row)
        self._parts = parts = QSplitter(Qt.Orientation.Horizontal, page)
        parts.addWidget(self._side)
        parts.addWidget(self.browser)
        parts.setSizes([_SIDE_PX, page.width()])
        parts.setStretchFactor(1, 1)
        parts.setChildrenCollapsible(False)
        column.addWidget(parts, 1)
        return page

    def _path_row(self) -> QHBoxLayout:
        look = tokens.current()
        row = QHBoxLayout()
        row.setSpacing(look.gap_s)
        refresh = IconButton("refresh", shown(T("App", "Look at the folder again")), self)
        refresh.clicked.connect(self._rescan)
        choose = QPushButton(shown(T("App", "Choose a folder…")), self)
        choose.clicked.connect(self._choose)
        row.addWidget(self._path, 1)
        row.addWidget(refresh)
        row.addWidget(choose)
        return row

    def _stat_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addWidget(self._stats)
        return row


_EXPLANATION = T(
    "App",
    "A folder of pictures, or one with sub-folders named <repeats>_<concept>, such as "
    "10_zxq cat. Captions are text files beside the pictures.",
)
