from pathlib import Path

import pytest

from desktop_app.document import Document
from trainer_core.errors import SettingsError
from trainer_core.settings import files
from trainer_core.settings.problems import Problem, Severity
from trainer_core.settings.rules.places import check_places
from trainer_core.settings.schema import TRAIN
from trainer_core.texts import text

RUN_FILE = """\
format = "loom/2"

# the one with the red scarf
[adapter]
network_dim = 16  # enough for one person
network_alpha = 8.0
"""


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(RUN_FILE, encoding="utf-8")
    return path


def test_a_new_document_has_the_defaults_and_nothing_to_save(document: Document):
    assert document.value("adapter.network_dim") == 8
    assert document.is_default("adapter.network_dim")
    assert not document.is_dirty


def test_a_change_is_one_step_of_undo(document: Document):
    document.set_value("adapter.network_dim", 16)
    assert document.value("adapter.network_dim") == 16
    assert document.undo_stack.undoText() == "change of Network rank"
    document.undo_stack.undo()
    assert document.value("adapter.network_dim") == 8
    assert document.undo_stack.count() == 1


def test_the_same_value_again_is_no_step(document: Document):
    document.set_value("adapter.network_dim", 8)
    assert document.undo_stack.count() == 0


def test_true_is_another_value_than_one(document: Document):
    document.set_value("adapter.network_dim", 1)
    document.set_value("adapter.network_dim", True)
    assert document.value("adapter.network_dim") is True


def test_a_change_names_its_path(document: Document, qtbot):
    with qtbot.waitSignal(document.changed) as blocker:
        document.set_value("adapter.network_dim", 16)
    assert blocker.args == [frozenset({"adapter.network_dim"})]


def test_the_snapshot_follows_a_change(document: Document):
    document.set_value("adapter.network_dim", 16)
    assert document.settings is not None
    assert document.settings.adapter.network_dim == 16


def test_a_value_that_cannot_be_used_is_kept_and_named(document: Document):
    document.set_value("adapter.network_dim", "many")
    assert document.value("adapter.network_dim") == "many"
    assert document.settings is None
    assert "adapter.network_dim" in {problem.path for problem in document.errors}


def test_one_mistake_does_not_hide_the_problems_of_other_settings(document: Document):
    document.set_value("adapter.network_dim", "many")
    document.expect_values()
    assert "model.pretrained_model_name_or_path" in {problem.path for problem in document.errors}


MISSING = {
    "model.pretrained_model_name_or_path",
    "dataset.train_data_dir",
    "output.output_dir",
}


def test_what_is_missing_is_a_hint_until_a_run_is_to_start(document: Document):
    assert document.errors == []
    assert {p.path for p in document.problems if p.severity is Severity.NOTICE} == MISSING
    document.expect_values()
    assert {problem.path for problem in document.errors} == MISSING
    document.new()
    assert document.errors == []


def test_a_new_run_is_saved_with_every_setting(document: Document, tmp_path: Path):
    document.set_value("adapter.network_dim", 16)
    document.save(tmp_path / "new.toml")
    document.set_value("adapter.network_dim", 24)
    document.save(tmp_path / "new.toml")
    raw = files.load(tmp_path / "new.toml").raw
    # Tables come last in TOML; there are none.
    expected = [path for path, param in TRAIN.params().items() if not param.columns]
    assert [f"{section}.{name}" for section in raw for name in raw[section]] == expected
    assert raw["adapter"]["network_dim"] == 24


def test_a_file_that_was_opened_keeps_to_its_sections(document: Document, run_file: Path):
    sections = set(files.load(run_file).raw)
    document.load(run_file)
    document.set_value("adapter.network_dim", 24)
    document.save(run_file)
    assert set(files.load(run_file).raw) == sections


def test_reset_brings_the_default_back(document: Document):
    document.set_value("adapter.network_dim", 16)
    document.reset("adapter.network_dim")
    assert document.is_default("adapter.network_dim")
    document.undo_stack.undo()
    assert document.value("adapter.network_dim") == 16


def test_a_suggestion_for_an_unknown_name_moves_its_value(document: Document):
    document.apply({"adapter.netwrok_dim": 32}, "a typing mistake")
    [problem] = [p for p in document.problems if p.path == "adapter.netwrok_dim"]
    assert problem.suggestion is not None
    document.apply(problem.suggestion.changes, "mended")
    assert document.value("adapter.network_dim") == 32
    assert not [p for p in document.problems if p.path == "adapter.netwrok_dim"]


def test_saving_keeps_comments_and_clears_the_mark(document: Document, run_file: Path):
    document.load(run_file)
    document.set_value("adapter.network_dim", 32)
    assert document.is_dirty
    document.save(run_file)
    written = run_file.read_text(encoding="utf-8")
    assert "# the one with the red scarf" in written
    assert "network_dim = 32  # enough for one person" in written
    assert not document.is_dirty


def test_undo_back_to_what_was_saved_is_clean_again(document: Document, run_file: Path):
    document.load(run_file)
    document.set_value("adapter.network_dim", 32)
    document.undo_stack.undo()
    assert not document.is_dirty


def test_opening_a_file_that_is_no_run_file_leaves_the_document_alone(
    document: Document, tmp_path: Path
):
    document.set_value("adapter.network_dim", 16)
    foreign = tmp_path / "foreign.toml"
    foreign.write_text("network_dim = 4\n", encoding="utf-8")
    with pytest.raises(SettingsError):
        document.load(foreign)
    assert document.value("adapter.network_dim") == 16
    assert document.is_dirty


def test_relative_paths_are_meant_from_the_file(document: Document, run_file: Path):
    (run_file.parent / "pictures").mkdir()
    document.load(run_file)
    document.set_value("dataset.train_data_dir", "pictures")
    assert document.settings is not None
    assert document.settings.dataset.train_data_dir == run_file.parent / "pictures"
    assert document.value("dataset.train_data_dir") == "pictures"


def test_saved_elsewhere_relative_paths_name_the_same_folder(document: Document, run_file: Path):
    document.load(run_file)
    document.set_value("dataset.train_data_dir", "pictures")
    elsewhere = run_file.parent / "other" / "mine.toml"
    elsewhere.parent.mkdir()
    document.save(elsewhere)
    raw = files.load(elsewhere).raw
    assert raw["dataset"]["train_data_dir"] == str(run_file.parent / "pictures")


def test_a_snapshot_has_absolute_paths_and_leaves_the_document_alone(
    document: Document, run_file: Path, tmp_path: Path
):
    document.load(run_file)
    document.set_value("dataset.train_data_dir", "pictures")
    document.write_snapshot(tmp_path / "snapshot.toml")
    raw = files.load(tmp_path / "snapshot.toml").raw
    assert raw["dataset"]["train_data_dir"] == str(run_file.parent / "pictures")
    assert document.value("dataset.train_data_dir") == "pictures"
    assert document.is_dirty


def test_a_snapshot_of_an_earlier_run_is_a_new_run(document: Document, tmp_path: Path):
    earlier = tmp_path / "run.toml"
    earlier.write_text('format = "loom/2"\n[run]\nid = "abc"\n', encoding="utf-8")
    document.load(earlier)
    document.write_snapshot(tmp_path / "snapshot.toml")
    assert files.load(tmp_path / "snapshot.toml").run == {}


def test_a_value_that_is_set_back_by_hand_leaves_nothing_to_save(document: Document):
    document.set_value("optimizer.epoch", 7)
    assert document.is_dirty
    document.set_value("optimizer.epoch", 1)
    document.apply({"optimizer.epoch": None}, "removed")
    assert not document.is_dirty


def test_true_in_place_of_1_is_something_to_save(document: Document, tmp_path: Path):
    file = tmp_path / "run.toml"
    file.write_text('format = "loom/2"\n[buckets]\nenable_bucket = 1\n')
    document.load(file)
    assert not document.is_dirty
    document.set_value("buckets.enable_bucket", True)
    assert document.is_dirty


def test_a_copy_is_a_new_document_with_the_same_settings(document: Document, run_file: Path):
    document.load_copy(run_file)
    assert document.value("adapter.network_dim") == 16
    assert document.path is None
    assert not document.is_dirty


def test_what_two_looks_find_is_said_once(document: Document, tmp_path: Path):
    gone = tmp_path / "gone"
    document.set_value("dataset.train_data_dir", str(gone))
    message = text("The picture folder {path} does not exist.", path=gone)
    document.set_found("pictures", [Problem("dataset.train_data_dir", Severity.ERROR, message)])
    document.set_found("places", check_places(document.usable))
    told = [problem for problem in document.problems if problem.path == "dataset.train_data_dir"]
    assert [str(problem.message) for problem in told] == [f"{gone} does not exist."]


def test_all_that_one_look_finds_about_a_folder_is_said(document: Document, tmp_path: Path):
    document.set_value("dataset.train_data_dir", str(tmp_path))
    found = [
        Problem("dataset.train_data_dir", Severity.ERROR, text(words, path=tmp_path))
        for words in ("{path} holds no pictures.", "{path} has no name that can be used.")
    ]
    document.set_found("pictures", found)
    assert all(problem in document.problems for problem in found)
