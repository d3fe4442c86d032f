from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.package_index import write_torch
from pytestqt.qtbot import QtBot

from desktop_app.trainer_python.facts import Card, PythonFacts
from desktop_app.trainer_python.probe import Probe, PythonError, python_at
from desktop_app.trainer_python.requirements import Fit, Requirement, normalized
from trainer_core.version import __version__

MakePython = Callable[..., Path]
PYTHON = {
    "kind": "python",
    "version": "3.11.7",
    "bits": 64,
    "implementation": "CPython",
    "prefix": "/opt/env",
    "is_environment": True,
    "is_managed": False,
    "is_writable": True,
    "has_venv": True,
    "has_ensurepip": True,
}
PACKAGES = {"kind": "packages", "packages": {"Pillow": "11.3"}, "trainer": __version__}
TORCH = {"kind": "torch", "version": "2.13.0", "cuda": "13.0", "rocm": None, "cards": []}


def look(path: Path, qtbot: QtBot, *, patience_s: float = 20.0) -> PythonFacts:
    probe = Probe(path)
    with qtbot.waitSignal(probe.finished, timeout=30_000) as blocker:
        probe.start(patience_s=patience_s)
    facts = blocker.args[0]
    assert isinstance(facts, PythonFacts)
    return facts


def told(*facts: dict[str, object]) -> str:
    """Return the shell words that tell these facts."""
    return "\n".join(f"echo 'loom-probe {json.dumps(fact)}'" for fact in facts)


def put_torch(environment: Path, tmp_path: Path, source: str = "") -> None:
    [packages] = environment.glob("lib/python*/site-packages")
    with zipfile.ZipFile(write_torch(tmp_path)) as wheel:
        wheel.extractall(packages)
    if source:
        (packages / "torch" / "__init__.py").write_text(source)


def test_a_real_environment_tells_what_it_has(environment: Path, qtbot: QtBot) -> None:
    facts = look(environment / "bin" / "python", qtbot)
    assert facts.version == ".".join(str(part) for part in sys.version_info[:3])
    assert facts.prefix == environment
    assert facts.is_environment
    assert facts.is_writable
    assert not facts.is_managed
    assert facts.found("pip")
    assert facts.trainer == ""
    assert facts.torch is None
    assert facts.is_complete
    assert facts.problem is None


def test_torch_tells_its_build(environment: Path, tmp_path: Path, qtbot: QtBot) -> None:
    put_torch(environment, tmp_path)
    facts = look(environment / "bin" / "python", qtbot)
    assert facts.torch is not None
    assert (facts.torch.version, facts.torch.backend) == ("2.13.0", "cpu")


def test_the_quick_facts_come_before_torch_is_imported(
    environment: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    put_torch(environment, tmp_path, "import time; time.sleep(60)")
    probe = Probe(environment / "bin" / "python")
    with qtbot.waitSignal(
        probe.updated, timeout=20_000, check_params_cb=lambda facts: facts.packages is not None
    ) as blocker:
        probe.start()
    assert blocker.args[0].found("torch") == "2.13.0"
    assert not blocker.args[0].is_complete
    probe.close()


@pytest.mark.parametrize(
    "source",
    [
        "raise OSError('libgomp.so.1: cannot open shared object file')",
        "import os; os.kill(os.getpid(), 11)",
        "raise SystemExit(1)",
    ],
    ids=["does not load", "crashes", "exits"],
)
def test_a_broken_torch_is_told_and_the_rest_is_known(
    environment: Path, tmp_path: Path, qtbot: QtBot, source: str
) -> None:
    put_torch(environment, tmp_path, source)
    facts = look(environment / "bin" / "python", qtbot)
    assert facts.problem is None
    assert facts.found("torch") == "2.13.0"
    assert facts.torch_error is not None
    assert "PyTorch is installed and" in str(facts.torch_error)


def test_cards_are_read_with_memory_and_precision() -> None:
    card = {"name": "RTX 4090", "memory": 24 * 2**30, "has_bf16": True}
    line = "loom-probe " + json.dumps({**TORCH, "cards": [card]})
    torch = PythonFacts(Path("python")).with_line(line).torch
    assert torch is not None
    assert (torch.backend, torch.toolkit) == ("cuda", "13.0")
    assert torch.cards == (Card("RTX 4090", 24.0, True),)


def test_what_a_library_prints_does_not_disturb(fake_python: MakePython, qtbot: QtBot) -> None:
    noise = "echo 'Welcome!'; echo 'loom-probe {broken'; echo 'loom-probe [1]'; echo oops >&2"
    path = fake_python(f"{noise}\n{told(PYTHON)}\n{noise}\n{told(PACKAGES, TORCH)}")
    facts = look(path, qtbot)
    assert facts.problem is None
    assert facts.found("pillow") == "11.3"
    assert facts.torch is not None


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo hello", "does not answer like a Python"),
        ("exit 3", "does not answer like a Python"),
        ("head -c 300000 /dev/urandom", "does not answer like a Python"),
        ("echo 'Unknown option: -I' >&2; exit 2", "is Python 2"),
        (told({**PYTHON, "version": "3.8.18"}), "This is Python 3.8.18"),
        (told({**PYTHON, "bits": 32}), "32-bit"),
        (told({**PYTHON, "implementation": "PyPy"}), "PyPy"),
        (told(PYTHON) + "\necho 'ImportError: bad'; exit 1", "ImportError: bad"),
    ],
)
def test_what_cannot_train_is_said_with_a_way_out(
    fake_python: MakePython, qtbot: QtBot, script: str, words: str
) -> None:
    facts = look(fake_python(script), qtbot)
    assert facts.problem is not None
    assert words in str(facts.problem)
    assert facts.hint is not None


def test_a_python_that_hangs_is_given_up_with_its_children(
    fake_python: MakePython, qtbot: QtBot, tmp_path: Path
) -> None:
    path = fake_python(f"sleep 600 & echo $! > '{tmp_path}/child'; wait")
    facts = look(path, qtbot, patience_s=1.0)
    assert "does not answer" in str(facts.problem)
    child = int((tmp_path / "child").read_text())
    qtbot.waitUntil(lambda: not is_alive(child), timeout=5000)


def is_alive(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return state.stdout.strip() not in ("", "Z")


def test_a_file_that_is_no_program_is_told(qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "python"
    path.write_bytes(b"\x00\x01 not a program")
    path.chmod(0o755)
    facts = look(path, qtbot)
    assert facts.problem is not None
    assert facts.hint is not None


# ---------------------------------------------------------------- paths


def test_an_environments_folder_means_its_python(environment: Path) -> None:
    assert python_at(environment) == environment / "bin" / "python"


@pytest.mark.parametrize("kind", ["nothing", "folder", "lost", "plain file"])
def test_a_path_without_a_python_is_refused_in_words(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "chosen"
    if kind in ("folder", "lost"):
        path.mkdir()
    if kind == "lost":
        (path / "pyvenv.cfg").write_text("home = /gone\n")
    if kind == "plain file":
        path.write_text("hello")
        path.chmod(0o644)
    with pytest.raises(PythonError) as caught:
        python_at(path)
    assert str(path) in str(caught.value.message)
    assert caught.value.hint is not None


def test_a_link_to_a_python_is_not_followed_out_of_its_environment(environment: Path) -> None:
    assert python_at(environment / "bin" / "python").parent == environment / "bin"


# ---------------------------------------------------------------- states


def test_every_wanted_package_gets_a_state_and_the_trainer_is_last() -> None:
    facts = PythonFacts(Path("p"), packages={normalized("A_b"): "1.0"}, trainer="0.0.1")
    states = facts.states([Requirement("a-b", ">=2"), Requirement("c", ">=1")])
    assert [state.fit for state in states] == [Fit.TOO_OLD, Fit.MISSING, Fit.TOO_OLD]
    assert states[-1].is_trainer
