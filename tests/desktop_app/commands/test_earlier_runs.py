"""Runs that this window did not start come back into it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers.answers import Answers
from helpers.drops import carried, drop, entering
from helpers.fake_trainer import fake_command
from PySide6.QtCore import QDateTime, QLocale
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from desktop_app.dataset_view.view import DatasetView
from desktop_app.help.welcome import Welcome
from desktop_app.process import attached_trainer
from desktop_app.window.main_window import MainWindow
from desktop_app.workspace import Workspace
from trainer_core.files.run_folder import RunFolder
from trainer_core.files.run_lock import RunLock, lock_holder
from trainer_core.protocol.codec import encode
from trainer_core.protocol.messages import EventBase, Finished, Hello, StepDone
from trainer_core.settings import files
from trainer_core.settings.document import replaced
from trainer_core.version import __version__

PATIENCE_MS = 20_000

STILL_TRAINING = "“mine” was started earlier and is still training."

Launch = Callable[..., RunFolder]


@pytest.fixture
def window(workspace: Workspace, answers: Answers, qtbot: QtBot) -> MainWindow:
    made = MainWindow(workspace, ask=answers)
    qtbot.addWidget(made)
    return made


@pytest.fixture
def ready(workspace: Workspace, ready_values: dict[str, object]) -> Workspace:
    workspace.document.apply(ready_values, "made ready")
    return workspace


@pytest.fixture
def launch(tmp_path: Path, ready_values: dict[str, object], qtbot: QtBot) -> Iterator[Launch]:
    """Start a trainer from the command line and return where it works."""
    launched: list[subprocess.Popen[bytes]] = []

    def launch(name: str = "mine", changes: dict[str, object] | None = None) -> RunFolder:
        run_file = tmp_path / f"{name}.toml"
        values = {**ready_values, "output.output_name": name, **(changes or {})}
        files.save(run_file, files.RunFile(replaced({}, values)), replace=True)
        command = [*fake_command(steps=100_000, delay=0.01), "train", str(run_file)]
        none = subprocess.DEVNULL
        launched.append(subprocess.Popen(command, stdin=none, stdout=none, stderr=none))
        folder = RunFolder(tmp_path / "out", name)
        qtbot.waitUntil(lambda: lock_holder(folder.lock_file) is not None, timeout=PATIENCE_MS)
        return folder

    yield launch
    for process in launched:
        process.kill()
        process.wait()


def ended_run(folder: Path, name: str = "old") -> RunFolder:
    made = RunFolder(folder, name)
    made.path.mkdir(parents=True)
    events: list[EventBase] = [
        Hello(version=__version__, pid=1),
        *(StepDone(step=n, epoch=1, loss=0.5, learning_rates={}) for n in (1, 2, 3)),
        Finished(reason="completed", step=3, total_steps=3, seconds=1.0),
    ]
    made.event_file.write_bytes(b"".join(encode(event) for event in events))
    return made


def note(workspace: Workspace, *folders: RunFolder, document: Path | None = None) -> None:
    """Record runs as a window before this one did; the last is the newest."""
    for folder in folders:
        workspace.known_runs._register.note(folder.path, document)


def find(window: MainWindow, workspace: Workspace, qtbot: QtBot) -> None:
    with qtbot.waitSignal(workspace.known_runs.found, timeout=PATIENCE_MS):
        window.earlier_runs.find(opens_settings=True)


def start(workspace: Workspace, **how: bool) -> None:
    """Start the document's run as the window does once everything is clear."""
    path = workspace.data_dir / "runs" / f"{len(list(workspace.data_dir.glob('runs/*')))}.toml"
    workspace.document.write_snapshot(path)
    workspace.run.start(path, **how)


def buttons(window: MainWindow) -> dict[str, QPushButton]:
    return {button.text(): button for button in window.banner.findChildren(QPushButton)}


# ---------------------------------------------------------------- at the start


def test_a_run_that_is_at_work_is_taken_over_with_its_settings(
    window: MainWindow, workspace: Workspace, launch: Launch, tmp_path: Path, qtbot: QtBot
) -> None:
    note(workspace, launch(), document=tmp_path / "mine.toml")
    find(window, workspace, qtbot)
    assert workspace.run.is_attached
    qtbot.waitUntil(lambda: window.banner.message == STILL_TRAINING)
    assert workspace.document.path == tmp_path / "mine.toml"
    qtbot.waitUntil(lambda: len(workspace.metrics.loss) >= 3, timeout=PATIENCE_MS)
    assert workspace.metrics.loss.x[0] == 1
    assert window.commands["pause"].isEnabled()
    assert not window.commands["start"].isEnabled()


def test_a_run_whose_run_file_is_on_a_disk_that_is_away_is_taken_over_all_the_same(
    window: MainWindow, workspace: Workspace, launch: Launch, tmp_path: Path, qtbot: QtBot
) -> None:
    # As there, the system refuses to tell whether the file is there.
    note(workspace, launch(), document=tmp_path / ("n" * 300) / "mine.toml")
    find(window, workspace, qtbot)
    assert workspace.run.is_attached


def test_the_welcome_makes_way_for_a_run_that_is_at_work(
    window: MainWindow, workspace: Workspace, launch: Launch, qtbot: QtBot
) -> None:
    note(workspace, launch())
    window.commands["welcome"].trigger()
    [welcome] = window.findChildren(Welcome)
    with qtbot.waitSignal(welcome.accepted, timeout=PATIENCE_MS):
        find(window, workspace, qtbot)


def test_settings_that_never_had_a_file_come_from_the_runs_record(
    window: MainWindow, workspace: Workspace, launch: Launch, qtbot: QtBot
) -> None:
    folder = launch(changes={"adapter.network_dim": 24})
    qtbot.waitUntil(folder.run_file.is_file, timeout=PATIENCE_MS)
    note(workspace, folder)
    find(window, workspace, qtbot)
    assert workspace.document.path is None
    assert workspace.document.value("adapter.network_dim") == 24


def test_a_document_that_is_open_stays(
    window: MainWindow, ready: Workspace, launch: Launch, tmp_path: Path, qtbot: QtBot
) -> None:
    note(ready, launch(), document=tmp_path / "mine.toml")
    find(window, ready, qtbot)
    assert ready.run.is_attached
    assert ready.document.path is None
    assert ready.document.is_dirty


def test_of_several_runs_the_newest_has_the_window_and_the_others_are_named(
    window: MainWindow, workspace: Workspace, launch: Launch, qtbot: QtBot
) -> None:
    first, second = launch("first"), launch("second")
    note(workspace, second, first)
    details: list[str] = []
    window.earlier_runs.announced.connect(lambda *told: details.append(told[2]))
    find(window, workspace, qtbot)
    assert workspace.run.folder == second
    others = "Also training: first. File > Open run folder shows them."
    qtbot.waitUntil(lambda: details == [others])


def test_a_run_can_be_left_to_itself_and_another_started(
    window: MainWindow, ready: Workspace, launch: Launch, qtbot: QtBot
) -> None:
    folder = launch("other")
    note(ready, folder)
    find(window, ready, qtbot)
    qtbot.waitUntil(lambda: "Stop watching" in buttons(window))
    buttons(window)["Stop watching"].click()
    assert not ready.run.is_running
    assert window.banner.message == ""
    assert lock_holder(folder.lock_file) is not None
    with qtbot.waitSignal(ready.run.ended, timeout=PATIENCE_MS) as blocker:
        start(ready)
    assert blocker.args[0].ok


def test_an_end_while_the_window_was_closed_is_told_once(
    window: MainWindow, workspace: Workspace, tmp_path: Path, qtbot: QtBot
) -> None:
    note(workspace, ended_run(tmp_path))
    find(window, workspace, qtbot)
    assert window.banner.message == "“old”: Done: 3 steps trained."
    assert not workspace.run.is_running
    qtbot.waitUntil(
        lambda: workspace.known_runs._register.runs()[0].is_end_known, timeout=PATIENCE_MS
    )
    window.banner.dismiss()
    find(window, workspace, qtbot)
    assert window.banner.message == ""


def test_what_this_window_told_is_not_told_again(
    window: MainWindow, ready: Workspace, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(ready.run.ended, timeout=PATIENCE_MS):
        start(ready)
    [known] = ready.known_runs._register.runs()
    qtbot.waitUntil(lambda: ready.known_runs._register.runs()[0].is_end_known, timeout=PATIENCE_MS)
    assert known.folder.name == "mine.run"
    window.banner.dismiss()
    find(window, ready, qtbot)
    assert window.banner.message == ""


# ---------------------------------------------------------------- shown again


def test_an_ended_run_can_be_shown_and_its_settings_opened(
    window: MainWindow, ready: Workspace, tmp_path: Path, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(ready.run.ended, timeout=PATIENCE_MS):
        start(ready)
    losses = ready.metrics.loss.y.tolist()
    ready.document.new()
    ready.metrics.clear()

    with qtbot.waitSignal(ready.run.recalled, timeout=PATIENCE_MS):
        window.earlier_runs.show(tmp_path / "out" / "mine.run")
    assert ready.metrics.loss.y.tolist() == losses
    assert window.banner.message == "“mine”: Done: 20 steps trained."
    assert ready.document.value("output.output_name") != "mine"
    assert window.commands["start"].isEnabled()
    buttons(window)["Open its settings"].click()
    assert ready.document.value("output.output_name") == "mine"
    assert ready.document.path is None
    assert not ready.document.is_dirty


def test_the_end_of_a_run_of_other_settings_leads_to_them(
    window: MainWindow, ready: Workspace, tmp_path: Path, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(ready.run.ended, timeout=PATIENCE_MS):
        start(ready)
    ready.document.new()
    with qtbot.waitSignal(ready.run.recalled, timeout=PATIENCE_MS):
        window.earlier_runs.show(tmp_path / "out" / "mine.run")
    ready.run_settings_wanted.emit()
    assert ready.document.value("output.output_name") == "mine"


def test_an_old_run_ended_when_it_says_and_not_when_its_files_were_copied(
    window: MainWindow, workspace: Workspace, tmp_path: Path, qtbot: QtBot
) -> None:
    folder = ended_run(tmp_path / "out")
    last_word = Finished(reason="completed", step=4, total_steps=4, seconds=1.0, time=1.7e9)
    with folder.event_file.open("ab") as file:
        file.write(encode(last_word))
    with qtbot.waitSignal(window.earlier_runs.announced, timeout=PATIENCE_MS) as told:
        window.earlier_runs.show(folder.path)
    when = QDateTime.fromSecsSinceEpoch(int(1.7e9))
    assert QLocale().toString(when, QLocale.FormatType.ShortFormat) in told.args[2]


def test_a_run_whose_folder_goes_while_it_is_read_is_told(
    window: MainWindow, workspace: Workspace, tmp_path: Path, qtbot: QtBot, monkeypatch
) -> None:
    monkeypatch.setattr(attached_trainer, "_GONE_S", 0.2)
    folder = ended_run(tmp_path / "out")
    with qtbot.waitSignal(workspace.run.recalled, timeout=PATIENCE_MS):
        window.earlier_runs.show(folder.path)
        shutil.rmtree(folder.path)
    assert "was moved or deleted" in window.banner.message


def test_after_looking_at_an_old_run_another_can_start(
    window: MainWindow, ready: Workspace, tmp_path: Path, qtbot: QtBot
) -> None:
    window.earlier_runs.show(ended_run(tmp_path).path)
    with qtbot.waitSignal(ready.run.ended, timeout=PATIENCE_MS) as blocker:
        start(ready)
    assert blocker.args[0].ok
    assert len(ready.metrics.loss) == 20


def test_a_run_folder_that_is_dropped_is_shown(
    window: MainWindow, workspace: Workspace, tmp_path: Path, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(workspace.run.recalled, timeout=PATIENCE_MS):
        drop(window, ended_run(tmp_path).path)
    assert workspace.document.is_default("dataset.train_data_dir")
    assert len(workspace.metrics.loss) == 3


def test_the_dataset_leaves_a_run_folder_to_the_window(window: MainWindow, tmp_path: Path) -> None:
    [view] = window.findChildren(DatasetView)
    for path, is_taken in ((tmp_path, True), (ended_run(tmp_path).path, False)):
        data = carried(path)
        enter = entering(data)
        view.dragEnterEvent(enter)
        assert enter.isAccepted() is is_taken


def test_what_is_no_run_folder_is_refused_in_words(
    window: MainWindow, workspace: Workspace, answers: Answers, tmp_path: Path
) -> None:
    window.earlier_runs.show(tmp_path)
    assert "is not the folder of a run" in answers.questions[0].message
    assert workspace.run.folder is None


def test_a_run_of_this_window_is_not_left_for_another(
    window: MainWindow,
    ready: Workspace,
    answers: Answers,
    use_trainer: Callable[..., None],
    tmp_path: Path,
) -> None:
    use_trainer(ready, steps=10_000, delay=0.01)
    start(ready)
    window.earlier_runs.show(ended_run(tmp_path).path)
    assert "is going on in this window" in answers.questions[0].message
    assert ready.run.is_running
    assert not ready.run.is_attached


# ---------------------------------------------------------------- Start where another is at work


def test_start_offers_to_watch_the_trainer_that_is_at_work_there(
    window: MainWindow, ready: Workspace, launch: Launch, answers: Answers, qtbot: QtBot
) -> None:
    folder = launch("mine")
    window.run.start()
    assert not ready.run.is_running
    answers.agreed = ["watch"]
    window.run.start()
    assert ready.run.is_attached
    assert ready.run.folder == folder
    assert [question.title for question in answers.questions] == ["A trainer is at work"] * 2
    qtbot.waitUntil(lambda: len(ready.metrics.loss) >= 1, timeout=PATIENCE_MS)


def test_a_watched_run_draws_no_samples_without_prompts(
    window: MainWindow, ready: Workspace, launch: Launch, answers: Answers, qtbot: QtBot
) -> None:
    folder = launch("mine")
    qtbot.waitUntil(folder.run_file.is_file, timeout=PATIENCE_MS)
    answers.agreed = ["watch"]
    window.run.start()
    qtbot.waitUntil(lambda: window.run.can_be_asked, timeout=PATIENCE_MS)
    with qtbot.waitSignal(window.run.announced) as blocker:
        window.run.sample_now()
    assert blocker.args == ["This run was started without prompts."]


# ---------------------------------------------------------------- closing


def test_closing_keeps_a_watched_run_at_work_and_goes_at_once(
    window: MainWindow, ready: Workspace, launch: Launch, answers: Answers
) -> None:
    folder = launch("mine")
    answers.agreed = ["watch", "discard", "keep"]
    window.run.start()
    assert window.close()
    assert lock_holder(folder.lock_file) is not None


def test_closing_can_stop_a_watched_run_and_waits_for_it(
    window: MainWindow, ready: Workspace, launch: Launch, answers: Answers, qtbot: QtBot
) -> None:
    folder = launch("mine")
    answers.agreed = ["watch", "discard", "stop"]
    window.show()
    window.run.start()
    qtbot.waitUntil(lambda: len(ready.metrics.loss) >= 1, timeout=PATIENCE_MS)
    assert not window.close()
    qtbot.waitUntil(window.isHidden, timeout=PATIENCE_MS)
    assert lock_holder(folder.lock_file) is None
    assert folder.newest_state() is not None


def test_the_end_of_a_run_that_went_out_of_sight_is_told_once_it_is_back(
    window: MainWindow, workspace: Workspace, tmp_path: Path, qtbot: QtBot, monkeypatch
) -> None:
    monkeypatch.setattr(attached_trainer, "_GONE_S", 0.2)
    folder, aside = ended_run(tmp_path / "out"), tmp_path / "aside"
    events = folder.event_file.read_bytes()
    folder.event_file.write_bytes(b"".join(events.splitlines(keepends=True)[:-1]))
    note(workspace, folder)
    with RunLock(folder.lock_file):
        with qtbot.waitSignal(workspace.run.event_received, timeout=PATIENCE_MS):
            workspace.run.attach(folder)
        with qtbot.waitSignal(workspace.run.ended, timeout=PATIENCE_MS):
            folder.path.rename(aside)
    workspace.known_runs._writing.close()
    aside.rename(folder.path)
    folder.event_file.write_bytes(events)
    with qtbot.waitSignal(window.earlier_runs.announced, timeout=PATIENCE_MS) as told:
        window.earlier_runs.find(opens_settings=False)
    assert told.args[:2] == ["success", "“old”: Done: 3 steps trained."]


# ---------------------------------------------------------------- trouble with the trainer


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"garbage": True, "steps": 4}, "Done: 4 steps trained."),
        ({"trainer_version": "0.0.1", "steps": 2}, "Done: 2 steps trained."),
        ({"protocol": 7}, "The trainer speaks version 7 of the protocol, the app 1."),
        ({"no_hello": True}, "What was started as the trainer is not LoRA Loom's."),
        ({"kill_at": 3}, "The trainer was killed from outside."),
        ({"silent_exit": 1}, "The trainer ended without saying why (exit code 1)."),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_whatever_a_trainer_does_it_is_told_and_the_next_run_starts(
    window: MainWindow,
    ready: Workspace,
    use_trainer: Callable[..., None],
    options: dict[str, object],
    told: str,
    qtbot: QtBot,
) -> None:
    use_trainer(ready, **options)
    with qtbot.waitSignal(ready.run.ended, timeout=PATIENCE_MS):
        start(ready)
    assert window.banner.message == told
    assert window.commands["start"].isEnabled()
    use_trainer(ready, steps=5)
    with qtbot.waitSignal(ready.run.ended, timeout=PATIENCE_MS) as blocker:
        start(ready, overwrite=True)
    assert blocker.args[0].ok
    assert len(ready.metrics.loss) == 5
