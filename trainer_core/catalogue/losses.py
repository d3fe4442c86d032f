"""The losses: how far a prediction is from its target."""

from __future__ import annotations

from collections.abc import Mapping

from trainer_core.catalogue.entry import Entry
from trainer_core.texts import T

USUAL_LOSS = "l2"

#: By the names of ``ss_loss_type``.
LOSSES: Mapping[str, Entry] = {
    USUAL_LOSS: Entry(
        label="l2",
        help=T("Settings", "The squared difference: the usual loss."),
        implementation="trainer_core.objectives.losses:squared_error",
        source="Ho et al. 2020, arXiv:2006.11239, equation 14",
    ),
}
