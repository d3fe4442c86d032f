"""Whether there is room for what the run will write, looked at in threads."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop_app.drives import DriveLooks
from trainer_core.dataset.survey import Survey
from trainer_core.disk_space.needs import Need, needs
from trainer_core.disk_space.room import Demand, demands, space_problems, without_present
from trainer_core.files.run_folder import RunFolder
from trainer_core.preflight import all_prompts
from trainer_core.prompts.file import PromptFile
from trainer_core.settings.problems import Problem
from trainer_core.settings.schema import Facts, TrainSettings

_Asked = tuple[tuple[Need, ...], RunFolder | None]  # what is needed, and whose files count for it


class SpaceCheck(QObject):
    """Holds what the run needs against the free space, whenever either may be another one.

    Attributes:
        demands: What is needed on each disk and what is free there, as far as it is known.
    """

    changed = Signal()  # demands are others

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.demands: Sequence[Demand] = ()
        self._asked: _Asked = ((), None)
        self._looks = DriveLooks(self)
        self._looks.answered.connect(self._on_answered)
        self._looks.silent.connect(self._on_silent)

    @property
    def problems(self) -> list[Problem]:
        """What is said of disks that have too little room."""
        return space_problems(self.demands)

    def follow(
        self,
        settings: TrainSettings,
        facts: Facts,
        survey: Survey | None,
        prompts: PromptFile | None,
    ) -> None:
        """Look at the disks of what these settings lead to, unless those before led to the same.

        Args:
            settings: Their paths are absolute.
            facts: What the files that they name say of themselves.
            survey: The newest look at the pictures.
            prompts: Those of the prompt file.
        """
        needed = needs(settings, facts, survey, all_prompts(settings, prompts).prompts)
        output = settings.output
        going_on = None
        if output.resume is not None and output.output_dir is not None:
            going_on = RunFolder(output.output_dir, output.output_name)
        asked = tuple(needed), going_on
        if asked == self._asked:
            return
        self._asked = asked
        if needed:
            self._look()
        else:
            self._show(())

    def look_again(self) -> None:
        """Look at the disks again: other programs fill and empty them."""
        if self._asked[0]:
            self._look()

    def close(self) -> None:
        """Begin nothing more."""
        self._looks.close()

    def _look(self) -> None:
        place: Path = self._asked[0][0].folder
        self._looks.look(self._asked, place, partial(_demands, *self._asked))

    def _on_answered(self, asked: _Asked, found: Sequence[Demand] | None) -> None:
        if asked == self._asked:
            self._show(found or ())

    def _on_silent(self, asked: _Asked) -> None:
        if asked == self._asked:  # that its disk does not answer is told by others
            self._show(())

    def _show(self, found: Sequence[Demand]) -> None:
        if found != self.demands:
            self.demands = found
            self.changed.emit()


def _demands(needed: Sequence[Need], going_on: RunFolder | None) -> Sequence[Demand]:
    return demands(needed if going_on is None else without_present(needed, going_on))
