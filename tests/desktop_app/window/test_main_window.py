import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from helpers.answers import Answers
from helpers.drops import carried, drop
from helpers.pictures import write_dataset
from helpers.starts import Starts
from PySide6.QtCore import (
    QByteArray,
    QObject,
    QPointF,
    Qt,
    QTimer,
)
from PySide6.QtGui import QDropEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDockWidget, QLineEdit, QMenu, QPushButton, QStyle

from desktop_app.docks.catalogue import DOCKS
from desktop_app.editors.base import focused_editor
from desktop_app.editors.page import SettingsPage
from desktop_app.preferences import THEMES
from desktop_app.preferences_view.dialog import PreferencesDialog
from desktop_app.tools_view.view import ToolsView
from desktop_app.widgets.find_field import FindField
from desktop_app.window import main_window
from desktop_app.window.actions import ACTIONS
from desktop_app.window.main_window import MainWindow
from desktop_app.words.name_ways import NameWay
from desktop_app.workspace import Workspace

_TITLE_BAR = QStyle.PixelMetric.PM_TitleBarHeight


@pytest.fixture
def window(workspace: Workspace, answers: Answers, starts: Starts, qtbot) -> Iterator[MainWindow]:
    """The window of an empty document, on the screen."""
    window = MainWindow(workspace, ask=answers, confirm=starts, leave=lambda _: None)
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()
    window.activateWindow()
    window.docks.late.complete()
    yield window
    workspace.document.new()  # closing asks nothing then


@pytest.fixture
def ready(window: MainWindow, workspace: Workspace, ready_values: dict[str, object]) -> MainWindow:
    """The window of a document that can be started."""
    workspace.document.apply(ready_values, "made ready")
    return window


def field_of(window: MainWindow, path: str) -> object:
    for page in window.findChildren(SettingsPage):
        for form in page.forms:
            if path in form.rows:
                return form.rows[path].editor.fields()[0]
    raise KeyError(path)


def test_the_window_fits_a_small_screen(window: MainWindow):
    assert window.minimumSizeHint().width() <= 1280
    assert window.minimumSizeHint().height() <= 720
    room = window.screen().availableSize().height() - window.style().pixelMetric(_TITLE_BAR)
    assert (window.width(), window.height()) == (1280, min(720, room))


def test_a_message_that_comes_and_goes_leaves_the_docks_as_they_were(window: MainWindow, qtbot):
    docks = [window.docks.widgets[name] for name in ("dataset", "problems")]
    qtbot.wait(100)  # the first layout, and the sizes that are given then
    before = [dock.height() for dock in docks]
    window.banner.tell("error", "It failed.")
    qtbot.waitUntil(lambda: docks[0].height() < before[0])
    window.banner.dismiss()
    qtbot.waitUntil(lambda: [dock.height() for dock in docks] == before)


def test_several_messages_leave_the_window_as_large_as_it_was(window: MainWindow, qtbot):
    before = window.size()
    for banner in (window.file_banner, window.banner, window.caption_banner):
        words = "Something that takes two lines was said here. " * 6
        banner.tell("warning", words, "And why.", [("A way on", banner.dismiss)])
        qtbot.waitUntil(banner.isVisible)
    qtbot.wait(100)
    assert window.size() == before
    assert window.minimumSizeHint().height() <= 720


def test_every_dock_of_the_catalogue_is_there(window: MainWindow):
    assert list(window.docks.widgets) == [dock.name for dock in DOCKS]
    for dock in DOCKS:
        assert window.docks.widgets[dock.name].isHidden() is not dock.is_open


def test_every_command_can_be_reached_from_the_menus(window: MainWindow):
    listed = {
        action
        for title in window.menuBar().actions()
        for action in title.menu().actions()  # type: ignore[attr-defined]
    }
    assert {window.commands[spec.name] for spec in ACTIONS} <= listed


def test_no_two_commands_share_a_shortcut(window: MainWindow):
    visible = [action for action in window.commands.values() if action.isVisible()]
    keys = [action.shortcut().toString() for action in visible if action.shortcut().toString()]
    assert len(keys) == len(set(keys))


def test_a_dropped_folder_becomes_the_picture_folder(
    window: MainWindow, workspace: Workspace, tmp_path: Path, qtbot
):
    drop(window, tmp_path)
    value = partial(workspace.document.value, "dataset.train_data_dir")
    qtbot.waitUntil(lambda: value() == tmp_path.as_posix())


def test_undo_after_a_drop_takes_the_drop_back_whatever_had_the_focus(
    window: MainWindow, workspace: Workspace, tmp_path: Path, qtbot
) -> None:
    field = next(f for f in window.findChildren(QLineEdit) if f.isVisible() and f.isEnabled())
    field.setFocus()
    write_dataset(tmp_path, {"2_cat": {"a.png": None}})
    drop(window, tmp_path)
    path = "dataset.train_data_dir"
    qtbot.waitUntil(lambda: workspace.document.value(path) == tmp_path.as_posix())
    qtbot.waitUntil(lambda: len(workspace.dataset.rows) == 1)
    focused = QApplication.focusWidget()
    assert focused is not None
    QTest.keySequence(focused, QKeySequence(QKeySequence.StandardKey.Undo))
    qtbot.waitUntil(lambda: workspace.document.value(path) == "unset")


def test_dropped_pictures_are_trained_and_shown(
    window: MainWindow, workspace: Workspace, tmp_path: Path, qtbot
):
    names = ("a.png", "b.png", "c.png")
    folder = write_dataset(tmp_path / "pictures", {".": dict.fromkeys(names)})
    window.docks.raise_dock("charts")
    drop(window, folder / "a.png", folder / "c.png")
    shown = [(folder / name).as_posix() for name in ("a.png", "c.png")]
    qtbot.waitUntil(lambda: workspace.document.value("dataset.more_pictures") == shown)
    assert not window.docks.widgets["dataset"].visibleRegion().isEmpty()


def test_a_dropped_run_file_is_opened(window: MainWindow, workspace: Workspace, tmp_path: Path):
    run_file = tmp_path / "mine.toml"
    run_file.write_text('format = "loom/2"\n', encoding="utf-8")
    drop(window, run_file)
    assert workspace.document.path == run_file
    assert window.windowTitle() == "mine.toml[*] – LoRA Loom"


def test_a_drop_is_over_before_anything_is_asked(
    window: MainWindow, workspace: Workspace, answers: Answers, tmp_path: Path, qtbot
):
    workspace.document.set_value("adapter.network_dim", 24)
    data = carried(tmp_path / "mine.toml")
    left, plain = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(1, 1), Qt.DropAction.CopyAction, data, left, plain))
    assert answers.questions == []
    qtbot.waitUntil(lambda: len(answers.questions) == 1)


def test_only_one_run_file_can_be_dropped(window: MainWindow, workspace: Workspace, tmp_path: Path):
    drop(window, tmp_path / "a.toml", tmp_path / "b.toml")
    words = "Only one run file can be open at a time. Drop a single one."
    assert window.statusBar().currentMessage() == words
    assert workspace.document.path is None


def focused_dock(window: MainWindow) -> str | None:
    holder = QApplication.focusWidget()
    docks = window.docks.widgets.items()
    held = [n for n, dock in docks if holder is not None and dock.isAncestorOf(holder)]
    return held[0] if held else None


def test_the_keyboard_goes_from_panel_to_panel_and_back(window: MainWindow, qtbot):
    qtbot.waitUntil(window.isActiveWindow)
    names = [dock.name for dock in DOCKS if dock.is_open]
    window.docks.focus.go_to(names[0])
    qtbot.waitUntil(lambda: focused_dock(window) == names[0])
    control = Qt.KeyboardModifier.ControlModifier
    seen = [names[0]]
    for _ in names[1:]:
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab, control)
        qtbot.waitUntil(lambda: focused_dock(window) != seen[-1])
        seen.append(str(focused_dock(window)))
    assert seen == names
    shift = Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Backtab, control | shift)
    qtbot.waitUntil(lambda: focused_dock(window) == names[-2])


def test_the_focus_returns_to_the_field_it_was_in(window: MainWindow, workspace: Workspace, qtbot):
    qtbot.waitUntil(window.isActiveWindow)
    workspace.setting_wanted.emit("adapter.network_alpha")
    field = field_of(window, "adapter.network_alpha")
    qtbot.waitUntil(field.hasFocus)
    window.commands["next_dock"].trigger()
    assert not field.hasFocus()
    window.commands["previous_dock"].trigger()
    qtbot.waitUntil(field.hasFocus)


def test_a_key_opens_a_panel_and_puts_the_focus_into_it(window: MainWindow, qtbot):
    qtbot.waitUntil(window.isActiveWindow)
    number = [dock.name for dock in DOCKS].index("training") + 1
    qtbot.keyClick(window, str(number), Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: focused_dock(window) == "training")


def test_a_file_changed_by_another_program_is_told_beside_the_end_of_a_run(
    window: MainWindow, workspace: Workspace, tmp_path: Path, qtbot
):
    run_file = tmp_path / "mine.toml"
    workspace.document.save(run_file)
    window.banner.tell("success", "Done.")
    run_file.write_text('format = "loom/2"\n# changed\n', encoding="utf-8")
    qtbot.waitUntil(window.file_banner.isVisible, timeout=10_000)
    assert window.banner.isVisible()
    assert not window.file_banner.geometry().isEmpty()
    for banner in (window.file_banner, window.banner):
        assert banner.width() == window.width()  # from edge to edge


def test_unsaved_changes_that_cannot_be_kept_are_told(
    window: MainWindow, workspace: Workspace, qtbot
):
    workspace.data_dir.mkdir(exist_ok=True)
    (workspace.data_dir / "recovery").write_text("in the way", encoding="utf-8")
    workspace.document.set_value("adapter.network_dim", 32)
    workspace.autosave.keep_now()
    words = "Unsaved changes cannot be kept in case of a crash: "
    qtbot.waitUntil(lambda: window.statusBar().currentMessage().startswith(words))


def test_nothing_is_kept_aside_once_the_window_was_closed(
    window: MainWindow, workspace: Workspace, answers: Answers, qtbot
):
    workspace.document.set_value("adapter.network_dim", 32)
    workspace.autosave.keep_now()
    folder = workspace.data_dir / "recovery"
    qtbot.waitUntil(lambda: folder.is_dir() and any(folder.glob("*.json")))
    answers.agreed = ["discard"]
    window.close()
    assert list(folder.iterdir()) == []


def test_the_title_marks_unsaved_changes(window: MainWindow, workspace: Workspace):
    assert not window.isWindowModified()
    workspace.document.set_value("adapter.network_dim", 32)
    assert window.isWindowModified()
    window.commands["undo"].trigger()
    assert not window.isWindowModified()


@pytest.mark.parametrize(
    "path", ["adapter.network_dim", "optimizer.max_grad_norm", "sampling.sample_prompts"]
)
def test_a_wanted_setting_comes_to_the_front_with_the_focus(
    window: MainWindow, workspace: Workspace, path: str, qtbot
):
    workspace.setting_wanted.emit(path)
    field = field_of(window, path)
    qtbot.waitUntil(lambda: field.hasFocus() and not field.visibleRegion().isEmpty())


def find_field(window: MainWindow) -> FindField:
    [field] = [f for f in window.findChildren(FindField) if not f.visibleRegion().isEmpty()]
    return field


def focused_setting() -> str | None:
    """Return the path of the setting that somebody would type into."""
    editor = focused_editor()
    return None if editor is None else editor.param.path


def test_a_setting_is_found_by_its_name_in_files(window: MainWindow, qtbot):
    window.commands["find"].trigger()
    field = find_field(window)
    qtbot.waitUntil(field.hasFocus)
    qtbot.keyClicks(field, "lr_warmup_steps")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: focused_setting() == "optimizer.lr_warmup_steps")


def test_a_key_resets_the_setting_that_has_the_focus(
    window: MainWindow, workspace: Workspace, qtbot
):
    workspace.document.set_value("adapter.network_dim", 24)
    workspace.setting_wanted.emit("adapter.network_dim")
    qtbot.waitUntil(lambda: focused_setting() == "adapter.network_dim")
    window.commands["reset_setting"].trigger()
    assert workspace.document.is_default("adapter.network_dim")


def test_the_search_comes_back_with_its_dock(window: MainWindow, qtbot):
    settings = [dock.name for dock in DOCKS if dock.shows("hardware.seed")]
    for dock in DOCKS:
        if dock.name not in settings and dock.area is Qt.DockWidgetArea.LeftDockWidgetArea:
            window.docks.widgets[dock.name].close()
    window.docks.widgets[settings[0]].close()
    qtbot.waitUntil(lambda: not window.docks.widgets["model"].isVisible())
    window.commands["find"].trigger()
    qtbot.waitUntil(lambda: find_field(window).hasFocus())


def test_what_is_still_being_typed_is_saved(
    window: MainWindow, workspace: Workspace, tmp_path: Path, qtbot
):
    workspace.document.save(tmp_path / "mine.toml")
    workspace.setting_wanted.emit("adapter.network_dim")
    field = field_of(window, "adapter.network_dim")
    qtbot.waitUntil(field.hasFocus)
    field.selectAll()
    qtbot.keyClicks(field, "24")
    window.commands["save"].trigger()
    assert "network_dim = 24" in (tmp_path / "mine.toml").read_text(encoding="utf-8")


def test_undo_in_a_field_takes_back_the_committed_value(
    window: MainWindow, workspace: Workspace, qtbot
):
    workspace.setting_wanted.emit("adapter.network_dim")
    field = field_of(window, "adapter.network_dim")
    qtbot.waitUntil(field.hasFocus)
    field.selectAll()
    qtbot.keyClicks(field, "24")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert workspace.document.value("adapter.network_dim") == 24
    qtbot.keyClick(field, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: workspace.document.value("adapter.network_dim") == 8)


def test_start_and_stop_are_enabled_when_they_can_be_pressed(
    ready: MainWindow, workspace: Workspace, use_trainer: Callable[..., None], qtbot
):
    start, stop = ready.commands["start"], ready.commands["stop_and_save"]
    assert (start.isEnabled(), stop.isEnabled()) == (True, False)
    use_trainer(workspace, steps=10_000, delay=0.01)
    qtbot.mouseClick(ready.toolbar.start_button, Qt.MouseButton.LeftButton)
    assert (start.isEnabled(), stop.isEnabled()) == (False, True)
    qtbot.waitUntil(lambda: len(workspace.metrics.loss) >= 1, timeout=20_000)
    with qtbot.waitSignal(workspace.run.ended, timeout=20_000):
        qtbot.mouseClick(ready.toolbar.stop_button, Qt.MouseButton.LeftButton)
    assert (start.isEnabled(), stop.isEnabled()) == (True, False)
    assert ready.banner.message.startswith("Stopped and saved after step ")
    assert ready.banner.isVisible()


def test_one_key_pauses_a_run_and_lets_it_go_on(
    ready: MainWindow, workspace: Workspace, use_trainer: Callable[..., None], qtbot
):
    use_trainer(workspace, steps=100_000, delay=0.01)
    pause, go_on = ready.commands["pause"], ready.commands["go_on"]
    assert (pause.isVisible(), go_on.isVisible()) == (True, False)
    assert not pause.isEnabled()
    ready.commands["start"].trigger()
    qtbot.waitUntil(pause.isEnabled, timeout=20_000)
    qtbot.keyClick(ready, Qt.Key.Key_F6)
    qtbot.waitUntil(lambda: workspace.run.phase == "paused", timeout=20_000)
    assert (pause.isVisible(), go_on.isVisible()) == (False, True)
    qtbot.keyClick(ready, Qt.Key.Key_F6)
    qtbot.waitUntil(lambda: workspace.run.phase == "training", timeout=20_000)
    assert (pause.isVisible(), go_on.isVisible()) == (True, False)


def test_a_run_is_asked_for_things_only_while_it_trains(
    ready: MainWindow, workspace: Workspace, use_trainer: Callable[..., None], qtbot
):
    commands = [ready.commands[name] for name in ("pause", "save_now", "sample_now")]
    use_trainer(workspace, steps=100_000, delay=0.01)
    assert not any(command.isEnabled() for command in commands)
    ready.commands["start"].trigger()
    assert not any(command.isEnabled() for command in commands)
    qtbot.waitUntil(lambda: all(command.isEnabled() for command in commands), timeout=20_000)
    with qtbot.waitSignal(workspace.run.ended, timeout=20_000):
        ready.commands["stop_and_save"].trigger()
        assert not any(command.isEnabled() for command in commands)
    assert not any(command.isEnabled() for command in commands)


def test_a_failed_run_says_what_happened_and_leads_to_the_details(
    ready: MainWindow, workspace: Workspace, use_trainer: Callable[..., None], qtbot
):
    use_trainer(workspace, steps=10, fail_at=3)
    with qtbot.waitSignal(workspace.run.ended, timeout=20_000) as blocker:
        ready.commands["start"].trigger()
    assert ready.banner.isVisible()
    assert ready.banner.message == str(blocker.args[0].sentence)
    [details] = [b for b in ready.banner.findChildren(QPushButton) if b.text() == "Details"]
    with qtbot.waitSignal(workspace.dock_wanted) as wanted:
        details.click()
    assert wanted.args == ["run"]
    assert not ready.banner.isVisible()


def test_the_run_dock_comes_to_the_front_at_the_end(ready: MainWindow, workspace: Workspace, qtbot):
    with qtbot.waitSignal(workspace.run.ended, timeout=20_000):
        ready.commands["start"].trigger()
        assert ready.docks.widgets["run"].visibleRegion().isEmpty()
    assert not ready.docks.widgets["run"].visibleRegion().isEmpty()


def test_a_stop_that_saves_can_be_changed_into_one_that_does_not(
    ready: MainWindow,
    workspace: Workspace,
    answers: Answers,
    use_trainer: Callable[..., None],
    qtbot,
):
    use_trainer(workspace, steps=100_000, delay=0.01, save_seconds=60)
    ready.commands["start"].trigger()
    qtbot.waitUntil(lambda: len(workspace.metrics.loss) >= 1, timeout=20_000)
    stop = ready.toolbar.stop_button
    qtbot.mouseClick(stop, Qt.MouseButton.LeftButton)
    assert stop.isEnabled()
    assert stop.defaultAction() is ready.commands["stop_now"]
    answers.agreed = ["stop"]
    qtbot.mouseClick(stop, Qt.MouseButton.LeftButton)
    assert workspace.run.is_stopping
    assert not workspace.run.stops_with_saving


def test_a_new_start_takes_the_old_message_away(
    ready: MainWindow, workspace: Workspace, starts: Starts, use_trainer, qtbot
):
    use_trainer(workspace, steps=10, fail_at=3)
    with qtbot.waitSignal(workspace.run.ended, timeout=20_000):
        ready.commands["start"].trigger()
    starts.agreed = [NameWay.REPLACE]
    with qtbot.waitSignal(workspace.run.ended, timeout=20_000):
        ready.commands["start"].trigger()
        assert not ready.banner.isVisible()


def test_another_document_takes_the_message_of_the_last_run_away(
    ready: MainWindow, workspace: Workspace, answers: Answers, use_trainer, qtbot
):
    use_trainer(workspace, steps=10, fail_at=3)
    with qtbot.waitSignal(workspace.run.ended, timeout=20_000):
        ready.commands["start"].trigger()
    assert ready.banner.isVisible()
    answers.agreed = ["discard"]
    ready.commands["new"].trigger()
    assert not ready.banner.isVisible()


@pytest.mark.parametrize("name", THEMES)
def test_the_theme_is_chosen_in_the_view_menu(window: MainWindow, workspace: Workspace, name: str):
    label = THEMES[name].label
    actions = window.findChildren(QObject)
    [action] = [a for a in actions if getattr(a, "text", lambda: "")() == label]
    action.trigger()
    assert workspace.preferences.settings.theme == name


def test_a_closed_dock_stays_closed_and_comes_back_from_the_menu(
    window: MainWindow, workspace: Workspace, answers: Answers, qtbot
):
    window.docks.widgets["log"].close()
    window.close()
    again = MainWindow(workspace, ask=answers)
    qtbot.addWidget(again)
    again.show()
    log = again.docks.widgets["log"]
    assert log.isHidden()
    again.docks.toggle("log")
    assert not log.isHidden()


def test_problems_lead_a_newcomer_through_the_first_settings(window: MainWindow, qtbot):
    window.docks.raise_dock("log")
    window.commands["reset_layout"].trigger()
    problems = window.docks.widgets["problems"]
    qtbot.waitUntil(lambda: not problems.visibleRegion().isEmpty())


def test_a_dock_behind_another_comes_to_the_front_first(window: MainWindow):
    charts = window.docks.widgets["charts"]
    window.docks.toggle("charts")
    assert not charts.visibleRegion().isEmpty()
    window.docks.toggle("charts")
    assert charts.isHidden()
    window.docks.toggle("charts")
    assert not charts.isHidden()


def test_the_key_of_a_dock_in_sight_brings_the_focus_into_it(window: MainWindow, qtbot):
    window.docks.focus.go_to("charts")
    window.docks.focus.go_to("model")
    charts = window.docks.widgets["charts"]
    qtbot.keyClick(window, Qt.Key.Key_7, Qt.KeyboardModifier.ControlModifier)
    assert not charts.isHidden()
    qtbot.waitUntil(lambda: charts.isAncestorOf(QApplication.focusWidget()))


def test_the_key_of_the_dock_that_has_the_focus_closes_it(window: MainWindow, qtbot):
    charts = window.docks.widgets["charts"]
    for _ in range(2):
        qtbot.keyClick(window, Qt.Key.Key_7, Qt.KeyboardModifier.ControlModifier)
    assert charts.isHidden()


def test_a_dock_that_closes_gives_the_focus_back(window: MainWindow, qtbot):
    training = window.docks.widgets["training"]
    window.docks.focus.go_to("training")
    for _ in range(2):
        qtbot.keyClick(window, Qt.Key.Key_7, Qt.KeyboardModifier.ControlModifier)
    assert window.docks.widgets["charts"].isHidden()
    qtbot.waitUntil(lambda: training.isAncestorOf(QApplication.focusWidget()))


def test_no_field_gets_the_focus_of_a_dock_that_closes(window: MainWindow, qtbot):
    window.setFocus()
    window.docks.focus.go_to("charts")
    window.docks.widgets["charts"].close()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is window)


def test_tab_goes_on_into_the_dock_behind(window: MainWindow, qtbot):
    window.docks.focus.go_to("model")
    pictures = window.docks.widgets["pictures"]
    for _ in range(100):  # more than there are fields in the first dock
        if pictures.isAncestorOf(QApplication.focusWidget()):
            break
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    assert pictures.isAncestorOf(QApplication.focusWidget())
    qtbot.waitUntil(lambda: not pictures.visibleRegion().isEmpty())


def test_a_menu_that_closes_brings_nothing_to_the_front(window: MainWindow, qtbot):
    window.docks.focus.go_to("charts")
    window.docks.raise_dock("run")
    run = window.docks.widgets["run"]
    holder = QApplication.focusWidget()
    window.menuBar().setFocus()
    holder.setFocus()
    qtbot.waitUntil(holder.hasFocus)
    assert not run.visibleRegion().isEmpty()


def test_no_field_gets_the_focus_of_a_message_that_goes(window: MainWindow, qtbot):
    window.banner.tell("notice", "Done.", "", [("Details", window.banner.dismiss)])
    [details] = [b for b in window.findChildren(QPushButton) if b.text() == "Details"]
    details.setFocus()
    qtbot.waitUntil(details.hasFocus)
    details.click()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is window)


def test_a_dock_in_sight_is_closed_by_its_tick_in_the_menu(window: MainWindow):
    window.docks.focus.go_to("charts")
    window.docks.focus.go_to("model")
    entries = [a for menu in window.findChildren(QMenu) for a in menu.actions()]
    [entry] = [entry for entry in entries if entry.text().startswith("Charts\t")]
    entry.trigger()
    assert window.docks.widgets["charts"].isHidden()


def test_a_picture_that_is_wanted_is_shown_whatever_is_in_front(
    window: MainWindow, workspace: Workspace, tmp_path: Path
):
    window.docks.raise_dock("charts")
    dataset = window.docks.widgets["dataset"]
    assert dataset.visibleRegion().isEmpty()
    workspace.picture_wanted.emit(tmp_path / "a.png")
    assert not dataset.visibleRegion().isEmpty()


def test_a_lone_dock_has_a_title_and_a_tab_has_none(window: MainWindow, qtbot):
    model = window.docks.widgets["model"]
    qtbot.waitUntil(lambda: model.titleBarWidget() is not None)
    model.setFloating(True)
    qtbot.waitUntil(lambda: model.titleBarWidget() is None)
    window.commands["reset_layout"].trigger()
    qtbot.waitUntil(lambda: model.titleBarWidget() is not None)


def test_a_damaged_layout_gives_the_first_one(workspace: Workspace, answers: Answers, qtbot):
    workspace.preferences.keep_layout("docks", QByteArray(b"scrambled"))
    window = MainWindow(workspace, ask=answers)
    qtbot.addWidget(window)
    window.show()
    assert all(not window.docks.widgets[dock.name].isHidden() for dock in DOCKS if dock.is_open)


def test_a_layout_from_before_a_dock_was_added_leaves_it_at_its_first_place(
    workspace: Workspace, answers: Answers, qtbot, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as before:
        before.setattr(main_window, "DOCKS", [dock for dock in DOCKS if dock.name != "tools"])
        old = MainWindow(workspace, ask=answers)
        qtbot.addWidget(old)
        old.show()
        workspace.preferences.keep_layout("docks", old.docks.state())
    window = MainWindow(workspace, ask=answers)
    qtbot.addWidget(window)
    window.show()
    assert window.docks.widgets["tools"].isHidden()
    window.docks.focus.go_to("tools")
    tabs = window.tabifiedDockWidgets(window.docks.widgets["tools"])
    assert window.docks.widgets["dataset"] in tabs


def test_undo_goes_back_in_a_tool_while_the_focus_is_there(
    window: MainWindow, workspace: Workspace, qtbot
):
    qtbot.waitUntil(window.isActiveWindow)
    window.docks.raise_dock("tools")
    qtbot.waitUntil(lambda: window.findChild(ToolsView) is not None)
    page = window.findChild(ToolsView).page
    [path, *_] = page.form.rows
    tool = workspace.tools.document(page.name)
    page.form.reveal(path)
    qtbot.waitUntil(page.form.rows[path].editor.fields()[0].hasFocus)
    tool.set_value(path, "a file")
    window.commands["undo"].trigger()
    assert tool.is_default(path)
    workspace.setting_wanted.emit("adapter.network_dim")
    workspace.document.set_value("adapter.network_dim", 32)
    assert window.commands["undo"].isEnabled()
    window.commands["undo"].trigger()
    assert workspace.document.is_default("adapter.network_dim")


def test_closing_leaves_no_thread_and_no_timer(
    window: MainWindow, workspace: Workspace, tmp_path: Path, qtbot
):
    before = threading.enumerate()
    drop(window, Path(__file__).parent)
    workspace.document.save(tmp_path / "run.toml")
    assert len(threading.enumerate()) > len(before)
    window.close()
    assert not window.isVisible()
    qtbot.waitUntil(lambda: not set(threading.enumerate()) - set(before))
    timers = [*window.findChildren(QTimer), *workspace.findChildren(QTimer)]
    qtbot.waitUntil(lambda: not any(timer.isActive() for timer in timers))


def test_every_dock_can_float_and_come_back(window: MainWindow, qtbot):
    for dock in window.findChildren(QDockWidget):
        dock.setFloating(True)
        assert dock.isWindow()
        dock.setFloating(False)
        assert not dock.isWindow()


def test_the_preferences_open_from_the_menu_and_where_they_are_wanted(
    window: MainWindow, workspace: Workspace
):
    window.commands["preferences"].trigger()
    dialog = window.findChild(PreferencesDialog)
    assert dialog is not None
    assert dialog.page == "general"
    workspace.preferences_wanted.emit("trainer")
    assert dialog.page == "trainer"
    dialog.close()


def test_a_python_that_went_away_leaves_the_window_alive(
    ready: MainWindow, workspace: Workspace, tmp_path: Path, qtbot
):
    workspace.preferences.change(trainer_python=tmp_path / "gone" / "python")
    with qtbot.waitSignal(workspace.run.ended, timeout=20_000) as blocker:
        ready.run.start()
    assert blocker.args[0].preferences_page == "trainer"
    assert "gone" in ready.banner.message
    assert ready.commands["start"].isEnabled()
