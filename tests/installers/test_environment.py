import importlib.util
import json
import shutil
import sys

import pytest
from setup_steps import environment as environment_module
from setup_steps.console import SetupProblem
from setup_steps.environment import MARKER, Environment

ALL = ["trainer", "dev"]


@pytest.fixture
def environment(checkout, fake_python) -> Environment:
    """A complete environment that the setup made."""
    mark(checkout, made_here=True, has_python=True)
    environment = Environment(checkout)
    environment.finish(ALL, "cpu")
    return environment


def mark(checkout, **facts):
    (checkout / ".venv").mkdir(exist_ok=True)
    (checkout / ".venv" / MARKER).write_text(json.dumps({**facts, "stamp": None}))


def test_a_new_checkout_is_not_complete(checkout):
    assert not Environment(checkout).is_complete(ALL, is_cpu_forced=False)


def test_a_finished_environment_is_complete_for_less_too(environment):
    assert environment.is_complete(ALL, is_cpu_forced=True)
    assert environment.is_complete(["trainer"], is_cpu_forced=False)


def test_more_extras_are_still_to_be_installed(environment):
    environment.finish(["trainer"], "cpu")
    assert not environment.is_complete(ALL, is_cpu_forced=False)


@pytest.mark.parametrize("name", ["pyproject.toml", "trainer_core/version.py"])
def test_a_change_of_the_project_asks_for_another_look(environment, name):
    with (environment.checkout / name).open("a") as file:
        file.write("\n# changed\n")
    assert not environment.is_complete(ALL, is_cpu_forced=False)


def test_an_interrupted_setup_is_not_complete(checkout, fake_python):
    mark(checkout, made_here=True, has_python=True)
    assert not Environment(checkout).is_complete(ALL, is_cpu_forced=False)


def test_a_marker_that_was_cut_off_is_not_complete(checkout, fake_python):
    (checkout / ".venv" / MARKER).write_text('{"made_he')
    assert not Environment(checkout).is_complete(ALL, is_cpu_forced=False)


def test_an_environment_whose_python_is_gone_offers_fresh(environment, fake_python):
    fake_python.unlink()
    with pytest.raises(SetupProblem, match=r"does not start any more.*--fresh"):
        environment.is_complete(ALL, is_cpu_forced=False)


def test_an_environment_of_another_python_offers_fresh(environment, fake_python):
    fake_python.write_text("#!/bin/sh\necho 3.99\n")
    with pytest.raises(SetupProblem, match=r"now starts Python 3\.99.*--fresh"):
        environment.is_complete(ALL, is_cpu_forced=False)


def test_a_moved_checkout_offers_fresh(environment, tmp_path):
    moved = shutil.move(environment.checkout, tmp_path / "elsewhere")
    with pytest.raises(SetupProblem, match=r"cannot be moved.*--fresh"):
        Environment(moved).is_complete(ALL, is_cpu_forced=False)


def test_forcing_the_cpu_onto_another_build_offers_fresh(environment):
    environment.finish(ALL, "cuda")
    with pytest.raises(SetupProblem, match=r"for cuda.*--fresh"):
        environment.is_complete(ALL, is_cpu_forced=True)


def test_fresh_removes_what_the_setup_made(environment):
    environment.remove()
    assert not environment.folder.exists()


@pytest.mark.parametrize("is_marked", [False, True], ids=["unmarked", "marked as found"])
def test_fresh_leaves_the_environment_of_others(checkout, fake_python, is_marked):
    if is_marked:
        mark(checkout, made_here=False, has_python=True)
    with pytest.raises(SetupProblem, match="not made by this script") as problem:
        Environment(checkout).remove()
    assert problem.value.command.startswith("mv ")
    assert fake_python.exists()


def test_fresh_leaves_a_link_to_an_environment(environment, tmp_path):
    elsewhere = tmp_path / "shared"
    environment.folder.rename(elsewhere)
    environment.folder.symlink_to(elsewhere)
    with pytest.raises(SetupProblem, match="not made by this script"):
        environment.remove()
    assert (elsewhere / MARKER).exists()


def test_fresh_does_not_remove_the_python_that_it_runs_in(environment, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(environment.folder))
    with pytest.raises(SetupProblem, match="lies in"):
        environment.remove()
    assert environment.folder.exists()


def test_an_environment_of_others_is_used_as_it_is(checkout, fake_python, capsys):
    environment = Environment(checkout)
    before = fake_python.read_text()
    environment.make(is_system_allowed=False)
    environment.finish(ALL, "cpu")
    assert fake_python.read_text() == before
    assert "what it lacks is added" in capsys.readouterr().out
    with pytest.raises(SetupProblem, match="not made by this script"):
        environment.remove()


def test_a_foreign_folder_without_a_python_is_refused(checkout):
    (checkout / ".venv").mkdir()
    with pytest.raises(SetupProblem, match="not made by this script"):
        Environment(checkout).make(is_system_allowed=False)


def test_an_interrupted_making_starts_over(checkout):
    mark(checkout, made_here=True, has_python=False)
    (checkout / ".venv" / "half").touch()
    environment = Environment(checkout)
    environment.make(is_system_allowed=False)
    assert not (checkout / ".venv" / "half").exists()
    assert environment.python_version() == f"{sys.version_info.major}.{sys.version_info.minor}"


def test_an_interrupted_filling_keeps_the_environment(checkout, fake_python):
    mark(checkout, made_here=True, has_python=True)
    Environment(checkout).make(is_system_allowed=False)
    assert fake_python.exists()


def test_a_python_without_ensurepip_names_its_package(checkout, machine, monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        environment_module.importlib.util,
        "find_spec",
        lambda name: None if name == "ensurepip" else find_spec(name),
    )
    machine.has("apt-get")
    with pytest.raises(SetupProblem, match="makes environments") as problem:
        Environment(checkout).make(is_system_allowed=False)
    assert f"python3.{sys.version_info.minor}-venv" in problem.value.command
    assert not (checkout / ".venv").exists()
