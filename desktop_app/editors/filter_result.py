"""What stands below a filtered page: that nothing matched, and what matches on other pages."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop_app.theme import tokens
from desktop_app.translation import place, shown
from trainer_core.settings.schema import AnySchema
from trainer_core.texts import T

_LONGEST_LIST = 6


class FilterResult(QWidget):
    """Says that a page has nothing that matches, and leads to settings of other pages."""

    setting_wanted = Signal(str)  # path of a setting on another page
    clear_wanted = Signal()

    def __init__(self, schema: AnySchema, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._schema = schema
        self._elsewhere: Sequence[str] = ()
        self._no_match = QWidget(self)
        self._heading = _dim_label(T("App", "In other groups"), self)
        self._links = [self._link(number) for number in range(_LONGEST_LIST)]
        self._more = _dim_label(T("App", "and {count} more"), self)
        self._lay_out()

    def show_result(self, *, is_anything_here: bool, elsewhere: Sequence[str]) -> None:
        """Show whether anything on this page matches, and the paths that do on others."""
        self._elsewhere = elsewhere
        self._no_match.setHidden(is_anything_here)
        self._heading.setVisible(bool(elsewhere))
        for number, link in enumerate(self._links):
            link.setVisible(number < len(elsewhere))
            if number < len(elsewhere):
                link.setText(_title(elsewhere[number], self._schema))
        rest = len(elsewhere) - _LONGEST_LIST
        self._more.setVisible(rest > 0)
        self._more.setText(shown(T("App", "and {count} more"), count=rest))

    def _link(self, number: int) -> QPushButton:
        link = QPushButton(self)
        link.setProperty("role", "link")
        link.setCursor(Qt.CursorShape.PointingHandCursor)
        link.clicked.connect(partial(self._on_clicked, number))
        return link

    def _on_clicked(self, number: int) -> None:
        self.setting_wanted.emit(self._elsewhere[number])

    def _lay_out(self) -> None:
        look = tokens.current()
        clear = QPushButton(shown(T("App", "Clear filter")), self)
        clear.clicked.connect(self.clear_wanted)
        row = QHBoxLayout(self._no_match)
        row.setContentsMargins(0, 0, 0, look.gap_m)
        row.addWidget(QLabel(shown(T("App", "Nothing here matches.")), self), 1)
        row.addWidget(clear)
        column = QVBoxLayout(self)
        column.setContentsMargins(look.mark + look.gap_m, 0, look.gap_m, 0)
        column.setSpacing(look.gap_m)
        column.addWidget(self._no_match)
        column.addWidget(self._heading)
        for link in self._links:
            column.addWidget(link, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._more)


def _dim_label(template: str, parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setText(shown(template, count=0))
    label.setProperty("role", "dim")
    return label


def _title(path: str, schema: AnySchema) -> str:
    section = shown(schema.titles[schema.params()[path].section])
    return shown(T("App", "{label} – {section}"), label=place(path, schema), section=section)
