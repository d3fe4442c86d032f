"""One setting in a form: label, editor, mark and reset, and its problems."""

from __future__ import annotations

import html
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QEnterEvent, QKeyEvent, QKeySequence, QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop_app.editors.problem_line import ProblemLine
from desktop_app.editors.registry import editor_for
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.widgets.icon_button import IconButton
from trainer_core.settings.param import Param
from trainer_core.settings.problems import Problem, Severity
from trainer_core.settings.schema import AnySchema
from trainer_core.texts import T


class Row(QWidget):
    """One setting; it shows what it is told and says what the user wants."""

    committed = Signal(str, object)  # path, new raw value
    reset_wanted = Signal(str)
    suggestion_wanted = Signal(object)  # a Suggestion
    help_wanted = Signal(str)  # path of the setting that has the focus or the mouse

    def __init__(self, param: Param, schema: AnySchema, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.param = param
        self._schema = schema
        self.editor = editor_for(param, self)
        self.label = _Label(shown(param.spec.label), self)
        self._mark = QFrame(self)
        words = shown(T("App", "Reset to the default"))
        self._reset = IconButton("reset", words, self)
        self._reset.setToolTip(shown(T("App", "{label} ({keys})"), label=words, keys="Ctrl+R"))
        self._reset.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Tab goes from field to field
        self._problems: list[Problem] = []
        self._problem_lines: list[ProblemLine] = []
        self._below = QVBoxLayout()
        self._raw: object = None  # as last shown; the editor's differs while one is typing
        self._is_default = True
        self._is_acting = True
        self._lay_out()
        self.set_reason("")
        self.editor.setAccessibleName(shown(param.spec.label))
        self.editor.committed.connect(self._on_committed)
        self.label.clicked.connect(self.editor.activate)
        self._reset.clicked.connect(self._on_reset)
        self.editor.reset_wanted.connect(self._on_reset)
        for inner in self.editor.findChildren(QWidget):
            inner.setAcceptDrops(False)  # a folder dropped on a field would be typed into it
        for field in self.editor.fields():
            field.setAccessibleName(shown(param.spec.label))
            field.installEventFilter(self)

    def show_value(self, raw: object, *, is_default: bool) -> None:
        """Show a raw value, and whether it is the default."""
        self.editor.set_raw(raw)
        self._raw = self.editor.raw()
        self._is_default = is_default
        self._reset.setVisible(not is_default)
        self._mark.setProperty("changed", not is_default)
        self._mark.style().polish(self._mark)
        self._show_acting()

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Show what is wrong with the value, instead of what was."""
        if list(problems) == self._problems:
            return
        self._problems = list(problems)
        for line in self._problem_lines:
            line.hide()
            line.deleteLater()
        self._problem_lines = [ProblemLine(problem, self._schema, self) for problem in problems]
        for line in self._problem_lines:
            line.applied.connect(self.suggestion_wanted)
            self._below.addWidget(line)
        self.editor.set_invalid(any(p.severity is Severity.ERROR for p in problems))

    @property
    def has_error(self) -> bool:
        """True if a problem of this setting keeps a run from starting."""
        return any(problem.severity is Severity.ERROR for problem in self._problems)

    def set_reason(self, reason: str) -> None:
        """Dim the setting because it does not act here; an empty reason lights it up again."""
        self.help = shown(self.param.spec.help)
        if reason:
            self.help = shown(T("App", "{help} {reason}"), help=self.help, reason=reason)
        self.setToolTip(f"<p>{html.escape(self.help)}</p>")  # plain text would not be wrapped
        self._is_acting = not reason
        self._show_acting()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Ask for help when a field gets the focus; leave undo to the document where it can."""
        if event.type() is QEvent.Type.FocusIn:
            self.help_wanted.emit(self.param.path)
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.ShortcutOverride:
            return self._is_for_document(event)
        return super().eventFilter(watched, event)

    def enterEvent(self, event: QEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Ask for help under the mouse."""
        super().enterEvent(event)
        self.help_wanted.emit(self.param.path)

    def _is_for_document(self, event: QKeyEvent) -> bool:
        # A line of text would keep Ctrl+Z for itself, even with nothing typed to take back.
        key = QKeySequence.StandardKey
        is_undo = event.matches(key.Undo) or event.matches(key.Redo)
        return is_undo and self.editor.raw() == self._raw

    def _show_acting(self) -> None:
        # A value that was changed and does not act can still be mended.
        self.editor.setEnabled(self._is_acting or not self._is_default)
        self.label.set_dimmed(not self._is_acting)

    def _lay_out(self) -> None:
        look = tokens.current()
        self._mark.setFixedWidth(look.mark)
        self._mark.setProperty("role", "mark")
        kept = self._reset.sizePolicy()
        kept.setRetainSizeWhenHidden(True)
        self._reset.setSizePolicy(kept)
        line = QHBoxLayout()
        line.setSpacing(look.gap_m)
        line.addWidget(self._mark)
        side = Qt.AlignmentFlag.AlignVCenter
        if self.editor.is_tall:
            side = Qt.AlignmentFlag.AlignTop
            self.label.setContentsMargins(0, look.gap_s, 0, 0)
        line.addWidget(self.label, alignment=side)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(look.gap_xs)
        layout.addLayout(line)
        if self.editor.is_wide:
            line.addStretch(1)
            whole = QHBoxLayout()
            whole.addSpacing(look.mark + look.gap_m)
            whole.addWidget(self.editor)
            layout.addLayout(whole)
        else:
            line.addWidget(self.editor, 1)
        line.addWidget(self._reset, alignment=side)
        below = QHBoxLayout()
        below.addSpacing(look.mark + look.gap_m)
        below.addLayout(self._below)
        layout.addLayout(below)

    def _on_committed(self, raw: object) -> None:
        self.committed.emit(self.param.path, raw)

    def _on_reset(self) -> None:
        self.reset_wanted.emit(self.param.path)


class _Label(QLabel):
    """A label that leads to its field when clicked."""

    clicked = Signal()

    def set_dimmed(self, is_dimmed: bool) -> None:
        """Show the words as those of a setting that does not act."""
        self.setProperty("role", "disabled" if is_dimmed else "")
        self.style().polish(self)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Lead to the field."""
        if event.button() is Qt.MouseButton.LeftButton and self.rect().contains(
            event.position().toPoint()
        ):
            self.clicked.emit()
