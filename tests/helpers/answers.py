"""A person who answers the app's questions as was agreed, and remembers them."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from desktop_app.questions import CANCEL, Question


class Answers:
    """Stands in for `desktop_app.questions.ask`; without an agreed answer it cancels."""

    def __init__(self) -> None:
        self.agreed: list[str] = []
        self.questions: list[Question] = []

    def __call__(self, parent: QWidget, question: Question) -> str:
        self.questions.append(question)
        answer = self.agreed.pop(0) if self.agreed else CANCEL
        offered = {CANCEL, *(offer.key for offer in question.answers)}
        assert answer in offered, f"{answer} is not among {offered}"
        return answer
