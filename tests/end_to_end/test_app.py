"""The main job through the window, its real widgets and the real trainer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.answers import Answers
from helpers.drops import drop
from helpers.starts import Starts
from pyqtgraph import PlotCurveItem, PlotWidget
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QToolButton
from pytestqt.qtbot import QtBot

from desktop_app.dataset_view.view import DatasetView
from desktop_app.preferences import Preferences
from desktop_app.process.outcome import Outcome
from desktop_app.window.main_window import MainWindow
from desktop_app.words.name_ways import NameWay
from desktop_app.workspace import Workspace
from trainer_core.files.resources import resource_path
from trainer_core.files.run_folder import RunFolder
from trainer_core.files.state_manifest import state_step

TRAINING_TIMEOUT_MS = 120_000
TOTAL_STEPS = 60


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def starts(qtbot: QtBot) -> Starts:
    return Starts(qtbot)


@pytest.fixture
def workspace(tmp_path: Path, qapp: object) -> Iterator[Workspace]:
    made = Workspace(Preferences(tmp_path / "preferences.ini"), tmp_path / "data")
    yield made
    if made.run.is_running:
        made.run.kill()
    made.close()


@pytest.fixture
def window(workspace: Workspace, answers: Answers, starts: Starts, qtbot: QtBot) -> MainWindow:
    made = MainWindow(workspace, ask=answers, confirm=starts)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    made.docks.late.complete()
    return made


def press(button: QToolButton, qtbot: QtBot) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def last_step_drawn(window: MainWindow) -> float:
    """Return the highest step of any curve on the charts."""
    curves = [
        item.getData()[0]
        for plot in window.findChildren(PlotWidget)
        for item in plot.getPlotItem().items
        if isinstance(item, PlotCurveItem)
    ]
    return max((steps[-1] for steps in curves if steps is not None and len(steps)), default=0.0)


def texts(view: DatasetView) -> set[str]:
    return {label.text() for label in view.findChildren(QLabel)}


@pytest.mark.slow
def test_pictures_in_start_stop_and_start_again_give_a_lora(
    window: MainWindow, workspace: Workspace, starts: Starts, tmp_path: Path, qtbot: QtBot
) -> None:
    document, run = workspace.document, workspace.run
    ended: list[Outcome] = []
    run.ended.connect(ended.append)
    window.files.open_demo()
    for path, value in {
        "output.output_dir": str(tmp_path / "out"),
        "optimizer.max_train_steps": TOTAL_STEPS,
        "sampling.sample_at_first": False,
        "dataset.train_data_dir": "unset",
    }.items():
        document.set_value(path, value)

    [view] = window.findChildren(DatasetView)
    pictures = resource_path("demo", "pictures")
    drop(view, pictures)
    qtbot.waitUntil(lambda: document.value("dataset.train_data_dir") == pictures.as_posix())
    qtbot.waitUntil(lambda: str(TOTAL_STEPS) in texts(view), timeout=20_000)

    window.docks.raise_dock("charts")
    press(window.toolbar.start_button, qtbot)
    qtbot.waitUntil(lambda: last_step_drawn(window) >= 3, timeout=TRAINING_TIMEOUT_MS)
    press(window.toolbar.stop_button, qtbot)
    qtbot.waitUntil(lambda: bool(ended), timeout=TRAINING_TIMEOUT_MS)
    state = RunFolder(tmp_path / "out", "lantern").newest_state()
    assert ended[0].stopped
    assert state is not None
    assert 3 <= state_step(state) < TOTAL_STEPS

    starts.agreed.append(NameWay.GO_ON)
    press(window.toolbar.start_button, qtbot)
    qtbot.waitUntil(lambda: len(ended) == 2, timeout=TRAINING_TIMEOUT_MS)
    assert ended[1].ok
    assert (tmp_path / "out" / "lantern.safetensors").is_file()
    assert list(workspace.metrics.loss.x) == list(range(1, TOTAL_STEPS + 1))
    qtbot.waitUntil(lambda: last_step_drawn(window) == TOTAL_STEPS)
