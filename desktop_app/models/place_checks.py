"""Whether the files and folders that the settings name are there, looked at in threads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal

from desktop_app.drives import DriveLooks
from trainer_core.settings.param import Param
from trainer_core.settings.problems import Problem
from trainer_core.settings.rules.places import (
    MORE_PICTURES,
    NOT_ANSWERING,
    check_places,
    look_at,
)
from trainer_core.settings.schema import TRAIN, TrainSettings
from trainer_core.texts import Text, text


class _Place(NamedTuple):
    setting: str  # ``section.name``
    path: Path


_Group = tuple[_Place, ...]  # places of one setting in one folder, which are looked at together


class PlaceChecks(QObject):
    """Looks at every path of the settings, once it is named and whenever it is asked to.

    A path of which nothing is known yet makes no problem, one on a drive that does not answer in
    time makes one that goes as soon as it answers.

    Attributes:
        problems: What is known to be wrong.
    """

    changed = Signal()  # problems are others
    looked = Signal()  # every place has answered, or did not in time

    def __init__(self, parent: QObject | None = None, *, looks: DriveLooks | None = None) -> None:
        super().__init__(parent)
        self.problems: Sequence[Problem] = ()
        self._settings = TrainSettings()
        self._named: _Group = ()
        self._answers: dict[_Place, Text | None] = {}
        self._silent: set[_Place] = set()
        self._open: set[_Group] = set()  # what is waited for
        self._looks = looks or DriveLooks(self)
        self._looks.answered.connect(self._on_answered)
        self._looks.silent.connect(self._on_silent)

    @property
    def is_busy(self) -> bool:
        """True until every place has answered, or did not in time."""
        return bool(self._open)

    def is_unsure(self, *settings: str) -> bool:
        """Tell whether one of these settings names a place that has not answered."""
        return any(
            place.setting in settings and (place not in self._answers or place in self._silent)
            for place in self._named
        )

    def is_looked_at(self, setting: str) -> bool:
        """Tell whether a place of a setting is looked at just now, for the first time or again."""
        return any(place.setting == setting for group in self._open for place in group)

    def follow(self, settings: TrainSettings) -> None:
        """Look at what these settings name and those before did not."""
        named = tuple(_named(settings))
        self._settings = settings
        if named == self._named:
            return
        self._named = named
        kept = set(named)
        self._answers = {place: answer for place, answer in self._answers.items() if place in kept}
        self._silent &= kept
        self._open = {group for group in self._open if kept.intersection(group)}
        self._look(place for place in named if place not in self._answers)
        self._show()

    def look_again(self) -> None:
        """Look at everything again: another program may have changed it."""
        self._look(self._named)

    def close(self) -> None:
        """Begin nothing more."""
        self._open.clear()
        self._looks.close()

    def _look(self, places: Iterable[_Place]) -> None:
        groups: dict[tuple[str, Path], dict[_Place, None]] = {}
        for place in places:
            groups.setdefault((place.setting, place.path.parent), {})[place] = None
        for (setting, _), found in groups.items():
            group = tuple(found)
            self._looks.look(
                group, group[0].path, partial(_messages, TRAIN.params()[setting], group)
            )
            if self._looks.is_looking(group):
                self._open.add(group)

    def _on_answered(self, group: _Group, answers: Mapping[_Place, Text | None] | None) -> None:
        kept = set(self._named)
        for place, message in (answers or dict.fromkeys(group)).items():
            if place in kept:
                self._answers[place] = message
                self._silent.discard(place)
        self._show()
        self._let_go(group)

    def _on_silent(self, group: _Group) -> None:
        for place in set(self._named).intersection(group):
            self._answers[place] = text(NOT_ANSWERING, path=place.path)
            self._silent.add(place)
        self._show()
        self._let_go(group)

    def _let_go(self, group: _Group) -> None:
        """Wait for it no longer, now that everybody knows its problems."""
        self._open.discard(group)
        if not self._open:
            self.looked.emit()

    def _show(self) -> None:
        problems = check_places(self._settings, self._known)
        if problems != self.problems:
            self.problems = problems
            self.changed.emit()

    def _known(self, param: Param, path: Path) -> Text | None:
        return self._answers.get(_Place(param.path, path))


def _named(settings: TrainSettings) -> Iterator[_Place]:
    for setting in TRAIN.params():
        value = settings.get(setting)
        if isinstance(value, Path):
            yield _Place(setting, value)
        elif setting == MORE_PICTURES and isinstance(value, tuple):  # what is left out is not read
            yield from (_Place(setting, path) for path in value)


def _messages(param: Param, group: _Group) -> dict[_Place, Text | None]:
    return {place: look_at(param, place.path) for place in group}
