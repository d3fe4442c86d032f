"""The app tells before the start where there is too little room, in the trainer's words."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from desktop_app.run_view.start_sheet import StartSheet
from desktop_app.workspace import Workspace
from trainer_core.preflight import examine
from trainer_core.settings.problems import Severity
from trainer_core.settings.schema import TRAIN

Free = Callable[[int], None]


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Free:
    """Leave so many bytes on every disk."""
    usage = shutil.disk_usage

    def leave(num_bytes: int) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(path)._replace(free=num_bytes))

    return leave


def messages(workspace: Workspace) -> list[str]:
    warnings = (p for p in workspace.document.problems if p.severity is Severity.WARNING)
    return [str(problem.message) for problem in warnings if problem.path == "output.output_dir"]


def test_too_little_room_is_told_as_the_trainer_tells_it_until_there_is_room(
    workspace: Workspace, ready_values: dict[str, object], free: Free, qtbot: QtBot
) -> None:
    free(2**20)
    workspace.document.apply(ready_values, "made ready")
    qtbot.waitUntil(lambda: bool(messages(workspace)), timeout=20_000)
    raw = TRAIN.with_absolute_paths(workspace.document.raw, workspace.document.folder)
    of_trainer = [p for p in examine(raw).problems if p.path == "output.output_dir"]
    assert messages(workspace) == [str(problem.message) for problem in of_trainer]
    assert "1.0 MiB are free" in messages(workspace)[0]

    free(2**40)
    workspace.look_again()
    qtbot.waitUntil(lambda: not messages(workspace), timeout=20_000)


def test_what_is_needed_follows_the_settings(
    workspace: Workspace, ready_values: dict[str, object], qtbot: QtBot
) -> None:
    workspace.document.apply(ready_values, "made ready")
    qtbot.waitUntil(lambda: bool(workspace.space.demands), timeout=20_000)
    (before,) = workspace.space.demands
    with qtbot.waitSignal(workspace.space.changed):
        workspace.document.set_value("adapter.network_dim", 64)
    (after,) = workspace.space.demands
    assert after.num_bytes > before.num_bytes


def test_the_start_sheet_shows_the_sum_in_one_line(
    workspace: Workspace, ready_values: dict[str, object], free: Free, qtbot: QtBot
) -> None:
    free(80 * 2**30)
    workspace.document.apply(ready_values, "made ready")
    qtbot.waitUntil(lambda: bool(workspace.space.demands), timeout=20_000)
    window = QWidget()
    qtbot.addWidget(window)
    sheet = StartSheet(workspace, window)
    with qtbot.waitExposed(sheet):
        sheet.show()

    (line,) = [w.text() for w in sheet.findChildren(QLabel) if w.text().startswith("Needs up to")]
    assert line.endswith("of 80.00 GiB free")
    sheet.let_go()
