"""The models that describe pictures in words or tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trainer_core.catalogue.entry import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionerEntry(Entry):
    """A caption model; ``implementation`` is its class.

    Attributes:
        options: The settings that it takes as keywords.
        files: The files that its folder must hold.
    """

    options: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


CAPTIONERS: Mapping[str, CaptionerEntry] = {}
