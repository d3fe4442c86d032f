"""The exception tree: what happened in words for people, and the way out."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Self

from trainer_core.texts import T, Text, text


class TrainerError(Exception):
    """Base of every error that is shown to people.

    Args:
        message: What happened and to what, as a marked template.
        hint: What to do about it, as a marked template; empty where nothing can be said.
        setting: ``section.name`` of the setting that it is about, empty if there is none.
        picture: Path of the picture that it is about, empty if there is none.
        values: The named values of both templates.
    """

    kind: ClassVar[str] = "trainer"

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        setting: str = "",
        picture: str = "",
        **values: object,
    ) -> None:
        self.message: Text = text(message, **values)
        self.hint: Text | None = text(hint, **values) if hint else None
        self.setting = setting
        self.picture = picture
        super().__init__(str(self.message))

    @classmethod
    def in_words(
        cls, message: Text, hint: Text | None = None, *, setting: str = "", picture: str = ""
    ) -> Self:
        """Return the error that says these texts, each with its own values."""
        error = cls("", setting=setting, picture=picture)
        error.message, error.hint, error.args = message, hint, (str(message),)
        return error

    @property
    def sentences(self) -> str:
        """Message and hint on one line."""
        message = str(self.message)
        if self.hint is None:
            return message
        return f"{message}{'' if message.endswith(('.', '!', '?')) else '.'} {self.hint}"


class SettingsError(TrainerError):
    """The settings cannot be used; the run did not start."""

    kind = "settings"


class DatasetError(TrainerError):
    """A picture, a caption or the picture folder cannot be used."""

    kind = "dataset"


class CaptionEncodingError(DatasetError):
    """A caption is text, but in another encoding than UTF-8, to which it can be converted."""


class ModelFileError(TrainerError):
    """A base model or adapter file is missing, damaged, hostile or of another kind."""

    kind = "model_file"


class StateError(TrainerError):
    """A saved training state is damaged, incomplete or belongs to another run."""

    kind = "state"


class OutputError(TrainerError):
    """A file cannot be written: no permission, no space, or the name is taken."""

    kind = "output"


class DiskFull(OutputError):  # noqa: N818 - the name people know it by
    """A disk has no room for what is to be written, or a quota is used up.

    Attributes:
        path: What was to be written.
        is_decided: Whether somebody decided not to wait for room: the run is to end.
    """

    kind = "disk_full"
    path = Path()
    is_decided = False

    @classmethod
    def at(cls, path: Path, error: OutputError) -> Self:
        """Return what ``error`` says, as that of a disk which was too full for ``path``."""
        full = cls.in_words(error.message, error.hint, setting=error.setting, picture=error.picture)
        full.path = path
        return full


class OutOfMemory(TrainerError):  # noqa: N818 - the name people search for
    """The device has too little memory for this run."""

    kind = "out_of_memory"


class NumericError(TrainerError):
    """A loss or gradient is not finite; the update was not applied."""

    kind = "numeric"


class TeamError(TrainerError):
    """Another process of the run cannot be met, or has ended."""

    kind = "team"


class ProtocolError(TrainerError):
    """A line on the wire is not a message of this protocol."""

    kind = "protocol"


class InternalError(TrainerError):
    """Something that nobody foresaw: a defect of this program or of a library."""

    kind = "internal"

    @classmethod
    def of(cls, error: Exception) -> InternalError:
        """Put an unexpected exception in words."""
        return cls(
            T("Errors", "The trainer met an unexpected error: {kind}: {reason}"),
            T("Errors", "The log has the details; please report it."),
            kind=type(error).__name__,
            reason=error,
        )

    @classmethod
    def with_place(cls, error: Exception) -> InternalError:
        """Put an unexpected exception in words where there is no log to look into."""
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return cls(
            T("Errors", "The trainer met an unexpected error in {place}: {kind}: {reason}"),
            T("Errors", "Please report it."),
            place=f"{frame.filename}:{frame.lineno}",
            kind=type(error).__name__,
            reason=error,
        )


class StopRequested(Exception):  # noqa: N818 - a request, not an error
    """The run was told to stop before its first step."""


@contextlib.contextmanager
def about(*, setting: str = "", picture: str = "") -> Iterator[None]:
    """Give errors their place where they are raised by something that cannot know it.

    Args:
        setting: ``section.name`` of the setting that everything inside is about.
        picture: Path of the picture that it is about.

    Raises:
        TrainerError: The one that was raised inside; a place of its own stays.
    """
    try:
        yield
    except TrainerError as error:
        error.setting = error.setting or setting
        error.picture = error.picture or picture
        raise
