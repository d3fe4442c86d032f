"""A page of forms with the help of the setting at hand below it."""

from __future__ import annotations

import html
from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from desktop_app.document import Document
from desktop_app.editors.form import SectionForm
from desktop_app.preferences import Preferences
from desktop_app.theme import tokens
from desktop_app.translation import place, shown
from trainer_core.texts import T

_HELP_LINES = 4


class SettingsPage(QWidget):
    """The forms of some sections, one below the other, scrolled together."""

    def __init__(
        self,
        sections: Sequence[str],
        document: Document,
        preferences: Preferences,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self.forms = [SectionForm(section, document, self) for section in sections]
        width = max(form.label_width() for form in self.forms)
        for form in self.forms:
            form.set_label_width(width)
            form.help_wanted.connect(self.show_help)
            form.advanced.set_open(preferences.is_open(form.section))
            form.advanced.toggled.connect(self._on_folded)
        self._scroll_area = self._scrolled()
        self._help = self._help_label()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._scroll_area, 1)
        layout.addWidget(_rule())
        layout.addWidget(self._help)

    def reveal(self, path: str) -> None:
        """Show and focus a setting, if it is on this page."""
        for form in self.forms:
            if path in form.rows:
                row = form.reveal(path)
                # What was unfolded has its place only after the layout was done.
                QTimer.singleShot(0, row, partial(self._scroll_area.ensureWidgetVisible, row))

    def show_help(self, path: str) -> None:
        """Show what a setting is for, what it is called in a file, and why it does not act."""
        row = next(form.rows[path] for form in self.forms if path in form.rows)
        name = shown(T("App", "{label}  ·  {name}"), label=place(path), name=row.param.name)
        self._help.setText(f"<b>{name}</b><br>{html.escape(row.help)}")

    def _scrolled(self) -> QScrollArea:
        look = tokens.current()
        body = QWidget()
        body.setProperty("scrolled", True)
        layout = QVBoxLayout(body)
        layout.setContentsMargins(look.gap_l, look.gap_l, look.gap_m, look.gap_l)
        layout.setSpacing(look.gap_xl)
        for form in self.forms:
            layout.addWidget(form)
        layout.addStretch()
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(body)
        return area

    def _help_label(self) -> QLabel:
        look = tokens.current()
        label = QLabel(shown(T("App", "Point at a setting to read what it does.")), self)
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.RichText)
        label.setProperty("role", "dim")
        label.setAlignment(Qt.AlignmentFlag.AlignTop)
        label.setMargin(look.gap_m)
        height = _HELP_LINES * label.fontMetrics().lineSpacing() + 2 * look.gap_m
        label.setFixedHeight(height)
        return label

    def _on_folded(self) -> None:
        for form in self.forms:
            self._preferences.keep_open(form.section, form.advanced.is_open)


def _rule() -> QFrame:
    rule = QFrame()
    rule.setProperty("role", "line")
    rule.setFixedHeight(tokens.current().line)
    return rule
