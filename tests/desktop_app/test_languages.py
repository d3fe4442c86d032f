"""A language is one file: it is found, offered by its own name, and shown."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QTranslator

from desktop_app.languages import Language, Translation, find_languages, own_name, speak
from desktop_app.translation import shown

GERMAN = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de">
<context><name>App</name>
    <message><source>&amp;File</source><translation>&amp;Datei</translation></message>
    <message><source>Theme</source><translation>Aussehen</translation></message>
    <message><source>&amp;Undo</source>
    <translation type="unfinished">&amp;Zur</translation></message>
    <message><source>Saved: {name}</source><translation>Gesichert: {Name}</translation></message>
    <message><source>{n} [n:file|files]</source>
    <translation>{n} [n:Datei|Dateien]</translation></message>
    <message><source>{n} [n:step|steps]</source><translation>{n}歩</translation></message>
    <message><source>{n} [n:epoch|epochs]</source>
    <translation>{n} [m:Epoche|Epochen]</translation></message>
    <message><source>Step {step}</source><translation>Schritt {step:d}</translation></message>
</context>
<context><name>Problems</name>
    <message><source>{path} is not answering.</source>
    <translation>{path} antwortet nicht.</translation></message>
</context>
</TS>
"""

# What the app does at its start, with the window's menus and the page of the preferences.
START = """
import sys
from PySide6.QtWidgets import QComboBox
from desktop_app.window.start import application
from desktop_app.languages import speak
from desktop_app.preferences import LANGUAGES, Preferences
from desktop_app.preferences_view.general_page import GeneralPage
from desktop_app.window.main_window import MainWindow
from desktop_app.workspace import Workspace
from pathlib import Path
app, home = application(), Path(sys.argv[1])
preferences = Preferences(home / "preferences.ini")
speak(app, preferences.settings.language, LANGUAGES)
workspace = Workspace(preferences, home)
window = MainWindow(workspace)
page = GeneralPage(preferences)
field = page.rows["language"].editor.findChild(QComboBox)
print([field.itemText(n) for n in range(field.count())])
print([action.text() for action in window.menuBar().actions()][:2])
print(page.rows["theme"].label.text())
field.setCurrentIndex(field.findData("de"))
field.activated.emit(field.currentIndex())
preferences.write()
workspace.close()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "languages"
    folder.mkdir()
    (folder / "de.ts").write_text(GERMAN, encoding="utf-8")
    return folder


@pytest.fixture
def german(folder: Path) -> Language:
    return find_languages([folder])["de"]


def test_a_language_is_found_by_its_own_name(german: Language, folder: Path):
    assert german == Language("de", "Deutsch", folder / "de.ts")


def test_what_is_no_translation_is_left_out_aloud(folder: Path, caplog: pytest.LogCaptureFixture):
    (folder / "fr.ts").write_text("bonjour", encoding="utf-8")
    (folder / "it.ts").write_text(GERMAN[: len(GERMAN) // 2], encoding="utf-8")
    (folder / "es.ts").mkdir()
    assert set(find_languages([folder, folder / "gone"])) == {"de"}
    assert "fr.ts is no file of translations" in caplog.text
    assert "it.ts is no file of translations" in caplog.text


@pytest.mark.parametrize(
    ("code", "name"),
    [("fr", "Français"), ("pt_BR", "Português (Brasil)"), ("tlh_nonsense", "tlh_nonsense")],
)
def test_languages_are_called_as_those_who_speak_them_do(code: str, name: str):
    assert own_name(code) == name


def test_only_finished_texts_with_their_values_are_shown(
    german: Language, caplog: pytest.LogCaptureFixture
):
    words = Translation(german)
    assert words.translate("App", "&File") == "&Datei"
    assert words.translate("Problems", "&File") is None
    assert words.translate("App", "&Undo") is None
    assert words.translate("App", "Saved: {name}") is None
    assert "the values of “Saved: {name}”" in caplog.text
    assert words.translate("App", "Step {step}") is None


def test_a_language_has_its_own_forms_of_words_by_number(german: Language, qapp, caplog):
    translation = Translation(german)
    qapp.installTranslator(translation)
    try:
        files = [shown("{n} [n:file|files]", n=n) for n in (1, 2)]
        assert files == ["1 Datei", "2 Dateien"]
        assert shown("{n} [n:step|steps]", n=1) == "1歩"
        # It asks for a number that its text does not have.
        assert shown("{n} [n:epoch|epochs]", n=1) == "1 epoch"
    finally:
        qapp.removeTranslator(translation)
    assert "the values of “{n} [n:epoch|epochs]”" in caplog.text


def test_texts_of_ours_and_of_qt_are_shown_in_the_language(german: Language, qapp):
    speak(qapp, "de", {"de": german})
    try:
        assert shown("{path} is not answering.", path="/net") == "/net antwortet nicht."
        assert QCoreApplication.translate("QPlatformTheme", "Cancel") == "Abbrechen"
    finally:
        for made in qapp.findChildren(QTranslator):
            qapp.removeTranslator(made)
            shiboken6.delete(made)
    assert shown("{path} is not answering.", path="/net") == "/net is not answering."


def test_an_unknown_language_leaves_texts_as_they_are(qapp):
    speak(qapp, "gone", {})
    assert shown("&File") == "&File"


@pytest.mark.slow
def test_one_file_is_offered_and_the_window_speaks_it_after_a_restart(folder: Path):
    home = folder.parent
    environment = os.environ | {"LORA_LOOM_HOME": str(home), "LANG": "C", "LC_ALL": "C"}
    environment["PYTHONUTF8"] = "1"

    def start() -> list[str]:
        command = [sys.executable, "-c", START, str(home)]
        ended = subprocess.run(
            command, env=environment, capture_output=True, text=True, encoding="utf-8", check=True
        )
        return ended.stdout.splitlines()

    choices = "['Like the system', 'English', 'Deutsch']"
    assert start() == [choices, "['&File', '&Edit']", "Theme"]
    assert start() == [choices, "['&Datei', '&Edit']", "Aussehen"]
