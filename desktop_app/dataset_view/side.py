"""The column beside the thumbnails: concepts and buckets to choose from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QSpinBox,
    QSplitter,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QWidget,
)

from desktop_app.dataset_view.bucket_part import BucketPart
from desktop_app.models.pictures.concept_tree import Column, ConceptTree, OwnFacts
from desktop_app.models.pictures.dataset_scan import Scan
from desktop_app.outside import open_path
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.words.settings import value_words
from trainer_core.dataset.index import Root
from trainer_core.dataset.survey import SurveyRequest
from trainer_core.settings.document import to_raw
from trainer_core.settings.folder_repeats import MAX_REPEATS
from trainer_core.settings.subsets import OWN
from trainer_core.texts import T


class DatasetSide(QSplitter):
    """Concepts above, buckets below, which take what they need until somebody says otherwise."""

    # Frozenset of the folders of concepts, and the number of their subset; None for all.
    folders_chosen = Signal(object, object)
    bucket_chosen = Signal(object)  # training size, None for all
    repeats_wanted = Signal(object, int)  # Path of a folder, how often it is to be shown
    putting_back_wanted = Signal(object)  # Path of a folder that is left out whole
    removal_wanted = Signal(object)  # Root that is not to be trained any more
    values_wanted = Signal(object, object)  # Root, its values of settings by name
    copy_wanted = Signal(object)  # Root that is to be trained at another resolution too

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
        self._is_divided_by_hand = False
        self.splitterMoved.connect(self._on_moved)
        self._concept_view.selectionModel().currentRowChanged.connect(self._on_concept)
        self._buckets.bucket_chosen.connect(self.bucket_chosen)
        self._concepts.repeats_wanted.connect(self.repeats_wanted)
        self._concepts.values_wanted.connect(self.values_wanted)

    def show_scan(self, scan: Scan) -> None:
        """List concepts and buckets; the chosen ones stay chosen if they are still there."""
        self._show_concepts(scan)
        self._buckets.show_scan(scan)
        self._buckets.setMaximumHeight(self._buckets.sizeHint().height())
        self._divide()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Share the new height out, and the new width."""
        super().resizeEvent(event)
        self._hide_counts()
        self._divide()

    def _hide_counts(self) -> None:
        """In little width names and resolutions matter more than counts."""
        look = tokens.current()
        needed = look.thumbnail * (2 if self._concepts.has_resolutions else 1)
        is_narrow = self.width() < needed + 2 * look.gap_xl
        self._concept_view.setColumnHidden(Column.PICTURES, is_narrow)

    def _divide(self) -> None:
        """Give the buckets what they need, of little room at most half unless concepts are few."""
        if self._is_divided_by_hand:
            return
        height = self.height() - self.handleWidth()
        buckets_need = self._buckets.sizeHint().height()
        buckets = min(buckets_need, max(height // 2, height - self._concepts_need()))
        self.setSizes([height - buckets, buckets])

    def _concepts_need(self) -> int:
        """Return the height at which every line of the tree is seen."""
        view = self._concept_view
        first = last = self._concepts.index(0, 0)
        while (below := view.indexBelow(last)).isValid():
            last = below
        lines = view.visualRect(last).bottom() - view.visualRect(first).top()
        return view.header().height() + max(lines, 0) + 2 * view.frameWidth()

    def _on_moved(self) -> None:
        self._is_divided_by_hand = True

    def _show_concepts(self, scan: Scan) -> None:
        index = scan.index
        chosen = self._concepts.node(self._concept_view.currentIndex())
        unusable = frozenset() if scan.audit is None else scan.audit.unusable
        self._concepts.show(index, unusable, own_facts(scan.request))
        self._concept_view.setColumnHidden(Column.RESOLUTION, not self._concepts.has_resolutions)
        self._hide_counts()
        self._concept_view.setRootIsDecorated(len(index.roots) > 1)
        self._concept_view.expandAll()
        at = self._concepts.index_of(None if chosen is None else chosen.key)
        self._concept_view.setCurrentIndex(at)

    def choose(self, folder: Path | None) -> None:
        """Show the pictures of one concept or place, of all of them with None."""
        self._concept_view.setCurrentIndex(self._concepts.index_of_folder(folder))

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
        self._repeats = QAction(shown(T("App", "Change &repeats")), self._concept_view)
        self._repeats.setShortcut("F2")
        self._repeats.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self._repeats.triggered.connect(self._on_repeats)
        self._putting_back = QAction(shown(T("App", "&Put back")), self._concept_view)
        self._putting_back.triggered.connect(self._on_putting_back)
        self._resolution = QAction(shown(T("App", "Change re&solution")), self._concept_view)
        self._resolution.triggered.connect(self._on_resolution)
        self._copying = QAction(shown(T("App", "Train at another &size too")), self._concept_view)
        self._copying.triggered.connect(self._on_copying)
        self._is_reg = QAction(shown(T("App", "Re&gularisation")), self._concept_view)
        self._is_reg.setCheckable(True)
        self._is_reg.triggered.connect(self._on_is_reg)
        of_place = [self._resolution, self._copying, self._is_reg]
        actions = [opening, self._repeats, *of_place, self._putting_back, removal]
        self._concept_view.addActions(actions)
        self._concept_view.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        return removal, opening

    def _on_concept(self, current: QModelIndex) -> None:
        node = self._concepts.node(current)
        self._removal.setEnabled(node is not None and node.root is not None)
        self._opening.setEnabled(node is not None and node.path is not None)
        self._repeats.setEnabled(node is not None and node.repeats is not None)
        self._putting_back.setVisible(node is not None and node.left_out > 0)
        can_change = node is not None and node.whole_place is not None
        for action in (self._resolution, self._copying, self._is_reg):
            action.setEnabled(can_change)
        self._is_reg.setChecked(node is not None and node.is_reg)
        if node is not None:
            subset = None if node.folders is None or node.place is None else node.place.subset
            self.folders_chosen.emit(node.folders, subset)

    def _on_removal(self) -> None:
        node = self._concepts.node(self._concept_view.currentIndex())
        if node is not None and node.root is not None:
            self.removal_wanted.emit(node.root)

    def _on_putting_back(self) -> None:
        node = self._concepts.node(self._concept_view.currentIndex())
        if node is not None and node.left_out:
            self.putting_back_wanted.emit(node.path)

    def _on_is_reg(self, is_reg: bool) -> None:
        place = self._whole_place()
        if place is not None:
            self.values_wanted.emit(place, {"is_reg": is_reg})

    def _on_copying(self) -> None:
        place = self._whole_place()
        if place is not None:
            self.copy_wanted.emit(place)

    def _on_resolution(self) -> None:
        """Let the resolution of the chosen line be typed."""
        view = self._concept_view
        view.setColumnHidden(Column.RESOLUTION, False)
        view.edit(view.currentIndex().siblingAtColumn(Column.RESOLUTION))

    def _whole_place(self) -> Root | None:
        node = self._concepts.node(self._concept_view.currentIndex())
        return None if node is None else node.whole_place

    def _on_repeats(self) -> None:
        """Let the repeats of the chosen line be typed, whichever of its cells was chosen."""
        view = self._concept_view
        cell = view.currentIndex().siblingAtColumn(Column.REPEATS)
        if self._concepts.flags(cell) & Qt.ItemFlag.ItemIsEditable:
            view.edit(cell)

    def _on_opening(self) -> None:
        node = self._concepts.node(self._concept_view.currentIndex())
        if node is not None and node.path is not None:
            open_path(node.path, self)


def own_facts(request: SurveyRequest) -> dict[int, OwnFacts]:
    """Return what each subset has of its own that the tree shows."""
    settings = request.settings
    return {
        subset.number: OwnFacts(
            settings[subset.number].rules.resolution if "resolution" in subset.own else None,
            settings[subset.number].is_reg,
            tuple(_own_words(subset.own)),
        )
        for subset in request.subsets
    }


def _own_words(own: Mapping[str, object]) -> Iterator[str]:
    for name, value in own.items():
        if name in OWN and name != "resolution":
            words = value_words(OWN[name], to_raw(OWN[name], value))
            yield shown(
                T("App", "{label}: {value}"), label=shown(OWN[name].spec.label), value=words
            )


class _RepeatsEditor(QStyledItemDelegate):
    """Edits a number from 1 on."""

    def createEditor(  # noqa: N802 - Qt's name
        self,
        parent: QWidget,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> QWidget:
        """Return a field for the number, wide enough to read it."""
        field = QSpinBox(parent)
        field.setRange(1, MAX_REPEATS)
        field.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
        field.setFrame(False)
        return field


def _concept_view(model: ConceptTree) -> QTreeView:
    view = QTreeView()
    view.setObjectName("concepts")
    view.setModel(model)
    view.setItemDelegateForColumn(Column.REPEATS, _RepeatsEditor(view))
    view.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked)
    view.setIndentation(tokens.current().icon_s)
    view.setUniformRowHeights(True)
    view.setMinimumWidth(tokens.current().thumbnail)
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
