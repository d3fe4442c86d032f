"""How a sample picture is drawn: as large as fits, or a sign and a word why there is none."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap

from desktop_app.theme import tokens
from desktop_app.theme.icons import icon
from desktop_app.translation import shown
from trainer_core.texts import T


def draw_picture(painter: QPainter, area: QRect, path: Path, pixmap: QPixmap | None) -> None:
    """Draw a thumbnail into ``area``; None is one that is still being read, a null one cannot."""
    if pixmap is None:
        draw_blank(painter, area)
    elif pixmap.isNull():
        draw_blank(painter, area)
        _draw_sign(painter, area, missing_words(path))
    else:
        place = QRect(
            area.topLeft(), pixmap.size().scaled(area.size(), Qt.AspectRatioMode.KeepAspectRatio)
        )
        place.moveCenter(area.center())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(place, pixmap)


def draw_blank(painter: QPainter, area: QRect) -> None:
    """Draw the frame of a picture that is not there yet."""
    look = tokens.current()
    painter.setPen(QColor(look.border))
    painter.setBrush(QColor(look.panel_alternate))
    painter.drawRoundedRect(area.adjusted(0, 0, -1, -1), look.radius, look.radius)


def missing_words(path: Path) -> str:
    """Return why a picture cannot be shown."""
    if path.exists():
        return shown(T("App", "Cannot be read"))
    return shown(T("App", "The file is gone"))


def _draw_sign(painter: QPainter, area: QRect, words: str) -> None:
    look = tokens.current()
    side = 2 * look.icon_m
    sign = QRect(area.topLeft(), QSize(side, side))
    sign.moveCenter(area.center())
    sign.translate(0, -side // 2)
    icon("warning", look.text_dim).paint(painter, sign)
    painter.setPen(QColor(look.text_dim))
    painter.setFont(tokens.font(look.font_small))
    below = QRect(area.x(), sign.bottom(), area.width(), area.bottom() - sign.bottom())
    flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
    painter.drawText(below, flags, words)
