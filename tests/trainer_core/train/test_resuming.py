"""A run goes on from a sound state only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers.stubs import StubEmitter
from torch.nn import Parameter
from torch.optim import SGD

from trainer_core.checkpoints.state import Position, StateFacts, read_state, write_state
from trainer_core.errors import StateError
from trainer_core.files.run_folder import RunFolder
from trainer_core.optim.schedule import RateSchedule
from trainer_core.settings.schema import TRAIN
from trainer_core.train.earlier.own_files import OwnFiles
from trainer_core.train.resuming import Resumable
from trainer_core.train.run_start import RunStart

POSITION = Position(step=3, epoch=1, batch=0)


class OneWeight:
    """Trains a single number."""

    def __init__(self) -> None:
        self.weight = Parameter(torch.ones(1))

    def load_state(self, tensors: Mapping[str, torch.Tensor], name: str) -> None:
        with torch.no_grad():
            self.weight.copy_(tensors["weight"])


@pytest.fixture
def run(tmp_path: Path) -> Resumable:
    """A run that has not begun."""
    method: Any = OneWeight()
    settings, _ = TRAIN.parse({})
    assert settings is not None
    optimizer = SGD([method.weight], lr=0.5)
    return Resumable(
        start=RunStart(RunFolder(tmp_path, "cat"), "id", 1, None, replaces=False, own=OwnFiles()),
        settings=settings,
        method=method,
        optimizer=optimizer,
        schedule=RateSchedule(optimizer, lambda step: 1 / (1 + step)),
        scaler=None,
        pictures="fingerprint",
    )


def restore(
    run: Resumable, folder: Path, progress: Mapping[str, Any], position: Position = POSITION
) -> Position:
    """Write a state of the run after three steps and go on from it."""
    facts = StateFacts("id", "cat", 1, position, "fingerprint", TRAIN.as_raw(run.settings))
    trained = {"weight": torch.tensor([5.0])}
    write_state(folder, facts, trained=trained, optimizer=run.optimizer, progress=progress)
    emitter: Any = StubEmitter([])
    return run.restore(read_state(folder), total_steps=9, batches_per_epoch=4, emitter=emitter)


def test_weights_and_rates_come_back(run: Resumable, tmp_path: Path) -> None:
    progress = {"schedule": {"steps": 3}, "scaler": None}

    assert restore(run, tmp_path / "cat-state", progress) == POSITION
    method: Any = run.method
    assert method.weight.item() == 5.0
    assert run.optimizer.param_groups[0]["lr"] == 0.5 / 4


@pytest.mark.parametrize(
    "progress",
    [
        {"scaler": None},
        {"schedule": None},
        {"schedule": {}},
        {"schedule": {"steps": "many"}},
        {"schedule": {"steps": -1}},
        {"schedule": {"steps": float("inf")}},
        {"schedule": {"steps": 3}, "scaler": {"scale": "large"}},
        {"schedule": {"steps": 3}, "python": [3, [1] * 625, "none"]},
        {"schedule": {"steps": 3}, "python": [3, [-1] * 625, None]},
        {"schedule": {"steps": 3}, "python": [3, [1e99] * 625, None]},
        {"schedule": {"steps": 3}, "python": [3]},
        {"schedule": {"steps": 3}, "optimizer": {"kind": "SGD"}},
        {"schedule": {"steps": 3}, "optimizer": None},
    ],
    ids=lambda progress: json.dumps(progress)[:60],
)
def test_a_state_that_lacks_something_is_told_to_be_damaged(
    run: Resumable, tmp_path: Path, progress: Mapping[str, Any]
) -> None:
    with pytest.raises(StateError, match="cat-state is damaged") as caught:
        restore(run, tmp_path / "cat-state", progress)
    assert caught.value.setting == "output.resume"


@pytest.mark.parametrize(("batch", "is_known"), [(3, True), (4, False), (2**62, False)])
def test_an_epoch_has_no_batch_beyond_its_last(
    run: Resumable, tmp_path: Path, batch: int, is_known: bool
) -> None:
    position = Position(step=3, epoch=1, batch=batch)
    progress = {"schedule": {"steps": 3}, "scaler": None}

    if is_known:
        assert restore(run, tmp_path / "cat-state", progress, position) == position
    else:  # with it no batch would ever come, and no end
        with pytest.raises(StateError, match="cat-state is damaged"):
            restore(run, tmp_path / "cat-state", progress, position)
