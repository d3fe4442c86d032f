"""Every colour, gap, radius and font size of the app.

The greys carry no tint, so that they do not lie about the colours of the pictures beside them.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QFont, QGuiApplication


@dataclass(frozen=True, slots=True)
class Tokens:
    """The look of one theme; colours as ``#rrggbb``, sizes in device-independent pixels."""

    is_dark: bool

    # surfaces, from the window up to what is edited
    window: str
    panel: str
    panel_alternate: str
    field: str
    raised: str
    hovered: str
    border: str
    border_strong: str

    # words
    text: str
    text_dim: str
    text_disabled: str

    # what is chosen, pressed or linked
    accent: str
    accent_hovered: str
    on_accent: str
    selection: str

    # what needs attention; ``_surface`` is the quiet background of the same meaning
    error: str
    error_surface: str
    warning: str
    warning_surface: str
    notice: str
    success: str
    success_surface: str

    # charts
    chart_background: str
    chart_axis: str
    chart_grid: str
    chart_raw: str
    chart_lines: tuple[str, ...]

    # over pictures, in both themes
    picture_frame: str = "#ffffff"
    picture_shade: str = "#000000"

    # gaps
    gap_xs: int = 2
    gap_s: int = 4
    gap_m: int = 8
    gap_l: int = 12
    gap_xl: int = 20

    # shapes
    radius: int = 4
    mark: int = 3
    line: int = 1
    icon_s: int = 16
    icon_m: int = 20
    field_height: int = 26
    thumbnail: int = 128

    # font sizes, relative to the system's
    font_small: float = -1.0
    font_large: float = 1.5


LIGHT = Tokens(
    is_dark=False,
    window="#f0f0f0",
    panel="#fafafa",
    panel_alternate="#f4f4f4",
    field="#ffffff",
    raised="#ffffff",
    hovered="#e4e4e4",
    border="#d6d6d6",
    border_strong="#b4b4b4",
    text="#1c1c1c",
    text_dim="#666666",
    text_disabled="#a2a2a2",
    accent="#2f6fdb",
    accent_hovered="#255fc2",
    on_accent="#ffffff",
    selection="#cfe0fb",
    error="#bf2b2b",
    error_surface="#fbe6e5",
    warning="#96600a",
    warning_surface="#fbf0d9",
    notice="#55606b",
    success="#23763a",
    success_surface="#e2f3e6",
    chart_background="#fafafa",
    chart_axis="#5c5c5c",
    chart_grid="#d9d9d9",
    chart_raw="#678ed6",
    chart_lines=("#1f55b5", "#c2571a", "#23763a", "#8b3fb3", "#a87b00", "#b32d63"),
)

DARK = Tokens(
    is_dark=True,
    window="#262626",
    panel="#2d2d2d",
    panel_alternate="#323232",
    field="#1f1f1f",
    raised="#3a3a3a",
    hovered="#454545",
    border="#444444",
    border_strong="#5c5c5c",
    text="#e6e6e6",
    text_dim="#a3a3a3",
    text_disabled="#6f6f6f",
    accent="#5d97f5",
    accent_hovered="#7aabf8",
    on_accent="#10141b",
    selection="#33507f",
    error="#f28b82",
    error_surface="#4a2826",
    warning="#e5b567",
    warning_surface="#45381f",
    notice="#a9b4bf",
    success="#7fc894",
    success_surface="#233d2a",
    chart_background="#232323",
    chart_axis="#b0b0b0",
    chart_grid="#4a4a4a",
    chart_raw="#6a88bd",
    chart_lines=("#a6c8ff", "#f0995a", "#7fc894", "#c58ae6", "#e0c060", "#f07fa8"),
)


def current() -> Tokens:
    """Return the tokens of the palette that the app shows now.

    Widgets read it when they paint, or again on ``QEvent.Type.PaletteChange``.
    """
    window = QGuiApplication.palette().window().color()
    return DARK if window.lightness() < 128 else LIGHT


def font(points: float = 0.0, *, bold: bool = False) -> QFont:
    """Return the app's font, larger or smaller by ``points`` (one of the font tokens)."""
    wanted = QGuiApplication.font()
    wanted.setPointSizeF(wanted.pointSizeF() + points)
    wanted.setBold(bold)
    return wanted
