"""A grid of pictures with a line of words under each; it loads what can be seen first."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    QTimer,
)
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from desktop_app.theme import tokens
from desktop_app.theme.icons import icon
from desktop_app.widgets.pictures.thumbnails import ThumbnailLoader
from desktop_app.widgets.pictures.words import draw_lines, first_lines, line_size

_CAPTION_LINES = 2
_DIMMED = 0.35  # of what is there, but does not count


class ThumbnailGrid(QListView):
    """Shows a model of pictures, of which several can be selected.

    Args:
        path_role: Role of the picture's Path.
        caption_role: Role of the words below the name.
        badge_role: Role of the mark in its corner: the name of an icon and of its colour among
            the theme's tokens, or None.
        dimmed_role: Role of what is true of pictures that are drawn pale.
    """

    def __init__(
        self,
        *,
        path_role: int,
        caption_role: int,
        badge_role: int,
        dimmed_role: int,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.loader = ThumbnailLoader(self)
        self._path_role = path_role
        self._side = tokens.current().thumbnail
        roles = _Roles(path_role, caption_role, badge_role, dimmed_role)
        self._cell = _Cell(self.loader, roles, self)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setItemDelegate(self._cell)
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self._look_around = QTimer(self, singleShot=True, interval=0)
        self._look_around.timeout.connect(self._want_visible)
        self.verticalScrollBar().valueChanged.connect(lambda _: self._look_around.start())
        self.loader.loaded.connect(self._on_loaded)

    @property
    def columns(self) -> int:
        """Pictures side by side."""
        return max(1, self._room // self._cell.width(self._side))

    @property
    def _room(self) -> int:
        """The width for columns; a scroll bar that comes and goes does not change it."""
        bar = self.verticalScrollBar().sizeHint().width()
        return self.maximumViewportSize().width() - bar - 1

    def set_side(self, side: int) -> None:
        """Show pictures that fit into a square of ``side`` pixels."""
        self._side = side
        self._arrange()

    def reload(self) -> None:
        """Read every picture anew: the files may have changed."""
        self.loader.forget()
        self.viewport().update()
        self._look_around.start()

    def reload_picture(self, path: Path) -> None:
        """Read one picture anew: its file has changed."""
        self.loader.drop(path)
        self.viewport().update()
        self._look_around.start()

    def setModel(self, model: QAbstractItemModel | None) -> None:  # noqa: N802 - Qt's name
        """Show another model."""
        super().setModel(model)
        if model is not None:
            model.modelReset.connect(self._look_around.start)
            model.modelReset.connect(self._forget_heights)
            model.dataChanged.connect(self._look_around.start)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Spread the columns over the new width."""
        current, before = self.currentIndex(), QRect(QPoint(0, 0), event.oldSize())
        is_in_sight = before.contains(self.visualRect(current).center())
        super().resizeEvent(event)
        self._arrange()
        if current.isValid() and is_in_sight:
            self.scrollTo(current)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Draw in the colours and fonts of a new theme."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._forget_heights()
            self._arrange()

    def event(self, event: QEvent) -> bool:
        """Make sharper thumbnails when the window comes to a finer screen."""
        if event.type() is QEvent.Type.DevicePixelRatioChange:
            self._arrange()
        return super().event(event)

    def _arrange(self) -> None:
        self._cell.side = self._side
        self.loader.set_side(round(self._side * self.devicePixelRatioF()))
        # QListView starts a new line where a row would fill the width to the last pixel.
        width = self._room // self.columns
        size = QSize(width, self._cell.height(self._side))
        if size != self.gridSize():
            current = self.currentIndex()
            is_in_sight = self.viewport().rect().contains(self.visualRect(current).center())
            self.setGridSize(size)
            if current.isValid() and is_in_sight:
                self.scrollTo(current)
        self._look_around.start()

    def _forget_heights(self) -> None:
        """Take the usual height for lines of words, until others come into sight."""
        self._cell.line = line_size(tokens.font(tokens.current().font_small))

    def _make_room(self, rows: range) -> None:
        """Let lines be as high as the scripts need that are in sight."""
        model = self.model()
        if self._cell.grow(model.index(row, 0) for row in rows):
            self._arrange()

    def _want_visible(self) -> None:
        model, height = self.model(), self.gridSize().height()
        if model is None or height <= 0:
            return
        visible_height = self.viewport().height()
        first = self.verticalOffset() // height * self.columns
        count = (visible_height // height + 2) * self.columns
        rows = [
            *range(first, first + count),
            *range(first + count, first + 2 * count),
            *range(first - count, first),
        ]
        last = model.rowCount()
        self._make_room(range(first, min(first + count, last)))
        self.loader.want(
            model.index(row, 0).data(self._path_role) for row in rows if 0 <= row < last
        )

    def _on_loaded(self, _path: Path) -> None:
        self.viewport().update()  # Qt gathers these into one paint


class _Roles(NamedTuple):
    """What a cell asks of a model."""

    path: int
    caption: int
    badge: int
    dimmed: int


class _Cell(QStyledItemDelegate):
    """Draws one picture with its name, words and mark."""

    def __init__(self, loader: ThumbnailLoader, roles: _Roles, parent: QWidget) -> None:
        super().__init__(parent)
        self.side = 0
        self._icons: dict[tuple[str, str], QIcon] = {}
        self._loader = loader
        self._roles = roles
        self.line = line_size(tokens.font(tokens.current().font_small))

    def grow(self, cells: Iterable[QModelIndex]) -> bool:
        """Take the height that the words of some cells need; tell whether it is more."""
        font = tokens.font(tokens.current().font_small)
        roles = (Qt.ItemDataRole.DisplayRole, self._roles.caption)
        wanted = line_size(font, (str(cell.data(role)) for cell in cells for role in roles))
        before, self.line = self.line, self.line.with_room_for(wanted)
        return self.line != before

    def width(self, side: int) -> int:
        """Return the least width of a cell."""
        look = tokens.current()
        return side + 2 * look.gap_m + 2 * look.gap_s

    def height(self, side: int) -> int:
        """Return the height of a cell."""
        look = tokens.current()
        words = self.line.height * (1 + _CAPTION_LINES)
        return side + words + 2 * look.gap_m + 2 * look.gap_s

    def sizeHint(  # noqa: N802 - Qt's name
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """Fill the grid."""
        return QSize(self.width(self.side), self.height(self.side))

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Draw the cell."""
        look = tokens.current()
        gap = look.gap_s
        area: QRect = option.rect.adjusted(gap // 2, gap // 2, -gap // 2, -gap // 2)
        painter.save()
        self._draw_ground(painter, area, option.state)
        if index.data(self._roles.dimmed):
            painter.setOpacity(_DIMMED)
        inner = area.adjusted(look.gap_m, look.gap_m, -look.gap_m, -look.gap_m)
        frame = QRect(inner.x(), inner.y(), inner.width(), self.side)
        shown = self._draw_picture(painter, frame, index.data(self._roles.path))
        self._draw_badge(painter, shown, index.data(self._roles.badge))
        words = inner.adjusted(0, self.side + look.gap_s, 0, 0)
        is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
        self._draw_words(painter, words, index, is_selected=is_selected)
        painter.restore()

    def _draw_ground(self, painter: QPainter, area: QRect, state: QStyle.StateFlag) -> None:
        look = tokens.current()
        colour = None
        if state & QStyle.StateFlag.State_Selected:
            colour = look.selection
        elif state & QStyle.StateFlag.State_MouseOver:
            colour = look.hovered
        if colour is not None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colour))
            painter.drawRoundedRect(area, look.radius, look.radius)

    def _draw_picture(self, painter: QPainter, frame: QRect, path: Path) -> QRect:
        pixmap = self._loader.thumbnail(path)
        if pixmap is None or pixmap.isNull():
            self._draw_blank(painter, frame, is_loading=pixmap is None)
            return _centred(frame, QSize(self.side, self.side))
        place = _centred(frame, _shown_size(pixmap, self.side))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(place, pixmap)
        return place

    def _draw_blank(self, painter: QPainter, frame: QRect, *, is_loading: bool) -> None:
        look = tokens.current()
        square = _centred(frame, QSize(self.side, self.side))
        painter.setPen(QColor(look.border))
        painter.setBrush(QColor(look.panel_alternate))
        painter.drawRoundedRect(square, look.radius, look.radius)
        if not is_loading:
            sign = _centred(square, QSize(2 * look.icon_m, 2 * look.icon_m))
            self._icon("pictures", look.text_disabled).paint(painter, sign)

    def _draw_badge(self, painter: QPainter, picture: QRect, badge: str | None) -> None:
        if badge is None:
            return
        look = tokens.current()
        side = look.icon_m + 2 * look.gap_xs
        place = QRect(picture.right() - side - look.gap_xs, picture.y() + look.gap_xs, side, side)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(look.panel))
        painter.drawEllipse(place)
        sign = _centred(place, QSize(look.icon_s, look.icon_s))
        self._icon(badge, getattr(look, badge)).paint(painter, sign)

    def _icon(self, name: str, colour: str) -> QIcon:
        if (name, colour) not in self._icons:
            self._icons[name, colour] = icon(name, colour)
        return self._icons[name, colour]

    def _draw_words(
        self,
        painter: QPainter,
        area: QRect,
        index: QModelIndex | QPersistentModelIndex,
        *,
        is_selected: bool,
    ) -> None:
        look = tokens.current()
        font = tokens.font(look.font_small)
        painter.setFont(font)
        name = index.data(Qt.ItemDataRole.DisplayRole)
        middle = Qt.TextElideMode.ElideMiddle
        name = painter.fontMetrics().elidedText(name, middle, area.width())
        # Dim words on the ground of a selection cannot be read.
        painter.setPen(QColor(look.text if is_selected else look.text_dim))
        draw_lines(painter, area.topLeft(), [name], self.line)
        painter.setPen(QColor(look.text))
        caption = index.data(self._roles.caption)
        lines = first_lines(caption, painter, area.width(), _CAPTION_LINES)
        draw_lines(painter, area.topLeft() + QPoint(0, self.line.height), lines, self.line)


def _shown_size(pixmap: QPixmap, side: int) -> QSize:
    size = pixmap.size()
    box = QSize(side, side)
    if size.width() <= side and size.height() <= side:
        return size
    return size.scaled(box, Qt.AspectRatioMode.KeepAspectRatio)


def _centred(area: QRect, size: QSize) -> QRect:
    place = QRect(area.topLeft(), size)
    place.moveCenter(area.center())
    return place
