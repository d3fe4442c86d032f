"""The app's style: Fusion with our own palette and style sheet, light or dark."""

from __future__ import annotations

from dataclasses import asdict
from string import Template

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from desktop_app.theme.tokens import DARK, LIGHT, Tokens
from trainer_core.files.resources import resource_path


def apply_theme(app: QApplication, name: str) -> None:
    """Show the app ``light``, ``dark`` or like the ``system``."""
    look = _tokens(name)
    # Qt's own setColorScheme does nothing on X11 without a desktop session, so we paint it all.
    if app.style().objectName() != "fusion":
        app.setStyle(QStyleFactory.create("Fusion"))
    app.setPalette(palette(look))
    app.setStyleSheet(style_sheet(look))


def palette(look: Tokens) -> QPalette:
    """Return the palette of a theme."""
    made = QPalette()
    role = QPalette.ColorRole
    for name, colour in {
        role.Window: look.window,
        role.WindowText: look.text,
        role.Base: look.field,
        role.AlternateBase: look.panel_alternate,
        role.Text: look.text,
        role.PlaceholderText: look.text_dim,
        role.Button: look.raised,
        role.ButtonText: look.text,
        role.BrightText: look.on_accent,
        role.Highlight: look.accent,
        role.HighlightedText: look.on_accent,
        role.Accent: look.accent,
        role.Link: look.accent,
        role.LinkVisited: look.accent,
        role.ToolTipBase: look.raised,
        role.ToolTipText: look.text,
        role.Light: look.raised,
        role.Midlight: look.hovered,
        role.Mid: look.border,
        role.Dark: look.border_strong,
        role.Shadow: look.border_strong,
    }.items():
        made.setColor(name, QColor(colour))
    for name in (role.WindowText, role.Text, role.ButtonText, role.PlaceholderText):
        made.setColor(QPalette.ColorGroup.Disabled, name, QColor(look.text_disabled))
    made.setColor(QPalette.ColorGroup.Disabled, role.Base, QColor(look.panel))
    return made


def style_sheet(look: Tokens) -> str:
    """Return the style sheet with the theme's tokens filled in."""
    path = resource_path("styles", "loom.qss")
    template = Template(path.read_text(encoding="utf-8"))
    theme = "dark" if look.is_dark else "light"
    return template.substitute(asdict(look), theme=theme, styles=path.parent.as_posix())


def _tokens(name: str) -> Tokens:
    if name == "system":
        is_dark = QGuiApplication.styleHints().colorScheme() is Qt.ColorScheme.Dark
        return DARK if is_dark else LIGHT
    return DARK if name == "dark" else LIGHT
