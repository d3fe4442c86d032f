from pathlib import Path

import pytest
from helpers.answers import Answers
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget

from desktop_app.commands.files import FileCommands
from desktop_app.models.pictures.picture_offer import Offer
from desktop_app.workspace import Workspace
from trainer_core.files.demo_project import DEMO_FOLDER
from trainer_core.settings import files


@pytest.fixture
def commands(workspace: Workspace, answers: Answers, qtbot) -> FileCommands:
    window = QWidget()
    qtbot.addWidget(window)
    return FileCommands(workspace, window, ask=answers)


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text('format = "loom/2"\n[adapter]\nnetwork_dim = 16\n', encoding="utf-8")
    return path


def test_an_opened_file_is_remembered(commands: FileCommands, workspace: Workspace, run_file: Path):
    commands.open_path(run_file)
    assert workspace.document.value("adapter.network_dim") == 16
    assert workspace.preferences.recent_files == [run_file]


def test_a_file_that_cannot_be_opened_is_reported_with_a_way_out(
    commands: FileCommands, workspace: Workspace, answers: Answers, tmp_path: Path
):
    commands.open_path(tmp_path / "missing.toml")
    [question] = answers.questions
    assert question.message == f"There is no file {tmp_path / 'missing.toml'}."
    assert question.details == "Choose a run file (.toml)."
    assert workspace.document.path is None
    assert workspace.preferences.recent_files == []


RUN_FILE_HINT = "Choose a run file (.toml)."


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        (b'format = "loom/2"\n[model]\nvae = = 1\n', "not a valid TOML file", "line 3, column 7"),
        (b'format = "loom/2"\n[model]\nvae = 1\nvae = 2\n', "already exists", "line 4"),
        (b'format = "loom/2"\n[model', "the file ends in the middle", "line 2"),
        (b'format = "loom/2"\n# \xe9\n', "is not UTF-8 text.", "Save it as UTF-8"),
        (b'format = "loom/3"\n', "has format loom/3", "Update LoRA Loom to open it."),
        (
            b"learning_rate = 1e-4\n",
            "holds settings for sd-scripts",
            "enter its values in a new one",
        ),
        (b"", "is not a LoRA Loom run file", "Add that line"),
        (None, "is a folder, not a run file.", RUN_FILE_HINT),
    ],
    ids=["syntax", "twice", "cut off", "encoding", "version", "foreign", "empty", "folder"],
)
def test_a_file_that_cannot_be_opened_says_why_and_what_to_do(
    commands: FileCommands,
    workspace: Workspace,
    answers: Answers,
    tmp_path: Path,
    content: bytes | None,
    message: str,
    hint: str,
):
    path = tmp_path / "broken.toml"
    path.mkdir() if content is None else path.write_bytes(content)
    workspace.document.set_value("adapter.network_dim", 32)
    answers.agreed = ["discard"]
    assert not commands.open_path(path)
    told = answers.questions[-1]
    assert str(path) in told.message
    assert message in told.message
    assert hint in told.details
    assert workspace.document.value("adapter.network_dim") == 32  # nothing was lost over it
    assert workspace.document.is_dirty
    assert [answer.key for answer in told.answers] == ([] if content is None else ["edit"])


def test_a_recent_file_that_cannot_be_looked_for_can_be_taken_off_the_list(
    commands: FileCommands, workspace: Workspace, answers: Answers, tmp_path: Path
):
    unreachable = tmp_path / ("n" * 300) / "mine.toml"
    workspace.preferences.remember_file(unreachable)
    answers.agreed = ["forget"]
    assert not commands.open_recent(unreachable)
    assert workspace.preferences.recent_files == []


def test_a_broken_file_can_be_opened_in_a_text_editor(
    commands: FileCommands, answers: Answers, tmp_path: Path, monkeypatch
):
    path = tmp_path / "broken.toml"
    path.write_text("format = ", encoding="utf-8")
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: not opened.append(url))
    answers.agreed = ["edit"]
    commands.open_path(path)
    assert [Path(url.toLocalFile()) for url in opened] == [path]


@pytest.fixture
def changed_file(commands: FileCommands, workspace: Workspace, run_file: Path) -> Path:
    """An opened file with a change of ours, and another by another program."""
    commands.open_path(run_file)
    workspace.document.set_value("adapter.network_dim", 32)
    run_file.write_text('format = "loom/2"\n# theirs\n', encoding="utf-8")
    return run_file


def test_a_file_that_was_changed_meanwhile_is_not_written_over_unasked(
    commands: FileCommands, workspace: Workspace, answers: Answers, changed_file: Path
):
    assert not commands.save()
    [question] = answers.questions
    assert question.message == "mine.toml was changed since it was opened."
    assert "# theirs" in changed_file.read_text(encoding="utf-8")
    assert workspace.document.is_dirty


def test_a_file_that_was_changed_meanwhile_can_be_overwritten(
    commands: FileCommands, workspace: Workspace, answers: Answers, changed_file: Path
):
    answers.agreed = ["save"]
    assert commands.save()
    assert files.load(changed_file).raw["adapter"]["network_dim"] == 32
    assert not workspace.document.is_dirty
    assert commands.save()
    assert len(answers.questions) == 1  # our own save is no change by another


def test_a_file_that_was_changed_meanwhile_can_be_left_for_another_name(
    commands: FileCommands,
    workspace: Workspace,
    answers: Answers,
    changed_file: Path,
    tmp_path: Path,
    monkeypatch,
):
    other = tmp_path / "other.toml"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(other), ""))
    answers.agreed = ["save_as"]
    assert commands.save()
    assert "# theirs" in changed_file.read_text(encoding="utf-8")
    assert files.load(other).raw["adapter"]["network_dim"] == 32
    assert workspace.document.path == other


@pytest.mark.parametrize("typed", ["run", "run v1.5"])
def test_a_name_that_gets_its_ending_from_us_replaces_nothing_unasked(
    commands: FileCommands,
    workspace: Workspace,
    answers: Answers,
    tmp_path: Path,
    monkeypatch,
    typed: str,
):
    taken = tmp_path / f"{typed}.toml"
    taken.write_text("theirs", encoding="utf-8")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / typed), ""))
    assert not commands.save_as()
    assert answers.questions[0].message == f"{taken.name} exists already. Replace it?"
    assert taken.read_text(encoding="utf-8") == "theirs"
    answers.agreed = ["save"]
    assert commands.save_as()
    assert workspace.document.path == taken


def test_unsaved_changes_are_asked_about_and_kept_on_cancel(
    commands: FileCommands, workspace: Workspace, answers: Answers
):
    workspace.document.set_value("adapter.network_dim", 32)
    commands.new()
    assert len(answers.questions) == 1
    assert workspace.document.value("adapter.network_dim") == 32


def test_unsaved_changes_can_be_discarded(
    commands: FileCommands, workspace: Workspace, answers: Answers
):
    workspace.document.set_value("adapter.network_dim", 32)
    answers.agreed = ["discard"]
    commands.new()
    assert workspace.document.is_default("adapter.network_dim")


def test_unsaved_changes_can_be_saved_first(
    commands: FileCommands, workspace: Workspace, answers: Answers, run_file: Path
):
    commands.open_path(run_file)
    workspace.document.set_value("adapter.network_dim", 32)
    answers.agreed = ["save"]
    commands.new()
    assert files.load(run_file).raw["adapter"]["network_dim"] == 32
    assert workspace.document.path is None


def test_a_document_without_a_name_asks_for_one(
    commands: FileCommands, workspace: Workspace, tmp_path: Path, monkeypatch
):
    workspace.document.set_value("adapter.network_dim", 32)
    chosen = str(tmp_path / "new")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (chosen, ""))
    assert commands.save()
    assert workspace.document.path == tmp_path / "new.toml"
    assert files.load(tmp_path / "new.toml").raw["adapter"]["network_dim"] == 32


def test_a_file_that_cannot_be_written_is_reported_and_stays_unsaved(
    commands: FileCommands, workspace: Workspace, answers: Answers, run_file: Path, monkeypatch
):
    workspace.document.set_value("adapter.network_dim", 32)
    below_a_file = str(run_file / "new.toml")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (below_a_file, ""))
    assert not commands.save()
    assert len(answers.questions) == 1
    assert workspace.document.is_dirty


def test_the_demo_is_opened_from_where_it_can_be_written(
    commands: FileCommands, workspace: Workspace
):
    commands.open_demo()
    assert workspace.document.path == workspace.data_dir / DEMO_FOLDER / "demo.toml"
    assert workspace.document.errors == []


def test_a_changed_demo_is_not_written_over(commands: FileCommands, workspace: Workspace):
    commands.open_demo()
    workspace.document.set_value("adapter.network_dim", 2)
    assert commands.save()
    commands.new()
    commands.open_demo()
    assert workspace.document.value("adapter.network_dim") == 2


DATASET = "[[datasets]]\nresolution = 256\n[[datasets.subsets]]\nimage_dir = 'cats'\n"


def test_a_dataset_configuration_is_taken_over_as_one_step_of_undo(
    commands: FileCommands, workspace: Workspace, run_file: Path, tmp_path: Path, monkeypatch
):
    commands.open_path(run_file)
    config = tmp_path / "data.toml"
    config.write_text(DATASET + "custom_attributes = { a = 1 }\n", encoding="utf-8")
    said: list[str] = []
    workspace.pictures.noticed.connect(said.append)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(config), ""))
    assert commands.import_dataset()
    document = workspace.document
    assert document.path == run_file
    assert document.value("dataset.subsets") == [
        {"image_dir": str(tmp_path / "cats"), "num_repeats": 1}
    ]
    assert document.value("buckets.resolution") == 256
    assert said == [
        "The pictures are as “data.toml” says; what it leaves open is as before.\n"
        "custom_attributes has no effect here."
    ]
    document.undo_stack.undo()
    assert document.value("dataset.subsets") == []
    assert document.value("adapter.network_dim") == 16


@pytest.mark.parametrize("name", ["data.toml", "data.json"])
def test_a_dataset_configuration_that_is_opened_or_dropped_is_imported(
    commands: FileCommands, workspace: Workspace, tmp_path: Path, name: str
):
    config = tmp_path / name
    as_json = '{"datasets": [{"subsets": [{"image_dir": "cats"}]}]}'
    config.write_text(as_json if name.endswith("json") else DATASET, encoding="utf-8")
    assert Offer.of([config]).is_run_file  # what is dropped is opened then
    assert commands.open_path(config)
    assert len(workspace.document.value("dataset.subsets")) == 1
    assert workspace.document.path is None


def test_a_wrong_key_of_a_dataset_configuration_is_named(
    commands: FileCommands, workspace: Workspace, answers: Answers, tmp_path: Path
):
    config = tmp_path / "data.toml"
    config.write_text(DATASET + "num_repeat = 3\n", encoding="utf-8")
    assert not commands.open_path(config)
    [question] = answers.questions
    assert "datasets[1].subsets[1].num_repeat is no setting" in question.message
    assert question.details == "Did you mean num_repeats?"
    assert not workspace.document.is_dirty
