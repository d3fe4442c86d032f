"""The column beside the thumbnails: concepts and buckets to choose from, findings that lead on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QListView,
    QSplitter,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from desktop_app.dataset_view.bucket_part import BucketPart
from desktop_app.models.concept_tree import Column, ConceptTree
from desktop_app.models.dataset_scan import Scan
from desktop_app.models.findings_list import FindingsList
from desktop_app.outside import open_path
from desktop_app.theme import tokens
from desktop_app.translation import shown
from trainer_core.dataset.audit import Finding
from trainer_core.dataset.index import DatasetIndex
from trainer_core.texts import T

_BATCH = 50  # findings laid out before the window may do something else
_SHARES = (2, 2, 3)  # of the height, for concepts, buckets and findings


class DatasetSide(QSplitter):
    """Concepts above, then buckets, findings below."""

    folders_chosen = Signal(object)  # frozenset of the folders of concepts, None for all
    bucket_chosen = Signal(object)  # training size, None for all
    removal_wanted = Signal(object)  # Root that is not to be trained any more
    picture_wanted = Signal(object)  # Path that a finding is about

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self._concepts = ConceptTree(self)
        self._findings = FindingsList(self)
        self._concept_view = _concept_view(self._concepts)
        self._finding_view = _finding_view(self._findings)
        self._buckets = BucketPart(self)
        self._heading = QLabel(self)
        self._heading.setProperty("role", "dim")
        self._finding_part = self._below_heading()
        self.setChildrenCollapsible(False)
        self.setContentsMargins(tokens.current().gap_s, 0, 0, 0)
        self.addWidget(self._concept_view)
        self.addWidget(self._buckets)
        self.addWidget(self._finding_part)
        self._removal, self._opening = self._concept_actions()
        for part, share in enumerate(_SHARES):
            self.setStretchFactor(part, share)
        self._concept_view.selectionModel().currentRowChanged.connect(self._on_concept)
        self._buckets.bucket_chosen.connect(self.bucket_chosen)
        self._finding_view.clicked.connect(self._on_finding)
        self._finding_view.activated.connect(self._on_finding)

    def show_index(self, index: DatasetIndex) -> None:
        """List the concepts; the chosen one stays chosen if it is still there."""
        chosen = self._concepts.node(self._concept_view.currentIndex())
        self._concepts.show(index)
        self._concept_view.setRootIsDecorated(len(index.roots) > 1)
        self._concept_view.expandAll()
        at = self._concepts.index_of(None if chosen is None else chosen.key)
        self._concept_view.setCurrentIndex(at)

    def show_findings(self, findings: Iterable[Finding], *folders: Path) -> None:
        """List the findings; without any, their part is hidden."""
        self._findings.show(findings, *folders)
        count = self._findings.rowCount()
        self._heading.setText(shown(T("App", "Problems: {count}"), count=count))
        self._finding_part.setVisible(count > 0)

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

    def _below_heading(self) -> QWidget:
        look = tokens.current()
        part = QWidget(self)
        column = QVBoxLayout(part)
        column.setContentsMargins(0, look.gap_s, 0, 0)
        column.setSpacing(look.gap_s)
        self._heading.setContentsMargins(look.gap_m, 0, 0, 0)
        column.addWidget(self._heading)
        column.addWidget(self._finding_view, 1)
        return part

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
            open_path(node.path)

    def _on_finding(self, index: QModelIndex) -> None:
        self.picture_wanted.emit(self._findings.finding(index.row()).path)


def _concept_view(model: ConceptTree) -> QTreeView:
    view = QTreeView()
    view.setModel(model)
    view.setIndentation(tokens.current().icon_s)
    view.setUniformRowHeights(True)
    view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
    view.setAllColumnsShowFocus(True)
    view.setAccessibleName(shown(T("App", "Folders")))
    view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    header = view.header()
    header.setStretchLastSection(False)
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(Column.NAME, QHeaderView.ResizeMode.Stretch)
    return view


def _finding_view(model: FindingsList) -> QListView:
    view = QListView()
    view.setModel(model)
    view.setWordWrap(True)
    view.setAlternatingRowColors(True)
    look = tokens.current()
    view.setIconSize(QSize(look.icon_s, look.icon_s))
    view.setSpacing(look.gap_xs)
    view.setResizeMode(QListView.ResizeMode.Adjust)
    view.setLayoutMode(QListView.LayoutMode.Batched)  # every picture may have one
    view.setBatchSize(_BATCH)
    view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    view.setAccessibleName(shown(T("App", "Problems")))
    return view
