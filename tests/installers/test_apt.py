import os

import pytest
from setup_steps import apt
from setup_steps.console import SetupProblem

WHAT = "Part X is missing."


def test_without_leave_the_command_is_told(machine, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    machine.has("apt-get")
    with pytest.raises(SetupProblem) as problem:
        apt.require(["one", "two"], WHAT, is_system_allowed=False)
    assert problem.value.message.startswith(WHAT)
    assert problem.value.command == "apt-get update && apt-get install one two"
    assert problem.value.is_for_system
    assert machine.calls == []


def test_with_leave_the_packages_are_installed(machine, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    machine.has("apt-get")
    machine.has("env", 'shift; exec "$@"')
    apt.require(["one", "two"], WHAT, is_system_allowed=True)
    assert machine.calls[0] == "apt-get update"
    assert machine.calls[-1] == "apt-get install -y one two"


@pytest.mark.parametrize(
    ("has_sudo", "command"),
    [
        (True, "sudo apt-get update && sudo apt-get install one"),
        (False, "su -c 'apt-get update' && su -c 'apt-get install one'"),
    ],
)
def test_others_than_root_need_sudo_or_su(machine, monkeypatch, has_sudo, command):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    machine.has("apt-get")
    if has_sudo:
        machine.has("sudo")
    with pytest.raises(SetupProblem) as problem:
        apt.require(["one"], WHAT, is_system_allowed=False)
    assert problem.value.command == command


def test_a_failing_apt_get_is_a_problem_with_the_command_to_repeat(machine, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    machine.has("apt-get", "exit 100")
    machine.has("env", 'shift; exec "$@"')
    with pytest.raises(SetupProblem, match="could not install") as problem:
        apt.require(["one"], WHAT, is_system_allowed=True)
    assert problem.value.command.endswith("apt-get install one")


def test_other_systems_are_told_the_names(machine):
    with pytest.raises(SetupProblem, match="one two"):
        apt.require(["one", "two"], WHAT, is_system_allowed=True)
