"""The menu bar: the commands of the table, and what is listed from data: docks, files, themes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from desktop_app.preferences import THEMES, Preferences
from desktop_app.translation import shown
from desktop_app.window.actions import ACTIONS, MENUS
from desktop_app.window.dock_frame import DockFrame
from desktop_app.window.docking.menu import DockMenu
from trainer_core.texts import T

_KEYS_OF_DOCKS = 10  # one digit each: 1 to 9, then 0


def make_menus(bar: QMenuBar, actions: Mapping[str, QAction]) -> dict[str, QMenu]:
    """Fill the menu bar and return the menus by name."""
    menus = {name: bar.addMenu(shown(title)) for name, title in MENUS.items()}
    for spec in ACTIONS:
        if spec.opens_group:
            menus[spec.menu].addSeparator()
        menus[spec.menu].addAction(actions[spec.name])
    return menus


def dock_commands(docks: DockFrame, parent: QWidget) -> list[QAction]:
    """Return a command with a key for every dock, which closes the one that has the focus."""
    commands = []
    for number, (name, widget) in enumerate(docks.widgets.items(), start=1):
        command = QAction(widget.windowTitle(), parent)
        command.setData(name)
        if number <= _KEYS_OF_DOCKS:
            command.setShortcut(f"Ctrl+{number % 10}")
        command.triggered.connect(partial(docks.focus.go_or_close, name))
        commands.append(command)
    parent.addActions(commands)
    return commands


def fill_view_menu(
    view: QMenu,
    first: QAction,
    commands: Sequence[QAction],
    docks: DockFrame,
    preferences: Preferences,
) -> None:
    """List the docks and the themes in the View menu.

    Args:
        view: The menu.
        first: The command that they stand above.
        commands: Those of `dock_commands`.
        docks: What they are about.
        preferences: What remembers the theme.
    """
    entries = [_dock_entry(command, docks, view) for command in commands]
    view.insertActions(first, entries)
    view.insertSeparator(first)
    view.insertMenu(first, ThemeMenu(preferences, view))
    view.insertSeparator(first)
    view.aboutToShow.connect(partial(_tick, entries, docks))


def _dock_entry(command: QAction, docks: DockFrame, view: QMenu) -> QAction:
    """Return the entry of a menu, whose tick says what it does: not the same as the key."""
    keys = command.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    entry = QAction("\t".join(filter(None, (command.text(), keys))), view)
    entry.setCheckable(True)
    entry.triggered.connect(partial(docks.toggle, command.data()))
    return entry


def _tick(entries: Sequence[QAction], docks: DockFrame) -> None:
    for entry, widget in zip(entries, docks.widgets.values(), strict=True):
        entry.setChecked(not widget.isHidden())


class PanelMenu(DockMenu):
    """The menu of the dock that has the focus, or had it before the menus took it."""

    def __init__(self, docks: DockFrame, view: QMenu) -> None:
        super().__init__(docks.moves, view)
        self._docks = docks
        view.aboutToShow.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Turn to the dock that is meant now."""
        name = self._docks.focus.last
        self.turn_to(name)
        title = self._docks.widgets[name].windowTitle() if name else "–"
        self.setTitle(shown(T("App", "Pa&nel: {name}"), name=title))
        self.menuAction().setEnabled(bool(name))


class ThemeMenu(QMenu):
    """The themes, the one in use ticked."""

    def __init__(self, preferences: Preferences, parent: QWidget | None = None) -> None:
        super().__init__(shown(T("App", "&Theme")), parent)
        self._preferences = preferences
        self._group = QActionGroup(self)
        for name, choice in THEMES.items():
            action = self.addAction(shown(choice.label))
            action.setCheckable(True)
            action.setData(name)
            action.triggered.connect(partial(preferences.change, theme=name))
            self._group.addAction(action)
        self.aboutToShow.connect(self._tick)
        self._tick()

    def _tick(self) -> None:
        for action in self._group.actions():
            action.setChecked(action.data() == self._preferences.settings.theme)
