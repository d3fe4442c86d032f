"""A list of bars, one below the other; one of them can be chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from desktop_app.theme import tokens

_NO_INDEX = QModelIndex()
_LEAST_ROWS = 1


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what it stands for, its name, its length, and what more there is to say."""

    key: object
    label: str
    value: int
    tooltip: str = ""


class BarList(QListView):
    """Bars with names and numbers; a click chooses one, another click or Escape none."""

    chosen = Signal(object)  # key of the bar, None for none

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bars = _Bars(self)
        self._key: object = None
        self.setModel(self._bars)
        self.setItemDelegate(_BarDelegate(self))
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.selectionModel().selectionChanged.connect(self._on_selected)

    def show_bars(self, bars: Sequence[Bar]) -> None:
        """Show these bars; the chosen one stays chosen if it is still there."""
        key = self._key
        self._bars.show(bars)
        self.updateGeometry()
        if key is not None and self.selectionModel().hasSelection() is False:
            self._key = None
            row = self._bars.row_of(key)
            if row is None:
                self.chosen.emit(None)
            else:
                self._select(row)

    def choose_none(self) -> None:
        """Choose no bar."""
        self.selectionModel().clear()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the size of all bars."""
        rows = max(self._bars.rowCount(), _LEAST_ROWS)
        return QSize(super().sizeHint().width(), rows * _row_height() + 2 * self.frameWidth())

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the size of a bar whose name and number do not meet."""
        return QSize(self._bars.least_width, _LEAST_ROWS * _row_height())

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Choose a bar, or none if it was the chosen one."""
        index = self.indexAt(event.position().toPoint())
        if self.selectionModel().isSelected(index):
            self.choose_none()
        else:
            super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Choose none on Escape."""
        if event.key() == Qt.Key.Key_Escape and self._key is not None:
            self.choose_none()
        else:
            super().keyPressEvent(event)

    def _select(self, row: int) -> None:
        flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
        self.selectionModel().setCurrentIndex(self._bars.index(row), flag)

    def _on_selected(self) -> None:
        rows = self.selectionModel().selectedRows()
        key = self._bars.bar(rows[0].row()).key if rows else None
        if key != self._key:
            self._key = key
            self.chosen.emit(key)


class _Bars(QAbstractListModel):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._bars: list[Bar] = []
        self.longest = 1
        self.label_width = 0
        self.value_width = 0

    def show(self, bars: Sequence[Bar]) -> None:
        """Hold these bars instead; without a reset where they stand for the same."""
        is_same = [bar.key for bar in bars] == [bar.key for bar in self._bars]
        if not is_same:
            self.beginResetModel()
        self._bars = list(bars)
        metrics = QFontMetrics(tokens.font(tokens.current().font_small))
        self.longest = max((bar.value for bar in bars), default=1) or 1
        self.label_width = max((metrics.horizontalAdvance(b.label) for b in bars), default=0)
        self.value_width = max((metrics.horizontalAdvance(str(b.value)) for b in bars), default=0)
        if not is_same:
            self.endResetModel()
        elif bars:
            self.dataChanged.emit(self.index(0), self.index(len(bars) - 1))

    @property
    def least_width(self) -> int:
        """What names and numbers need, with a bit of a bar between them."""
        look = tokens.current()
        return self.label_width + self.value_width + look.icon_s + 4 * look.gap_m

    def bar(self, row: int) -> Bar:
        """Return the bar in a row."""
        return self._bars[row]

    def row_of(self, key: object) -> int | None:
        """Return the row of a bar."""
        return next((row for row, bar in enumerate(self._bars) if bar.key == key), None)

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _NO_INDEX) -> int:  # noqa: N802
        """Return the number of bars."""
        return 0 if parent.isValid() else len(self._bars)

    def data(
        self,
        index: QModelIndex | QPersistentModelIndex,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        """Return what a view or a screen reader tells of a bar."""
        bar = self._bars[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return bar.label
            case Qt.ItemDataRole.ToolTipRole | Qt.ItemDataRole.AccessibleTextRole:
                return bar.tooltip
        return None


class _BarDelegate(QStyledItemDelegate):
    """Draws name, bar and number on one line."""

    def sizeHint(  # noqa: N802 - Qt's name
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """Take the width of the list."""
        return QSize(0, _row_height())

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Draw one bar."""
        model = index.model()
        assert isinstance(model, _Bars)
        look, bar, area = tokens.current(), model.bar(index.row()), option.rect
        painter.save()
        _draw_ground(painter, area, option.state)
        painter.setFont(tokens.font(look.font_small))
        inner = area.adjusted(look.gap_m, 0, -look.gap_m, 0)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(QColor(look.text))
        painter.drawText(inner, middle, bar.label)
        painter.drawText(inner, middle | Qt.AlignmentFlag.AlignRight, str(bar.value))
        left = model.label_width + look.gap_m
        room = inner.width() - left - model.value_width - look.gap_m
        length = max(room * bar.value / model.longest, look.mark)
        thick = area.height() - 2 * look.gap_s
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(look.chart_lines[0]))
        place = QRectF(inner.left() + left, area.top() + look.gap_s, length, thick)
        painter.drawRoundedRect(place, look.gap_xs, look.gap_xs)
        painter.restore()


def _draw_ground(painter: QPainter, area: QRect, state: QStyle.StateFlag) -> None:
    look = tokens.current()
    if state & QStyle.StateFlag.State_Selected:
        painter.fillRect(area, QColor(look.selection))
    elif state & QStyle.StateFlag.State_MouseOver:
        painter.fillRect(area, QColor(look.hovered))


def _row_height() -> int:
    look = tokens.current()
    return QFontMetrics(tokens.font(look.font_small)).lineSpacing() + look.gap_s
