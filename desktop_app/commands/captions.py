"""What happens to typed captions before a command that reads the files or leaves them."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from desktop_app.captions import Captions, Draft
from desktop_app.questions import Answer, Ask, Question, ask
from desktop_app.translation import shown
from trainer_core.texts import T

_DISCARD = "discard"


class CaptionCommands(QObject):
    """Sees to it that no command is carried out over a caption that is not in its file."""

    picture_wanted = Signal(object)  # Path of the picture whose caption is to be decided about

    def __init__(self, captions: Captions, window: QWidget, *, ask: Ask = ask) -> None:
        super().__init__(window)
        self._captions = captions
        self._window = window
        self._ask = ask

    def settle(self) -> bool:
        """Write what was typed; tell whether the command may go on.

        What cannot be written is given up only if the user says so.
        """
        self._captions.commit()
        self._captions.finish()
        for draft in self._captions.failed:
            if self._ask(self._window, _question(draft)) != _DISCARD:
                self.picture_wanted.emit(draft.picture)
                return False
            self._captions.discard(draft.picture)
        return True


def _question(draft: Draft) -> Question:
    error = draft.error
    assert error is not None, "only what failed is asked about"
    return Question(
        shown(T("App", "A caption is not saved")),
        shown(error.message),
        shown(error.hint) if error.hint else "",
        (Answer(_DISCARD, shown(T("App", "Discard my text")), is_destructive=True),),
        shown(T("App", "Back to the caption")),
    )
