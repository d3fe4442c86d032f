"""The languages of the window: a file of translations each (Qt's ``.ts``), found in a folder.

The files are read as translators write them, so that a language is one file and needs no tool:
``pyside6-lupdate -tr-function-alias QT_TRANSLATE_NOOP+=T`` makes it, Qt Linguist edits it. Forms
of words by number, ``[count:file|files]``, are explained in `trainer_core.texts`.
"""

from __future__ import annotations

import logging
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QObject, QTranslator

from trainer_core.files.own_folders import data_folder
from trainer_core.files.presence import is_file
from trainer_core.files.resources import resource_path
from trainer_core.texts import numbers_in

SYSTEM, ENGLISH = "system", "en"  # the language of the system; the one that texts are written in
_UNDONE = ("unfinished", "vanished", "obsolete")

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Language:
    """A language that the window can be shown in.

    Attributes:
        code: As Qt and its files say it, such as ``de`` or ``pt_BR``.
        name: What those who speak it call it.
        path: Its file.
    """

    code: str
    name: str
    path: Path


class Translation(QTranslator):
    """The texts of one file."""

    def __init__(self, language: Language, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._words = dict(_messages(language.path))

    def isEmpty(self) -> bool:  # noqa: N802 - Qt's name
        """Tell whether nothing is translated."""
        return not self._words

    def translate(
        self,
        context: str,
        source: str,
        disambiguation: str | None = None,
        n: int = -1,
    ) -> str | None:
        """Return a text in this language, None if the file does not have it."""
        return self._words.get((context, source))


def language_folders() -> tuple[Path, ...]:
    """Return where languages are found: those that ship with the program, and the user's own."""
    return resource_path("languages"), data_folder() / "languages"


def find_languages(folders: Sequence[Path]) -> Mapping[str, Language]:
    """Return the languages of some folders by code; a later folder's file counts."""
    found = {}
    for folder in folders:
        for path in sorted(filter(is_file, folder.glob("*.ts"))):
            try:
                code = _code(path)
            except (OSError, ElementTree.ParseError) as error:
                _logger.warning("%s is no file of translations: %s", path, error)
                continue
            found[code] = Language(code, own_name(code), path)
    return found


def own_name(code: str) -> str:
    """Return what those who speak a language call it; the code itself where Qt knows no name."""
    locale = QLocale(code)
    if locale.language() is QLocale.Language.C:
        return code
    name = locale.nativeLanguageName()
    name = name[:1].upper() + name[1:]
    return f"{name} ({locale.nativeTerritoryName()})" if "_" in code else name


def speak(app: QCoreApplication, wanted: str, languages: Mapping[str, Language]) -> None:
    """Show every text that is asked for from now on in a language, Qt's own texts too.

    Args:
        app: Owns the translations.
        wanted: A code, or `SYSTEM`; texts stay English where there is no such language.
        languages: Those that were found.
    """
    code = _system_code(languages) if wanted == SYSTEM else wanted
    language = languages.get(code)
    if language is None:
        return
    qt_words = QTranslator(app)
    if qt_words.load(
        QLocale(code), "qtbase", "_", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    ):
        app.installTranslator(qt_words)
    app.installTranslator(Translation(language, app))


def _system_code(languages: Mapping[str, Language]) -> str:
    """Return the first of the system's languages that is there."""
    for words in QLocale.system().uiLanguages():
        code = words.replace("-", "_")
        language = code.partition("_")[0]
        relatives = sorted(each for each in languages if each.startswith(f"{language}_"))
        for each in (code, language, *relatives):
            if each in languages or each == ENGLISH:
                return each
    return ENGLISH


def _code(path: Path) -> str:
    """Return the language of a file; its texts are read only once they are wanted."""
    if not path.read_bytes().rstrip().endswith(b"</TS>"):
        raise ElementTree.ParseError("its end is missing")
    for _, element in ElementTree.iterparse(path, events=("start",)):
        return element.get("language") or path.stem
    return path.stem


def _messages(path: Path) -> Iterator[tuple[tuple[str, str], str]]:
    try:
        contexts = ElementTree.parse(path).iter("context")
    except (OSError, ElementTree.ParseError) as error:
        _logger.warning("%s is no file of translations: %s", path, error)
        return
    for context in contexts:
        for message in context.iter("message"):
            source, translation = message.findtext("source", ""), message.find("translation")
            if translation is None or translation.get("type") in _UNDONE or not translation.text:
                continue
            if _is_filled_alike(source, translation.text):
                yield (context.findtext("name", ""), source), translation.text
            else:
                _logger.warning("%s: the values of “%s” are not those of its text", path, source)


def _is_filled_alike(source: str, translation: str) -> bool:
    """Tell whether a translation asks for the values of its text, and for no others."""
    values = _values(source)
    known = {name for name, _, _ in values or ()} | numbers_in(source)
    return values == _values(translation) and numbers_in(translation) <= known


def _values(template: str) -> set[tuple[str, str | None, str | None]] | None:
    """Return a template's values, each with how it is written; None if it is no template."""
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError:
        return None
    return {(name, form, conversion) for _, name, form, conversion in parts if name is not None}
