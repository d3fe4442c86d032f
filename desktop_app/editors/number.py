"""The editors of numbers, and of the pair that a size is."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox, QHBoxLayout, QLabel, QWidget

from desktop_app.editors.base import Editor, wheel_is_meant
from desktop_app.theme import tokens
from desktop_app.translation import choice_label, shown
from desktop_app.words.numbers import next_linear, next_log, number_text, parse_number
from trainer_core.settings.document import UNSET
from trainer_core.settings.param import Param

_STEP_PAUSE_MS = 400  # steps that follow one another faster are one change


@dataclass(frozen=True, slots=True)
class NumberKind:
    """What a number field must know of its number."""

    is_whole: bool
    is_optional: bool = False
    is_log: bool = False
    minimum: float | None = None
    maximum: float | None = None
    step: float = 1.0
    start: float = 0.0  # where stepping begins from an empty field
    unit: str = ""
    empty_text: str = ""

    @classmethod
    def of(cls, param: Param) -> NumberKind:
        """Return the kind of number that a parameter holds."""
        spec = param.spec
        is_whole = param.base_type is int
        step = spec.step or (1.0 if is_whole else 0.1)
        default = param.default if isinstance(param.default, int | float) else None
        return cls(
            is_whole=is_whole,
            is_optional=param.is_optional,
            is_log=spec.scale == "log",
            minimum=spec.minimum,
            maximum=spec.maximum,
            step=step,
            start=max(spec.minimum or 0, step) if default is None else default,
            unit=spec.unit,
            empty_text=choice_label(param, None) if param.is_optional else "",
        )


class NumberField(QAbstractSpinBox):
    """A line for one number, with arrows; an optional one may be empty."""

    finished = Signal()  # typed to the end, or stepped and left alone for a moment

    def __init__(self, kind: NumberKind, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind = kind
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._unit = self._unit_label()
        self._pause = QTimer(self, singleShot=True, interval=_STEP_PAUSE_MS)
        self._pause.timeout.connect(self.finished)
        self.editingFinished.connect(self._on_editing_finished)
        self.lineEdit().setPlaceholderText(kind.empty_text)
        self.lineEdit().textChanged.connect(self._on_text_changed)
        self._on_text_changed("")

    def value(self) -> int | float | str | None:
        """Return the number, what was typed if it is none, None if the field is empty."""
        words = self.text().strip()
        return parse_number(words, is_whole=self._kind.is_whole) if words else None

    def set_value(self, value: object) -> None:
        """Show a number, or whatever stands in its place."""
        self._pause.stop()
        words = "" if value is None else str(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            words = number_text(value)
        if words != self.text():
            self.lineEdit().setText(words)
            self.lineEdit().setCursorPosition(0)

    def stepBy(self, steps: int) -> None:  # noqa: N802 - Qt's name
        """Step to the neighbouring number; below the smallest, an optional one becomes empty."""
        value = self.value()
        if isinstance(value, str):
            return
        self._show_step(self._kind.start if value is None else self._stepped(value, steps))
        self._pause.start()

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:  # noqa: N802 - Qt's name
        """Allow what does not leave the bounds."""
        flag = QAbstractSpinBox.StepEnabledFlag
        value, kind = self.value(), self._kind
        if isinstance(value, str):
            return flag.StepNone
        up = kind.maximum is None or value is None or value < kind.maximum
        above = kind.minimum is None or (value is not None and value > kind.minimum)
        down = above or (kind.is_optional and value is not None)
        return (flag.StepUpEnabled if up else flag.StepNone) | (
            flag.StepDownEnabled if down else flag.StepNone
        )

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        """Turn the value only if the field has the focus."""
        if wheel_is_meant(self, event):
            super().wheelEvent(event)

    def _stepped(self, value: float, steps: int) -> float | None:
        direction = 1 if steps > 0 else -1
        for _ in range(abs(steps)):
            if self._kind.is_log:
                value = next_log(value, direction)
            else:
                value = next_linear(value, self._kind.step, direction)
        if self._kind.minimum is not None and value < self._kind.minimum:
            return None if self._kind.is_optional else self._kind.minimum
        return value if self._kind.maximum is None else min(value, self._kind.maximum)

    def _show_step(self, value: float | None) -> None:
        self.lineEdit().setText("" if value is None else number_text(value))
        self.selectAll()

    def _unit_label(self) -> QLabel:
        label = QLabel(self.lineEdit())
        label.setProperty("role", "dim")
        label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        layout = QHBoxLayout(self.lineEdit())
        layout.setContentsMargins(0, 0, tokens.current().gap_s, 0)
        layout.addStretch()
        layout.addWidget(label)
        label.setVisible(False)
        return label

    def _on_text_changed(self, words: str) -> None:
        has_unit = bool(words and self._kind.unit)
        self._unit.setText(shown(self._kind.unit, value=words))
        self._unit.setVisible(has_unit)
        look = tokens.current()
        width = self._unit.sizeHint().width() + look.gap_m if has_unit else 0
        self.lineEdit().setTextMargins(look.gap_s + look.gap_xs, 0, width, 0)

    def _on_editing_finished(self) -> None:
        self._pause.stop()
        self.finished.emit()


class NumberEditor(Editor):
    """Edits one number."""

    def __init__(self, param: Param, parent: QWidget | None = None) -> None:
        super().__init__(param, parent)
        self.field = NumberField(NumberKind.of(param), self)
        self.field.finished.connect(self._on_finished)
        self.field.lineEdit().textEdited.connect(self.edited)
        self.row.addWidget(self.field)
        self._shown: object = None

    def raw(self) -> object:
        """Return the number, or what was typed in its place."""
        value = self.field.value()
        if value is None:
            return UNSET if self.param.is_optional else self._shown
        return value

    def set_raw(self, value: object) -> None:
        """Show a number, or what stands in its place."""
        self._shown = value
        self.field.set_value(None if value == UNSET and self.param.is_optional else value)

    def fields(self) -> tuple[QWidget, ...]:
        """Return the field."""
        return (self.field,)

    def _on_finished(self) -> None:
        value = self.raw()
        self.set_raw(value)  # 0,5 and 1E-4 become 0.5 and 1e-4
        self.committed.emit(value)


class PairEditor(Editor):
    """Edits two numbers: width and height, or the ends of a range; optional ones may be empty."""

    def __init__(self, param: Param, parent: QWidget | None = None) -> None:
        super().__init__(param, parent)
        is_size = param.element_type is int
        step = param.spec.step or 1.0
        kind = NumberKind(
            is_whole=is_size,
            is_optional=param.is_optional,
            minimum=step if is_size else None,
            step=step,
            start=step,
            unit=param.spec.unit,
            empty_text=choice_label(param, None) if param.is_optional else "",
        )
        self._ends = (NumberField(kind, self), NumberField(kind, self))
        self._shown: object = None
        self.row.setSpacing(tokens.current().gap_m)
        self.row.addWidget(self._ends[0], 1)
        self.row.addWidget(QLabel("×" if is_size else "–"))
        self.row.addWidget(self._ends[1], 1)
        for end in self._ends:
            end.finished.connect(self.commit)
            end.lineEdit().textEdited.connect(self.edited)

    def raw(self) -> object:
        """Return both numbers; as they were while one is empty."""
        values = [end.value() for end in self._ends]
        if self.param.is_optional and values == [None, None]:
            return UNSET
        return self._shown if None in values else values

    def set_raw(self, value: object) -> None:
        """Show two numbers, or what stands in their place."""
        self._shown = value
        is_pair = isinstance(value, list | tuple) and len(value) == len(self._ends)
        rest = (None, None) if value == UNSET and self.param.is_optional else (value, None)
        numbers = typing.cast(Sequence[object], value) if is_pair else rest
        for end, number in zip(self._ends, numbers, strict=True):
            end.set_value(number)

    def fields(self) -> tuple[QWidget, ...]:
        """Return both fields."""
        return self._ends
