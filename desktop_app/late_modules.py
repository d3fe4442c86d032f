"""Modules that the first look at the window does without: each is imported when it is used.

A module that wants another late says so at its top, for Python and for those who read types:

    if TYPE_CHECKING:
        from desktop_app.help import about
    else:
        about = late("desktop_app.help.about")

What a module of ``trainer_core`` or ``desktop_app`` imports late counts as an import in every rule
about floors and loops. What the start must not load stands in ``tests/desktop_app``.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


class LateModule:
    """Stands for a module, which is imported when something in it is asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        """Return what the module has under this name."""
        return getattr(import_module(self._name), attribute)


def late(name: str) -> LateModule:
    """Return what stands for the module ``name`` until it is used, and after."""
    return LateModule(name)
