"""The column beside the thumbnails: concepts and buckets to choose from."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QHeaderView, QSplitter, QTreeView, QWidget

from desktop_app.dataset_view.bucket_part import BucketPart
from desktop_app.models.pictures.concept_tree import Column, ConceptTree
from desktop_app.models.pictures.dataset_scan import Scan
from desktop_app.outside import open_path
from desktop_app.theme import tokens
from desktop_app.translation import shown
from trainer_core.dataset.index import DatasetIndex
from trainer_core.texts import T

_SHARES = (1, 0)  # of more height: buckets take what they need, concepts the rest


class DatasetSide(QSplitter):
    """Concepts above, buckets below."""

    folders_chosen = Signal(object)  # frozenset of the folders of concepts, None for all
    bucket_chosen = Signal(object)  # training size, None for all
    removal_wanted = Signal(object)  # Root that is not to be trained any more

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self._concepts = ConceptTree(self)
        self._concept_view = _concept_view(self._concepts)
        self._buckets = BucketPart(self)
        self.setChildrenCollapsible(False)
        self.setContentsMargins(tokens.current().gap_s, 0, 0, 0)
        self.addWidget(self._concept_view)
        self.addWidget(self._buckets)
        self._removal, self._opening = self._concept_actions()
        for part, share in enumerate(_SHARES):
            self.setStretchFactor(part, share)
        self._concept_view.selectionModel().currentRowChanged.connect(self._on_concept)
        self._buckets.bucket_chosen.connect(self.bucket_chosen)

    def show_index(self, index: DatasetIndex) -> None:
        """List the concepts; the chosen one stays chosen if it is still there."""
        chosen = self._concepts.node(self._concept_view.currentIndex())
        self._concepts.show(index)
        self._concept_view.setRootIsDecorated(len(index.roots) > 1)
        self._concept_view.expandAll()
        at = self._concepts.index_of(None if chosen is None else chosen.key)
        self._concept_view.setCurrentIndex(at)

    def choose(self, folder: Path | None) -> None:
        """Show the pictures of one concept or place, of all of them with None."""
        self._concept_view.setCurrentIndex(self._concepts.index_of_folder(folder))

    def show_buckets(self, scan: Scan) -> None:
        """Draw the buckets; the chosen one stays chosen if it is still there."""
        self._buckets.show_scan(scan)

    def choose_all(self) -> None:
        """Show the pictures of every concept and bucket."""
        self.choose(None)
        self._buckets.choose_none()

    def _concept_actions(self) -> tuple[QAction, QAction]:
        """Return what can be done with a line: by its context menu, the first by Delete too."""
        removal = QAction(shown(T("App", "&Remove from the pictures")), self._concept_view)
        removal.setShortcut(QKeySequence.StandardKey.Delete)
        removal.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        removal.triggered.connect(self._on_removal)
        opening = QAction(shown(T("App", "&Open folder")), self._concept_view)
        opening.triggered.connect(self._on_opening)
        self._concept_view.addActions([opening, removal])
        self._concept_view.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        return removal, opening

    def _on_concept(self, current: QModelIndex) -> None:
        node = self._concepts.node(current)
        self._removal.setEnabled(node is not None and node.root is not None)
        self._opening.setEnabled(node is not None and node.path is not None)
        if node is not None:
            self.folders_chosen.emit(node.folders)

    def _on_removal(self) -> None:
        node = self._concepts.node(self._concept_view.currentIndex())
        if node is not None and node.root is not None:
            self.removal_wanted.emit(node.root)

    def _on_opening(self) -> None:
        node = self._concepts.node(self._concept_view.currentIndex())
        if node is not None and node.path is not None:
            open_path(node.path, self)


def _concept_view(model: ConceptTree) -> QTreeView:
    view = QTreeView()
    view.setObjectName("concepts")
    view.setModel(model)
    view.setIndentation(tokens.current().icon_s)
    view.setUniformRowHeights(True)
    view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
    view.setAllColumnsShowFocus(True)
    view.setAccessibleName(shown(T("App", "Folders")))
    view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    header = view.header()
    header.setStretchLastSection(False)
    header.setMinimumSectionSize(tokens.current().icon_s)  # a narrow one leaves room for names
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(Column.NAME, QHeaderView.ResizeMode.Stretch)
    return view
