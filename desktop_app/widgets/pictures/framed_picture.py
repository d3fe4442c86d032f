"""One picture as large as fits; what lies outside a frame on it is dimmed."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QRect, QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPixmap, QRegion, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop_app.theme import tokens
from desktop_app.theme.icons import icon
from desktop_app.widgets.pictures.thumbnails import ThumbnailLoader

_LEAST_HEIGHT_PX = 96
# Steps, so that a border that is dragged does not decode at every pixel.
_SIDES_PX = (256, 384, 512, 768, 1024, 1536, 2048)
_MEMORY_BYTES = 48 * 2**20  # three of the largest
WHOLE = QRectF(0, 0, 1, 1)


class FramedPicture(QWidget):
    """Shows a picture file; the frame is given in shares of the picture's width and height."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.loader = ThumbnailLoader(self, memory_bytes=_MEMORY_BYTES)
        self._path: Path | None = None
        self._next: tuple[Path, ...] = ()
        self._preview: QPixmap | None = None
        self._kept = WHOLE
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(_LEAST_HEIGHT_PX, _LEAST_HEIGHT_PX)
        self.loader.loaded.connect(self.update)

    def show_picture(
        self,
        path: Path | None,
        kept: QRectF = WHOLE,
        *,
        preview: QPixmap | None = None,
        likely_next: tuple[Path, ...] = (),
    ) -> None:
        """Show a picture with a frame around the part that is kept.

        Args:
            path: The file; None shows nothing.
            kept: The frame; the whole picture has none.
            preview: What to show until the file is decoded.
            likely_next: Files to decode ahead.
        """
        self._path, self._kept = path, kept
        self._preview, self._next = preview, likely_next
        self._load_shown()
        self.update()

    def reload(self) -> None:
        """Read the files anew: they may have changed."""
        self._preview = None
        self.loader.forget()
        self._load_shown()
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Ask for room to judge a picture."""
        side = 2 * tokens.current().thumbnail
        return QSize(side, side)

    def place(self) -> QRect:
        """Return where the picture is drawn, in device-independent pixels."""
        pixmap = self._pixmap()
        if pixmap is None or pixmap.isNull():
            return QRect()
        # Rounded, where QSize.scaled cuts off: a square must look like one.
        width, height = pixmap.width(), pixmap.height()
        factor = min(self.width() / width, self.height() / height)
        place = QRect(0, 0, max(round(width * factor), 1), max(round(height * factor), 1))
        place.moveCenter(self.rect().center())
        return place

    def frame(self) -> QRectF:
        """Return where the frame is drawn, on whole pixels of the screen."""
        place, ratio = self.place(), self.devicePixelRatioF()
        left = place.x() + self._kept.left() * place.width()
        top = place.y() + self._kept.top() * place.height()
        right = place.x() + self._kept.right() * place.width()
        bottom = place.y() + self._kept.bottom() * place.height()
        corners = [round(edge * ratio) / ratio for edge in (left, top, right, bottom)]
        return QRectF(corners[0], corners[1], corners[2] - corners[0], corners[3] - corners[1])

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the picture, then what dims it."""
        painter = QPainter(self)
        pixmap = self._pixmap()
        if pixmap is not None and not pixmap.isNull():
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(self.place(), pixmap)
            if self._kept != WHOLE:
                self._draw_frame(painter)
        elif self._path is not None:
            self._draw_blank(painter, is_loading=pixmap is None)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Decode as many pixels as are shown."""
        super().resizeEvent(event)
        self._load_shown()

    def event(self, event: QEvent) -> bool:
        """Decode more pixels when the window comes to a finer screen."""
        if event.type() is QEvent.Type.DevicePixelRatioChange:
            self._load_shown()
        return super().event(event)

    def _pixmap(self) -> QPixmap | None:
        if self._path is None:
            return None
        loaded = self.loader.thumbnail(self._path)
        return self._preview if loaded is None else loaded

    def _load_shown(self) -> None:
        shown = max(self.width(), self.height()) * self.devicePixelRatioF()
        self.loader.set_side(next((side for side in _SIDES_PX if side >= shown), _SIDES_PX[-1]))
        if self._path is not None:
            self.loader.want([self._path, *self._next])

    def _draw_frame(self, painter: QPainter) -> None:
        look = tokens.current()
        frame = self.frame()
        painter.save()
        painter.setClipRegion(QRegion(self.place()))
        shade = QColor(look.picture_shade)
        shade.setAlphaF(_SHADE)
        for part in _around(QRectF(self.place()), frame):
            painter.fillRect(part, shade)
        painter.restore()
        # A light line in a dark one is seen on any picture.
        light = frame.adjusted(look.line, look.line, -look.line, -look.line)
        dark = light.adjusted(look.line, look.line, -look.line, -look.line)
        for outer, inner, colour in (
            (frame, light, look.picture_frame),
            (light, dark, look.picture_shade),
        ):
            for part in _around(outer, inner):
                painter.fillRect(part, QColor(colour))

    def _draw_blank(self, painter: QPainter, *, is_loading: bool) -> None:
        look = tokens.current()
        painter.setPen(QColor(look.border))
        painter.setBrush(QColor(look.panel_alternate))
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), look.radius, look.radius)
        if not is_loading:
            side = 2 * look.icon_m
            sign = QRect(0, 0, side, side)
            sign.moveCenter(self.rect().center())
            icon("pictures", look.text_disabled).paint(painter, sign)


_SHADE = 0.62


def _around(outer: QRectF, inner: QRectF) -> tuple[QRectF, ...]:
    """Return the four parts of ``outer`` outside ``inner``: above, below, left, right."""
    top, bottom = inner.top(), inner.bottom()
    return (
        QRectF(outer.left(), outer.top(), outer.width(), top - outer.top()),
        QRectF(outer.left(), bottom, outer.width(), outer.bottom() - bottom),
        QRectF(outer.left(), top, inner.left() - outer.left(), inner.height()),
        QRectF(inner.right(), top, outer.right() - inner.right(), inner.height()),
    )
