"""What is to be done with many captions, as it is asked for: each form makes a text of a text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtWidgets import QCheckBox, QFormLayout, QLabel, QLineEdit, QWidget

from desktop_app.captions_view.edits import with_replaced, with_trigger_word
from desktop_app.theme import tokens
from desktop_app.translation import shown
from trainer_core.texts import T

# Returns what a caption becomes. Told the caption, None if there is no file, and the words that the
# picture is trained with in that case.
Edit = Callable[[str | None, str], str | None]


class CaptionForm(Protocol):
    """A widget that asks what is to be done."""

    @property
    def changed(self) -> SignalInstance:
        """Something else is asked for."""

    @property
    def headline(self) -> str:
        """What the form is for."""

    @property
    def title(self) -> str:
        """What the step of undo is called."""

    @property
    def widget(self) -> QWidget:
        """The form itself."""

    def edit(self) -> Edit:
        """Return what is asked for now, for a thread."""


class TriggerWordForm(QWidget):
    """Asks for a word that every caption shall begin with."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.word = QLineEdit(self)
        self.word.setPlaceholderText("zxq cat")
        self.setFocusProxy(self.word)
        words = T("App", "Also write captions for pictures that have none")
        self.makes_files = QCheckBox(shown(words), self)
        layout = _form(self)
        layout.addRow(shown(T("App", "Trigger word")), self.word)
        layout.addRow("", self.makes_files)
        self.word.textChanged.connect(self.changed)
        self.makes_files.toggled.connect(self.changed)

    @property
    def headline(self) -> str:
        """What the form is for."""
        return shown(T("App", "Add a trigger word"))

    @property
    def title(self) -> str:
        """What the step of undo is called."""
        return shown(T("App", "trigger word {word}"), word=self.word.text().strip())

    @property
    def widget(self) -> QWidget:
        """The form itself."""
        return self

    def edit(self) -> Edit:
        """Put the word in front; a caption that has it stays."""
        word, makes_files = self.word.text(), self.makes_files.isChecked()

        def change(text: str | None, words: str) -> str | None:
            if text is None:
                return with_trigger_word(words.strip(), word) if makes_files else None
            return with_trigger_word(text, word)

        return change


class ReplaceForm(QWidget):
    """Asks for a wording and what shall stand in its place."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.wanted = QLineEdit(self)
        self.setFocusProxy(self.wanted)
        self.replacement = QLineEdit(self)
        self.replacement.setPlaceholderText(shown(T("App", "nothing: it is removed")))
        self.match_case = QCheckBox(shown(T("App", "Match case")), self)
        layout = _form(self)
        layout.addRow(shown(T("App", "Find")), self.wanted)
        layout.addRow(shown(T("App", "Replace with")), self.replacement)
        layout.addRow("", self.match_case)
        for field in (self.wanted, self.replacement):
            field.textChanged.connect(self.changed)
        self.match_case.toggled.connect(self.changed)

    @property
    def headline(self) -> str:
        """What the form is for."""
        return shown(T("App", "Find and replace in captions"))

    @property
    def title(self) -> str:
        """What the step of undo is called."""
        return shown(T("App", "replacement of {words}"), words=self.wanted.text())

    @property
    def widget(self) -> QWidget:
        """The form itself."""
        return self

    def edit(self) -> Edit:
        """Put one wording for the other."""
        wanted, replacement = self.wanted.text(), self.replacement.text()
        match_case = self.match_case.isChecked()

        def change(text: str | None, _words: str) -> str | None:
            if text is None:
                return None
            return with_replaced(text, wanted, replacement, match_case=match_case)

        return change


def _form(widget: QWidget) -> QFormLayout:
    look = tokens.current()
    layout = QFormLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(look.gap_m)
    layout.setLabelAlignment(QLabel().alignment())
    return layout
