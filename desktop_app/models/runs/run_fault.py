"""The setting that a run failed at, marked in the document until it is changed or tried again."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from desktop_app.document import Document
from desktop_app.models.runs.run_record import RunRecord
from desktop_app.process.outcome import Ending, Outcome
from desktop_app.process.run_control import RunControl
from trainer_core.dataset.overrides import LEFT_OUT
from trainer_core.protocol.messages import Failed
from trainer_core.settings.problems import Problem, Severity, Suggestion

_SOURCE = "run"


class RunFault(QObject):
    """Tells the document what the trainer found wrong with the values that a run was started with.

    A value that was changed while the run was at work is not what it failed at.
    """

    def __init__(
        self,
        run: RunControl,
        record: RunRecord,
        document: Document,
        is_own: Callable[[], bool],
        parent: QObject | None = None,
    ) -> None:
        """Listen to a run.

        Args:
            run: The run.
            record: What is known of it, which hears of everything first.
            document: Is told of the fault.
            is_own: Tells whether a run that was found is the document's.
            parent: Qt's owner.
        """
        super().__init__(parent)
        self._run = run
        self._record = record
        self._document = document
        self._is_own = is_own
        self._values: dict[str, object] = {}  # what the run was started with
        self._path = ""
        self._is_of_picture = False
        run.started.connect(self._on_started)
        run.ended.connect(self._on_ended)
        document.changed.connect(self._on_changed)
        document.replaced.connect(self._on_replaced)

    def forget(self) -> None:
        """Take the mark away: the disk may be another one now, and a start will tell."""
        self._path = ""
        self._document.set_found(_SOURCE, ())

    def _on_started(self) -> None:
        self.forget()
        is_own = not self._run.is_attached or self._is_own()
        document = self._document
        paths = document.schema.params() if is_own else ()
        self._values = {path: document.value(path) for path in paths}

    def _on_ended(self, outcome: Outcome) -> None:
        failed = self._record.failed if outcome.ending is Ending.FAILED else None
        if failed is None or failed.setting not in self._values:
            return
        if not self._document.would_change(failed.setting, self._values[failed.setting]):
            self._path, self._is_of_picture = failed.setting, bool(failed.picture)
            self._document.set_found(_SOURCE, (_problem(failed),))

    def _on_changed(self, paths: frozenset[str]) -> None:
        if self._path in paths or (self._is_of_picture and LEFT_OUT in paths):
            self.forget()

    def _on_replaced(self) -> None:
        self._values = {}
        self.forget()


def _problem(failed: Failed) -> Problem:
    hint = None if failed.hint is None else Suggestion(failed.hint.text())
    return Problem(
        failed.setting, Severity.ERROR, failed.message.text(), hint, picture=failed.picture
    )
