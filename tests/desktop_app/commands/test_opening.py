import datetime
from pathlib import Path

import pytest
from helpers.answers import Answers
from PySide6.QtWidgets import QWidget

from desktop_app.commands.files import FileCommands
from desktop_app.commands.opening import Opening
from desktop_app.document_file.recovery import RecoveryFile, Unsaved, left_behind
from desktop_app.workspace import Workspace
from trainer_core.errors import OutputError
from trainer_core.files.demo_project import DEMO_FOLDER
from trainer_core.settings import files

ON_DISK = 'format = "loom/2"\n[adapter]\nnetwork_dim = 16\n'
UNSAVED = 'format = "loom/2"\n[adapter]\nnetwork_dim = 24\n'


class Welcomed:
    """Counts how often the welcome was shown."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


@pytest.fixture
def welcome() -> Welcomed:
    return Welcomed()


@pytest.fixture
def opening(workspace: Workspace, answers: Answers, qtbot) -> Opening:
    window = QWidget()
    qtbot.addWidget(window)
    files = FileCommands(workspace, window, ask=answers)
    return Opening(workspace, files, window, ask=answers)


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(ON_DISK, encoding="utf-8")
    return path


@pytest.fixture
def crash(workspace: Workspace):
    """Leave unsaved changes behind as a window does that was killed."""

    def crash(path: Path | None = None, *, hour: int = 12, stamp: str | None = None) -> None:
        place = RecoveryFile.fresh(workspace.data_dir / "recovery")
        kept = datetime.datetime(2026, 5, 1, hour, tzinfo=datetime.UTC)
        place.write(Unsaved(files.loads(UNSAVED, "mine.toml"), path, stamp, kept))
        place.release()

    return crash


def count_left(workspace: Workspace) -> int:
    places = left_behind(workspace.data_dir / "recovery")
    for place, _ in places:
        place.release()
    return len(places)


def test_every_start_without_a_file_is_welcomed(
    opening: Opening, answers: Answers, welcome: Welcomed
):
    for times in (1, 2):
        opening.begin(None, demo=False, welcome=welcome)
        assert welcome.times == times
    assert answers.questions == []


def test_a_file_that_was_named_is_opened_without_a_welcome(
    opening: Opening, workspace: Workspace, welcome: Welcomed, run_file: Path
):
    opening.begin(run_file, demo=False, welcome=welcome)
    assert workspace.document.path == run_file
    assert welcome.times == 0


def test_the_demo_is_opened_without_a_welcome(
    opening: Opening, workspace: Workspace, welcome: Welcomed
):
    opening.begin(None, demo=True, welcome=welcome)
    assert workspace.document.path == workspace.data_dir / DEMO_FOLDER / "demo.toml"
    assert welcome.times == 0


def test_recovered_changes_are_unsaved_have_their_path_and_can_be_undone(
    opening: Opening, workspace: Workspace, answers: Answers, welcome: Welcomed, crash, run_file
):
    crash(run_file)
    answers.agreed = ["recover"]
    opening.begin(None, demo=False, welcome=welcome)
    document = workspace.document
    assert (document.path, document.is_dirty) == (run_file, True)
    assert document.value("adapter.network_dim") == 24
    document.undo_stack.undo()
    assert (document.value("adapter.network_dim"), document.is_dirty) == (16, False)
    assert welcome.times == 0
    assert workspace.preferences.recent_files == [run_file]


def test_a_run_that_never_had_a_name_is_recovered(
    opening: Opening, workspace: Workspace, answers: Answers, welcome: Welcomed, crash
):
    crash()
    answers.agreed = ["recover"]
    opening.begin(None, demo=False, welcome=welcome)
    document = workspace.document
    assert (document.path, document.is_dirty) == (None, True)
    assert document.value("adapter.network_dim") == 24


def test_recovered_changes_survive_another_crash(
    opening: Opening, workspace: Workspace, answers: Answers, welcome: Welcomed, crash, qtbot
):
    crash()
    answers.agreed = ["recover"]
    opening.begin(None, demo=False, welcome=welcome)
    folder = workspace.data_dir / "recovery"
    workspace.autosave._threads.close()
    [kept] = folder.glob("*.json")
    found = RecoveryFile(kept).read()
    assert found is not None
    assert found.file.raw["adapter"]["network_dim"] == 24


def test_what_cannot_be_cleared_away_keeps_no_window_from_opening(
    opening: Opening,
    workspace: Workspace,
    answers: Answers,
    welcome: Welcomed,
    crash,
    run_file: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    def refuse(place: RecoveryFile) -> None:
        raise OutputError("{path} cannot be removed", path="kept")

    crash()
    answers.agreed = ["discard"]
    monkeypatch.setattr(RecoveryFile, "clear_leftovers", refuse)
    monkeypatch.setattr(RecoveryFile, "discard", refuse)
    opening.begin(run_file, demo=False, welcome=welcome)
    assert "kept cannot be removed" in answers.questions[-1].message
    assert workspace.document.path == run_file


def test_changes_put_off_are_asked_about_again(
    opening: Opening, workspace: Workspace, answers: Answers, welcome: Welcomed, crash
):
    crash()
    opening.begin(None, demo=False, welcome=welcome)
    assert len(answers.questions) == 1
    assert count_left(workspace) == 1
    assert not workspace.document.is_dirty


def test_discarded_changes_are_gone(
    opening: Opening, workspace: Workspace, answers: Answers, welcome: Welcomed, crash
):
    crash()
    answers.agreed = ["discard"]
    opening.begin(None, demo=False, welcome=welcome)
    assert count_left(workspace) == 0
    assert not workspace.document.is_dirty


def test_each_lost_window_is_asked_about_until_one_is_recovered(
    opening: Opening, workspace: Workspace, answers: Answers, welcome: Welcomed, crash
):
    for hour in (1, 2, 3):
        crash(hour=hour)
    answers.agreed = ["discard", "recover"]
    opening.begin(None, demo=False, welcome=welcome)
    workspace.autosave._threads.close()
    assert len(answers.questions) == 2
    assert count_left(workspace) == 1  # the third waits; this window's own is not offered


def test_a_file_that_was_changed_since_is_said_to_be(
    opening: Opening, workspace: Workspace, answers: Answers, welcome: Welcomed, crash, run_file
):
    crash(run_file, stamp="another content")
    answers.agreed = ["recover", "cancel"]
    opening.begin(None, demo=False, welcome=welcome)
    assert "The file itself was changed since." in answers.questions[0].details
    assert not opening._files.save()
    assert answers.questions[1].message == "mine.toml was changed since it was opened."
    assert run_file.read_text(encoding="utf-8") == ON_DISK


def test_a_file_that_is_gone_since_does_not_keep_its_changes_from_being_recovered(
    opening: Opening, workspace: Workspace, answers: Answers, welcome: Welcomed, crash, run_file
):
    crash(run_file, stamp="its content")
    run_file.unlink()
    answers.agreed = ["recover"]
    opening.begin(None, demo=False, welcome=welcome)
    assert "The file itself is no longer there." in answers.questions[0].details
    document = workspace.document
    assert (document.path, document.is_dirty) == (run_file, True)
    assert document.value("adapter.network_dim") == 24


def test_the_recovered_file_is_not_opened_over_its_changes(
    opening: Opening, workspace: Workspace, answers: Answers, welcome: Welcomed, crash, run_file
):
    crash(run_file)
    answers.agreed = ["recover"]
    opening.begin(run_file, demo=False, welcome=welcome)
    assert len(answers.questions) == 1
    assert workspace.document.value("adapter.network_dim") == 24
