"""The list of problems: of each the cause, below it the remedy, as words or as a button."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from PySide6.QtCore import (
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFontMetrics,
    QMouseEvent,
    QPainter,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QMenu,
    QPushButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionButton,
    QStyleOptionViewItem,
    QWidget,
)

from desktop_app.models.problems_model import Entry, ProblemsModel
from desktop_app.theme import tokens
from desktop_app.theme.icons import icon
from desktop_app.words.paths import breakable

_WIDEST_WORDS_PX = 900  # longer lines are hard to follow
_BATCH = 200  # rows that are laid out at once: there may be ten thousand
_WRAPPED = Qt.TextFlag.TextWordWrap


class ProblemList(QListView):
    """The rows; the first button of the current one is a real one, which Tab reaches."""

    applied = Signal(object)  # the Entry whose button was pressed

    def __init__(self, model: ProblemsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._problems = model
        self._apply = QPushButton(self.viewport())
        self._apply.hide()
        self._rows = _Rows(model, self._apply, self)
        self.setObjectName("problems")
        self.setModel(model)
        self.setItemDelegate(self._rows)
        self.setMouseTracking(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setLayoutMode(QListView.LayoutMode.Batched)
        self.setBatchSize(_BATCH)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._apply.clicked.connect(self._on_apply)
        self.verticalScrollBar().valueChanged.connect(self._place_button)
        self.selectionModel().currentChanged.connect(self._place_button)
        model.modelReset.connect(self._on_reset)
        self._on_reset()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Wrap the words anew."""
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()
        self._place_button()

    def updateGeometries(self) -> None:  # noqa: N802 - Qt's name
        """Take the button along when the rows are laid out."""
        super().updateGeometries()
        self._place_button()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Measure the rows in another font."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.FontChange:
            self.scheduleDelayedItemsLayout()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Press a button of a row; anywhere else a click leads to the place."""
        place = event.position().toPoint()
        index = self.indexAt(place)
        buttons = self._rows.buttons(self.visualRect(index), index) if index.isValid() else ()
        for way, button in zip(self._ways(index), buttons, strict=False):
            if button.contains(place):
                self.applied.emit(way)
                return
        super().mouseReleaseEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802 - Qt's name
        """Offer all that mends a row."""
        is_by_key = event.reason() is QContextMenuEvent.Reason.Keyboard
        index = self.currentIndex() if is_by_key else self.indexAt(event.pos())
        ways = self._ways(index)
        if not ways:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for way in ways:
            menu.addAction(way.button.replace("&", "&&"), partial(self.applied.emit, way))
        place = self.visualRect(index).center() if is_by_key else event.pos()
        menu.popup(self.viewport().mapToGlobal(place))

    def _ways(self, index: QModelIndex) -> tuple[Entry, ...]:
        return self._problems.entry(index.row()).ways if index.isValid() else ()

    def _on_reset(self) -> None:
        if self._problems.rowCount():
            flag = QItemSelectionModel.SelectionFlag
            first = self._problems.index(0, 0)
            self.selectionModel().setCurrentIndex(first, flag.ClearAndSelect)
        self._place_button()

    def _place_button(self) -> None:
        index = self.currentIndex()
        place = QRect()
        if index.isValid() and index.row() < self._problems.rowCount():
            place = next(iter(self._rows.buttons(self.visualRect(index), index)), place)
        self._apply.setVisible(not place.isEmpty())
        if not place.isEmpty():
            self._apply.setText(self._ways(index)[0].button)
            self._apply.setGeometry(place)

    def _on_apply(self) -> None:
        for way in self._ways(self.currentIndex())[:1]:
            self.applied.emit(way)


class _Parts(NamedTuple):
    """Where the parts of a row are drawn; those that it lacks are empty."""

    sign: QRect
    cause: QRect
    buttons: tuple[QRect, ...]
    remedy: QRect
    height: int


class _Rows(QStyledItemDelegate):
    """Measures and draws the rows."""

    def __init__(self, model: ProblemsModel, button: QPushButton, view: QListView) -> None:
        super().__init__(view)
        self._model = model
        self._button = button  # how buttons look
        self._view = view

    def sizeHint(  # noqa: N802 - Qt's name
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """Return the size of a row whose words are wrapped to the width of the list."""
        width = self._view.viewport().width()
        return QSize(0, self._parts(QRect(0, 0, width, 0), self._model.entry(index.row())).height)

    def buttons(self, row: QRect, index: QModelIndex | QPersistentModelIndex) -> tuple[QRect, ...]:
        """Return where the buttons of a row are, one for each way out."""
        return self._parts(row, self._model.entry(index.row())).buttons

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Draw a row."""
        look = tokens.current()
        entry = self._model.entry(index.row())
        parts = self._parts(option.rect, entry)
        painter.save()
        state = option.state
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, QColor(look.selection))
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(option.rect, QColor(look.hovered))
        severity = str(entry.severity)
        icon(severity, str(getattr(look, severity))).paint(painter, parts.sign)
        painter.setPen(QColor(look.text))
        painter.drawText(parts.cause, _WRAPPED, breakable(entry.message))
        if not state & QStyle.StateFlag.State_Selected:  # dim words there cannot be read
            painter.setPen(QColor(look.text_dim))
        painter.drawText(parts.remedy, _WRAPPED, breakable(_remedy(entry)))
        is_current = index == self._view.currentIndex()
        for number, (way, place) in enumerate(zip(entry.ways, parts.buttons, strict=True)):
            if number > 0 or not is_current:
                self._draw_button(painter, place, way.button)
        painter.restore()

    def _draw_button(self, painter: QPainter, place: QRect, words: str) -> None:
        option = QStyleOptionButton()
        option.initFrom(self._button)
        option.rect = place
        option.text = words
        option.state = QStyle.StateFlag.State_Enabled | QStyle.StateFlag.State_Raised
        control = QStyle.ControlElement.CE_PushButton
        self._button.style().drawControl(control, option, painter, self._button)

    def _parts(self, row: QRect, entry: Entry) -> _Parts:
        look = tokens.current()
        metrics = self._view.fontMetrics()
        line = metrics.lineSpacing()
        sign = QRect(row.left() + look.gap_m, row.top() + look.gap_s, look.icon_s, look.icon_s)
        left = sign.right() + 1 + look.gap_m
        width = max(min(row.right() - look.gap_m - left, _WIDEST_WORDS_PX), line)
        cause = _wrapped(metrics, entry.message, sign.topLeft(), left, width)
        top = cause.bottom() + 1 + look.gap_xs
        buttons = self._placed(entry.ways, QPoint(left, top), width)
        if buttons:
            button = buttons[-1]
            top = button.top()
            words_left = button.right() + 1 + look.gap_m
            words = _remedy(entry)
            rest = max(left + width - words_left, line)
            remedy = _wrapped(metrics, words, QPoint(words_left, top), words_left, rest)
            remedy.setWidth(min(rest, metrics.horizontalAdvance(words) + 1))
            remedy.moveTop(button.center().y() - remedy.height() // 2)
            if not words:
                remedy = QRect()
            elif metrics.horizontalAdvance(words) > rest:  # below the button then
                below = QPoint(left, button.bottom() + 1 + look.gap_xs)
                remedy = _wrapped(metrics, words, below, left, width)
            bottom = max(button.bottom(), remedy.bottom())
        else:
            remedy = _wrapped(metrics, _remedy(entry), QPoint(left, top), left, width)
            bottom = remedy.bottom() if not remedy.isEmpty() else cause.bottom()
        return _Parts(sign, cause, buttons, remedy, bottom + 1 + look.gap_s - row.top())

    def _placed(self, ways: Sequence[Entry], start: QPoint, width: int) -> tuple[QRect, ...]:
        """Return where buttons stand: beside one another, and below where there is no room."""
        look, height = tokens.current(), self._button.sizeHint().height()
        x, y = start.x(), start.y()
        placed: list[QRect] = []
        for way in ways:
            wanted = min(self._button_width(way.button), width)
            if placed and x + wanted > start.x() + width:
                x, y = start.x(), y + height + look.gap_xs
            placed.append(QRect(x, y, wanted, height))
            x += wanted + look.gap_s
        return tuple(placed)

    def _button_width(self, words: str) -> int:
        look = tokens.current()
        return self._view.fontMetrics().horizontalAdvance(words) + 2 * (look.gap_l + look.line)


def _wrapped(metrics: QFontMetrics, words: str, top: QPoint, left: int, width: int) -> QRect:
    """Return where words stand that are wrapped to a width; empty without any."""
    if not words:
        return QRect()
    bounds = metrics.boundingRect(QRect(0, 0, width, 0), _WRAPPED, breakable(words))
    return QRect(left, top.y(), width, bounds.height())


def _remedy(entry: Entry) -> str:
    """Return what stands below the cause: where it is, and what only a person can do."""
    return "  ·  ".join(filter(None, (entry.hint, entry.place)))
