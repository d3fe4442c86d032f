from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from desktop_app.models.runs.used_settings import Records
from desktop_app.run_view.records import FileTable
from desktop_app.run_view.view import RunView
from desktop_app.widgets.collapsible import Collapsible
from desktop_app.workspace import Workspace
from trainer_core.protocol.messages import Event, SaveNow, StepDone
from trainer_core.settings.schema import TRAIN
from trainer_core.version import __version__


@pytest.fixture
def view(workspace: Workspace, ready_values: dict[str, object], qtbot) -> RunView:
    workspace.document.apply(ready_values, "made ready")
    qtbot.waitUntil(lambda: not workspace.is_looking, timeout=20_000)
    view = RunView(workspace)
    assert isinstance(view, RunView)
    qtbot.addWidget(view)
    view.resize(600, 900)
    with qtbot.waitExposed(view):
        view.show()
    return view


@pytest.fixture
def play(
    workspace: Workspace, view: RunView, use_trainer: Callable[..., None], tmp_path: Path, qtbot
) -> Callable[..., None]:
    """Run the fake trainer to its end."""

    def play(**options: object) -> None:
        use_trainer(workspace, **options)
        run_file = tmp_path / "run.toml"
        workspace.document.write_snapshot(run_file)
        with qtbot.waitSignal(workspace.run.ended, timeout=20_000):
            workspace.run.start(run_file)

    return play


def words(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def buttons(widget: QWidget) -> list[str]:
    return [b.text() for b in widget.findChildren(QPushButton) if b.isVisible()]


def press(widget: QWidget, text: str) -> None:
    next(b for b in widget.findChildren(QPushButton) if b.text() == text and b.isVisible()).click()


def test_before_a_run_the_plan_stands_there_with_a_way_to_start(
    view: RunView, workspace: Workspace, qtbot
):
    assert view.page is view.before
    assert "1 × 10 repeats = 10 per epoch" in words(view)
    with qtbot.waitSignal(workspace.command_wanted) as wanted:
        press(view, "Start")
    assert wanted.args == ["start"]


def test_what_is_missing_is_named_and_an_error_once_a_run_is_to_start(
    view: RunView, workspace: Workspace, qtbot
):
    workspace.document.set_value("dataset.train_data_dir", "")
    qtbot.waitUntil(lambda: "Still to choose: Picture folder" in words(view))
    assert view.before.start_button.isEnabled()
    workspace.document.expect_values()
    qtbot.waitUntil(lambda: "Errors to fix first: 1" in words(view))
    assert not view.before.start_button.isEnabled()


def test_a_run_shows_its_progress_and_its_files(
    view: RunView,
    workspace: Workspace,
    use_trainer: Callable[..., None],
    tmp_path: Path,
    qtbot,
):
    use_trainer(workspace, steps=100_000, delay=0.01, sample_every=5)
    run_file = tmp_path / "run.toml"
    workspace.document.write_snapshot(run_file)
    workspace.run.start(run_file)
    assert view.page is view.progress
    qtbot.waitUntil(lambda: "Training mine" in words(view), timeout=20_000)
    qtbot.waitUntil(lambda: "of 100\N{NARROW NO-BREAK SPACE}000" in words(view), timeout=20_000)
    [table] = view.findChildren(FileTable)
    qtbot.waitUntil(table.isVisible, timeout=20_000)
    with qtbot.waitSignal(workspace.run.ended, timeout=20_000):
        workspace.run.kill()


def test_the_end_names_the_file_and_what_next(view: RunView, workspace: Workspace, play):
    play(steps=3)
    assert view.page is view.end
    assert view.end.file.text() == "mine.safetensors"
    assert "Done: 3 steps trained." in view.end.story.text()
    assert "<lora:mine:1>" in words(view)
    press(view, "Copy path")
    assert QGuiApplication.clipboard().text() == view.end.path.text()
    assert Path(view.end.path.text()).name == "mine.safetensors"


def test_the_end_asks_for_its_dock(view: RunView, workspace: Workspace, play, qtbot):
    with qtbot.waitSignal(workspace.dock_wanted) as wanted:
        play(steps=3)
    assert wanted.args == ["run"]


def test_a_failure_says_what_why_and_what_to_do(view: RunView, workspace: Workspace, play, qtbot):
    play(steps=10, fail_at=3, log_lines=2)
    assert view.page is view.failure
    told = words(view)
    assert "The loss or the weights became too large" in told
    assert "The loss is not finite at step 3." in told
    assert "Use a smaller learning rate." in told
    with qtbot.waitSignal(workspace.setting_wanted) as wanted:
        press(view, "Show setting")
    assert wanted.args == ["optimizer.learning_rate"]
    with qtbot.waitSignal(workspace.dock_wanted) as wanted:
        press(view, "Show log")
    assert wanted.args == ["log"]


def test_the_report_holds_version_reason_and_the_end_of_the_log(view: RunView, play):
    play(steps=60, fail_at=50, log_lines=2)
    press(view, "Copy report")
    report = QGuiApplication.clipboard().text()
    assert f"LoRA Loom {__version__}" in report
    assert "The loss is not finite at step 50." in report
    assert "INFO step 50, line 1" in report
    assert "INFO step 20, line 0" not in report  # more than forty lines before the end


def test_a_killed_run_offers_to_go_on_from_what_was_saved(
    view: RunView, workspace: Workspace, play, qtbot
):
    def save_early(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == 2:
            workspace.run.send(SaveNow())

    workspace.run.event_received.connect(save_early)
    play(steps=60, kill_at=50, delay=0.01)
    assert view.page is view.failure
    assert any(text.startswith("Go on from step ") for text in buttons(view))
    workspace.document.set_value("output.output_name", "other")
    qtbot.waitUntil(lambda: not any("Go on" in text for text in buttons(view)))


@pytest.mark.parametrize("options", [{"steps": 3}, {"steps": 60, "fail_at": 50}])
def test_an_ended_run_of_other_settings_offers_its_own(
    view: RunView, workspace: Workspace, play, qtbot, options: dict[str, int]
):
    play(**options)
    folder = workspace.run.folder
    assert folder is not None
    folder.run_file.write_text("", encoding="utf-8")  # a real trainer keeps it there
    assert "Open its settings" not in buttons(view)
    workspace.document.new()
    workspace.run.attach(folder)
    with qtbot.waitSignal(workspace.run.recalled, timeout=20_000):
        pass
    qtbot.waitUntil(lambda: "Open its settings" in buttons(view))
    with qtbot.waitSignal(workspace.run_settings_wanted):
        press(view, "Open its settings")


def test_another_document_brings_the_plan_back(view: RunView, workspace: Workspace, play, qtbot):
    play(steps=3)
    workspace.document.new()
    qtbot.waitUntil(lambda: view.page is view.before)


def test_every_setting_used_unfolds(view: RunView, workspace: Workspace, play, qtbot):
    play(steps=3)
    settings = workspace.document.usable
    asked = {
        f"{s}.{n}": v for s, values in TRAIN.as_raw(settings).items() for n, v in values.items()
    }
    workspace.record.used.records = Records(asked, {"hardware.seed": 77}, {"device": "Some GPU"})
    workspace.record.used.changed.emit()
    assert "drawn at the start → 77" in words(view)
    [folded] = view.findChildren(Collapsible)
    folded.set_open(True)
    assert "512 × 512 px" in words(view)


def test_rows_of_a_wide_view_are_not_torn_apart(view: RunView, qtbot):
    view.resize(2000, 900)
    qtbot.waitUntil(lambda: view.width() == 2000)
    for part in (view.before, view._records):
        assert part.width() <= 900


def test_it_asks_for_the_width_of_the_page_that_is_shown(view: RunView, play, qtbot):
    def is_wide_enough() -> bool:
        return view.minimumWidth() >= view.page.minimumSizeHint().width() > 0

    qtbot.waitUntil(is_wide_enough)
    play(steps=2)
    assert view.page is view.end
    qtbot.waitUntil(is_wide_enough)
