"""What can be done with the selected pictures: by their context menu and by keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QMenu, QWidget

from desktop_app.models.pictures.left_out import LeftOut
from desktop_app.models.pictures.picture_row import PictureRow
from desktop_app.models.prompt_choice import PromptChoice
from desktop_app.outside import copy_files, copy_text, open_path, show_in_folder
from desktop_app.translation import shown
from trainer_core.texts import T

_Key = QKeySequence.StandardKey


class PictureCommands(QObject):
    """The commands of a view of pictures.

    Args:
        view: Has the menu and the keys.
        selected: Gives the selected pictures.
        left_out: Leaves pictures out, and puts them back.
        prompts: Takes their captions over as prompts.
    """

    def __init__(
        self,
        view: QAbstractItemView,
        selected: Callable[[], Sequence[PictureRow]],
        left_out: LeftOut,
        prompts: PromptChoice,
    ) -> None:
        super().__init__(view)
        self._view = view
        self._selected = selected
        self._left_out = left_out
        self._prompts = prompts
        self.open = self._action(T("App", "&Open"), self._on_open)
        self.show_folder = self._action(T("App", "Show in &folder"), self._on_show_folder)
        self.copy = self._action(T("App", "&Copy"), self._on_copy, _Key.Copy)
        self.copy_caption = self._action(T("App", "Copy c&aption"), self._on_copy_caption)
        self.leave_out = self._action(
            T("App", "&Leave out of this run"), self._on_leave_out, _Key.Delete
        )
        self.put_back = self._action(T("App", "&Put back"), self._on_put_back)
        self.use_prompt = self._action(T("App", "&Use as prompt"), self._on_use_prompt)
        self.more: list[QAction] = []  # what others can do with them
        self.serve(view, view.viewport())

    def serve(self, widget: QWidget, origin: QWidget) -> None:
        """Let the context menu open over a widget too, at places counted from ``origin``."""
        widget.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        widget.customContextMenuRequested.connect(partial(self._on_menu_wanted, origin))

    def menu(self) -> QMenu:
        """Return the context menu for what is selected."""
        rows = self._selected()
        menu = QMenu(self._view)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for action in (self.copy_caption, self.use_prompt):
            action.setEnabled(any(row.caption for row in rows))
        menu.addActions([self.open, self.show_folder, self.copy, self.copy_caption])
        if self._prompts.is_possible:
            menu.addAction(self.use_prompt)
        menu.addSeparator()
        if any(not row.is_left_out for row in rows):
            menu.addAction(self.leave_out)
        if any(row.is_left_out for row in rows):
            menu.addAction(self.put_back)
        menu.addSeparator()
        menu.addActions(self.more)
        return menu

    def _on_menu_wanted(self, origin: QWidget, place: QPoint) -> None:
        if self._selected():
            self.menu().popup(origin.mapToGlobal(place))

    def _on_open(self) -> None:
        open_path(self._current(), self._view)

    def _on_show_folder(self) -> None:
        show_in_folder(self._current(), self._view)

    def _on_copy(self) -> None:
        copy_files([row.path for row in self._selected()])

    def _on_copy_caption(self) -> None:
        copy_text("\n".join(row.caption for row in self._selected() if row.caption))

    def _on_use_prompt(self) -> None:
        self._prompts.add(row.caption for row in self._selected())

    def _on_leave_out(self) -> None:
        self._left_out.leave_out([row.path for row in self._selected() if not row.is_left_out])

    def _on_put_back(self) -> None:
        self._left_out.put_back([row.path for row in self._selected() if row.is_left_out])

    def _current(self) -> Path:
        """Return the picture under the cursor, which is one of the selected ones."""
        return self._selected()[0].path

    def _action(
        self,
        label: str,
        handler: Callable[[], object],
        key: QKeySequence.StandardKey | None = None,
    ) -> QAction:
        action = QAction(shown(label), self._view)
        if key is not None:
            action.setShortcut(key)
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            self._view.addAction(action)
        action.triggered.connect(lambda _checked=False: handler() if self._selected() else None)
        return action
