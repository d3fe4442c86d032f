"""A full disk is told across the window for as long as the run waits, with the ways on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.answers import Answers
from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop_app.process.outcome import Ending
from desktop_app.window.banners.disk import DiskBanner
from desktop_app.words.runs import phase_words
from desktop_app.workspace import Workspace
from trainer_core.settings.files import RunFile, dumps


@pytest.fixture
def chosen(tmp_path: Path) -> list[str]:
    """What the user chooses in the dialog, one after the other; "" if nothing."""
    return [str(tmp_path / "elsewhere")]


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def banner(
    workspace: Workspace,
    ready_values: dict[str, object],
    answers: Answers,
    chosen: list[str],
    use_trainer: Callable[..., None],
    window: QWidget,
    tmp_path: Path,
    qtbot: QtBot,
) -> DiskBanner:
    """The banner of a run that waits for room at its third step."""
    use_trainer(workspace, steps=6, full_at=3)
    made = DiskBanner(workspace, window, ask=answers, choose=lambda *_: chosen.pop(0))
    window.show()
    run_file = tmp_path / "mine.toml"
    raw: dict[str, dict[str, object]] = {}
    for path, value in ready_values.items():
        section, _, name = path.partition(".")
        raw.setdefault(section, {})[name] = value
    run_file.write_text(dumps(RunFile(raw)), encoding="utf-8")
    with qtbot.waitSignal(made.wanted, timeout=20_000):
        workspace.run.start(run_file)
    return made


def press(banner: DiskBanner, label: str) -> None:
    buttons = [b for b in banner.findChildren(QPushButton) if not b.isHidden()]
    next(button for button in buttons if button.text() == label).click()


def end(workspace: Workspace, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not workspace.run.is_running, timeout=20_000)


def test_it_names_the_place_and_both_sizes(
    banner: DiskBanner, workspace: Workspace, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert banner.message == f"The disk is full: {out} needs 12.0 MiB, and 3.0 MiB are free."
    lines = [label.text() for label in banner.findChildren(QLabel)]
    assert "The run is paused, and goes on by itself once there is room." in lines
    assert phase_words(workspace.run) == "Paused: the disk is full"


def test_try_again_goes_on_and_the_message_goes(
    banner: DiskBanner, workspace: Workspace, qtbot: QtBot
) -> None:
    press(banner, "Try again")

    qtbot.waitUntil(lambda: banner.message == "", timeout=20_000)
    end(workspace, qtbot)
    assert workspace.run.outcome is not None
    assert workspace.run.outcome.ending is Ending.COMPLETED


@pytest.mark.parametrize(("answer", "place"), [("choose", "elsewhere"), ("anywhere", "")])
def test_stop_and_save_elsewhere_asks_where_and_ends_the_run(
    banner: DiskBanner,
    workspace: Workspace,
    answers: Answers,
    tmp_path: Path,
    answer: str,
    place: str,
    qtbot: QtBot,
) -> None:
    answers.agreed = [answer]
    press(banner, "Stop and save elsewhere…")

    assert banner.message == ""
    end(workspace, qtbot)
    outcome = workspace.run.outcome
    assert outcome is not None
    assert outcome.state == tmp_path / place / "mine-step00000003-state"


@pytest.mark.parametrize("answer", ["cancel", "choose"])
def test_who_decides_nothing_leaves_the_run_waiting(
    banner: DiskBanner, workspace: Workspace, answers: Answers, chosen: list[str], answer: str
) -> None:
    answers.agreed, chosen[:] = [answer], [""]
    press(banner, "Stop and save elsewhere…")

    assert workspace.run.phase == "paused"
    assert not workspace.run.is_stopping
    assert banner.message
