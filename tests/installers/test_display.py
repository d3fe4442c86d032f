import sys
from pathlib import Path

import pytest
from setup_steps import display

PYTHON = Path(sys.executable)
where_displays_are_named = pytest.mark.skipif(
    sys.platform in ("win32", "darwin"), reason="Windows and macOS have a display without a name"
)


@pytest.fixture
def surroundings(monkeypatch):
    """Surroundings that name no display, to be changed."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@where_displays_are_named
def test_a_display_is_expected_where_one_is_named(surroundings):
    assert not display.is_expected()
    surroundings.setenv("DISPLAY", ":5")
    assert display.is_expected()
    assert display.names() == "DISPLAY=:5"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has an X server to ask")
def test_a_display_that_nobody_serves_is_not_reachable(surroundings):
    surroundings.setenv("DISPLAY", ":59999")
    surroundings.setenv("QT_QPA_PLATFORM", "xcb")
    assert not display.is_reachable(PYTHON)


def test_a_display_that_qt_opens_is_reachable(surroundings):
    surroundings.setenv("QT_QPA_PLATFORM", "offscreen")
    assert display.is_reachable(PYTHON)


@where_displays_are_named
def test_a_display_that_never_answers_is_given_up(machine, monkeypatch):
    machine.has("python", "exec /bin/sleep 20")
    monkeypatch.setattr(display, "_PATIENCE_S", 0.2)
    assert not display.is_reachable(machine.folder / "python")


@where_displays_are_named
def test_other_failures_are_left_to_the_app(machine):
    machine.has("python", "exit 1")
    assert display.is_reachable(machine.folder / "python")
