"""What a dock is: a name, a title, a place, and the widget it builds."""

from __future__ import annotations

from abc import ABC, abstractmethod

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from desktop_app.workspace import Workspace


class Dock(ABC):
    """One dock of the window.

    A dock holds no data and does no work: ``build`` lays out views over the workspace's models and
    connects their signals. Docks never call each other.

    Attributes:
        name: Key for the saved layout; never translated, never changed.
        title: What the tab and the View menu say, a template of context "App".
        icon: Name of a file in ``resources/icons``.
        default_area: Where it stands at the first start; docks of one area share it as tabs.
        is_built_late: True if it is built when it is first seen, because that takes a while; it
            may listen to nothing but models then.
        is_in_front: Whether its tab is the one in front then, instead of the first.
    """

    name: str
    title: str
    icon: str
    default_area: Qt.DockWidgetArea
    is_built_late = False
    is_in_front = False

    @abstractmethod
    def build(self, workspace: Workspace) -> QWidget:
        """Return the dock's widget."""

    def shows(self, path: str) -> bool:
        """Tell whether the setting ``section.name`` is edited in this dock."""
        return False
