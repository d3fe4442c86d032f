import json
import sys
from collections import namedtuple
from importlib.util import cache_from_source
from pathlib import Path

import pytest
from setup_steps import packages
from setup_steps.console import SetupProblem
from setup_steps.packages import (
    PACKAGES,
    Torch,
    explain_pip,
    find_torch,
    install_project,
    install_torch,
)

from trainer_core.environment.torch_choice import INDEX, TESTED, TorchBuild
from trainer_core.texts import text

CPU = TorchBuild("cpu", text("none was found"))
CUDA = TorchBuild("cuda", text("a card was found"), "torch>=2.6", f"{INDEX}cu126")

# A Python whose pip logs its arguments, and reports what the index offers.
PIP = """
all="$*"
while [ $# -gt 0 ]; do
    case "$1" in
        --report) cp {offer} "$2"; shift ;;
        --constraint) echo "constraint: $(cat "$2")" >> {log}; shift ;;
        torch*|--index-url|http*|--editable|*loom*) echo "$1" >> {log} ;;
    esac
    shift
done
{end}
"""


@pytest.fixture
def pip(tmp_path):
    """An environment's Python with a pip that does nothing but tell what it was asked for."""

    class Pip:
        python = tmp_path / ".venv" / "bin" / "python"
        log = tmp_path / "asked.txt"
        offer = tmp_path / "offer.json"

        def offers(self, *names):
            items = [{"metadata": {"name": name}} for name in names]
            self.offer.write_text(json.dumps({"install": items}))

        def ends_with(self, end):
            script = PIP.format(offer=self.offer, log=self.log, end=end)
            self.python.write_text(f"#!/bin/sh{script}")
            self.python.chmod(0o755)

        @property
        def asked(self):
            return self.log.read_text().split("\n")[:-1]

    pip = Pip()
    pip.python.parent.mkdir(parents=True)
    pip.ends_with("")
    pip.offers("torch", "sympy")
    return pip


@pytest.fixture(autouse=True)
def roomy_disk_without_uv(monkeypatch):
    usage = namedtuple("Usage", "free")
    monkeypatch.setattr(packages.shutil, "disk_usage", lambda path: usage(100e9))
    monkeypatch.setattr(packages.shutil, "which", lambda command: None)


def test_the_index_of_the_build_is_used(pip):
    install_torch(pip.python, CUDA)
    assert pip.asked == ["--index-url", f"{INDEX}cu126", "torch>=2.6"]


def test_the_package_index_is_used_where_it_has_the_cpu_build(pip):
    install_torch(pip.python, CPU)
    assert pip.asked == [TESTED, TESTED]  # the look before, and the installation


def test_the_cpu_index_is_used_where_the_package_index_would_send_cuda(pip, capsys):
    pip.offers("torch", "nvidia-cublas", "triton")
    install_torch(pip.python, CPU)
    assert pip.asked == [TESTED, "--index-url", f"{INDEX}cpu", TESTED]
    assert "CPU build" in capsys.readouterr().out


@pytest.mark.parametrize(("build", "backend"), [(CPU, "cpu"), (CUDA, "auto")])
def test_uv_chooses_the_build_where_it_is_there(pip, machine, monkeypatch, build, backend):
    machine.has("uv")
    monkeypatch.setattr(packages.shutil, "which", lambda command: str(machine.folder / command))
    install_torch(pip.python, build)
    assert len(machine.calls) == 1
    assert f"--torch-backend={backend}" in machine.calls[0]
    assert not pip.log.exists()


def test_pip_goes_on_where_uv_fails(pip, machine, monkeypatch):
    machine.has("uv", "exit 2")
    monkeypatch.setattr(packages.shutil, "which", lambda command: str(machine.folder / command))
    install_torch(pip.python, CUDA)
    assert "torch>=2.6" in pip.asked


def test_too_little_disk_is_told_before_the_download(pip, monkeypatch):
    usage = namedtuple("Usage", "free")
    monkeypatch.setattr(packages.shutil, "disk_usage", lambda path: usage(1e9))
    with pytest.raises(SetupProblem, match=r"1\.0 GB free"):
        install_torch(pip.python, CUDA)
    assert not pip.log.exists()


def test_the_project_is_installed_without_touching_torch(pip, tmp_path):
    torch = Torch("2.13.0+cpu", "cpu", sees_gpu=False)
    install_project(pip.python, tmp_path / "loom", ["trainer", "dev"], torch)
    assert pip.asked == [
        "constraint: torch==2.13.0+cpu",
        "--editable",
        f"{tmp_path}/loom[trainer,dev]",
        *(f"{tmp_path}/loom/{package}" for package in PACKAGES),  # compiled
    ]


def test_the_first_start_finds_the_checkout_compiled(pip, checkout):
    (checkout / "desktop_app").mkdir()
    (checkout / "desktop_app" / "start.py").write_text("pass\n")
    pip.ends_with(f'case "$all" in *compileall*) exec {sys.executable} $all ;; esac')
    install_project(pip.python, checkout, ["trainer"], Torch("2.13.0", "cpu", sees_gpu=False))
    modules = [path for package in PACKAGES for path in (checkout / package).rglob("*.py")]
    assert len(modules) > 3
    assert [path for path in modules if not Path(cache_from_source(path)).is_file()] == []


def test_a_checkout_that_cannot_be_compiled_is_told_and_used(pip, tmp_path, capsys):
    pip.ends_with('case "$all" in *compileall*) exit 1 ;; esac')
    install_project(pip.python, tmp_path / "loom", [], Torch("2.13.0", "cpu", sees_gpu=False))
    assert "first start takes longer" in capsys.readouterr().out


def test_a_failing_pip_is_a_problem_that_names_its_log(pip):
    pip.ends_with("echo 'ERROR: it went wrong'; exit 1")
    with pytest.raises(SetupProblem, match=r"it went wrong.*install\.log"):
        install_torch(pip.python, CUDA)
    assert "it went wrong" in (pip.python.parents[1] / "install.log").read_text()


@pytest.mark.parametrize(
    ("answer", "torch"),
    [
        ('["2.13.0+cpu", null, null, false]', Torch("2.13.0+cpu", "cpu", sees_gpu=False)),
        ('["2.13.0", "13.0", null, true]', Torch("2.13.0", "cuda", sees_gpu=True)),
        ('["2.9.1", null, "6.4", false]', Torch("2.9.1", "rocm", sees_gpu=False)),
    ],
)
def test_torch_is_asked_what_it_is(pip, answer, torch):
    pip.ends_with(f"echo '{answer}'")
    assert find_torch(pip.python) == torch


def test_no_torch_is_no_problem(pip):
    pip.ends_with("echo \"ModuleNotFoundError: No module named 'torch'\" >&2; exit 1")
    assert find_torch(pip.python) is None


def test_a_torch_that_does_not_start_is_told(pip):
    pip.ends_with("echo 'OSError: libgomp.so.1: cannot open' >&2; exit 1")
    with pytest.raises(SetupProblem, match="libgomp"):
        find_torch(pip.python)


@pytest.mark.parametrize(
    ("output", "told"),
    [
        (
            "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('"
            "<pip._vendor.urllib3.connection...>: Failed to establish a new connection: [Errno "
            "111] Connection refused')': /simple/torch/\n"
            "ERROR: No matching distribution found for torch==2.13.0\n",
            "cannot be reached",
        ),
        ("ERROR: Could not install: [Errno 28] No space left on device\n", "disk is full"),
        ("ERROR: Could not install: [Errno 13] Permission denied: '/x'\n", "cannot be written"),
        ("ERROR: No matching distribution found for torch\n", "No matching distribution"),
        ("Killed\n", "no reason given"),
    ],
)
def test_a_failure_of_pip_is_explained(output, told):
    assert told in explain_pip(output)
