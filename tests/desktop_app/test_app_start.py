"""The app as it is started: a process of its own."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.source_tree import sources

from trainer_core.files.demo_project import DEMO_FOLDER

# Stands in for the person: looks at the window once it is there, and leaves.
LOOK = """
import json, sys
from PySide6.QtWidgets import QApplication
import desktop_app.__main__ as app

def look(*_):
    [window] = [w for w in QApplication.topLevelWidgets() if type(w).__name__ == "MainWindow"]
    heavy = [name for name in ("torch", "pyqtgraph") if name in sys.modules]
    seen = {"title": window.windowTitle(), "heavy": heavy}
    seen["fills_the_screen"] = window.isMaximized()
    window.close()
    print(json.dumps(seen))
    return 0

QApplication.exec = look
sys.exit(app.main(sys.argv[1:]))
"""

# Looks at what is loaded once the window was painted, and before anything else happens.
LOADED = """
import json, os, sys
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication
import desktop_app.__main__ as app

class Look(QObject):
    def eventFilter(self, watched, event):
        if watched.inherits("QMainWindow") and event.type() == QEvent.Type.Paint:
            print(json.dumps(sorted(sys.modules)), flush=True)
            os._exit(0)
        return False

def look(*_):
    look.filter = Look()
    QApplication.instance().installEventFilter(look.filter)
    return run()

run, QApplication.exec = QApplication.exec, look
app.main(["--demo"])
"""
SCREEN = {"name": "", "x": 0, "y": 0, "width": 1920, "height": 1080, "dpr": 1}
SCREEN |= {"logicalDpi": 96, "logicalBaseDpi": 96}
# Beside what is imported late by name.
NOT_AT_THE_START = {
    "torch", "numpy", "pyqtgraph", "packaging", "ftfy", "ssl", "http.client",
    "desktop_app.charts.view", "desktop_app.run_view.view", "desktop_app.samples_view.view",
    "desktop_app.tools_view.view", "desktop_app.captions_view.forms",
}  # fmt: skip


@pytest.fixture
def start(tmp_path: Path):
    """Start the app with these arguments and return what is seen."""

    def start(*arguments: str) -> dict[str, object]:
        ended = subprocess.run(
            [sys.executable, "-c", LOOK, *arguments],
            env=os.environ | {"LORA_LOOM_HOME": str(tmp_path / "home")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        assert "Traceback" not in ended.stderr
        seen: dict[str, object] = json.loads(ended.stdout)
        return seen

    return start


def test_it_opens_with_the_demo_and_without_what_takes_long_to_import(start, tmp_path: Path):
    seen = start("--demo")
    assert (seen["title"], seen["heavy"]) == ("demo.toml[*] – LoRA Loom", [])
    assert (tmp_path / "home" / DEMO_FOLDER / "demo.toml").is_file()


def test_the_first_paint_needs_no_module_that_is_imported_late(tmp_path: Path):
    late = re.compile(r'late\("([\w.]+)"\)')
    named = {name for source in sources("desktop_app") for name in late.findall(source.text)}
    screen = tmp_path / "screen.json"  # that of the tests is so narrow that every dock is built
    screen.write_text(json.dumps({"screens": [SCREEN]}), encoding="utf-8")
    environment = os.environ | {
        "LORA_LOOM_HOME": str(tmp_path / "home"),
        "QT_QPA_PLATFORM": f"offscreen:configfile={screen}",
    }
    command = [sys.executable, "-c", LOADED]
    loaded = json.loads(subprocess.check_output(command, env=environment, timeout=60))
    assert (named | NOT_AT_THE_START) & set(loaded) == set()
    assert named - {"numpy"}
    assert "desktop_app.dataset_view.view" in loaded


def test_it_opens_the_file_that_is_named(start, tmp_path: Path):
    run_file = tmp_path / "mine.toml"
    run_file.write_text('format = "loom/2"\n', encoding="utf-8")
    assert start(str(run_file))["title"] == "mine.toml[*] – LoRA Loom"


def test_it_opens_empty_otherwise(start):
    assert start()["title"] == "New run[*] – LoRA Loom"


def test_the_first_window_fills_a_screen_smaller_than_its_own_size(start):
    assert start()["fills_the_screen"]  # that of the tests is 800 pixels wide
