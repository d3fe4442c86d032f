import sys
from pathlib import Path

import pytest

from desktop_app.process.environment import (
    TrainerCommand,
    child_environment,
    cleaned,
    own_python,
)


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


ACTIVATED = {
    "VIRTUAL_ENV": "/home/me/other",
    "CONDA_PREFIX": "/opt/conda/envs/sd",
    "CONDA_DEFAULT_ENV": "sd",
}


@pytest.mark.parametrize(
    ("program", "kept"),
    [
        ("/usr/bin/python3", set()),
        ("/home/me/other/bin/python", {"VIRTUAL_ENV"}),
        ("/opt/conda/envs/sd/bin/python", {"CONDA_PREFIX", "CONDA_DEFAULT_ENV"}),
    ],
)
def test_marks_of_an_activated_environment_stay_only_for_its_own_python(program, kept):
    assert set(cleaned(ACTIVATED, program)) == kept


def test_pip_is_not_sent_elsewhere_and_keeps_its_index():
    variables = {"PIP_TARGET": "/x", "PIP_USER": "1", "PIP_INDEX_URL": "https://mirror"}
    assert cleaned(variables) == {"PIP_INDEX_URL": "https://mirror"}


def test_what_a_child_gets_is_this_process_environment_cleaned(monkeypatch, qapp):
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    environment = child_environment("/usr/bin/python3")
    assert not environment.contains("PYTHONPATH")
    assert environment.value("HTTPS_PROXY") == "http://proxy:3128"
