"""The form of one settings section, generated from its declarations."""

from __future__ import annotations

import html
from collections.abc import Collection, Iterable
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from desktop_app.document import Document
from desktop_app.editors.row import Row
from desktop_app.theme import tokens
from desktop_app.translation import choice_label, place, shown, shown_offer
from desktop_app.widgets.collapsible import Collapsible
from trainer_core.settings.param import ActsIf, Param
from trainer_core.settings.problems import Suggestion
from trainer_core.settings.schema import AnySchema
from trainer_core.texts import T

_HELP_LINES = 4


class SectionForm(QWidget):
    """The rows of one section: the everyday ones, and the advanced ones folded below."""

    help_wanted = Signal(str)

    def __init__(
        self,
        section: str,
        document: Document[Any],
        parent: QWidget | None = None,
        *,
        has_title: bool = True,
    ) -> None:
        """Build the rows.

        Args:
            section: Of the document's schema.
            document: What is edited.
            parent: Qt's owner.
            has_title: Whether the section's title stands above them.
        """
        super().__init__(parent)
        self._has_title = has_title
        self._document = document
        self.section = section
        self.rows = {param.path: self._row(param) for param in document.schema.form(section)}
        self._is_filtered = False
        advanced = [row for row in self.rows.values() if row.param.spec.advanced]
        basic = [row for row in self.rows.values() if not row.param.spec.advanced]
        self._basic = _stacked(basic)
        self._basic.setParent(self)  # now: Tab goes in the order in which widgets come here
        self.advanced = Collapsible(shown(T("App", "Advanced")), _stacked(advanced), self)
        self._lay_out()
        self.show_rows(None)
        document.changed.connect(self._on_changed)
        document.replaced.connect(self._on_replaced)
        document.problems_changed.connect(self._on_problems_changed)
        self._on_replaced()
        self._on_problems_changed()

    def reveal(self, path: str) -> Row:
        """Unfold what hides a row, give it the focus, and return it."""
        row = self.rows[path]
        if row.param.spec.advanced and not self._is_filtered:
            self.advanced.set_open(True)
        row.editor.fields()[0].setFocus()
        return row

    def show_rows(self, paths: Collection[str] | None) -> None:
        """Show only these settings, advanced ones without their fold; None shows all as usual."""
        self._is_filtered = paths is not None
        left = set()
        for path, row in self.rows.items():
            is_shown = paths is None or path in paths
            row.setVisible(is_shown)
            if is_shown:
                left.add(row.param.spec.advanced)
        self._basic.setVisible(False in left)
        self.advanced.setVisible(True in left)
        self.advanced.set_bare(self._is_filtered)

    @property
    def has_advanced(self) -> bool:
        """True if there is something to unfold."""
        return any(row.param.spec.advanced for row in self.rows.values())

    def unfold_errors(self) -> None:
        """Unfold the advanced settings if something is wrong among them."""
        if any(row.has_error and row.param.spec.advanced for row in self.rows.values()):
            self.advanced.set_open(True)

    def label_width(self) -> int:
        """Return the width that the widest label needs."""
        return max(row.label.sizeHint().width() for row in self.rows.values())

    def set_label_width(self, width: int) -> None:
        """Give all labels one width, so that the fields stand in a column."""
        for row in self.rows.values():
            row.label.setFixedWidth(width)

    def _row(self, param: Param) -> Row:
        row = Row(param, self._document.schema, self)
        row.committed.connect(self._document.set_value)
        row.reset_wanted.connect(self._document.reset)
        row.suggestion_wanted.connect(self._on_suggestion_wanted)
        row.help_wanted.connect(self.help_wanted)
        return row

    def _lay_out(self) -> None:
        look = tokens.current()
        title = QLabel(shown(self._document.schema.titles[self.section]), self)
        title.setFont(tokens.font(look.font_large, bold=True))
        title.setIndent(look.mark + look.gap_m)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(look.gap_m)
        title.setVisible(self._has_title)
        layout.addWidget(title)
        layout.addWidget(self._basic)
        layout.addWidget(self.advanced)

    def _on_replaced(self) -> None:
        self._on_changed(self.rows.keys())

    def _on_changed(self, paths: Iterable[str]) -> None:
        for path in paths:
            row = self.rows.get(path)
            if row is not None:
                is_default = self._document.is_default(path)
                row.show_value(self._document.value(path), is_default=is_default)

    def _on_problems_changed(self) -> None:
        for path, row in self.rows.items():
            row.show_problems([p for p in self._document.problems if p.path == path])
            row.set_reason(self._reason(row.param))
        self.unfold_errors()

    def _reason(self, param: Param) -> str:
        """Return why a setting does not act with the others as they are, "" if it does."""
        condition = self._document.idle(param)
        return "" if condition is None else _condition_words(condition, self._document.schema)

    def _on_suggestion_wanted(self, suggestion: Suggestion) -> None:
        self._document.apply(suggestion.changes, shown_offer(suggestion.message))


class HelpLine(QLabel):
    """What the setting that has the focus or the mouse is for; it keeps its height."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        look = tokens.current()
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setProperty("role", "dim")
        self.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.setMargin(look.gap_m)
        self.setFixedHeight(_HELP_LINES * self.fontMetrics().lineSpacing() + 2 * look.gap_m)
        self.clear_row()

    def clear_row(self) -> None:
        """Say how to read of a setting."""
        self.setText(shown(T("App", "Point at a setting to read what it does.")))

    def show_row(self, row: Row) -> None:
        """Show what a setting is for, what it is called in a file, and why it does not act."""
        label = shown(row.param.spec.label)
        name = shown(T("App", "{label}  ·  {name}"), label=label, name=row.param.name)
        self.setText(f"<b>{name}</b><br>{html.escape(row.help)}")


def _stacked(rows: Iterable[Row]) -> QWidget:
    look = tokens.current()
    stack = QWidget()
    layout = QVBoxLayout(stack)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(look.gap_s)
    for row in rows:
        layout.addWidget(row)
    return stack


def _condition_words(condition: ActsIf, schema: AnySchema) -> str:
    path = schema.path_of(condition.name) or condition.name
    other = place(path, schema)
    if condition.or_set:
        others = [place(schema.path_of(name) or name, schema) for name in condition.or_set]
        if len(others) > 1:
            words = T("App", "Acts only if one of these is set: {labels}.")
            return shown(words, labels=", ".join((other, *others)))
        words = T("App", "Acts only if {label} or {other} is set.")
        return shown(words, label=other, other=others[0])
    if not condition.values:
        return shown(T("App", "Acts only if {label} is set."), label=other)
    param = schema.params().get(path)
    values = ", ".join(
        str(value) if param is None else choice_label(param, value) for value in condition.values
    )
    return shown(T("App", "Acts only if {label} is: {values}."), label=other, values=values)
