"""The app's own settings, declared like those of a run, and what it remembers between starts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from PySide6.QtCore import QByteArray, QObject, QSettings, Signal

from desktop_app.languages import ENGLISH, SYSTEM, find_languages, language_folders
from trainer_core.catalogue.entry import Entry
from trainer_core.settings.document import from_raw, from_text, to_raw
from trainer_core.settings.param import Param, Section, param
from trainer_core.settings.schema import Schema
from trainer_core.texts import T

THEMES: Mapping[str, Entry] = {
    "system": Entry(label=T("App", "Like the system")),
    "light": Entry(label=T("App", "Light")),
    "dark": Entry(label=T("App", "Dark")),
}
LANGUAGES = find_languages(language_folders())
_LANGUAGE_CHOICES: Mapping[str, Entry] = {
    SYSTEM: Entry(label=T("App", "Like the system")),
    ENGLISH: Entry(label="English"),
    **{code: Entry(label=language.name) for code, language in LANGUAGES.items()},
}
RECENT_LIMIT = 10
_LAYOUTS = "named-layouts"
_MAX_LAYOUTS = 1000  # a damaged file may claim any number


class AppSettings(Section):
    """How the app looks and behaves, and what it starts."""

    theme: str = param(
        "system",
        T("App", "Theme"),
        T("App", "Light or dark window."),
        choices=THEMES,
    )
    language: str = param(
        SYSTEM,
        T("App", "Language"),
        T("App", "Language of the window; another one is used from the next start on."),
        choices=_LANGUAGE_CHOICES,
        restart=True,
    )
    start_at_once: bool = param(
        False,
        T("App", "Skip the summary"),
        T("App", "Start shows its summary only if there is a problem or the name is taken."),
    )
    trainer_python: Path | None = param(
        None,
        T("App", "Trainer's Python"),
        T("App", "The Python that trains; it has PyTorch in the build for the graphics card."),
        path_kind="file",
        unset_label=T("App", "The app's own"),
    )


APP = Schema.of_section("app", T("App", "General"), AppSettings)


class Preferences(QObject):
    """`AppSettings` kept in an ini file, with window layout and recent files beside them."""

    changed = Signal()

    def __init__(self, path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = QSettings(str(path), QSettings.Format.IniFormat)
        self.settings = self._read()

    def change(self, **values: Any) -> None:
        """Set some of the app's settings and keep them."""
        wanted = AppSettings.model_validate(dict(self.settings) | values)
        if wanted == self.settings:
            return
        self.settings = wanted
        for declared in APP.params().values():
            value = getattr(self.settings, declared.name)
            self._store.setValue(f"app/{declared.name}", to_raw(declared, value))
        self.changed.emit()

    @property
    def recent_files(self) -> list[Path]:
        """Run files opened last, newest first."""
        stored = self._store.value("files/recent")
        names = stored if isinstance(stored, list) else [stored]  # a list of one is its item
        usable = (name for name in names if isinstance(name, str) and name and "\0" not in name)
        return [Path(name) for name in usable][:RECENT_LIMIT]

    def remember_file(self, path: Path) -> None:
        """Put ``path`` first among the recent files."""
        path = path.absolute()
        kept = [path, *(other for other in self.recent_files if other != path)][:RECENT_LIMIT]
        self._store.setValue("files/recent", [str(name) for name in kept])

    def forget_file(self, path: Path) -> None:
        """Take ``path`` off the recent files."""
        kept = [other for other in self.recent_files if other != path]
        self._store.setValue("files/recent", [str(name) for name in kept])

    def forget_all_files(self) -> None:
        """Empty the list of recent files."""
        self._store.remove("files/recent")

    def layout(self, name: str) -> QByteArray:
        """Return a saved piece of window layout, empty if there is none."""
        stored = self._store.value(f"layout/{name}")
        return stored if isinstance(stored, QByteArray) else QByteArray()

    def keep_layout(self, name: str, data: QByteArray) -> None:
        """Save a piece of window layout."""
        self._store.setValue(f"layout/{name}", data)

    @property
    def named_layouts(self) -> dict[str, QByteArray]:
        """The layouts of the docks that the user saved, by name, the oldest first."""
        kept = {}
        for place in range(min(self._store.beginReadArray(_LAYOUTS), _MAX_LAYOUTS)):
            self._store.setArrayIndex(place)
            state, name = self._store.value("state"), self._store.value("name", "")
            if isinstance(state, QByteArray) and isinstance(name, str):
                kept[name] = state
        self._store.endArray()
        return kept

    def keep_named_layouts(self, layouts: Mapping[str, QByteArray]) -> None:
        """Keep these layouts instead of those before."""
        self._store.remove(_LAYOUTS)
        self._store.beginWriteArray(_LAYOUTS, len(layouts))
        for place, (name, state) in enumerate(layouts.items()):
            self._store.setArrayIndex(place)
            self._store.setValue("name", name)
            self._store.setValue("state", state)
        self._store.endArray()

    def is_open(self, name: str) -> bool:
        """Tell whether a part of a form that can be folded was left open."""
        return bool(self._store.value(f"open/{name}", False, bool))

    def keep_open(self, name: str, is_open: bool) -> None:
        """Remember whether a part of a form is unfolded."""
        self._store.setValue(f"open/{name}", is_open)

    def is_chart_shown(self, name: str, *, at_first: bool) -> bool:
        """Tell whether a chart was chosen to be shown; ``at_first`` if nobody chose yet."""
        return bool(self._store.value(f"charts/{name}", at_first, bool))

    def keep_chart_shown(self, name: str, is_shown: bool) -> None:
        """Remember whether a chart is shown."""
        self._store.setValue(f"charts/{name}", is_shown)

    @property
    def sample_side(self) -> int:
        """The size that samples are shown in, in pixels; 0 if they fit the width."""
        side = self._store.value("samples/side", 0, int)
        return side if isinstance(side, int) and 0 <= side < 2**15 else 0

    def keep_sample_side(self, side: int) -> None:
        """Remember the size that samples are shown in."""
        self._store.setValue("samples/side", side)

    def write(self) -> None:
        """Write everything to disk now."""
        self._store.sync()

    def _read(self) -> AppSettings:
        values = {
            declared.name: _from_store(declared, self._store.value(f"app/{declared.name}"))
            for declared in APP.params().values()
            if self._store.contains(f"app/{declared.name}")
        }
        try:
            return AppSettings.model_validate(values)
        except ValidationError as error:  # a file of a newer version, or edited by hand
            for problem in error.errors():
                values.pop(str(problem["loc"][0]), None)
            return AppSettings.model_validate(values)


def _from_store(declared: Param, value: Any) -> Any:
    """Return a kept value; an ini file holds everything as text."""
    plain = from_text(declared, value) if isinstance(value, str) else value
    return from_raw(declared, plain)
