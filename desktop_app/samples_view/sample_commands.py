"""What can be done with the selected samples: by their context menu and by keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QMenu, QWidget

from desktop_app.models.prompt_choice import PromptChoice, sample_line
from desktop_app.outside import copy_files, copy_text, open_path, show_in_folder
from desktop_app.translation import shown
from trainer_core.protocol.messages import SampleReady
from trainer_core.texts import T


class SampleCommands(QObject):
    """The commands of a view of samples.

    Args:
        view: Has the menu and the keys.
        selected: Gives the samples that are meant.
        prompts: Takes their prompts over.
    """

    def __init__(
        self, view: QWidget, selected: Callable[[], Sequence[SampleReady]], prompts: PromptChoice
    ) -> None:
        super().__init__(view)
        self._view = view
        self._selected = selected
        self._prompts = prompts
        self.open = self._action(T("App", "&Open"), self._on_open)
        self.show_folder = self._action(T("App", "Show in &folder"), self._on_show_folder)
        self.copy = self._action(T("App", "&Copy"), self._on_copy)
        self.copy.setShortcut(QKeySequence.StandardKey.Copy)
        self.copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        view.addAction(self.copy)
        self.copy_prompt = self._action(T("App", "Copy &prompt"), self._on_copy_prompt)
        self.use_prompt = self._action(T("App", "&Use as prompt"), self._on_use_prompt)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(self._on_menu_wanted)

    def menu(self) -> QMenu:
        """Return the context menu."""
        menu = QMenu(self._view)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addActions([self.open, self.show_folder, self.copy, self.copy_prompt])
        if self._prompts.is_possible:
            menu.addAction(self.use_prompt)
        return menu

    def _on_menu_wanted(self, place: QPoint) -> None:
        view = self._view
        origin = view.viewport() if isinstance(view, QAbstractItemView) else view
        if self._selected():
            self.menu().popup(origin.mapToGlobal(place))

    def _on_open(self) -> None:
        open_path(Path(self._selected()[0].path), self._view)

    def _on_show_folder(self) -> None:
        show_in_folder(Path(self._selected()[0].path), self._view)

    def _on_copy(self) -> None:
        copy_files([Path(sample.path) for sample in self._selected()])

    def _on_copy_prompt(self) -> None:
        copy_text("\n".join(dict.fromkeys(sample.prompt for sample in self._selected())))

    def _on_use_prompt(self) -> None:
        self._prompts.add(sample_line(sample.prompt, sample.seed) for sample in self._selected())

    def _action(self, label: str, handler: Callable[[], object]) -> QAction:
        action = QAction(shown(label), self._view)
        action.triggered.connect(lambda _checked=False: handler() if self._selected() else None)
        return action
