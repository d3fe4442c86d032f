"""The grid of sample pictures: a row per prompt, a column per step, the newest step in sight."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from desktop_app.models.runs.samples_model import SampleRole, SamplesModel
from desktop_app.samples_view.painting import draw_picture
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.widgets.pictures.thumbnails import ThumbnailLoader
from desktop_app.widgets.pictures.words import draw_lines, first_lines, line_size
from trainer_core.protocol.messages import SampleReady
from trainer_core.texts import T

_PROMPT_WIDTH_PX = 150
_FITTING = (0.5, 2.0)  # sizes that cells take by themselves, in thumbnails
_SHARPNESS_PX = 64  # thumbnails are made in steps of this: a slider passes many sizes


class SampleGrid(QTableView):
    """Shows a `SamplesModel`; scrolls along with a run until one scrolls back by hand."""

    picture_wanted = Signal(object)  # a SampleReady
    arranged = Signal()  # the pictures may have another size

    def __init__(self, model: SamplesModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.loader = ThumbnailLoader(self)
        self._is_following = True
        self._chosen_side = 0
        self._look_around = QTimer(self, singleShot=True, interval=0)
        self._set_up()
        self.setModel(model)
        self._connect(model)
        self._arrange()

    def selected_samples(self) -> list[SampleReady]:
        """Return the selected samples; the one under the cursor comes first."""
        current = self.currentIndex()
        cells = sorted(self.selectedIndexes(), key=lambda i: (i != current, i.row(), i.column()))
        samples = (cell.data(SampleRole) for cell in cells)
        return [sample for sample in samples if sample is not None]

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Fit the cells, and load what came into sight."""
        super().resizeEvent(event)
        self._arrange()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Load again what was dropped out of sight."""
        super().showEvent(event)
        self._look_around.start()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Draw in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self.viewport().update()
            self.verticalHeader().viewport().update()

    def event(self, event: QEvent) -> bool:
        """Make sharper thumbnails when the window comes to a finer screen."""
        if event.type() is QEvent.Type.DevicePixelRatioChange:
            self._arrange()
        return super().event(event)

    @property
    def side(self) -> int:
        """The largest side of a picture in the grid, in device-independent pixels."""
        return self._chosen_side or self._fitting_side()

    def set_side(self, side: int) -> None:
        """Show pictures of this size; 0 lets every step fit into the width, within bounds."""
        self._chosen_side = side
        self._arrange()

    def _set_up(self) -> None:
        self.setItemDelegate(_Cell(self.loader, self))
        self.setAccessibleName(shown(T("App", "Samples")))
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        self.setShowGrid(False)
        self.setCornerButtonEnabled(False)
        self.setVerticalHeader(_PromptHeader(self))
        self.horizontalHeader().setTextElideMode(Qt.TextElideMode.ElideRight)
        for header in (self.horizontalHeader(), self.verticalHeader()):
            header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
            header.setHighlightSections(False)

    def _connect(self, model: SamplesModel) -> None:
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        across.valueChanged.connect(self._on_scrolled)
        across.rangeChanged.connect(self._on_range_changed)
        down.valueChanged.connect(lambda _: self._look_around.start())
        self._look_around.timeout.connect(self._want_visible)
        self.loader.loaded.connect(lambda _: self.viewport().update())
        self.clicked.connect(self._on_clicked)
        self.activated.connect(self._on_chosen)
        model.dataChanged.connect(self._on_drawn)
        model.columnsInserted.connect(self._arrange)
        model.modelReset.connect(self._on_reset)

    def _arrange(self) -> None:
        side = self.side
        for header in (self.horizontalHeader(), self.verticalHeader()):
            header.setDefaultSectionSize(side + 2 * tokens.current().gap_s)
        sharp = round(side * self.devicePixelRatioF())
        self.loader.set_side(-(-sharp // _SHARPNESS_PX) * _SHARPNESS_PX)
        self._look_around.start()
        self.arranged.emit()

    def _fitting_side(self) -> int:
        look = tokens.current()
        least, most = (round(look.thumbnail * share) for share in _FITTING)
        columns = max(self.model().columnCount(), 1)
        # As if there were a scroll bar beside the rows: one that comes must not change the size.
        bar = self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
        room = self.width() - self.verticalHeader().width() - bar - 2 * self.frameWidth()
        return min(max(room // columns - 2 * look.gap_s, least), most)

    # ---------------------------------------------------------------- what is in sight

    def _on_scrolled(self, value: int) -> None:
        self._is_following = value == self.horizontalScrollBar().maximum()
        self._look_around.start()

    def _on_range_changed(self, _minimum: int, maximum: int) -> None:
        if self._is_following:
            self.horizontalScrollBar().setValue(maximum)

    def _want_visible(self) -> None:
        """Load the pictures in sight, the newest step first."""
        model, area = self.model(), self.viewport().rect()
        if model is None:  # it is being taken down
            return
        rows = _sections(self.rowAt(0), self.rowAt(area.bottom()), model.rowCount())
        columns = _sections(self.columnAt(0), self.columnAt(area.right()), model.columnCount())
        cells = (model.index(row, column) for column in reversed(columns) for row in rows)
        samples = (cell.data(SampleRole) for cell in cells)
        self.loader.want(Path(sample.path) for sample in samples if sample is not None)

    def _on_drawn(self, cell: QModelIndex) -> None:
        path = Path(cell.data(SampleRole).path)
        if self.loader.thumbnail(path) is not None:  # drawn again under the same name
            self.loader.forget()
        self._look_around.start()

    def _on_reset(self) -> None:
        self._is_following = True
        self.loader.forget()  # another run may use the same names
        self._arrange()

    def _on_clicked(self, cell: QModelIndex) -> None:
        # With a key held, it selects more.
        if QGuiApplication.keyboardModifiers() == Qt.KeyboardModifier.NoModifier:
            self._on_chosen(cell)

    def _on_chosen(self, cell: QModelIndex) -> None:
        sample = cell.data(SampleRole)
        if sample is not None:
            self.picture_wanted.emit(sample)


class _Cell(QStyledItemDelegate):
    """Draws one sample picture."""

    def __init__(self, loader: ThumbnailLoader, parent: QWidget) -> None:
        super().__init__(parent)
        self._loader = loader

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Draw the cell."""
        look = tokens.current()
        sample: SampleReady | None = index.data(SampleRole)
        if sample is None:
            return
        area: QRect = option.rect
        painter.save()
        if option.state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver):
            is_selected = option.state & QStyle.StateFlag.State_Selected
            painter.fillRect(area, QColor(look.accent if is_selected else look.border_strong))
        gap = look.gap_s
        path = Path(sample.path)
        inner = area.adjusted(gap, gap, -gap, -gap)
        draw_picture(painter, inner, path, self._loader.thumbnail(path))
        painter.restore()


class _PromptHeader(QHeaderView):
    """The prompts beside the rows, in as many lines as a row is high."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self.setFixedWidth(_PROMPT_WIDTH_PX)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Take the same width for every prompt."""
        return QSize(_PROMPT_WIDTH_PX, 0)

    def paintSection(  # noqa: N802 - Qt's name
        self, painter: QPainter, rect: QRect, logical_index: int
    ) -> None:
        """Draw one prompt from the top, what does not fit as an ellipsis."""
        look = tokens.current()
        words = self.model().headerData(logical_index, self.orientation())
        inner = rect.adjusted(look.gap_m, look.gap_m, -look.gap_m, -look.gap_s)
        painter.save()
        painter.setFont(tokens.font(look.font_small))
        painter.setPen(QColor(look.text))
        line = line_size(painter.font(), [words])
        lines = first_lines(words, painter, inner.width(), inner.height() // line.height)
        draw_lines(painter, inner.topLeft(), lines, line)
        painter.restore()


def _sections(first: int, last: int, count: int) -> range:
    """Return the sections between two of a view, which says -1 for what lies past the last."""
    return range(max(first, 0), last + 1 if last >= 0 else count)
