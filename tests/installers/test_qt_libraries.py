import pytest
from setup_steps import qt_libraries
from setup_steps.console import SetupProblem

LDD = """cat <<'END'
	linux-vdso.so.1 (0x00007ffc)
	libQt6Gui.so.6 => /venv/lib/libQt6Gui.so.6 (0x00007f12)
	libxcb-cursor.so.0 => not found
	libEGL.so.1 => not found
	libxcb-cursor.so.0 => not found
END"""


@pytest.fixture
def folder(tmp_path):
    """An environment with Qt's X11 plugin."""
    plugins = tmp_path / ".venv/lib/python3.11/site-packages/PySide6/Qt/plugins/platforms"
    plugins.mkdir(parents=True)
    (plugins / "libqxcb.so").touch()
    return tmp_path / ".venv"


@pytest.fixture
def linker(machine):
    """A linker that misses two libraries of the plugin."""
    (machine.folder / "cat").symlink_to("/bin/cat")
    machine.has("ldd", LDD)


def test_missing_libraries_are_named_with_the_command(folder, machine, linker):
    machine.has("apt-get")
    with pytest.raises(SetupProblem, match=r"libEGL\.so\.1, libxcb-cursor\.so\.0\.") as problem:
        qt_libraries.require(folder, "qxcb", is_system_allowed=False)
    assert "libxcb-cursor0" in problem.value.command


def test_a_complete_system_is_passed(folder, machine):
    machine.has("ldd", "echo '	libc.so.6 => /lib/libc.so.6 (0x00007f)'")
    qt_libraries.require(folder, "qxcb", is_system_allowed=False)


@pytest.mark.usefixtures("machine")
def test_a_system_without_a_linker_tool_is_passed(folder):
    assert qt_libraries.missing_libraries(folder, "qxcb") == []
