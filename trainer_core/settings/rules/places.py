"""Whether what the settings name is there, and what is written has a place; asks the disk."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from trainer_core.errors import (
    DatasetError,
    ModelFileError,
    OutputError,
    SettingsError,
    StateError,
    TrainerError,
)
from trainer_core.settings.document import to_raw
from trainer_core.settings.param import Param
from trainer_core.settings.problems import Problem, Severity, Suggestion
from trainer_core.settings.rules.written import backslash_hint, has_control
from trainer_core.settings.schema import TRAIN, TrainSettings
from trainer_core.texts import T, Text, text

# So many missing entries of a list are named one by one; a drive may be gone with all of them.
_NAMED_ENTRIES = 3


NOT_ANSWERING = T("Problems", "{path} is not answering.")
_LOOK_LATER = T(
    "Problems",
    "Check the network or the drive; it is looked at again when you come back to the window.",
)
MORE_PICTURES = "dataset.more_pictures"
_WRITTEN = ("output.output_dir", "output.logging_dir")

# Says why the path of a parameter cannot be used, None if it can or if nobody knows yet.
Look = Callable[[Param, Path], Text | None]


def look_at(param: Param, value: Path) -> Text | None:
    """Look at the disk, which may take its time: say why a path cannot be used, None if it can."""
    return _place_message(value) if param.path in _WRITTEN else path_message(param, value)


def check_places(settings: TrainSettings, look: Look = look_at) -> list[Problem]:
    """Return what is wrong with the places that the settings name.

    It is no rule like the others: those look at no disk, so that a form can ask them at every edit.

    Args:
        settings: Their paths are absolute.
        look: How a path is looked at; by default here and now.
    """
    return [*existing_paths(settings, look), *more_pictures(settings, look)]


def existing_paths(settings: TrainSettings, look: Look = look_at) -> Iterator[Problem]:
    """Require that what is read exists and is of the right kind, and that results have a place."""
    for path, param in TRAIN.params().items():
        value = settings.get(path)
        if not isinstance(value, Path):
            continue
        message = look(param, value)
        if message is not None:
            if message.template == NOT_ANSWERING:
                yield not_answering(param, value)
                continue
            hint = text(T("Problems", "Choose another one, or correct the path."))
            if has_control(value):
                hint = backslash_hint()
            yield Problem(path, Severity.ERROR, message, Suggestion(hint), kind=_kind_of(param))


def not_answering(param: Param, value: Path) -> Problem:
    """Return the problem of a path on a drive that does not answer in time."""
    message, later = text(NOT_ANSWERING, path=value), Suggestion(text(_LOOK_LATER))
    return Problem(param.path, Severity.ERROR, message, later, kind=_kind_of(param))


def more_pictures(settings: TrainSettings, look: Look = look_at) -> Iterator[Problem]:
    """Name the entries of the list that cannot be read, each with the list without them."""
    path = MORE_PICTURES
    param, entries = TRAIN.params()[path], settings.dataset.more_pictures
    broken = {e: message for e in entries if (message := look(param, e)) is not None}
    silent = [m for m in broken.values() if m.template == NOT_ANSWERING]
    if silent:  # the first stands for all: they need not be removed
        yield not_answering(param, next(e for e in broken if broken[e] is silent[0]))
        broken = {e: message for e, message in broken.items() if message not in silent}
    if len(broken) > _NAMED_ENTRIES:
        first = next(iter(broken))
        template = T("Problems", "{count} of these cannot be read; the first is {path}.")
        message = text(template, count=len(broken), path=first)
        rest = [entry for entry in entries if entry not in broken]
        hint = Suggestion(text(T("Problems", "Remove them.")), {path: to_raw(param, tuple(rest))})
        yield Problem(path, Severity.ERROR, message, hint, kind=DatasetError)
        return
    for entry, message in broken.items():
        others = tuple(other for other in entries if other != entry)
        hint = Suggestion(
            text(T("Problems", "Remove it from the list.")), {path: to_raw(param, others)}
        )
        yield Problem(path, Severity.ERROR, message, hint, kind=DatasetError)


def _place_message(value: Path) -> Text | None:
    """Say why a folder cannot be written or made: the nearest one that exists decides."""
    for place in (value, *value.parents):
        try:
            mode = place.stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError) as error:
            return _unreadable(value, error)
        if not stat.S_ISDIR(mode):
            return text(T("Problems", "{path} is a file, not a folder."), path=place)
        if not os.access(place, os.R_OK | os.W_OK | os.X_OK):
            return text(T("Problems", "There is no permission to write to {path}."), path=place)
        return None
    return text(T("Problems", "{path} does not exist."), path=value)


def _unreadable(value: Path, error: OSError | ValueError) -> Text:
    """Name what the system refuses: no permission, too long a name, a null character."""
    reason = getattr(error, "strerror", None) or error
    return text(T("Problems", "{path} cannot be read: {reason}"), path=value, reason=reason)


def path_message(param: Param, value: Path) -> Text | None:
    """Say why a path is not what a setting asks for, None if it is."""
    try:
        mode = value.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        if param.spec.path_kind == "new_file":
            return _place_message(value.parent)
        return text(T("Problems", "{path} does not exist."), path=value)
    except (OSError, ValueError) as error:
        return _unreadable(value, error)
    if param.spec.path_kind == "new_file":
        return text(T("Problems", "{path} exists already."), path=value)
    if param.spec.path_kind == "folder" and not stat.S_ISDIR(mode):
        return text(T("Problems", "{path} is no folder."), path=value)
    if param.spec.path_kind == "file" and not stat.S_ISREG(mode):
        return text(T("Problems", "{path} is no file."), path=value)
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):  # to open a pipe waits for ever
        return text(T("Problems", "{path} is neither a file nor a folder."), path=value)
    return None


def _kind_of(param: Param) -> type[TrainerError]:
    if param.path == "output.resume":
        return StateError
    kinds = {"model": ModelFileError, "dataset": DatasetError, "output": OutputError}
    return kinds.get(param.section, SettingsError)
