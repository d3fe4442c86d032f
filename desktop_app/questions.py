"""Questions and reports in a box: a sentence, what more there is to say, and the ways on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from desktop_app.translation import shown
from trainer_core.errors import TrainerError
from trainer_core.texts import T

CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Answer:
    """One button; the first answer that destroys nothing is the question's default."""

    key: str
    label: str
    is_destructive: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, in words already translated. Escape and closing answer ``cancel``."""

    title: str
    message: str
    details: str = ""
    answers: Sequence[Answer] = ()
    cancel_label: str = ""


Ask = Callable[[QWidget, Question], str]


def ask(parent: QWidget, question: Question) -> str:
    """Show a question and return the key of its answer."""
    box = QMessageBox(parent)
    box.setWindowTitle(question.title)
    box.setTextFormat(Qt.TextFormat.PlainText)  # a file's name may look like marks of HTML
    box.setText(question.message)
    box.setInformativeText(question.details)
    role = QMessageBox.ButtonRole
    buttons = {
        answer.key: box.addButton(
            answer.label, role.DestructiveRole if answer.is_destructive else role.AcceptRole
        )
        for answer in question.answers
    }
    cancel = box.addButton(question.cancel_label or shown(T("App", "Cancel")), role.RejectRole)
    box.setEscapeButton(cancel)
    harmless = (buttons[a.key] for a in question.answers if not a.is_destructive)
    box.setDefaultButton(next(harmless, cancel))
    box.exec()
    clicked = box.clickedButton()
    box.deleteLater()
    return next((key for key, button in buttons.items() if button is clicked), CANCEL)


def report(parent: QWidget, error: TrainerError, *, ask: Ask = ask) -> None:
    """Say what could not be done, why, and what to do."""
    details = shown(error.hint) if error.hint else ""
    title, close = shown(T("App", "This did not work")), shown(T("App", "Close"))
    ask(parent, Question(title, shown(error.message), details, cancel_label=close))
