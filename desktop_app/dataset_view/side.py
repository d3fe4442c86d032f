"""The column beside the thumbnails: concepts and buckets to choose from, findings that lead on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QModelIndex, QSize, Qt, Signal
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
from desktop_app.models.concept_table import Column, ConceptTable
from desktop_app.models.dataset_scan import Scan
from desktop_app.models.findings_list import FindingsList
from desktop_app.theme import tokens
from desktop_app.translation import shown
from trainer_core.dataset.audit import Finding
from trainer_core.dataset.index import DatasetIndex
from trainer_core.texts import T

_SHARES = (2, 2, 3)  # of the height, for concepts, buckets and findings


class DatasetSide(QSplitter):
    """Concepts above, then buckets, findings below."""

    folders_chosen = Signal(object)  # frozenset of the folders of concepts, None for all
    bucket_chosen = Signal(object)  # training size, None for all
    picture_wanted = Signal(object)  # Path that a finding is about

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self._concepts = ConceptTable(self)
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
        for part, share in enumerate(_SHARES):
            self.setStretchFactor(part, share)
        self._concept_view.selectionModel().currentRowChanged.connect(self._on_concept)
        self._buckets.bucket_chosen.connect(self.bucket_chosen)
        self._finding_view.clicked.connect(self._on_finding)
        self._finding_view.activated.connect(self._on_finding)

    def show_index(self, index: DatasetIndex) -> None:
        """List the concepts; the chosen one stays chosen if it is still there."""
        chosen = self._concepts.folder(self._concept_view.currentIndex().row())
        self._concepts.show(index.concepts)
        self.choose(chosen)

    def show_findings(self, findings: Iterable[Finding], folder: Path) -> None:
        """List the findings; without any, their part is hidden."""
        self._findings.show(findings, folder)
        count = self._findings.rowCount()
        self._heading.setText(shown(T("App", "Problems: {count}"), count=count))
        self._finding_part.setVisible(count > 0)

    def choose(self, folder: Path | None) -> None:
        """Show the pictures of one concept, of all of them with None."""
        row = self._concepts.row_of(folder)
        self._concept_view.setCurrentIndex(self._concepts.index(row, 0))

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

    def _on_concept(self, current: QModelIndex) -> None:
        if current.isValid():
            folder = self._concepts.folder(current.row())
            self.folders_chosen.emit(None if folder is None else frozenset({folder}))

    def _on_finding(self, index: QModelIndex) -> None:
        self.picture_wanted.emit(self._findings.finding(index.row()).path)


def _concept_view(model: ConceptTable) -> QTreeView:
    view = QTreeView()
    view.setModel(model)
    view.setRootIsDecorated(False)
    view.setUniformRowHeights(True)
    view.setAllColumnsShowFocus(True)
    view.setAccessibleName(shown(T("App", "Folders")))
    view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    view.setHeaderHidden(True)
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
    view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    view.setAccessibleName(shown(T("App", "Problems")))
    return view
