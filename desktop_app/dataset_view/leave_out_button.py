"""The button that leaves out of the run every picture that cannot be used."""

from __future__ import annotations

from PySide6.QtWidgets import QPushButton, QWidget

from desktop_app.models.pictures.left_out import LeftOut
from desktop_app.models.problems_model import ProblemsModel
from desktop_app.translation import shown
from trainer_core.texts import T


class LeaveOutButton(QPushButton):
    """Is there while pictures have errors, and says how many."""

    def __init__(
        self, problems: ProblemsModel, left_out: LeftOut, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._problems = problems
        self._left_out = left_out
        self.setAutoDefault(False)
        self.setToolTip(shown(T("App", "They are trained again when you put them back.")))
        self.clicked.connect(self._on_clicked)
        problems.modelReset.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Follow the problems."""
        count = len(self._problems.unusable)
        words = T("App", "Leave out all that cannot be used ({count})")
        self.setText(shown(words, count=count))
        self.setVisible(count > 0)

    def _on_clicked(self) -> None:
        self._left_out.leave_out(self._problems.unusable)
