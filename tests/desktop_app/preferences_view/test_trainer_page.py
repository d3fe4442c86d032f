from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.answers import Answers
from helpers.drops import carried
from helpers.scripted_python import ScriptedPython
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QDropEvent
from pytestqt.qtbot import QtBot

from desktop_app.preferences_view.trainer_page import TrainerPage, environment_folder
from desktop_app.trainer_python.trainer_python import Surroundings
from desktop_app.workspace import Workspace
from trainer_core.environment.torch_choice import TorchBuild
from trainer_core.texts import text
from trainer_core.version import __version__

Looked = Callable[[Workspace], None]
WAIT_MS = 20_000


@pytest.fixture
def chosen_folder(tmp_path: Path) -> Path:
    """The folder that is chosen whenever one is asked for."""
    return tmp_path / "environments"


@pytest.fixture
def page(
    scripted: ScriptedPython,
    workspace: Workspace,
    answers: Answers,
    chosen_folder: Path,
    qtbot: QtBot,
) -> TrainerPage:
    made = TrainerPage(
        workspace.python,
        workspace.run,
        workspace.data_dir,
        ask=answers,
        choose_folder=lambda *_: str(chosen_folder),
    )
    qtbot.addWidget(made)
    made.resize(700, 700)
    return made


@pytest.fixture
def show(page: TrainerPage, workspace: Workspace, looked: Looked) -> Callable[[], None]:
    """Show the page and wait until everything is known."""

    def show() -> None:
        page.show()
        looked(workspace)

    return show


def state_of(page: TrainerPage, package: str) -> str:
    [item] = page.packages.findItems(package, Qt.MatchFlag.MatchExactly)
    return item.text(3)


def test_a_complete_python_is_ready(page: TrainerPage, show: Callable[[], None]) -> None:
    show()
    assert page.verdict.text() == "Ready to train."
    assert page.facts["python"].text() == "Python 3.12.1, chosen by you"
    assert page.facts["trainer"].text() == f"LoRA Loom's trainer {__version__}, like the app"
    assert "CPU build" in page.facts["torch"].text()
    assert "No graphics card" in page.facts["cards"].text()
    assert not page.install.isVisible()
    assert state_of(page, "torch") == "in place"


def test_what_is_missing_or_too_old_stands_out(
    page: TrainerPage, scripted: ScriptedPython, show: Callable[[], None]
) -> None:
    scripted.has({"torch": "1.13", "transformers": "9.0", "pip": "26"}, trainer="0.0.1")
    show()
    assert state_of(page, "torch") == "too old"
    assert state_of(page, "transformers") == "too new"
    assert state_of(page, "diffusers") == "missing"
    assert state_of(page, "LoRA Loom's trainer") == "other version"
    assert "0.0.1" in page.facts["trainer"].text()
    assert page.install.isVisible()
    assert page.install.isEnabled()


@pytest.mark.parametrize("why", ["is_managed", "is_writable"])
def test_a_python_that_may_not_be_filled_leads_to_an_environment(
    page: TrainerPage, scripted: ScriptedPython, show: Callable[[], None], why: str
) -> None:
    scripted.has({"pip": "26"}, **{why: why == "is_managed"})
    show()
    assert not page.install.isVisible()
    assert "make an environment" in page.hint.text()
    assert page.environment.isEnabled()


def test_a_python_that_went_away_is_said_with_a_way_out(
    page: TrainerPage, scripted: ScriptedPython, show: Callable[[], None]
) -> None:
    scripted.path.unlink()
    show()
    assert "cannot be started" in page.verdict.text()
    assert page.hint.text()
    assert page.chooser.own.isVisible()


def test_the_apps_own_is_one_press_away(
    page: TrainerPage, workspace: Workspace, show: Callable[[], None], qtbot: QtBot
) -> None:
    show()
    page.chooser.own.click()
    assert workspace.python.is_own
    assert not page.chooser.own.isVisible()
    assert workspace.run.command == workspace.python.command


def test_a_dropped_environment_is_chosen(
    page: TrainerPage, workspace: Workspace, show: Callable[[], None], tmp_path: Path, qtbot: QtBot
) -> None:
    show()
    other = ScriptedPython(tmp_path / "bin")
    data = carried(tmp_path)
    shift, action = Qt.KeyboardModifier.ShiftModifier, Qt.DropAction
    both = action.CopyAction | action.MoveAction
    drop = QDropEvent(QPointF(1, 1), both, data, Qt.MouseButton.LeftButton, shift)
    assert drop.proposedAction() == action.MoveAction
    with qtbot.waitSignal(workspace.python.chosen, timeout=WAIT_MS):
        page.chooser.dropEvent(drop)
    assert workspace.python.path == other.path
    assert drop.dropAction() == action.CopyAction  # else the other program may delete it


def test_the_list_goes_back_where_a_choice_cannot_be_taken(
    page: TrainerPage, workspace: Workspace, scripted: ScriptedPython, show: Callable[[], None],
    tmp_path: Path, qtbot: QtBot,
) -> None:  # fmt: skip
    show()
    bad = tmp_path / "bad"
    bad.write_text("#!/bin/sh\necho no\n")
    bad.chmod(0o755)
    workspace.python.choose(bad)
    assert page.chooser.list.currentData() == bad
    qtbot.waitUntil(lambda: not workspace.python.is_looking, timeout=WAIT_MS)
    assert page.chooser.list.currentData() == scripted.path
    assert page.verdict.text().startswith(f"{bad} was not taken.")
    assert "does not answer like a Python" in page.verdict.text()


def test_a_card_that_torch_does_not_use_gets_its_build_on_demand(
    page: TrainerPage, workspace: Workspace, show: Callable[[], None], qtbot: QtBot
) -> None:
    show()
    build = TorchBuild("cuda", text("the driver sees a card"))
    workspace.python.surroundings = Surroundings((), build)
    workspace.python.changed.emit()
    assert "does not use the graphics card: the driver sees a card" in page.verdict.text()
    assert page.replace.isVisible()
    with qtbot.waitSignal(workspace.python.install_ready, timeout=WAIT_MS) as blocker:
        page.replace.click()
    plan = blocker.args[0]
    assert plan.is_torch_replaced
    assert plan.packages == ()
    assert plan.wheel is None


@pytest.mark.usefixtures("scripted")
def test_a_frozen_app_asks_for_a_python_first(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    workspace.preferences.change(trainer_python=None)
    assert workspace.run.command is None
    page = TrainerPage(workspace.python, workspace.run, workspace.data_dir)
    qtbot.addWidget(page)
    page.show()
    assert page.verdict.text() == "No Python is known that could train."
    assert page.chooser.list.currentIndex() == -1
    assert not page.chooser.own.isVisible()


# ---------------------------------------------------------------- installing


def lacks_psutil(scripted: ScriptedPython) -> None:
    scripted.has_all()
    facts = scripted.folder / "facts.txt"
    facts.write_text(facts.read_text().replace('"psutil"', '"other"'))


def press_install(page: TrainerPage, workspace: Workspace, qtbot: QtBot) -> None:
    with qtbot.waitSignal(workspace.python.install_ready, timeout=WAIT_MS):
        page.install.click()


def test_what_will_be_installed_is_asked_first(
    page: TrainerPage, workspace: Workspace, scripted: ScriptedPython, answers: Answers,
    show: Callable[[], None], qtbot: QtBot,
) -> None:  # fmt: skip
    scripted.has({"pip": "26"})
    show()
    press_install(page, workspace, qtbot)
    [question] = answers.questions
    assert str(scripted.path) in question.message
    assert "torch==" in question.details
    assert "CPU build: no NVIDIA or AMD graphics card was found" in question.details
    assert "about 3 GB" in question.details
    assert workspace.python.installation is None  # the answer was no
    assert scripted.asked_of_pip == []


def test_an_installation_shows_its_progress_and_its_end(
    page: TrainerPage, workspace: Workspace, scripted: ScriptedPython, answers: Answers,
    show: Callable[[], None], tmp_path: Path, qtbot: QtBot,
) -> None:  # fmt: skip
    lacks_psutil(scripted)
    gate = tmp_path / "gate"
    scripted.pip_does(
        "echo 'Collecting psutil'; echo '  Downloading psutil-7.0-py3-none-any.whl (300 kB)'\n"
        f"echo 'Progress 150 of 300'; while [ ! -e '{gate}' ]; do sleep 0.05; done\n"
        'sed -i s/other/psutil/ "$here/facts.txt"'
    )
    show()
    answers.agreed = ["install"]
    press_install(page, workspace, qtbot)
    qtbot.waitUntil(lambda: page.panel.bar.value() == 500, timeout=WAIT_MS)  # of a thousand
    assert page.panel.title.text() == "Installing the trainer's packages (1 of 1)"
    assert page.panel.activity.text() == "Downloading psutil-7.0 (300 kB)  ·  package 1"
    assert not page.install.isEnabled()
    with qtbot.waitSignal(workspace.python.installed, timeout=WAIT_MS):
        gate.touch()
    assert page.panel.title.text() == "Everything is installed."
    assert not page.panel.cancel.isVisible()
    qtbot.waitUntil(lambda: page.verdict.text() == "Ready to train.", timeout=WAIT_MS)
    assert any("psutil>=6" in line for line in scripted.asked_of_pip)


def test_cancel_leaves_a_clear_state(
    page: TrainerPage, workspace: Workspace, scripted: ScriptedPython, answers: Answers,
    show: Callable[[], None], qtbot: QtBot,
) -> None:  # fmt: skip
    lacks_psutil(scripted)
    scripted.pip_does("sleep 600")
    show()
    answers.agreed = ["install"]
    press_install(page, workspace, qtbot)
    qtbot.waitUntil(lambda: bool(scripted.asked_of_pip), timeout=WAIT_MS)
    with qtbot.waitSignal(workspace.python.installed, timeout=WAIT_MS):
        page.panel.cancel.click()
    assert "cancelled" in page.panel.title.text()
    assert "goes on from there" in page.panel.hint.text()
    qtbot.waitUntil(lambda: page.install.isEnabled(), timeout=WAIT_MS)


def test_a_failure_has_all_that_pip_said(
    page: TrainerPage, workspace: Workspace, scripted: ScriptedPython, answers: Answers,
    show: Callable[[], None], qtbot: QtBot,
) -> None:  # fmt: skip
    lacks_psutil(scripted)
    scripted.pip_does("echo 'some detail'; echo 'ERROR: it went wrong' >&2; exit 1")
    show()
    answers.agreed = ["install"]
    with qtbot.waitSignal(workspace.python.installed, timeout=WAIT_MS):
        page.install.click()
    assert page.panel.title.text() == "The installation failed: it went wrong"
    assert "some detail" in page.panel.output.toPlainText()
    assert not page.panel.output.isVisible()
    page.panel.details.set_open(True)
    assert page.panel.output.isVisible()
    page.chooser.own.click()  # another Python: that failure was not its
    assert not page.panel.isVisible()


def test_a_page_opened_again_shows_the_installation_that_goes_on(
    page: TrainerPage, workspace: Workspace, scripted: ScriptedPython, answers: Answers,
    show: Callable[[], None], qtbot: QtBot,
) -> None:  # fmt: skip
    lacks_psutil(scripted)
    scripted.pip_does("echo 'Collecting psutil'; sleep 600")
    show()
    answers.agreed = ["install"]
    press_install(page, workspace, qtbot)
    qtbot.waitUntil(lambda: bool(page.panel.activity.text()), timeout=WAIT_MS)
    again = TrainerPage(workspace.python, workspace.run, workspace.data_dir)
    qtbot.addWidget(again)
    again.show()
    assert again.panel.isVisible()
    assert again.panel.activity.text() == page.panel.activity.text()


def test_nothing_is_installed_under_a_run(
    page: TrainerPage, workspace: Workspace, scripted: ScriptedPython, show: Callable[[], None],
    use_trainer: Callable[..., None], qtbot: QtBot, tmp_path: Path,
) -> None:  # fmt: skip
    lacks_psutil(scripted)
    show()
    use_trainer(workspace, deaf=True, delay=0.05, steps=10_000)
    run_file = tmp_path / "run.toml"
    run_file.write_text(
        f'format = "loom/2"\n[output]\noutput_dir = "{tmp_path}"\noutput_name = "x"\n'
    )
    workspace.run.start(run_file)
    assert not page.install.isEnabled()
    assert "A run is going on" in page.install.toolTip()
    with qtbot.waitSignal(workspace.run.ended, timeout=WAIT_MS):
        workspace.run.kill()
    assert page.install.isEnabled()


def test_an_environment_is_proposed_with_everything_in_it(
    page: TrainerPage, workspace: Workspace, answers: Answers, chosen_folder: Path,
    show: Callable[[], None], qtbot: QtBot,
) -> None:  # fmt: skip
    show()
    with qtbot.waitSignal(workspace.python.install_ready, timeout=WAIT_MS) as blocker:
        page.environment.click()
    assert blocker.args[0].environment == chosen_folder
    details = answers.questions[0].details
    assert "new environment" in details
    for words in ("torch==", "diffusers>=", "LoRA Loom's trainer"):
        assert words in details


def test_an_environment_takes_no_folder_that_is_in_use(tmp_path: Path) -> None:
    assert environment_folder(tmp_path / "new") == tmp_path / "new"
    assert environment_folder(tmp_path) == tmp_path
    (tmp_path / "letter.txt").touch()
    assert environment_folder(tmp_path) == tmp_path / "lora-loom-trainer"
    (tmp_path / "lora-loom-trainer").mkdir()
    assert environment_folder(tmp_path) == tmp_path / "lora-loom-trainer-2"
