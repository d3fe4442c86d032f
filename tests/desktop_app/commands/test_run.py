import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.answers import Answers
from helpers.scripted_python import ScriptedPython
from helpers.starts import Starts
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from desktop_app.commands.run import RunCommands
from desktop_app.models.runs.log_model import Level
from desktop_app.process.outcome import Ending, Outcome
from desktop_app.run_view.start_sheet import StartSheet
from desktop_app.trainer_python.plan import Plan
from desktop_app.trainer_python.requirements import Requirement
from desktop_app.words.name_ways import NameWay
from desktop_app.workspace import Workspace
from trainer_core.files.run_folder import RunFolder
from trainer_core.protocol.messages import CheckpointSaved
from trainer_core.settings import files


@pytest.fixture
def commands(workspace: Workspace, answers: Answers, starts: Starts, qtbot) -> RunCommands:
    window = QWidget()
    qtbot.addWidget(window)
    return RunCommands(workspace, window, ask=answers, confirm=starts)


@pytest.fixture
def ready(workspace: Workspace, ready_values: dict[str, object]) -> Workspace:
    """A workspace whose document can be started."""
    workspace.document.apply(ready_values, "made ready")
    return workspace


@pytest.fixture
def play(commands: RunCommands, ready: Workspace, qtbot) -> Callable[[], Outcome]:
    """Press Start and wait for the end."""

    def play() -> Outcome:
        with qtbot.waitSignal(ready.run.ended, timeout=20_000) as blocker:
            commands.start()
        outcome = blocker.args[0]
        assert isinstance(outcome, Outcome)
        return outcome

    return play


def last_snapshot(workspace: Workspace) -> files.RunFile:
    return files.load(sorted((workspace.data_dir / "runs").iterdir())[-1])


def test_a_start_with_errors_does_not_start(
    commands: RunCommands, workspace: Workspace, starts: Starts
):
    commands.start()
    assert starts.refused == 1
    assert not workspace.run.is_running


def test_nothing_starts_while_packages_are_put_into_the_trainers_python(
    commands: RunCommands,
    ready: Workspace,
    starts: Starts,
    answers: Answers,
    tmp_path: Path,
    qtbot,
):
    python = ScriptedPython(tmp_path / "scripted")
    python.pip_does("sleep 600")
    ready.preferences.change(trainer_python=python.path)
    ready.python.install(Plan(python.path, packages=(Requirement("psutil"),), pip="26.0"))
    answers.agreed = ["preferences"]
    with qtbot.waitSignal(ready.preferences_wanted) as wanted:
        commands.start()
    assert wanted.args == ["trainer"]
    assert not ready.run.is_running
    assert starts.ways == []


def test_an_installation_elsewhere_does_not_keep_a_run_from_starting(
    play: Callable[[], Outcome], ready: Workspace, tmp_path: Path
):
    python = ScriptedPython(tmp_path / "scripted")
    python.pip_does("sleep 600")
    ready.python.install(Plan(python.path, packages=(Requirement("psutil"),), pip="26.0"))
    assert play().ending is Ending.COMPLETED


def test_a_start_trains_what_the_document_says_and_does_not_save_it(
    play: Callable[[], Outcome], ready: Workspace, starts: Starts
):
    ready.document.set_value("adapter.network_dim", 24)
    assert play().ending is Ending.COMPLETED
    assert starts.ways == [NameWay.FREE]
    assert ready.document.is_dirty
    assert last_snapshot(ready).raw["adapter"]["network_dim"] == 24


def test_a_taken_name_offers_a_free_one(
    play: Callable[[], Outcome], ready: Workspace, starts: Starts, tmp_path: Path
):
    play()
    starts.agreed = [NameWay.RENAME]
    play()
    assert ready.document.value("output.output_name") == "mine-2"
    assert RunFolder(tmp_path / "out", "mine-2").exists()


def test_a_run_that_is_found_while_the_plan_is_read_keeps_its_place(
    ready: Workspace, answers: Answers, qtbot
):
    window = QWidget()
    qtbot.addWidget(window)

    def confirm(sheet: StartSheet) -> bool:
        """Agree, but only once another run is at work."""
        ready.run.start(commands._snapshot())
        return True

    commands = RunCommands(ready, window, ask=answers, confirm=confirm)
    with qtbot.waitSignal(ready.run.ended, timeout=20_000):
        commands.start()
    assert [question.message for question in answers.questions] == [
        "Another run is at work: it was found meanwhile, and is shown."
    ]


def test_a_taken_name_stops_the_start_unless_something_is_chosen(
    play: Callable[[], Outcome], commands: RunCommands, ready: Workspace, starts: Starts
):
    play()
    commands.start()
    assert not ready.run.is_running
    assert starts.refused == 1


@pytest.mark.parametrize(
    ("way", "told"),
    [
        (NameWay.GO_ON, {"overwrite": False, "continue_": True, "resume": None}),
        (NameWay.RENAME, {"overwrite": False, "continue_": False, "resume": None}),
        (NameWay.REPLACE, {"overwrite": True, "continue_": False, "resume": None}),
    ],
)
def test_the_trainer_is_told_what_was_chosen_about_the_name(
    play: Callable[[], Outcome],
    commands: RunCommands,
    ready: Workspace,
    starts: Starts,
    monkeypatch: pytest.MonkeyPatch,
    way: NameWay,
    told: dict[str, object],
):
    play()
    ready.document.set_value("optimizer.max_train_steps", 60)
    calls: list[dict[str, bool]] = []
    monkeypatch.setattr(ready.run, "start", lambda _run_file, **flags: calls.append(flags))
    starts.agreed = [way]
    commands.start()
    assert calls == [told]


def test_a_stopped_run_goes_on_from_its_state(
    commands: RunCommands,
    ready: Workspace,
    starts: Starts,
    use_trainer: Callable[..., None],
    qtbot,
):
    use_trainer(ready, steps=60, delay=0.02)
    with qtbot.waitSignal(ready.run.ended, timeout=20_000) as blocker:
        commands.start()
        qtbot.waitUntil(lambda: len(ready.metrics.loss) >= 3, timeout=20_000)
        commands.stop_and_save()
    stopped_at = blocker.args[0].step
    assert blocker.args[0].stopped
    assert 3 <= stopped_at < 60
    starts.agreed = [NameWay.GO_ON]
    ready.document.set_value("optimizer.max_train_steps", 60)
    use_trainer(ready, steps=60)
    with qtbot.waitSignal(ready.run.ended, timeout=20_000) as blocker:
        commands.start()
    assert starts.labels[0] == f"Go on from step {stopped_at}"
    assert blocker.args[0].ending is Ending.COMPLETED
    assert len(ready.metrics.loss) == 60


def test_stopping_without_saving_is_asked_about(
    commands: RunCommands,
    ready: Workspace,
    answers: Answers,
    use_trainer: Callable[..., None],
    qtbot,
):
    use_trainer(ready, steps=10_000, delay=0.01)
    commands.start()
    qtbot.waitUntil(lambda: len(ready.metrics.loss) >= 1, timeout=20_000)
    commands.stop_now()
    assert not ready.run.is_stopping
    answers.agreed = ["stop"]
    with qtbot.waitSignal(ready.run.ended, timeout=20_000) as blocker:
        commands.stop_now()
    assert blocker.args[0].stopped
    assert blocker.args[0].state is None


@pytest.fixture
def training(
    commands: RunCommands, ready: Workspace, use_trainer: Callable[..., None], qtbot
) -> Workspace:
    """A workspace whose run has done its first steps."""
    use_trainer(ready, steps=100_000, delay=0.01)
    commands.start()
    qtbot.waitUntil(lambda: len(ready.metrics.loss) >= 2, timeout=20_000)
    return ready


def test_a_pause_holds_until_it_goes_on(commands: RunCommands, training: Workspace, qtbot):
    with qtbot.waitSignal(commands.announced) as told:
        commands.pause()
    assert told.args == ["Pausing after this step…"]
    qtbot.waitUntil(lambda: training.run.phase == "paused", timeout=20_000)
    done = len(training.metrics.loss)
    qtbot.wait(100)  # some ten steps
    assert len(training.metrics.loss) == done
    commands.go_on()
    qtbot.waitUntil(lambda: len(training.metrics.loss) > done, timeout=20_000)
    assert training.run.phase == "training"


def test_a_paused_run_can_be_stopped_and_saved(commands: RunCommands, training: Workspace, qtbot):
    commands.pause()
    qtbot.waitUntil(lambda: training.run.phase == "paused", timeout=20_000)
    assert commands.can_be_asked
    with qtbot.waitSignal(training.run.ended, timeout=20_000) as blocker:
        commands.stop_and_save()
    assert blocker.args[0].stopped
    assert blocker.args[0].state is not None


def test_save_now_saves_and_trains_on(commands: RunCommands, training: Workspace, qtbot):
    def is_save(event: object) -> bool:
        return isinstance(event, CheckpointSaved)

    run = training.run
    with qtbot.waitSignal(run.event_received, timeout=20_000, check_params_cb=is_save) as saved:
        commands.save_now()
    assert Path(saved.args[0].path).exists()
    done = len(training.metrics.loss)
    qtbot.waitUntil(lambda: len(training.metrics.loss) > done, timeout=20_000)


def test_a_save_that_was_asked_for_is_told_by_its_name(
    commands: RunCommands, training: Workspace, qtbot
):
    with qtbot.waitSignal(commands.news, timeout=20_000) as news:
        commands.save_now()
    assert news.args == ["Saved: mine.safetensors"]


def test_a_save_that_nobody_asked_for_is_no_news(commands: RunCommands, training: Workspace, qtbot):
    told: list[str] = []
    commands.news.connect(told.append)
    with qtbot.waitSignal(training.run.ended, timeout=20_000):
        commands.stop_and_save()
    assert told == []


@pytest.fixture
def prompts(ready: Workspace, tmp_path: Path) -> None:
    """A prompt file, chosen before the start."""
    path = tmp_path / "prompts.txt"
    path.write_text("a cat\n", encoding="utf-8")
    ready.document.set_value("sampling.sample_prompts", path.as_posix())


@pytest.mark.usefixtures("prompts")
def test_sample_now_draws_and_trains_on(commands: RunCommands, training: Workspace, qtbot):
    commands.sample_now()
    qtbot.waitUntil(lambda: training.samples.rowCount() == 2, timeout=20_000)
    done = len(training.metrics.loss)
    qtbot.waitUntil(lambda: len(training.metrics.loss) > done, timeout=20_000)


@pytest.mark.usefixtures("prompts")
def test_samples_that_were_asked_for_are_told_once_drawn(
    commands: RunCommands, training: Workspace, qtbot
):
    with qtbot.waitSignal(commands.news, timeout=20_000) as news:
        commands.sample_now()
    step = training.samples.headerData(0, Qt.Orientation.Horizontal)
    assert news.args == [f"Samples of {str(step).lower()} are drawn."]


def test_a_run_without_prompts_says_so_and_shows_how_to_get_samples(
    commands: RunCommands, training: Workspace, qtbot
):
    wanted: list[str] = []
    training.dock_wanted.connect(wanted.append)
    with qtbot.waitSignal(commands.announced) as told:
        commands.sample_now()
    assert told.args == ["This run was started without prompts."]
    assert wanted == ["samples"]


def test_nothing_can_be_asked_before_and_after_training(
    commands: RunCommands, training: Workspace, qtbot
):
    asked = []
    training.run.phase_changed.connect(lambda phase: asked.append((phase, commands.can_be_asked)))
    assert commands.can_be_asked
    with qtbot.waitSignal(training.run.ended, timeout=20_000):
        commands.stop_and_save()
    assert set(asked) >= {("saving", False), ("ended", False), ("idle", False)}
    assert not any(can_be_asked for _, can_be_asked in asked)


@pytest.fixture
def no_folder(ready: Workspace) -> Path:
    """Where the app cannot keep the files that runs are started with."""
    folder = ready.data_dir / "runs"
    ready.data_dir.mkdir(exist_ok=True)
    folder.write_text("a file where the folder belongs", encoding="utf-8")
    return folder


def test_without_a_folder_of_its_own_the_app_trains_and_says_so(
    play: Callable[[], Outcome], ready: Workspace, no_folder: Path
):
    assert play().ending is Ending.COMPLETED
    warnings = [str(line.message) for line in ready.log.lines if line.level is Level.WARNING]
    assert any(str(no_folder) in words for words in warnings)


@pytest.mark.usefixtures("no_folder")
def test_a_snapshot_that_can_be_written_nowhere_is_reported(
    commands: RunCommands, ready: Workspace, answers: Answers, monkeypatch, tmp_path: Path
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    commands.start()
    assert len(answers.questions) == 1
    assert not ready.run.is_running


def test_a_run_that_did_its_last_step_is_asked_nothing_more(
    commands: RunCommands, ready: Workspace, use_trainer: Callable[..., None], qtbot
):
    use_trainer(ready, steps=3, delay=0.05, save_seconds=0.3)
    asked: dict[str, bool] = {}
    ready.run.phase_changed.connect(lambda phase: asked.update({phase: commands.can_be_asked}))
    snapshot = ready.data_dir / "run.toml"
    ready.document.write_snapshot(snapshot)
    with qtbot.waitSignal(ready.run.ended, timeout=20_000):
        ready.run.start(snapshot)
    assert asked["training"]
    assert not asked["saving"]
