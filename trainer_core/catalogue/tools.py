"""The tools: what is done with models and pictures beside training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trainer_core.catalogue.entry import Entry
from trainer_core.texts import T


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolEntry(Entry):
    """A tool; ``implementation`` is its class, see `trainer_core.tools.base`.

    Attributes:
        section: ``module:Class`` of its settings, from which form, flags and checks are made.
    """

    section: str


#: By the names that the command line takes: ``lora-loom-trainer tool NAME``.
TOOLS: Mapping[str, ToolEntry] = {
    "verify_lora": ToolEntry(
        label=T("Settings", "Verify LoRA"),
        help=T(
            "Settings",
            "Says what a LoRA file holds, module by module, and names what is broken in it. The "
            "file is only read.",
        ),
        implementation="trainer_core.tools.verify:VerifyLoRA",
        section="trainer_core.settings.tools.verify:VerifySettings",
    ),
}
