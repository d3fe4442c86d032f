from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers.answers import Answers
from helpers.fake_trainer import fake_command
from helpers.pictures import write_dataset
from helpers.starts import Starts
from pytestqt.qtbot import QtBot

from desktop_app.document import Document
from desktop_app.preferences import Preferences
from desktop_app.process.environment import TrainerCommand
from desktop_app.run_view.start_sheet import StartSheet
from desktop_app.window.main_window import MainWindow
from desktop_app.workspace import Workspace
from trainer_core.files.resources import resource_path
from trainer_core.settings.rules.check import check
from trainer_core.settings.schema import TRAIN


@pytest.fixture(autouse=True)
def nobody_at_the_start_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where a start sheet would wait for a person; `starts` stands in for one."""

    def refuse(sheet: StartSheet) -> int:
        raise AssertionError("the start sheet waits for a person")

    monkeypatch.setattr(StartSheet, "exec", refuse)


@pytest.fixture
def document(qapp: object) -> Iterator[Document]:
    """An empty document."""
    made = Document(TRAIN, check)
    yield made
    made.undo_stack.clear()  # its steps must not be left to the garbage collector


@pytest.fixture
def preferences(qapp: object, tmp_path: Path) -> Preferences:
    return Preferences(tmp_path / "preferences.ini")


@pytest.fixture
def use_trainer() -> Callable[..., None]:
    """Make a workspace start the fake trainer with these options from now on."""

    def use(workspace: Workspace, **options: object) -> None:
        program, *arguments = fake_command(**options)
        workspace.run.command = TrainerCommand(program, arguments)

    return use


@pytest.fixture
def workspace(
    preferences: Preferences, tmp_path: Path, use_trainer: Callable[..., None], qtbot: QtBot
) -> Iterator[Workspace]:
    """A workspace with an empty document, whose trainer is the fake one."""
    made = Workspace(preferences, tmp_path / "data")
    use_trainer(made)
    yield made
    if made.run.is_running:
        with qtbot.waitSignal(made.run.ended, timeout=20_000):
            made.run.kill()
    made.close()


@pytest.fixture
def window(workspace: Workspace, answers: Answers, qtbot: QtBot) -> Iterator[MainWindow]:
    """The window of the workspace, 1280 x 720, which asks nothing when it closes."""
    made = MainWindow(workspace, ask=answers, leave=lambda _: None)
    qtbot.addWidget(made)
    made.resize(1280, 720)
    with qtbot.waitExposed(made):
        made.show()
    made.docks.late.complete()
    yield made
    workspace.document.new()


@pytest.fixture
def answers() -> Answers:
    """Answers the questions that the app asks, and remembers them."""
    return Answers()


@pytest.fixture
def starts(qtbot: QtBot) -> Starts:
    """Presses Start on the sheet before a run."""
    return Starts(qtbot)


@pytest.fixture
def ready_values(tmp_path: Path) -> dict[str, object]:
    """Raw values with which a run can start."""
    (tmp_path / "out").mkdir()
    write_dataset(tmp_path / "pictures", {"10_zxq cat": {"a.png": None, "a.txt": "zxq cat"}})
    return {
        "model.pretrained_model_name_or_path": str(resource_path("demo/base")),
        "dataset.train_data_dir": str(tmp_path / "pictures"),
        "output.output_dir": str(tmp_path / "out"),
        "output.output_name": "mine",
    }
