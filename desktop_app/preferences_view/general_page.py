"""The page of the app's own settings, generated from their declarations."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop_app.editors.row import Row
from desktop_app.preferences import APP, LANGUAGES, Preferences
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.widgets.wrapped_label import WrappedLabel
from trainer_core.settings.document import from_raw, to_raw
from trainer_core.settings.param import Param

# These have a page of their own, or nothing to choose from.
_ELSEWHERE = frozenset({"trainer_python"} | (set() if LANGUAGES else {"language"}))


class GeneralPage(QWidget):
    """Every setting of the app that has no page of its own; a change acts at once."""

    def __init__(self, preferences: Preferences, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self.rows = {
            param.name: self._row(param)
            for param in APP.params().values()
            if param.name not in _ELSEWHERE
        }
        width = max(row.label.sizeHint().width() for row in self.rows.values())
        for row in self.rows.values():
            row.label.setFixedWidth(width)  # so that the fields stand in a column
        look = tokens.current()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(look.gap_l, look.gap_l, look.gap_l, look.gap_l)
        layout.setSpacing(look.gap_s)
        for row in self.rows.values():
            layout.addWidget(row)
            layout.addWidget(self._help_words(row.param))
        layout.addStretch()
        preferences.changed.connect(self._show)
        self._show()

    def _row(self, param: Param) -> Row:
        row = Row(param, APP, self)
        row.committed.connect(self._on_committed)
        row.reset_wanted.connect(self._on_reset_wanted)
        return row

    def _help_words(self, param: Param) -> WrappedLabel:
        look = tokens.current()
        words = WrappedLabel(self)
        words.setFont(tokens.font(look.font_small))
        words.setContentsMargins(look.gap_l, 0, 0, look.gap_m)
        words.say(shown(param.spec.help), "dim")
        return words

    def _show(self) -> None:
        for name, row in self.rows.items():
            value = getattr(self._preferences.settings, name)
            row.show_value(to_raw(row.param, value), is_default=value == row.param.default)

    def _on_committed(self, path: str, raw: object) -> None:
        row = self.rows[path.partition(".")[2]]
        self._preferences.change(**{row.param.name: from_raw(row.param, raw)})

    def _on_reset_wanted(self, path: str) -> None:
        row = self.rows[path.partition(".")[2]]
        self._preferences.change(**{row.param.name: row.param.default})
