"""One entry of the catalogue: what may be chosen, and the name of the code that does it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainer_core.texts import T


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that may be chosen.

    Attributes:
        label: What the form calls it.
        help: What it does.
        implementation: ``module:name`` of what does it, for the trainer only; empty if there is
            nothing to call, or nothing yet.
        package: What must be installed for it, as pip writes it: ``bitsandbytes>=0.49``. Several
            are separated by spaces.
        source: The paper or project that it comes from.
    """

    label: str
    help: str = ""
    implementation: str = ""
    package: str = ""
    source: str = ""


def implementation(name: str) -> Any:
    """Return what ``module:name`` stands for; its module is imported now.

    Raises:
        ImportError: The module cannot be imported.
    """
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


def required_packages(entry: Entry) -> frozenset[str]:
    """Return the names of the packages that ``entry`` requires."""
    from packaging.requirements import Requirement  # for the trainer only, as below

    return frozenset(Requirement(words).name for words in entry.package.split())


def missing_packages(entry: Entry) -> tuple[str, ...]:
    """Return what ``entry`` requires and this Python does not have, as pip writes it.

    Only the trainer may ask: the app may run in another Python than the one that trains.
    """
    # Imported only here, because the app reads the catalogue too and never asks this.
    from importlib import metadata

    from packaging.requirements import Requirement

    def is_met(requirement: Requirement) -> bool:
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            return False
        return requirement.specifier.contains(version, prereleases=True)

    return tuple(words for words in entry.package.split() if not is_met(Requirement(words)))


# ------------------------------------------------------------- switches that may be left open

LEFT_OPEN, ON, OFF = "auto", "on", "off"

SWITCHES: Mapping[str, Entry] = {
    LEFT_OPEN: Entry(
        label=T("Settings", "Detect"),
        help=T("Settings", "As the base model's files say; off where they are silent."),
    ),
    ON: Entry(label=T("Settings", "On")),
    OFF: Entry(label=T("Settings", "Off")),
}


def position(is_on: bool) -> str:
    """Return the value of a switch that is on or off."""
    return ON if is_on else OFF


def position_asked(value: str) -> bool | None:
    """Return whether a switch is on; None if it is left open."""
    return {ON: True, OFF: False}.get(value)
