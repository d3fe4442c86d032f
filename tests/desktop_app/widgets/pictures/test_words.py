"""Lines under pictures have room for every script."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QFont, QFontMetrics, QImage, QPainter
from pytestqt.qtbot import QtBot

from desktop_app.theme import tokens
from desktop_app.widgets.pictures.words import LineSize, draw_lines, line_size

CHINESE = "一只红色的猫坐在窗边"


@pytest.fixture
def font(qtbot: QtBot) -> QFont:
    return tokens.font(tokens.current().font_small)


def rows_of_ink(font: QFont, words: str, place: QPoint, size: LineSize) -> list[int]:
    """Return the rows of pixels that a line is drawn on."""
    image = QImage(400, 60, QImage.Format.Format_Grayscale8)
    image.fill(255)
    painter = QPainter(image)
    painter.setFont(font)
    draw_lines(painter, place, [words], size)
    painter.end()
    return [y for y in range(60) if any(image.pixelColor(x, y).value() < 255 for x in range(400))]


@pytest.mark.parametrize("words", [CHINESE, "ภาษาไทยที่นี่", "हिन्दी शब्द", "cat " + CHINESE])
def test_a_line_stays_inside_its_height(font: QFont, words: str) -> None:
    size = line_size(font, [words])
    rows = rows_of_ink(font, words, QPoint(0, 20), size)

    assert rows, "something is drawn"
    assert min(rows) >= 20
    assert max(rows) < 20 + size.height


def test_words_of_the_font_s_own_take_its_usual_height(font: QFont) -> None:
    metrics = QFontMetrics(font)
    usual = LineSize(metrics.lineSpacing(), metrics.ascent())

    assert line_size(font, ["a cat", "café"]) == usual


def test_lines_of_two_kinds_have_room_above_and_below() -> None:
    # 10 above the baseline and 3 below; 8 above and 6 below.
    assert LineSize(13, 10).with_room_for(LineSize(14, 8)) == LineSize(16, 10)
