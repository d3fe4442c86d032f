"""The tools: what is done with models and pictures beside training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trainer_core.catalogue.entry import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolEntry(Entry):
    """A tool; ``implementation`` is its class.

    Attributes:
        section: ``module:Class`` of its settings, from which its form is made.
    """

    section: str


#: By the names that the command line takes: ``lora-loom-trainer tool NAME``.
TOOLS: Mapping[str, ToolEntry] = {}
