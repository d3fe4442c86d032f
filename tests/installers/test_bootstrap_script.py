import ast
import subprocess
import sys

import bootstrap
import pytest
from helpers.source_tree import ROOT
from setup_steps.console import SetupProblem
from setup_steps.environment import Environment

READ_BY_OLD_PYTHONS = ["bootstrap.py", *(f"setup_steps/{name}.py" for name in (
    "__init__", "apt", "console", "handover"
))]  # fmt: skip


@pytest.fixture
def old_python(monkeypatch, machine):
    """This Python is too old, and 9.1 and 9.0 would do."""
    monkeypatch.setattr(bootstrap, "OLDEST", (9, 0))
    monkeypatch.setattr(bootstrap, "NEWEST", (9, 1))
    monkeypatch.setattr(bootstrap, "VERSIONS", ["9.1", "9.0"])
    started = []
    monkeypatch.setattr(bootstrap, "hand_over", lambda command: started.append(command) or 7)
    return started


@pytest.mark.parametrize("name", READ_BY_OLD_PYTHONS)
def test_old_pythons_can_read_it(name):
    tree = ast.parse((ROOT / "installers" / name).read_text(), feature_version=(3, 7))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    annotations = [argument.annotation for f in functions for argument in f.args.args]
    annotations += [function.returns for function in functions]
    # Evaluated by an old Python: plain names and texts only, no list[str], no X | None.
    assert all(a is None or isinstance(a, ast.Name | ast.Constant) for a in annotations)


def test_an_old_python_goes_on_with_a_newer_one(old_python, machine):
    machine.has("python9.0")
    assert bootstrap.main(["test", "-x"]) == 7
    assert old_python == [["python9.0", bootstrap.__file__, "test", "-x"]]


def test_a_newer_python_that_does_not_start_is_passed_over(old_python, machine):
    machine.has("python9.1", "exit 127")
    machine.has("python9.0")
    bootstrap.main(["run"])
    assert old_python[0][0] == "python9.0"


def test_without_a_newer_python_its_package_is_named(old_python, machine, capsys):
    machine.has("apt-get")
    machine.has("apt-cache", '[ "$3" = python9.0-venv ]')
    assert bootstrap.main(["run"]) == 1
    told = capsys.readouterr().err
    assert "this is Python" in told
    assert "apt-get install python9.0 python9.0-venv" in told
    assert "--system" in told


def test_without_any_package_the_other_ways_are_named(old_python, capsys):
    assert bootstrap.main(["run", "--system"]) == 1
    told = capsys.readouterr().err
    assert "python.org" in told
    assert "uv python install" in told


def test_with_leave_the_newer_python_is_installed_and_used(old_python, machine):
    machine.has("apt-cache", '[ "$3" = python9.0-venv ]')
    installs = f"echo '#!/bin/sh' > {machine.folder}/python9.0; chmod +x {machine.folder}/python9.0"
    for command in ("env", "su", "sudo", "apt-get"):
        machine.has(command, f"PATH=/bin:/usr/bin; {installs}")
    assert bootstrap.main(["run", "--system"]) == 7


def test_a_problem_is_one_paragraph_without_a_traceback(monkeypatch, capsys):
    def fail(arguments):
        raise SetupProblem("The thing is missing.", "get thing", is_for_system=True)

    monkeypatch.setattr("setup_steps.flow.main", fail)
    assert bootstrap.main(["run"]) == 1
    assert capsys.readouterr().err == (
        "\nThe thing is missing.\n\n    get thing\n\n"
        "Or add --system to your command, and this is done for you.\n"
    )


def test_ctrl_c_ends_in_a_sentence(monkeypatch, capsys):
    def interrupt(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("setup_steps.flow.main", interrupt)
    assert bootstrap.main(["run"]) == 130
    assert "goes on from here" in capsys.readouterr().out


def test_a_complete_environment_starts_the_tests_at_once(checkout, fake_python):
    Environment(checkout).finish(["trainer", "dev"], "cpu")
    result = subprocess.run(
        [sys.executable, "installers/bootstrap.py", "test", "-k", "one or two", "--lf"],
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=5,
    )
    assert result.stdout == "started: -m pytest -k one or two --lf\n"
    assert result.returncode == 3
