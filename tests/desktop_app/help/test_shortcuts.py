from PySide6.QtWidgets import QTreeWidgetItem

from desktop_app.docks.catalogue import DOCKS
from desktop_app.help.shortcuts import Shortcuts
from desktop_app.window.main_window import MainWindow
from desktop_app.workspace import Workspace


def listed(window: MainWindow) -> dict[str, str]:
    window.commands["shortcuts"].trigger()
    [dialog] = window.findChildren(Shortcuts)
    groups = [dialog.table.topLevelItem(row) for row in range(dialog.table.topLevelItemCount())]
    rows = [row for group in groups for row in _children(group)]
    return {row.text(0): row.text(1) for row in rows}


def _children(item: QTreeWidgetItem | None) -> list[QTreeWidgetItem]:
    assert item is not None
    return [item.child(row) for row in range(item.childCount())]


def test_every_command_with_a_key_is_listed_under_its_name(window: MainWindow):
    keys = listed(window)
    expected = {action.shortcut().toString() for action in window.commands.values()} - {""}
    assert expected <= set(keys.values())
    assert keys["Save as"] == "Ctrl+Shift+S"
    assert (keys["Pause"], keys["Go on"]) == ("F6", "F6")


def test_the_keys_of_the_docks_are_listed(window: MainWindow):
    keys = listed(window)
    digits = "1234567890"  # as they stand on the keyboard
    with_keys = DOCKS[: len(digits)]
    assert [keys[dock.title] for dock in with_keys] == [f"Ctrl+{digit}" for digit in digits]


def test_a_command_keeps_its_name_while_it_names_a_step(window: MainWindow, workspace: Workspace):
    workspace.document.set_value("adapter.network_dim", 4)
    assert listed(window)["Undo"] == "Ctrl+Z"
    workspace.document.new()
