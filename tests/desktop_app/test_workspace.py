import sys
from pathlib import Path

from helpers.pictures import write_dataset

from desktop_app.process.environment import TrainerCommand
from desktop_app.workspace import Workspace
from trainer_core.settings.problems import Severity


def messages(workspace: Workspace) -> list[str]:
    rows = range(workspace.problems.rowCount())
    return [workspace.problems.entry(row).message for row in rows]


def test_problems_of_settings_are_listed(workspace: Workspace):
    assert "Choose a picture folder." in messages(workspace)


def test_what_is_wrong_with_pictures_is_listed_once_they_were_looked_at(
    workspace: Workspace, ready_values: dict[str, object], tmp_path: Path, qtbot
):
    write_dataset(tmp_path / "pictures", {"10_zxq cat": {"broken.png": b""}})
    workspace.document.apply(ready_values, "made ready")
    qtbot.waitUntil(lambda: workspace.problems.count(Severity.ERROR) == 1)
    assert "broken.png" in messages(workspace)[0]


def test_another_folder_takes_the_findings_of_the_old_one_away(
    workspace: Workspace, ready_values: dict[str, object], tmp_path: Path, qtbot
):
    write_dataset(tmp_path / "pictures", {"10_zxq cat": {"broken.png": b""}})
    workspace.document.apply(ready_values, "made ready")
    qtbot.waitUntil(lambda: workspace.problems.count(Severity.ERROR) == 1)
    good = write_dataset(tmp_path / "good", {"10_zxq cat": {"a.png": None, "a.txt": "zxq cat"}})
    workspace.document.set_value("dataset.train_data_dir", str(good))
    qtbot.waitUntil(lambda: workspace.problems.count(Severity.ERROR) == 0)


def test_the_chosen_python_trains_from_the_next_run_on(workspace: Workspace, tmp_path: Path):
    workspace.preferences.change(trainer_python=tmp_path / "python")
    assert workspace.run.command == TrainerCommand.of_python(tmp_path / "python")
    workspace.preferences.change(trainer_python=None)
    assert workspace.run.command == TrainerCommand.of_python(Path(sys.executable))
