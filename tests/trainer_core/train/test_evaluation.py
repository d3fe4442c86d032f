"""Files and pictures get the weights as the optimizer means them, states those that it trains."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers.optimizer_entries import offer
from helpers.stubs import StubEmitter
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from trainer_core.catalogue.families import FAMILIES
from trainer_core.checkpoints.metadata import ModelFacts, NetworkFacts, RunFacts
from trainer_core.checkpoints.retention import Save
from trainer_core.checkpoints.state import Position, StateFacts, read_state, restore_optimizer
from trainer_core.files.run_folder import RunFolder
from trainer_core.optim.build import build_optimizer
from trainer_core.optim.groups import parameter_groups
from trainer_core.optim.modes import evaluation
from trainer_core.settings.schema import TrainSettings
from trainer_core.train.earlier.own_files import OwnFiles
from trainer_core.train.samples import SampleDrawer
from trainer_core.train.saving import Saver

NAME = "AdamWScheduleFree"
POSITION = Position(step=3, epoch=1)
FACTS = RunFacts(
    settings=TrainSettings(),
    model=ModelFacts(names=FAMILIES["sd1"].names),
    network=NetworkFacts(module="networks.lora", dim=4, alpha=2.0),
    plan={},
    optimizer=NAME,
    precision="no",
    seed=1,
    run_id="0123",
    started_at=0.0,
)
STATE_FACTS = StateFacts(
    run_id="0123", name="cat", seed=1, position=POSITION, pictures="", settings={}
)


class OneWeight:
    """A method that trains one weight, and notes what is written and drawn of it."""

    def __init__(self) -> None:
        self.weight = Parameter(torch.linspace(-1, 1, 12).reshape(3, 4))
        self.seen: list[Tensor] = []

    def state(self) -> dict[str, Tensor]:
        return {"weight": self.weight.detach()}

    def write(self, target: Path, **_: Any) -> None:
        target.touch()
        self.seen.append(self.weight.detach().clone())

    def draw(self, prompts: object, **_: Any) -> list[object]:
        self.seen.append(self.weight.detach().clone())
        return []


@pytest.fixture(autouse=True)
def _offered(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, NAME)


def optimizer_of(weight: Parameter) -> Optimizer:
    return build_optimizer(NAME, parameter_groups([("unet", [weight], 0.01)]), lr=0.01, args={})


def advance(optimizer: Optimizer, weight: Parameter, steps: int) -> None:
    for _ in range(steps):
        weight.grad = weight.detach() - 3
        optimizer.step()


def meant(optimizer: Optimizer, weight: Parameter) -> Tensor:
    """Return what schedule-free optimizers call x; the weight is y (arXiv:2405.15682)."""
    z: Tensor = optimizer.state[weight]["z"]
    return (weight.detach() - 0.1 * z) / 0.9


def saver(method: Any, optimizer: Optimizer, folder: Path) -> Saver:
    (folder / "cat.run").mkdir()
    emitter: Any = StubEmitter([])

    def progress() -> Mapping[str, Any]:
        return {"schedule": {"steps": 3}, "scaler": None}

    return Saver(
        emitter=emitter,
        folder=RunFolder(folder, "cat"),
        own=OwnFiles(),
        method=method,
        optimizer=optimizer,
        facts=FACTS,
        precision="float",
        state_facts=lambda _: STATE_FACTS,
        progress=progress,
        evaluation=evaluation(NAME, optimizer),
    )


def test_a_weight_file_gets_the_weights_that_are_meant(tmp_path: Path) -> None:
    method = OneWeight()
    optimizer = optimizer_of(method.weight)
    advance(optimizer, method.weight, 3)
    trained = method.weight.detach().clone()

    actions = [Save("weights", "cat.safetensors", 3, 1)]
    saver(method, optimizer, tmp_path).carry_out(actions, POSITION)

    torch.testing.assert_close(method.seen, [meant(optimizer, method.weight)])
    assert torch.equal(method.weight, trained)


def test_a_run_goes_on_from_its_state_to_the_bit(tmp_path: Path) -> None:
    method = OneWeight()
    optimizer = optimizer_of(method.weight)
    advance(optimizer, method.weight, 3)
    saver(method, optimizer, tmp_path).save_here(POSITION)

    [folder] = tmp_path.glob("*-state")
    state = read_state(folder)
    weight = Parameter(state.trained["weight"].clone())
    resumed = optimizer_of(weight)
    restore_optimizer(resumed, state)
    advance(optimizer, method.weight, 3)
    advance(resumed, weight, 3)

    assert torch.equal(weight, method.weight)


def test_pictures_are_drawn_with_the_weights_that_are_meant(tmp_path: Path) -> None:
    method: Any = OneWeight()
    optimizer, emitter = optimizer_of(method.weight), StubEmitter([])
    advance(optimizer, method.weight, 3)
    prompts: Any = ["a cat"]
    (tmp_path / "cat.run").mkdir()
    drawer = SampleDrawer(
        preview=method,
        prompts=prompts,
        folder=tmp_path / "cat.run" / "samples",
        emitter=emitter,  # type: ignore[arg-type]
        is_stopping=lambda: False,
        evaluation=evaluation(NAME, optimizer),
    )

    drawer(POSITION)

    torch.testing.assert_close(method.seen, [meant(optimizer, method.weight)])
