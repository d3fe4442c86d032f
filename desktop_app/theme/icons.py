"""Icons: line drawings of ``resources/icons`` in the colours of the theme."""

from __future__ import annotations

import functools

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from desktop_app.theme import tokens
from trainer_core.files.resources import resource_path

_SIZES_PX = (16, 20, 24, 32, 40, 48)  # up to 24 at 200 % scaling


def icon(name: str, colour: str | None = None) -> QIcon:
    """Return the drawing ``name`` in the theme's text colour, or in ``colour``."""
    look = tokens.current()
    return _drawn(name, colour or look.text, look.text_disabled)


@functools.cache
def _drawn(name: str, normal: str, disabled: str) -> QIcon:
    drawn = QIcon()
    for mode, stroke in ((QIcon.Mode.Normal, normal), (QIcon.Mode.Disabled, disabled)):
        renderer = QSvgRenderer(QByteArray(_drawing(name).replace("currentColor", stroke).encode()))
        for size_px in _SIZES_PX:
            drawn.addPixmap(_painted(renderer, size_px), mode)
    return drawn


def app_icon() -> QIcon:
    """Return the icon of the program, in its own colours."""
    return QIcon(str(resource_path("icons", "app.svg")))


def _drawing(name: str) -> str:
    return resource_path("icons", f"{name}.svg").read_text(encoding="utf-8")


def _painted(renderer: QSvgRenderer, size_px: int) -> QPixmap:
    pixmap = QPixmap(size_px, size_px)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, size_px, size_px))
    painter.end()
    return pixmap
