"""What a tool is: it is told its settings, says how far it is, and returns what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from trainer_core.settings.param import Section
from trainer_core.settings.problems import Problem
from trainer_core.texts import Text

S = TypeVar("S", bound=Section, contravariant=True)


class Stopped(Exception):  # noqa: N818 - a request, not an error
    """The tool was told to stop; what it had not published is gone."""


class Reporter(Protocol):
    """Takes what a tool has to report, and says when it is to stop."""

    def progress(self, done: int, total: int, work: Text) -> None:
        """Say how far it is: ``done`` of ``total`` parts, and what is done just now."""
        ...

    def warn(self, message: Text, hint: Text | None = None) -> None:
        """Say that something is not as it should be, though the work goes on."""
        ...

    def stop_if_asked(self) -> None:
        """Leave if the user wants to stop; to be called several times a second.

        Raises:
            Stopped: The user does.
        """
        ...


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What came of it.

    Attributes:
        lines: What there is to say, a line each.
        files: What was written.
    """

    lines: tuple[Text, ...] = ()
    files: tuple[Path, ...] = ()


class Tool(Protocol[S]):
    """A tool without a state of its own.

    Its module imports torch only if the work needs it, and then inside `run`: `check` is to answer
    at once. Paths that its settings name exist, and new files do not, before either is called.
    """

    def check(self, settings: S) -> Iterator[Problem]:
        """Yield what is wrong with the settings and inside the files that they name."""
        ...

    def run(self, settings: S, reporter: Reporter) -> ToolResult:
        """Do the work; files are written by `trainer_core.files.writing` only.

        Raises:
            TrainerError: It cannot be done.
            Stopped: The user wants to stop.
        """
        ...
