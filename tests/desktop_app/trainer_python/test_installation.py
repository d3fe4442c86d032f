from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from helpers.package_index import PackageIndex
from pytestqt.qtbot import QtBot

from desktop_app.process.tool_process import ToolEnd, ToolEnding
from desktop_app.trainer_python.installation import InstallEnd, Progress, failure
from desktop_app.trainer_python.plan import Plan, plan_for, step_count, steps
from desktop_app.trainer_python.requirements import Fit, Requirement
from desktop_app.trainer_python.trainer_python import TrainerPython
from trainer_core.environment.torch_choice import INDEX, TESTED, TorchBuild
from trainer_core.texts import text
from trainer_core.version import __version__

PATIENCE_MS = 60_000
CPU = TorchBuild("cpu", text("none was found"))
CUDA = TorchBuild("cuda", text("a card was found"), "torch>=2.6", f"{INDEX}cu126")

pytestmark = pytest.mark.usefixtures("without_cards")


def take(python: TrainerPython, path: Path, qtbot: QtBot) -> None:
    """Choose a Python and wait until all is known of it."""
    python.choose(path)
    qtbot.waitUntil(lambda: not python.is_looking, timeout=30_000)
    assert python.refusal is None


def prepare(python: TrainerPython, qtbot: QtBot) -> Plan:
    with qtbot.waitSignal(python.install_ready, timeout=20_000) as blocker:
        python.prepare_install()
    plan = blocker.args[0]
    assert isinstance(plan, Plan)
    return plan


def install(python: TrainerPython, plan: Plan, qtbot: QtBot) -> InstallEnd:
    with qtbot.waitSignal(python.installed, timeout=PATIENCE_MS) as blocker:
        python.install(plan)
    qtbot.waitUntil(lambda: not python.is_looking, timeout=30_000)
    end = blocker.args[0]
    assert isinstance(end, InstallEnd)
    return end


def test_what_is_missing_is_installed_and_found(
    python: TrainerPython, environment: Path, full_index: PackageIndex, qtbot: QtBot
) -> None:
    take(python, environment, qtbot)
    assert python.lacks_something
    plan = prepare(python, qtbot)
    seen: list[Progress] = []
    python.installing.connect(lambda started: started.progressed.connect(seen.append))
    end = install(python, plan, qtbot)
    assert end.ok, python.output
    assert [state.fit for state in python.states] == [Fit.OK] * len(python.states)
    assert python.facts is not None
    assert python.facts.trainer == __version__
    assert not python.lacks_something
    assert any("diffusers" in str(progress.activity) and progress.total for progress in seen)
    assert max(progress.packages for progress in seen) >= len(plan.packages)
    assert [progress.step for progress in seen] == sorted(progress.step for progress in seen)
    assert seen[-1].step == seen[-1].steps


def test_a_cancelled_installation_ends_pip_and_can_go_on(
    python: TrainerPython, environment: Path, full_index: PackageIndex, qtbot: QtBot
) -> None:
    take(python, environment, qtbot)
    full_index.held = "diffusers"
    with qtbot.waitSignal(python.installed, timeout=PATIENCE_MS) as blocker:
        python.install(prepare(python, qtbot))
        qtbot.waitUntil(full_index.is_held.is_set, timeout=PATIENCE_MS)
        python.cancel()
    end = blocker.args[0]
    assert end.is_cancelled
    assert "cancelled" in str(end.sentence)
    assert python.installation is None
    qtbot.waitUntil(lambda: not python.is_looking, timeout=30_000)
    full_index.release()
    plan = prepare(python, qtbot)
    assert plan.build is None  # torch was in its place before
    assert install(python, plan, qtbot).ok, python.output
    assert not python.lacks_something


def test_an_index_that_cannot_be_reached_is_told(
    python: TrainerPython, environment: Path, full_index: PackageIndex, qtbot: QtBot
) -> None:
    take(python, environment, qtbot)
    plan = prepare(python, qtbot)
    full_index.close()
    end = install(python, plan, qtbot)
    assert str(end.sentence) == "The package index cannot be reached."
    assert end.hint is not None
    assert any("ERROR" in line for line in python.output)


def test_an_index_without_a_package_is_told_with_its_name(
    python: TrainerPython, environment: Path, full_index: PackageIndex, qtbot: QtBot
) -> None:
    next(full_index.folder.glob("ftfy-*.whl")).unlink()
    take(python, environment, qtbot)
    end = install(python, prepare(python, qtbot), qtbot)
    assert "ftfy" in str(end.sentence)
    assert python.lacks_something


@pytest.mark.slow
def test_an_environment_without_pip_gets_it_first(
    python: TrainerPython, environment: Path, full_index: PackageIndex, qtbot: QtBot
) -> None:
    [packages] = environment.glob("lib/python*/site-packages")
    for path in packages.glob("pip*"):
        shutil.rmtree(path)
    take(python, environment, qtbot)
    plan = prepare(python, qtbot)
    assert plan.pip == ""
    assert install(python, plan, qtbot).ok, python.output
    assert not python.lacks_something


@pytest.mark.slow
def test_an_environment_is_made_filled_and_taken(
    python: TrainerPython,
    environment: Path,
    full_index: PackageIndex,
    tmp_path: Path,
    qtbot: QtBot,
) -> None:
    folder = tmp_path / "made here"
    with qtbot.waitSignal(python.install_ready, timeout=20_000) as blocker:
        python.prepare_environment(environment / "bin" / "python", folder)
    end = install(python, blocker.args[0], qtbot)
    assert end.ok, python.output
    assert python.path == folder / "bin" / "python"
    assert not python.is_own
    assert not python.lacks_something


# ---------------------------------------------------------------- plans


def arguments(plan: Plan, scratch: Path) -> list[list[str]]:
    return [list(step.arguments) for step in steps(plan, scratch)]


def test_only_what_does_not_fit_is_planned(
    python: TrainerPython, environment: Path, qtbot: QtBot
) -> None:
    take(python, environment, qtbot)
    assert python.facts is not None
    wanted = [Requirement("pip", ">=1"), Requirement("psutil", ">=6")]
    plan = plan_for(python.facts, wanted, CUDA)
    assert plan.packages == (Requirement("psutil", ">=6"),)
    assert plan.build is None


def test_the_index_of_the_cards_build_is_asked_for_torch_alone(tmp_path: Path) -> None:
    plan = Plan(Path("python"), build=CUDA, packages=(Requirement("scipy"),), pip="26")
    torch, others = arguments(plan, tmp_path)
    assert torch[-3:] == ["--index-url", f"{INDEX}cu126", "torch>=2.6"]
    assert "--index-url" not in others


def test_the_cpu_index_is_taken_where_the_package_index_would_send_cuda(tmp_path: Path) -> None:
    plan = Plan(Path("python"), build=CPU, pip="26")
    running = steps(plan, tmp_path)
    look = next(running)
    report = Path(look.arguments[look.arguments.index("--report") + 1])
    report.write_text('{"install": [{"metadata": {"name": "nvidia-cublas"}}]}')
    done = ToolEnd(ToolEnding.EXITED, 0, "")
    assert running.send(done).arguments[-3:] == ("--index-url", f"{INDEX}cpu", TESTED)


def test_the_others_may_not_bring_another_torch(tmp_path: Path) -> None:
    plan = Plan(Path("python"), build=CUDA, packages=(Requirement("scipy"),), pip="26")
    running = steps(plan, tmp_path)
    next(running)
    done = ToolEnd(ToolEnding.EXITED, 0, "Successfully installed sympy-1 torch-2.9.1+cu126")
    others = running.send(done).arguments
    constraint = Path(others[others.index("--constraint") + 1])
    assert constraint.read_text() == "torch==2.9.1+cu126\n"


def test_an_old_pip_is_renewed_before_its_progress_is_read(tmp_path: Path) -> None:
    plan = Plan(Path("python"), packages=(Requirement("scipy"),), pip="22.3")
    renew, install_others = arguments(plan, tmp_path)
    assert renew[-1] == "pip>=24.1"
    assert "raw" in install_others
    assert step_count(plan, tmp_path) == 2


@pytest.mark.parametrize(
    ("output", "words", "way_out"),
    [
        ("error: externally-managed-environment", "belongs to the system", "environment"),
        ("ERROR: [Errno 13] Permission denied: '/usr'", "cannot be written", "environment"),
        ("ERROR: [Errno 28] No space left on device", "disk is full", "room"),
        ("The virtual environment was not created: ensurepip is not available", "without pip",
         "python3-venv"),
        ("Segmentation fault", "Segmentation fault", "Show output"),
        ("", "failed: 1", "Show output"),
    ],
)  # fmt: skip
def test_a_failure_is_told_with_a_way_out(output: str, words: str, way_out: str) -> None:
    sentence, hint = failure(ToolEnd(ToolEnding.EXITED, 1, output), Plan(Path("python")))
    assert words in str(sentence)
    assert way_out in str(hint)
