import errno

import pytest
from setup_steps import flow
from setup_steps.console import SetupProblem
from setup_steps.environment import Environment
from setup_steps.packages import Torch

from trainer_core.environment.torch_choice import TorchBuild
from trainer_core.texts import text


@pytest.fixture
def started(checkout, fake_python, monkeypatch):
    """The command lines that the flow starts, in a checkout that is complete."""
    commands = []
    monkeypatch.setattr(flow, "CHECKOUT", checkout)
    monkeypatch.setattr(flow, "hand_over", lambda command: commands.append(command[1:]) or 0)
    monkeypatch.chdir(checkout)
    Environment(checkout).finish(["trainer", "dev"], "cpu")
    return commands


@pytest.fixture
def no_display(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)


def test_run_opens_the_app_with_the_demo(started, monkeypatch):
    monkeypatch.setenv("DISPLAY", ":0")
    flow.main(["run"])
    assert started == [["-m", "desktop_app", "--demo"]]


@pytest.mark.usefixtures("no_display")
def test_run_trains_the_demo_where_there_is_no_display(started, capsys):
    flow.main(["run"])
    assert started == [["-m", "trainer_core", "demo"]]
    assert "no display" in capsys.readouterr().out


def test_run_trains_the_demo_where_the_display_does_not_answer(started, monkeypatch, capsys):
    monkeypatch.setattr(flow.display, "is_reachable", lambda python: False)
    monkeypatch.setenv("DISPLAY", ":93")
    flow.main(["run"])
    assert started == [["-m", "trainer_core", "demo"]]
    assert "DISPLAY=:93" in capsys.readouterr().out


@pytest.mark.usefixtures("no_display")
def test_missing_window_libraries_stop_only_a_window(started, monkeypatch):
    def missing(folder, plugin, *, is_system_allowed):
        if plugin == "qxcb":
            raise SetupProblem("missing")

    monkeypatch.setattr(flow.qt_libraries, "require", missing)
    flow.main(["run"])
    flow.main(["test"])
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    with pytest.raises(SetupProblem):
        flow.main(["run"])
    assert [command[1] for command in started] == ["trainer_core", "pytest"]


def test_prepare_starts_nothing(started, capsys):
    assert flow.main(["prepare"]) == 0
    assert started == []
    assert capsys.readouterr().out == ""


def test_options_of_the_setup_are_not_passed_on(started):
    flow.main(["test", "--cpu", "--system", "-m", "not slow", "tests/x.py"])
    assert started == [["-m", "pytest", "-m", "not slow", "tests/x.py"]]


class Installation:
    """Stands in for the network: notes what would be installed."""

    def __init__(self, monkeypatch, torch):
        self.steps = []
        self.torch = torch
        monkeypatch.setattr(flow, "update_pip", lambda python: None)
        monkeypatch.setattr(flow, "find_torch", lambda python: self.torch)
        monkeypatch.setattr(
            flow, "choose_build", lambda **_: TorchBuild("cuda", text("a card is here"))
        )
        monkeypatch.setattr(flow, "install_torch", self._install_torch)
        monkeypatch.setattr(flow, "install_project", self._install_project)

    def _install_torch(self, python, build):
        self.steps.append(build.backend)
        self.torch = Torch("2.13.0", build.backend, sees_gpu=False)

    def _install_project(self, python, checkout, extras, torch):
        self.steps.append((extras, torch.version))


def test_an_incomplete_environment_is_filled_once(started, checkout, monkeypatch, capsys):
    (checkout / ".venv" / ".loom-bootstrap.json").unlink()
    installation = Installation(monkeypatch, torch=None)
    flow.main(["test"])
    flow.main(["test"])
    assert installation.steps == ["cuda", (["trainer", "dev"], "2.13.0")]
    told = capsys.readouterr().out
    assert "the CUDA build: a card is here." in told
    assert "does not see the graphics card" in told
    assert len(started) == 2


def test_a_torch_that_is_there_is_kept(started, checkout, monkeypatch):
    (checkout / ".venv" / ".loom-bootstrap.json").unlink()
    here = Torch("2.12.0+cpu", "cpu", sees_gpu=False)
    installation = Installation(monkeypatch, torch=here)
    flow.main(["test", "--cpu"])
    assert installation.steps == [(["trainer", "dev"], "2.12.0+cpu")]


def test_forcing_the_cpu_onto_another_torch_is_refused(started, checkout, monkeypatch):
    (checkout / ".venv" / ".loom-bootstrap.json").unlink()
    Installation(monkeypatch, torch=Torch("2.13.0", "cuda", sees_gpu=True))
    with pytest.raises(SetupProblem, match="--fresh"):
        flow.main(["test", "--cpu"])
    assert started == []


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.EACCES, "cannot be written"),
        (errno.EROFS, "cannot be written"),
        (errno.ENOSPC, "is full"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_a_failing_disk_is_explained(started, checkout, monkeypatch, number, told):
    def fail(*arguments, **keywords):
        raise OSError(number, "Input/output error", "/some/file")

    (checkout / ".venv" / ".loom-bootstrap.json").unlink()
    monkeypatch.setattr(Environment, "make", fail)
    with pytest.raises(SetupProblem, match=told) as problem:
        flow.main(["test"])
    assert "/some/file" in problem.value.message
