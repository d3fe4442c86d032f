"""Every command of menus, toolbar and keyboard, as one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence

from desktop_app.theme.icons import icon
from desktop_app.translation import shown
from trainer_core.texts import T

_Key = QKeySequence.StandardKey

MENUS: Mapping[str, str] = {
    "file": T("App", "&File"),
    "edit": T("App", "&Edit"),
    "run": T("App", "&Run"),
    "view": T("App", "&View"),
    "help": T("App", "&Help"),
}


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One command: where it stands and how it is called; what it does is its handler."""

    name: str
    menu: str
    label: str
    icon: str = ""
    shortcut: QKeySequence.StandardKey | str = ""
    opens_group: bool = False


ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec("new", "file", T("App", "&New"), "new", _Key.New),
    ActionSpec("open", "file", T("App", "&Open…"), "open", _Key.Open),
    ActionSpec("open_pictures", "file", T("App", "Open &pictures…"), "pictures"),
    ActionSpec("import_dataset", "file", T("App", "&Import dataset…")),
    ActionSpec("open_demo", "file", T("App", "Open the &demo")),
    ActionSpec("open_run", "file", T("App", "Open r&un folder…")),
    ActionSpec("save", "file", T("App", "&Save"), "save", _Key.Save, opens_group=True),
    ActionSpec("save_as", "file", T("App", "Save &as…"), "", _Key.SaveAs),
    ActionSpec("quit", "file", T("App", "&Quit"), "", _Key.Quit, opens_group=True),
    ActionSpec("undo", "edit", T("App", "&Undo"), "undo", _Key.Undo),
    ActionSpec("redo", "edit", T("App", "&Redo"), "redo", _Key.Redo),
    ActionSpec("find", "edit", T("App", "&Find setting"), "", _Key.Find, opens_group=True),
    ActionSpec("reset_setting", "edit", T("App", "&Reset setting"), "reset", "Ctrl+R"),
    ActionSpec("preferences", "edit", T("App", "&Preferences…"), "", "Ctrl+,", opens_group=True),
    ActionSpec("start", "run", T("App", "&Start"), "start", "F5"),
    ActionSpec("stop_and_save", "run", T("App", "Save and s&top"), "stop", "Shift+F5"),
    ActionSpec("stop_now", "run", T("App", "Stop &without saving"), "stop"),
    # One key for both: only one of the two is visible, and an invisible action takes no key.
    ActionSpec("pause", "run", T("App", "&Pause"), "pause", "F6", opens_group=True),
    ActionSpec("go_on", "run", T("App", "&Go on"), "start", "F6"),
    ActionSpec("save_now", "run", T("App", "Sa&ve now"), "save_now", "F7"),
    ActionSpec("sample_now", "run", T("App", "S&ample now"), "samples", "F8"),
    ActionSpec("next_dock", "view", T("App", "&Next panel"), "", "Ctrl+Tab"),
    ActionSpec("previous_dock", "view", T("App", "Pre&vious panel"), "", "Ctrl+Shift+Tab"),
    ActionSpec("save_layout", "view", T("App", "&Save layout…"), opens_group=True),
    ActionSpec("reset_layout", "view", T("App", "&Reset layout")),
    ActionSpec("welcome", "help", T("App", "&Welcome"), "home"),
    ActionSpec("try_demo", "help", T("App", "&Try the demo")),
    ActionSpec("shortcuts", "help", T("App", "&Keyboard shortcuts"), "", "F1"),
    ActionSpec("about", "help", T("App", "&About LoRA Loom"), opens_group=True),
)


def make_actions(
    handlers: Mapping[str, Callable[[], object]], parent: QObject
) -> dict[str, QAction]:
    """Return an action for every entry of the table, each bound to its handler."""
    actions = {}
    for spec in ACTIONS:
        action = QAction(shown(spec.label), parent)
        if spec.shortcut:
            action.setShortcut(spec.shortcut)
            keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            label = action.toolTip()  # without the mark of the key
            action.setToolTip(shown(T("App", "{label} ({keys})"), label=label, keys=keys))
        handler = handlers[spec.name]
        action.triggered.connect(lambda _checked=False, handler=handler: handler())
        actions[spec.name] = action
    draw_icons(actions)
    return actions


def draw_icons(actions: Mapping[str, QAction]) -> None:
    """Draw the icons of all actions in the colours of the theme."""
    for spec in ACTIONS:
        if spec.icon:
            actions[spec.name].setIcon(icon(spec.icon))
