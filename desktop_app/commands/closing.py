"""Closing the window while something is unsaved or a run is going on."""

from __future__ import annotations

import os
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from desktop_app.commands.files import FileCommands
from desktop_app.process.outcome import Ending, Outcome
from desktop_app.questions import CANCEL, Answer, Ask, Question, ask
from desktop_app.translation import shown
from desktop_app.workspace import Workspace
from trainer_core.files.state_manifest import state_step
from trainer_core.settings.document import Raw
from trainer_core.texts import T

_KEEP, _STOP, _END = "keep", "stop", "end"
_DETACH_TIMEOUT_MS = 10_000  # without an answer the trainer goes on all the same


class Closing(QObject):
    """Decides whether the window may go now, later, or not at all."""

    leaving = Signal()  # the app ends now, without the window's destructors
    ready = Signal()  # what had to be waited for is done: the window may be closed again

    def __init__(
        self,
        workspace: Workspace,
        files: FileCommands,
        window: QWidget,
        *,
        ask: Ask = ask,
        leave: Callable[[int], object] = os._exit,
    ) -> None:
        super().__init__(window)
        self._workspace = workspace
        self._files = files
        self._window = window
        self._ask = ask
        self._leave = leave
        self._waits_for_run = False  # it was told to stop, or that the window goes
        self._is_agreed = False  # all questions are answered; only the trainer is waited for
        self._agreed_raw: Raw | None = None  # the settings about which they were answered
        self._is_detaching = False
        workspace.run.ended.connect(self._on_ended)
        workspace.tools.run.ended.connect(self._on_tool_ended)
        workspace.run.detached.connect(self._on_detached)

    def may_close(self) -> bool:
        """Tell whether the window may close now; asks what must be asked."""
        if self._is_agreed:
            return not self._is_awaited and self._may_leave_edits()
        if not (self._files.may_leave() and self._may_end_installation() and self._may_end_tool()):
            return False
        run = self._workspace.run
        answer = self._ask(self._window, _question()) if run.is_running else _KEEP
        if answer == CANCEL:
            return False
        # One that was found does not know this window.
        if run.is_running and answer == _KEEP and not run.is_attached:
            self._workspace.tools.run.stop()
            self._detach()
            return False
        if answer == _STOP:
            self._agree()
            self._waits_for_run = True
            run.stop(save=True)
        if self._workspace.tools.run.is_running:
            self._agree()
            self._workspace.tools.run.stop()
        return not self._is_agreed

    @property
    def _is_awaited(self) -> bool:
        """True while something runs that must not be cut off."""
        is_training = self._waits_for_run and self._workspace.run.is_running
        return is_training or self._workspace.tools.run.is_running

    def _may_end_tool(self) -> bool:
        if not self._workspace.tools.run.is_running:
            return True
        return self._ask(self._window, _tool_question()) == _END

    def _may_end_installation(self) -> bool:
        if self._workspace.python.installation is None:
            return True
        return self._ask(self._window, _installation_question()) == _END

    def _may_leave_edits(self) -> bool:
        """Ask once more if the settings were changed while the trainer was waited for."""
        return self._workspace.document.raw is self._agreed_raw or self._files.may_leave()

    def _agree(self) -> None:
        self._is_agreed = True
        self._agreed_raw = self._workspace.document.raw

    def _detach(self) -> None:
        self._agree()
        self._is_detaching = self._waits_for_run = True
        QTimer.singleShot(_DETACH_TIMEOUT_MS, self, self._on_detached)
        self._workspace.run.detach()

    def _on_detached(self) -> None:
        if self._is_detaching:
            self._is_detaching = False
            self.leaving.emit()
            # A QProcess that is destroyed kills its child; one that is never destroyed does not.
            self._leave(0)

    def _on_ended(self, outcome: Outcome) -> None:
        self._is_detaching = False
        if _is_lost(outcome):
            self._is_agreed = False
        self._go_on()

    def _on_tool_ended(self, _outcome: Outcome) -> None:
        if not self._is_detaching:
            self._go_on()

    def _go_on(self) -> None:
        """Close the window once everything that was waited for has ended."""
        if not self._is_awaited:
            if self._is_agreed:
                self.ready.emit()
            self._is_agreed = self._waits_for_run = False


def _is_lost(outcome: Outcome) -> bool:
    """Tell whether steps were trained that no file holds."""
    if outcome.ending is Ending.COMPLETED or outcome.step == 0:
        return False
    return outcome.state is None or state_step(outcome.state) < (outcome.step or 0)


def _installation_question() -> Question:
    return Question(
        shown(T("App", "An installation is going on")),
        shown(T("App", "Packages are being installed for the trainer.")),
        shown(T("App", "Closing ends that. What is done stays; Install goes on from there.")),
        (Answer(_END, shown(T("App", "End the installation")), is_destructive=True),),
        shown(T("App", "Keep the window open")),
    )


def _tool_question() -> Question:
    return Question(
        shown(T("App", "A tool is at work")),
        shown(T("App", "A tool is not done yet.")),
        shown(T("App", "Closing stops it; what it has not finished is not written.")),
        (Answer(_END, shown(T("App", "Stop the tool")), is_destructive=True),),
        shown(T("App", "Keep the window open")),
    )


def _question() -> Question:
    return Question(
        shown(T("App", "A run is going on")),
        shown(T("App", "Training is not done. What should happen to it?")),
        shown(
            T(
                "App",
                "Save and stop writes the weights and a state to go on from; the window closes "
                "when that is done. Keep training leaves the trainer at work without a window; "
                "the next start finds it again.",
            )
        ),
        (
            Answer(_STOP, shown(T("App", "Save and stop"))),
            Answer(_KEEP, shown(T("App", "Keep training"))),
        ),
    )
