import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from desktop_app.theme import tokens
from desktop_app.theme.style import palette
from desktop_app.theme.tokens import DARK, LIGHT, Tokens

every_theme = pytest.mark.parametrize("look", [LIGHT, DARK], ids=["light", "dark"])

READABLE = 4.5  # WCAG 2.2, success criterion 1.4.3 (AA) for text
VISIBLE = 3.0  # the same for graphics, 1.4.11


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""

    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(part) for part in QColor(colour).getRgbF()[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@every_theme
def test_words_can_be_read_on_every_surface(look: Tokens):
    for surface in (look.window, look.panel, look.panel_alternate, look.field, look.raised):
        for words in (look.text, look.text_dim):
            assert contrast(words, surface) >= READABLE, (words, surface)


@every_theme
def test_problems_can_be_read_in_the_form(look: Tokens):
    for words in (look.error, look.warning, look.notice, look.success, look.accent):
        assert contrast(words, look.panel) >= READABLE, words


@every_theme
def test_messages_can_be_read_across_the_window(look: Tokens):
    for surface in (look.error_surface, look.warning_surface, look.success_surface):
        assert contrast(look.text, surface) >= READABLE
        assert contrast(look.text_dim, surface) >= READABLE
    assert contrast(look.text, look.selection) >= READABLE
    assert contrast(look.on_accent, look.accent) >= READABLE


@every_theme
def test_lines_of_charts_can_be_seen(look: Tokens):
    for line in (*look.chart_lines, look.chart_raw, look.chart_axis):
        assert contrast(line, look.chart_background) >= VISIBLE, line


@every_theme
def test_surfaces_carry_no_tint(look: Tokens):
    for surface in (look.window, look.panel, look.field, look.raised, look.chart_background):
        red, green, blue, _ = QColor(surface).getRgb()
        assert red == green == blue, surface


@every_theme
def test_the_current_look_is_that_of_the_palette(look: Tokens, qapp: QApplication):
    before = qapp.palette()
    qapp.setPalette(palette(look))
    try:
        assert tokens.current() is look
    finally:
        qapp.setPalette(before)
