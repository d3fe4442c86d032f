"""Paths are looked at apart: a drive that does not answer holds up no editing."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLineEdit, QWidget
from safetensors.numpy import save_file

from desktop_app import drives
from desktop_app.commands import earlier_runs
from desktop_app.editors.page import SettingsPage
from desktop_app.models import file_checks, place_checks
from desktop_app.models.readiness import Readiness, readiness
from desktop_app.run_view import start_sheet
from desktop_app.run_view.start_sheet import StartSheet
from desktop_app.workspace import Workspace
from trainer_core.dataset import audit
from trainer_core.preflight import FilesLook
from trainer_core.settings.schema import TRAIN, TrainSettings

MODEL = "model.pretrained_model_name_or_path"
PICTURES = "dataset.train_data_dir"
MORE = "dataset.more_pictures"
OUTPUT = "output.output_dir"
ALPHA = "adapter.network_alpha"
DEAD = "/net/dead"
# Of the lists, what is left out is not read.
PATHS = [*(path for path, param in TRAIN.params().items() if param.is_path), MORE]
LOOKS_AT_PATHS = ("stat", "lstat", "access", "open", "scandir", "listdir")
A_FRAME_S = 0.25  # far more than a frame, far less than a look that hangs


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Have everything below `DEAD` hang until this is set; a silence shows soon.

    A test names it before the workspace, whose looks take the limit when they are made.
    """
    event = threading.Event()
    monkeypatch.setattr(drives, "LIMIT_S", 0.3)
    monkeypatch.setattr(drives.DriveLooks.__init__, "__kwdefaults__", {"limit_s": 0.3})
    for name in LOOKS_AT_PATHS:
        monkeypatch.setattr(os, name, _hanging(getattr(os, name), event))
    yield event
    event.set()


def _hanging(look: Any, event: threading.Event) -> Any:
    def hang(path: Any = ".", *arguments: Any, **options: Any) -> Any:
        if _is_below(path, DEAD):
            event.wait(20)
        return look(path, *arguments, **options)

    return hang


def _is_below(path: object, folder: str) -> bool:
    return isinstance(path, str | Path) and str(path).startswith(folder)


def told(workspace: Workspace, path: str) -> list[str]:
    """Return the errors of a setting."""
    return [str(each.message) for each in workspace.document.errors if each.path == path]


def set_and_measure(workspace: Workspace, path: str, value: object) -> None:
    began = time.monotonic()
    workspace.document.set_value(path, value)
    assert time.monotonic() - began < A_FRAME_S, "editing waited for a drive"


def value_of(path: str, words: str) -> object:
    return [words] if TRAIN.params()[path].is_path_list else words


@pytest.mark.parametrize("path", PATHS)
def test_what_does_not_answer_is_a_problem_until_it_does(
    path: str, release: threading.Event, workspace: Workspace, qtbot
):
    set_and_measure(workspace, path, value_of(path, f"{DEAD}/thing"))
    assert workspace.is_looking
    assert told(workspace, path) == []
    silence = f"{Path(DEAD, 'thing')} is not answering."
    qtbot.waitUntil(lambda: told(workspace, path) == [silence])
    set_and_measure(workspace, "hardware.seed", 7)
    assert told(workspace, path) == [silence]
    release.set()
    qtbot.waitUntil(lambda: silence not in told(workspace, path))
    qtbot.waitUntil(lambda: not workspace.is_looking)


def test_a_path_typed_instead_is_looked_at_at_once(
    release: threading.Event, workspace: Workspace, tmp_path: Path, qtbot
):
    set_and_measure(workspace, PICTURES, f"{DEAD}/pictures")
    qtbot.waitUntil(lambda: "is not answering" in "".join(told(workspace, PICTURES)))
    (tmp_path / "cat").mkdir()
    set_and_measure(workspace, PICTURES, str(tmp_path / "cat"))
    assert told(workspace, PICTURES) == []
    qtbot.waitUntil(lambda: workspace.dataset.scan is not None and not workspace.is_looking)
    assert not release.is_set()


def test_a_dead_path_typed_into_its_field_holds_up_nothing(
    release: threading.Event, workspace: Workspace, qtbot
):
    page = SettingsPage(workspace, ("model",))
    qtbot.addWidget(page)
    page.show()
    field = page.forms[0].rows[MODEL].editor.findChild(QLineEdit)
    began = time.monotonic()
    qtbot.keyClicks(field, f"{DEAD}/base.safetensors")
    field.editingFinished.emit()
    assert time.monotonic() - began < 4 * A_FRAME_S
    silence = f"{Path(DEAD, 'base.safetensors')} is not answering."
    qtbot.waitUntil(lambda: told(workspace, MODEL) == [silence])


def test_a_dead_list_is_one_problem_and_the_rest_is_looked_at(
    release: threading.Event, workspace: Workspace, tmp_path: Path, qtbot
):
    names = [f"{DEAD}/{number}.png" for number in range(50)]
    set_and_measure(workspace, MORE, [*names, str(tmp_path / "gone.png")])
    wanted = [f"{Path(names[0])} is not answering.", f"{tmp_path / 'gone.png'} does not exist."]
    qtbot.waitUntil(lambda: told(workspace, MORE) == wanted)


def test_another_alpha_of_starting_weights_is_told_while_editing(
    workspace: Workspace, tmp_path: Path, qtbot
):
    def warnings() -> list[str]:
        problems = workspace.document.problems
        return [str(each.message) for each in problems if each.path == ALPHA]

    module = "lora_unet_mid_block_attentions_0_proj_in"
    parts = {"lora_down.weight": np.ones((8, 4)), "alpha": np.asarray(4.0)}
    path = tmp_path / "mine.safetensors"
    save_file({f"{module}.{name}": value for name, value in parts.items()}, path)
    workspace.document.set_value("adapter.network_weights", str(path))
    qtbot.waitUntil(lambda: len(warnings()) == 1)
    assert "alpha 4, not 1;" in warnings()[0]
    workspace.document.set_value(ALPHA, 2.0)
    assert "alpha 4, not 2;" in warnings()[0]
    workspace.document.set_value(ALPHA, 4.0)
    assert warnings() == []


def test_what_another_program_made_is_seen_after_an_absence(
    workspace: Workspace, tmp_path: Path, qtbot
):
    workspace.document.set_value(MODEL, str(tmp_path / "base"))
    qtbot.waitUntil(lambda: told(workspace, MODEL) == [f"{tmp_path / 'base'} does not exist."])
    (tmp_path / "base").mkdir()
    workspace.look_again()
    assert told(workspace, MODEL) == [f"{tmp_path / 'base'} does not exist."]  # until it is known
    qtbot.waitUntil(lambda: "does not exist" not in "".join(told(workspace, MODEL)))


@pytest.mark.parametrize("path", PATHS)
def test_no_look_at_a_path_is_taken_in_the_windows_thread(
    path: str, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot
):
    here, seen = threading.current_thread(), []
    (tmp_path / "user").mkdir()

    def watched(name: str, look: Any) -> Any:
        def watch(place: Any = ".", *arguments: Any, **options: Any) -> Any:
            if threading.current_thread() is here and _is_below(place, str(tmp_path / "user")):
                seen.append(f"os.{name}({place})")
            return look(place, *arguments, **options)

        return watch

    section = path.partition(".")[0]
    page = SettingsPage(workspace, (section,))
    qtbot.addWidget(page)
    page.show()
    for name in LOOKS_AT_PATHS:
        monkeypatch.setattr(os, name, watched(name, getattr(os, name)))
    for words in (str(tmp_path / "user"), str(tmp_path / "user" / "gone")):
        editor = page.forms[0].rows[path].editor
        editor.set_raw(value_of(path, words))
        editor.commit()
        workspace.document.set_value(path, value_of(path, words))
        qtbot.waitUntil(lambda: not workspace.is_looking)
    workspace.document.undo_stack.undo()
    qtbot.waitUntil(lambda: not workspace.is_looking)
    assert seen == []


def test_a_start_waits_for_a_place_until_it_counts_as_silent(
    release: threading.Event, workspace: Workspace, ready_values: dict[str, object], qtbot
):
    workspace.document.apply(ready_values, "all that is needed")
    qtbot.waitUntil(lambda: not workspace.is_looking)
    assert workspace.document.errors == []
    set_and_measure(workspace, OUTPUT, f"{DEAD}/out")
    began = time.monotonic()
    sheet = StartSheet(workspace)
    qtbot.addWidget(sheet)
    assert time.monotonic() - began < 4 * A_FRAME_S, "the sheet waited for a drive"
    assert ready_of(workspace) is Readiness.LOOKING
    assert not sheet.start_button.isEnabled()
    qtbot.waitUntil(lambda: ready_of(workspace) is Readiness.ERRORS)
    release.set()
    qtbot.waitUntil(lambda: ready_of(workspace) is Readiness.READY)
    assert sheet.start_button.isEnabled()
    sheet.let_go()


def test_a_file_that_hangs_when_it_is_read_is_not_answering(
    release: threading.Event,
    workspace: Workspace,
    ready_values: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
    qtbot,
):
    look = file_checks.look_into_files

    def hang(settings: TrainSettings, absent: Container[str]) -> FilesLook:
        if MODEL not in absent:
            release.wait(20)
        return look(settings, absent)

    monkeypatch.setattr(file_checks, "look_into_files", hang)
    workspace.document.apply(ready_values, "all that is needed")
    silence = f"{ready_values[MODEL]} is not answering."
    qtbot.waitUntil(lambda: told(workspace, MODEL) == [silence])
    qtbot.waitUntil(lambda: ready_of(workspace) is Readiness.ERRORS and not workspace.is_looking)
    release.set()
    qtbot.waitUntil(lambda: told(workspace, MODEL) == [])
    assert workspace.document.facts["family"] == "sd1"
    qtbot.waitUntil(lambda: ready_of(workspace) is Readiness.READY)


def test_a_picture_that_hangs_when_it_is_read_is_not_answering(
    release: threading.Event,
    workspace: Workspace,
    ready_values: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
    qtbot,
):
    read = audit.read_header
    monkeypatch.setattr(audit, "read_header", lambda path: release.wait(20) and read(path))
    workspace.document.apply(ready_values, "all that is needed")
    picture = Path(str(ready_values[PICTURES])) / "10_zxq cat" / "a.png"
    qtbot.waitUntil(lambda: told(workspace, PICTURES) == [f"{picture} is not answering."])
    qtbot.waitUntil(lambda: ready_of(workspace) is Readiness.ERRORS and not workspace.is_looking)
    release.set()
    qtbot.waitUntil(lambda: ready_of(workspace) is Readiness.READY)
    assert told(workspace, PICTURES) == []


@pytest.fixture
def in_reach(workspace: Workspace, ready_values: dict[str, object], qtbot) -> Workspace:
    """A workspace whose places have answered."""
    workspace.document.apply(ready_values, "all that is needed")
    qtbot.waitUntil(lambda: not workspace.is_looking, timeout=20_000)
    return workspace


def test_a_start_does_not_freeze_where_the_output_folder_answers_no_longer(
    in_reach: Workspace,
    release: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
    qtbot,
):
    monkeypatch.setattr(earlier_runs, "lock_holder", lambda _: release.wait(20))
    window, ticks = QWidget(), list[float]()
    qtbot.addWidget(window)
    clock = QTimer(window, interval=20)
    clock.timeout.connect(lambda: ticks.append(time.monotonic()))
    clock.start()
    began = time.monotonic()
    assert not earlier_runs.offer_to_watch(in_reach, window)
    assert time.monotonic() - began < 8 * A_FRAME_S
    assert len(ticks) >= 2, "the window stood still"
    assert in_reach.places.is_looked_at(OUTPUT)


def test_the_sheet_keeps_off_an_output_folder_that_is_looked_at_again(
    in_reach: Workspace,
    release: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
    qtbot,
):
    asked: list[Path | None] = []
    monkeypatch.setattr(place_checks, "look_at", lambda *_: release.wait(20) and None)
    monkeypatch.setattr(
        start_sheet,
        "taken_name",
        lambda settings, *_, **__: asked.append(settings.output.output_dir),
    )
    in_reach.look_again()
    sheet = StartSheet(in_reach)
    qtbot.addWidget(sheet)
    assert asked == [None]
    release.set()
    output = Path(str(in_reach.document.value(OUTPUT)))
    qtbot.waitUntil(lambda: output in asked)
    sheet.let_go()


def test_a_hanging_look_keeps_neither_sheet_nor_window_open(
    release: threading.Event,
    workspace: Workspace,
    ready_values: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
    qtbot,
):
    hangs = threading.Event()

    def hang(*_: object) -> None:
        hangs.set()
        release.wait(20)

    monkeypatch.setattr("desktop_app.run_view.start_sheet.model_report", hang)
    monkeypatch.setattr("desktop_app.models.file_checks.look_into_files", hang)
    workspace.document.apply(ready_values, "all that is needed")
    qtbot.waitUntil(lambda: hangs.is_set() and workspace.file_checks.is_busy)
    hangs.clear()
    sheet = StartSheet(workspace)
    qtbot.addWidget(sheet)
    qtbot.waitUntil(hangs.is_set)
    for let_go in (sheet.let_go, workspace.close):
        began = time.monotonic()
        let_go()
        assert time.monotonic() - began < 4 * A_FRAME_S


def ready_of(workspace: Workspace) -> Readiness:
    return readiness(workspace.problems, is_looking=workspace.is_looking)
