"""Optimizers that want to be treated otherwise than the usual ones, offered for one test."""

from __future__ import annotations

from typing import Any, cast

import pytest

from trainer_core.catalogue.optimizers import OPTIMIZERS, OptimizerEntry

#: By what is peculiar in them.
ENTRIES = {
    "Prodigy": OptimizerEntry(
        label="Prodigy", implementation="prodigyopt:Prodigy", rate="one", one_rate=True
    ),
    "AdamWScheduleFree": OptimizerEntry(
        label="AdamWScheduleFree",
        implementation="schedulefree:AdamWScheduleFree",
        schedule="own",
        modes=True,
    ),
    "OneRate": OptimizerEntry(label="One rate", implementation="torch.optim:SGD", one_rate=True),
    "FixedRate": OptimizerEntry(
        label="Fixed rate", implementation="torch.optim:SGD", schedule="none"
    ),
}


def offer(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Put the optimizers called ``names`` into the catalogue until the test ends."""
    for name in names:
        monkeypatch.setitem(cast("dict[str, Any]", OPTIMIZERS), name, ENTRIES[name])
