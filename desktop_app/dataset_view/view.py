"""The whole view of the pictures: an invitation while there are none, then what is there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCursor, QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSplitter,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from desktop_app.captions_view.commands import CaptionCommands
from desktop_app.dataset_view.browser import PictureBrowser
from desktop_app.dataset_view.side import DatasetSide
from desktop_app.dataset_view.summary import check_words, place_words, stats
from desktop_app.dataset_view.view_layout import ViewLayout
from desktop_app.models.pictures.caption_batch import BatchResult
from desktop_app.models.pictures.folder_repeats import FolderRepeatsList
from desktop_app.models.pictures.picture_offer import Offer, is_model
from desktop_app.models.pictures.subset_list import SubsetList
from desktop_app.preferences import Preferences
from desktop_app.theme import tokens
from desktop_app.translation import shown, shown_offer
from desktop_app.widgets.banner import Banner
from desktop_app.widgets.drop_area import DropArea, accept_copy, dropped_paths
from desktop_app.widgets.elided_label import ElidedLabel
from desktop_app.widgets.icon_button import IconButton
from desktop_app.widgets.stat_row import StatRow
from desktop_app.words.offers import explanation, invitation
from desktop_app.workspace import Workspace
from trainer_core.dataset.index import Root
from trainer_core.files.run_folder import is_run_folder
from trainer_core.settings.picture_kinds import FORMAT_OF_EXTENSION
from trainer_core.texts import T

_LAYOUT = "dataset"  # what its layout is kept as
_SIDE_PX = 232  # at first; the rest is the pictures


class DatasetView(QWidget):
    """Shows the workspace's pictures; what is dropped anywhere on it is trained."""

    offered = Signal(object)  # Offer that was dropped
    chosen = Signal(object)  # list of Paths to train instead
    added = Signal(object)  # list of Paths to train too
    removed = Signal(object)  # Root that is not to be trained any more

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model = workspace.dataset
        self._left_out = workspace.left_out
        self._drop_wanted = workspace.drop_wanted
        self._offer: Offer | None = None  # over the view
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        other = shown(T("App", "Choose pictures…"))
        self._invitation = DropArea(shown(T("App", "Choose a folder…")), other, self)
        self._invitation.button.clicked.connect(self._choose)
        self._invitation.other_button.clicked.connect(self._choose_pictures)
        self._banner = Banner(shown(T("App", "Close")), self)
        self._banner.wanted.connect(self._banner.setVisible)
        self._banner.hide()
        self._path = ElidedLabel(parent=self)
        self._stats = StatRow(self)
        self._side = DatasetSide(self)
        self.browser = browser = PictureBrowser(
            workspace.captions, workspace.left_out, workspace.prompts, self
        )
        self.captions = CaptionCommands(
            model,
            workspace.captions,
            self,
            listed=lambda: browser.listed_rows,
            selected=browser.selected_rows,
        )
        browser.details.caption.reading_wanted.connect(self.captions.ask_encoding)
        browser.details.caption.mending_wanted.connect(
            lambda way: workspace.document.apply(way.changes, shown_offer(way.message))
        )
        browser.commands.more = [self.captions.add_word, self.captions.replace]
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._banner)
        self._pages = QStackedLayout()
        column.addLayout(self._pages, 1)
        self._pages.addWidget(self._invitation)
        self._pages.addWidget(self._content())
        splitters = (self._parts, browser, browser.details)
        self.view_layout = ViewLayout(splitters, browser.bar.slider, self)
        self._side.folders_chosen.connect(browser.show_folders)
        self._side.bucket_chosen.connect(browser.show_bucket)
        browser.filter_dropped.connect(self._side.choose_all)
        self._side.removal_wanted.connect(self.removed)
        self._side.repeats_wanted.connect(self._on_repeats_wanted)
        self._side.putting_back_wanted.connect(self._on_putting_back_wanted)
        self._repeats = FolderRepeatsList(workspace.document)
        self._subsets = SubsetList(workspace.document)
        self._side.values_wanted.connect(self._subsets.change)
        self._side.copy_wanted.connect(self._on_copy_wanted)
        model.changed.connect(self._show)
        model.busy_changed.connect(self._show_page)
        model.findings_changed.connect(self._show_rows)
        model.picture_changed.connect(self.browser.reload_picture)
        model.progress_changed.connect(self._show_progress)
        self._show()
        self._serve(workspace)

    def reveal(self, path: Path) -> None:
        """Show a picture, or the pictures of a concept's folder, whatever was chosen before."""
        if not self.browser.reveal(path):
            self._side.choose_all()
            self._side.choose(path)

    def ask(self, entries: Sequence[Path]) -> None:
        """Ask under the mouse whether to add what was dropped, or to use it instead."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        add, replace = T("App", "&Add to the pictures"), T("App", "&Use instead")
        menu.addAction(shown(add), partial(self.added.emit, entries))
        menu.addAction(shown(replace), partial(self.chosen.emit, entries))
        menu.addSeparator()
        menu.addAction(shown(T("App", "&Cancel")))
        menu.popup(QCursor.pos())

    def tell(self, message: str) -> None:
        """Show a message above everything until it is closed; an empty one takes it away."""
        if message:
            self._banner.tell("warning", message)
        else:
            self._banner.dismiss()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Invite what is dragged over the view; run files and folders are for the window."""
        paths = dropped_paths(event.mimeData())
        offer = Offer.of(paths)
        if paths and not (offer.is_run_file or is_run_folder(paths[0])):
            accept_copy(event)
            self._hold(None if any(map(is_model, paths)) else offer)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:  # noqa: N802 - Qt's name
        """Show again what was shown before."""
        self._hold(None)

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """Hand on what was dropped."""
        self._hold(None)
        accept_copy(event)
        paths = dropped_paths(event.mimeData())
        if any(map(is_model, paths)):
            self._drop_wanted.emit(paths)
        else:
            self.offered.emit(Offer.of(paths))

    def _serve(self, workspace: Workspace) -> None:
        pictures, layout = workspace.pictures, self.view_layout
        layout.restore(workspace.preferences.layout(_LAYOUT))
        layout.changed.connect(partial(_keep_layout, workspace.preferences, layout))
        self.offered.connect(pictures.offer)
        self.added.connect(pictures.add)
        self.chosen.connect(pictures.use_instead)
        self.removed.connect(pictures.remove)
        pictures.choice_wanted.connect(self.ask)
        pictures.noticed.connect(self.tell)
        pictures.taken.connect(self._on_taken)
        workspace.picture_wanted.connect(self.reveal)
        workspace.conversion_wanted.connect(self._on_conversion_wanted)
        workspace.captions.restored.connect(self.reveal)
        workspace.captions.batch.finished.connect(self._on_captions_written)

    def _on_taken(self) -> None:
        # A field that had the focus would take Ctrl+Z for its own: it is to undo the choice.
        self.setFocus()

    def _on_conversion_wanted(self, picture: Path) -> None:
        if not self.captions.ask_encoding_of(picture):
            self.reveal(picture)  # it became another one meanwhile: there it says what it is

    def _on_captions_written(self, result: BatchResult) -> None:
        """Name what could not be written; an undo says so nowhere else."""
        words = result.unwritten
        if words:
            self.tell(words)

    # ---------------------------------------------------------------- what is shown

    def _show(self) -> None:
        scan = self._model.scan
        if scan is not None:
            self._path.setText(place_words(scan))
            self._stats.show_stats(stats(scan))
            self._side.show_scan(scan)
        self._show_rows()
        self._show_progress()
        self._show_page()

    def _show_rows(self) -> None:
        self.browser.show_rows(self._model.rows)

    def _show_progress(self) -> None:
        self.browser.bar.show_note(check_words(self._model.progress))

    def _show_page(self) -> None:
        invitation = self._words_of_invitation()
        self._invitation.set_target(self._offer is not None)
        if invitation is not None:
            self._invitation.say(*invitation)
        self._pages.setCurrentIndex(1 if invitation is None else 0)

    def _words_of_invitation(self) -> tuple[str, str] | None:
        """Return headline and explanation, None if there are pictures to show instead."""
        scan, places = self._model.scan, self._model.places
        if self._offer is not None:
            more = explanation(self._offer, has_pictures=bool(places))
            return invitation(self._offer), more
        if not places:
            headline = T("App", "Drop folders or pictures here")
            return shown(headline), shown(_EXPLANATION)
        if scan is None:
            return shown(T("App", "Looking at the pictures…")), str(places[0])
        if scan.failure is not None:
            hint = scan.failure.hint
            return shown(scan.failure.message), "" if hint is None else shown(hint)
        if not scan.rows and len(scan.index.roots) == 1:
            return shown(T("App", "There are no pictures in this folder")), shown(_EXPLANATION)
        return None

    def _on_repeats_wanted(self, folder: Path, repeats: int) -> None:
        scan = self._model.scan
        folders = () if scan is None else [concept.folder for concept in scan.index.concepts]
        self._repeats.set_repeats(folder, repeats, folders)

    def _on_copy_wanted(self, root: Root) -> None:
        """Train a place at half of the run's resolution too, until another one is typed."""
        scan = self._model.scan
        if scan is not None:
            sides = [max(64, side // 2) for side in scan.request.run.rules.resolution]
            self._subsets.copy(root, {"resolution": sides})

    def _on_putting_back_wanted(self, folder: Path) -> None:
        self._left_out.put_back([row.path for row in self._model.rows if row.folder == folder])

    def _hold(self, offer: Offer | None) -> None:
        self._offer = offer
        self._show_page()

    # ---------------------------------------------------------------- parts

    def _choose(self) -> None:
        self.chosen.emit(self._asked_folder())

    def _choose_pictures(self) -> None:
        self.chosen.emit(self._asked_pictures())

    def _add_folder(self) -> None:
        self.added.emit(self._asked_folder())

    def _add_pictures(self) -> None:
        self.added.emit(self._asked_pictures())

    def _add_subset(self) -> None:
        self._subsets.add(self._asked_folder())

    def _add_reg_folder(self) -> None:
        self._subsets.add(self._asked_folder(), is_reg=True)

    def _asked_folder(self) -> list[Path]:
        title = shown(T("App", "Choose a folder of pictures"))
        chosen = QFileDialog.getExistingDirectory(self, title, self._start())
        return [Path(chosen)] if chosen else []

    def _asked_pictures(self) -> list[Path]:
        title = shown(T("App", "Choose pictures"))
        kinds = " ".join(f"*{extension}" for extension in FORMAT_OF_EXTENSION)
        wanted = f"{shown(T('App', 'Pictures'))} ({kinds})"
        chosen, _ = QFileDialog.getOpenFileNames(self, title, self._start(), wanted)
        return [Path(path) for path in chosen]

    def _start(self) -> str:
        """Return the folder that dialogs begin in."""
        places = self._model.places
        return str(places[-1].parent if places else Path.home())

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
        refresh = IconButton("refresh", shown(T("App", "Look at the pictures again")), self)
        refresh.clicked.connect(self._rescan)
        add = QPushButton(shown(T("App", "Add")), self)
        menu = QMenu(add)
        menu.addAction(shown(T("App", "Add a &folder…")), self._add_folder)
        menu.addAction(shown(T("App", "Add &pictures…")), self._add_pictures)
        menu.addSeparator()
        menu.addAction(shown(T("App", "Add a &subset…")), self._add_subset)
        menu.addAction(shown(T("App", "Add &regularisation pictures…")), self._add_reg_folder)
        add.setMenu(menu)
        captions = QPushButton(shown(T("App", "Captions")), self)
        of_captions = QMenu(captions)
        of_captions.addActions([self.captions.add_word, self.captions.replace])
        captions.setMenu(of_captions)
        choose = QPushButton(shown(T("App", "Choose a folder…")), self)
        choose.clicked.connect(self._choose)
        row.addWidget(self._path, 1)
        for button in (refresh, captions, add, choose):
            row.addWidget(button)
        return row

    def _stat_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addWidget(self._stats)
        return row


def _keep_layout(preferences: Preferences, layout: ViewLayout) -> None:
    preferences.keep_layout(_LAYOUT, layout.state())


_EXPLANATION = T(
    "App",
    "One or several folders, or single pictures. A folder holds pictures, or sub-folders named "
    "<repeats>_<concept>, such as 10_zxq cat. Captions are text files beside the pictures.",
)
