import sys
from pathlib import Path

from desktop_app.process.environment import TrainerCommand, cleaned, own_python


def test_a_frozen_apps_variables_are_removed():
    variables = {
        "PATH": "/bin",
        "PYTHONPATH": "/app",
        "PYTHONHOME": "/app",
        "QT_PLUGIN_PATH": "/app/plugins",
        "QML2_IMPORT_PATH": "/app/qml",
        "_PYI_ARCHIVE_FILE": "/app/loom",
        "_MEIPASS2": "/app",
    }
    assert cleaned(variables) == {"PATH": "/bin"}


def test_the_library_path_from_before_the_frozen_app_comes_back():
    variables = {"LD_LIBRARY_PATH": "/app", "LD_LIBRARY_PATH_ORIG": "/cuda", "_PYI_X": "1"}
    assert cleaned(variables) == {"LD_LIBRARY_PATH": "/cuda"}


def test_a_library_path_that_the_frozen_app_added_is_removed():
    assert cleaned({"LD_LIBRARY_PATH": "/app", "_PYI_X": "1"}) == {}


def test_a_users_library_path_is_kept_without_a_frozen_app():
    assert cleaned({"LD_LIBRARY_PATH": "/cuda"}) == {"LD_LIBRARY_PATH": "/cuda"}


def test_the_trainer_is_started_isolated_unbuffered_and_in_utf8():
    command = TrainerCommand.of_python(Path("/venv/bin/python"))
    assert command.program == "/venv/bin/python"
    assert list(command.arguments) == ["-I", "-u", "-X", "utf8", "-m", "trainer_core"]


def test_a_frozen_app_is_no_python(monkeypatch):
    assert own_python() == Path(sys.executable)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert own_python() is None
