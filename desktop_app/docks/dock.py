"""What a dock is: a name, a title, a place, and the view that it shows."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from desktop_app.workspace import Workspace
from trainer_core.settings.schema import TRAIN


@dataclass(frozen=True, slots=True)
class Dock:
    """One dock of the window, as data: its view does the work.

    A view is a widget that is built with the workspace; it shows the workspace's models and
    connects their signals. Views never call each other.

    Attributes:
        name: Key for the saved layout; never translated, never changed.
        title: What the tab and the View menu say, a template of context "App".
        area: Where it stands at the first start; docks of one area share it as tabs.
        view: Where its widget is declared, ``package.module:Class``.
        icon: Name of a file in ``resources/icons``, empty if there is no drawing of it.
        sections: The sections of settings that are edited in it; a view of settings is built with
            them beside the workspace.
        built: When its view is built, unless it is in sight or asked for before: with the window;
            soon, once the window was painted; or when it is first seen, because that takes a while.
            It finds the workspace as it is then.
        is_in_front: Whether its tab is the one in front then, instead of the first.
        is_open: False if it is closed then; the View menu opens it.
        is_aside: True if it stands beside the others of its area then, where a window is wide.
        folds: True if it takes no more room than its words while there is nothing in it; its view
            has a property ``is_empty`` and a signal ``empty_changed``.
    """

    name: str
    title: str
    area: Qt.DockWidgetArea
    view: str
    icon: str = ""
    sections: tuple[str, ...] = ()
    built: Literal["first", "soon", "seen"] = "soon"
    is_in_front: bool = False
    is_open: bool = True
    is_aside: bool = False
    folds: bool = False

    def build(self, workspace: Workspace) -> QWidget:
        """Return the dock's widget; its module is loaded only now."""
        module, _, name = self.view.partition(":")
        view = getattr(import_module(module), name)
        made = view(workspace, self.sections) if self.sections else view(workspace)
        assert isinstance(made, QWidget), f"the view of {self.name} is a widget"
        return made

    def shows(self, path: str) -> bool:
        """Tell whether ``section.name``, whatever it is, is edited in this dock."""
        section = TRAIN.form_of(path) if path in TRAIN.params() else path.partition(".")[0]
        return section in self.sections
