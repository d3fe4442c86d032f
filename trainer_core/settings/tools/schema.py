"""The schema of a tool's settings: one section, called like the tool."""

from __future__ import annotations

import functools

from trainer_core.catalogue.entry import implementation
from trainer_core.catalogue.tools import TOOLS
from trainer_core.errors import SettingsError
from trainer_core.settings.document import closest
from trainer_core.settings.schema import Schema, Settings
from trainer_core.texts import T


@functools.cache
def tool_schema(name: str) -> Schema[Settings]:
    """Return what may be said to the tool ``name``.

    Raises:
        SettingsError: There is no such tool.
    """
    entry = TOOLS.get(name)
    if entry is None:
        guess = closest(name, TOOLS)
        raise SettingsError(
            T("Errors", "There is no tool {name}."),
            T("Errors", "Did you mean {guess}?")
            if guess
            else T("Errors", "lora-loom-trainer tool lists them all."),
            name=name,
            guess=guess,
        )
    return Schema.of_section(name, entry.label, implementation(entry.section))
