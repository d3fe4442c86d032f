"""The app is killed with changes unsaved: a real process, a real signal."""

import os
import subprocess
import sys
from pathlib import Path

from desktop_app.document_file.recovery import left_behind
from trainer_core.settings import files

# Stands in for the person: changes a setting, and waits with it unsaved until the app is killed.
EDIT = """
import sys
from PySide6.QtWidgets import QApplication
import desktop_app.__main__ as app

run = QApplication.exec

def edit(*_):
    [window] = [w for w in QApplication.topLevelWidgets() if type(w).__name__ == "MainWindow"]
    window._workspace.document.set_value("adapter.network_dim", 24)
    return run()

QApplication.exec = edit
sys.exit(app.main(sys.argv[1:]))
"""


def test_a_killed_app_leaves_its_unsaved_changes_for_the_next_start(qapp, tmp_path: Path, qtbot):
    run_file, home = tmp_path / "mine.toml", tmp_path / "home"
    run_file.write_text('format = "loom/2"\n# mine\n[adapter]\nnetwork_dim = 16\n', "utf-8")
    environment = os.environ | {"LORA_LOOM_HOME": str(home)}
    app = subprocess.Popen([sys.executable, "-c", EDIT, str(run_file)], env=environment)
    folder = home / "recovery"
    try:
        qtbot.waitUntil(lambda: any(folder.glob("*.json")), timeout=60_000)
        assert left_behind(folder) == []  # its window is open
    finally:
        app.kill()
        app.wait()
    [(place, unsaved)] = left_behind(folder)
    place.release()
    assert unsaved.path == run_file
    assert unsaved.file.raw["adapter"]["network_dim"] == 24
    assert "# mine" in files.dumps(unsaved.file)
    assert "network_dim = 16" in run_file.read_text(encoding="utf-8")
