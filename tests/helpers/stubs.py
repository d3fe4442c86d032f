"""Stand-ins for the parts around the training loop; they write down what happens, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import Tensor

from trainer_core.checkpoints.retention import Action, Save, SaveSchedule
from trainer_core.checkpoints.state import Position
from trainer_core.errors import NumericError
from trainer_core.families.base import LatentPosterior
from trainer_core.objectives.objective import Draw
from trainer_core.pipeline.batch import Batch, content_of
from trainer_core.pipeline.loader import Group
from trainer_core.protocol.messages import EventBase, Phase, StepDone
from trainer_core.texts import Text
from trainer_core.train.control import Control, Wishes
from trainer_core.train.earlier.own_files import OwnFiles
from trainer_core.train.loop import Loop, SampleSchedule
from trainer_core.train.step import StepResult

Happened = list[str]
NO_SAMPLES = SampleSchedule(every_n_steps=None, every_n_epochs=None, at_first=False)


@dataclass
class StubEmitter:
    """Keeps every event; ``on_phase`` is called with each phase that is told."""

    happened: Happened
    events: list[EventBase] = field(default_factory=list)
    on_phase: Callable[[str], object] = lambda phase: None
    warnings: list[str] = field(default_factory=list)

    def warn(self, message: Text, hint: Text | None = None) -> None:
        self.warnings.append(str(message))

    def emit(self, event: EventBase) -> None:
        self.events.append(event)
        if isinstance(event, StepDone):
            self.happened.append(f"report {event.step}")
        if isinstance(event, Phase):
            self.on_phase(event.phase)

    @property
    def phases(self) -> list[str]:
        """The phases that were told, in order."""
        return [event.phase for event in self.events if isinstance(event, Phase)]

    @property
    def steps(self) -> list[StepDone]:
        """The steps that were told, in order."""
        return [event for event in self.events if isinstance(event, StepDone)]


@dataclass
class StubStepper:
    """Trains nothing; ``during`` is called with the number of each step."""

    happened: Happened
    during: Callable[[int], object] = lambda number: None
    batches: int = 0
    is_updating: bool = False
    is_spoiled: bool = False
    has_kept: bool = True

    def has_good_weights(self) -> bool:
        return not self.is_spoiled

    def require_finite_weights(self, number: int) -> None:
        if self.is_spoiled:
            raise NumericError(f"The update of step {number} made weights that are not finite.")

    def put_back(self) -> bool:
        self.happened.append("put back")
        return self.has_kept

    def step(self, group: Sequence[Batch], number: int, wishes: Callable[[], Wishes]) -> StepResult:
        self.happened.append(f"step {number}")
        self.batches += len(group)
        self.during(number)
        pictures = sum(len(each.names) for each in group)
        rates = {"unet": 1e-4}
        return StepResult(1 / number, 0.5, rates, f"hash {number}", pictures, wishes())

    def give_up(self, error: Exception) -> NoReturn:
        raise error


@dataclass
class StubSaver:
    """Writes no files, but knows which it would have."""

    happened: Happened
    own: OwnFiles = field(default_factory=OwnFiles)
    saves: list[Save] = field(default_factory=list)

    def carry_out(self, actions: Iterable[Action], position: Position) -> None:
        for action in actions:
            if isinstance(action, Save):
                self.saves.append(action)
                self.own.steps[action.name] = action.step
                self.happened.append(f"save {action.name}")
            else:
                del self.own.steps[action.name]
                self.happened.append(f"remove {action.name}")

    def missing(self, due: Iterable[Action]) -> list[Action]:
        return [
            action
            for action in due
            if not isinstance(action, Save) or self.own.steps.get(action.name) != action.step
        ]

    def tell_untold(self) -> None:
        self.happened.append("tell of what is there")

    def save_here(self, position: Position) -> None:
        self.happened.append(f"save at {position.step}")

    def keep_state(self, position: Position) -> None:
        self.happened.append(f"keep at {position.step}")

    def outdated(self) -> list[Action]:
        return []

    def save_state(self, position: Position) -> None:
        self.happened.append(f"save state at {position.step}")

    def save_weights(self, position: Position) -> None:
        self.happened.append(f"save weights at {position.step}")

    def save_elsewhere(self, position: Position, wanted: Path | None = None) -> Path:
        self.happened.append(f"save elsewhere at {position.step}")
        return wanted or Path("elsewhere")


@dataclass
class StubLoader:
    """Delivers groups of empty batches; keeps what it was asked for."""

    batches_per_epoch: int
    accumulation: int = 1
    asked: list[tuple[int, int, int]] = field(default_factory=list)

    def groups(self, epoch: int, *, skip_batches: int = 0, first_step: int) -> Iterator[Group]:
        self.asked.append((epoch, skip_batches, first_step))
        for start in range(skip_batches, self.batches_per_epoch, self.accumulation):
            size = min(self.accumulation, self.batches_per_epoch - start)
            yield Group((empty_batch(size),) * size, waited_s=0.25)


def empty_batch(group_size: int = 1) -> Batch:
    """Return a batch of two pictures without content."""
    nothing = torch.zeros(2, 4, 1, 1)
    draw = Draw(nothing, nothing, torch.zeros(2, dtype=torch.int64))
    return batch_of(
        "a.png", "b.png", posterior=(nothing, nothing), draw=draw, group_size=group_size
    )


def batch_of(
    *names: str, posterior: tuple[Tensor, Tensor], draw: Draw, group_size: int = 1
) -> Batch:
    """Return a batch of encoded pictures whose captions are their names."""
    return Batch(
        names=names,
        paths=names,
        captions=names,
        facts=(),
        posterior=LatentPosterior(*posterior),
        pixels_BCHW=None,
        condition=None,
        weights_B=None,
        mask_B1HW=None,
        draw=draw,
        content=content_of(names, names, draw),
        group_size=group_size,
        whole=len(names),
    )


@dataclass
class LoopParts:
    """A loop of stand-ins: 3 batches an epoch, 7 steps, nothing saved but the end."""

    happened: Happened = field(default_factory=list)

    def __post_init__(self) -> None:
        self.emitter = StubEmitter(self.happened)
        self.stepper = StubStepper(self.happened)
        self.saver = StubSaver(self.happened)
        self.loader: Any = StubLoader(3)
        self.control = Control(warn=lambda words: None, detached=lambda: None)
        self.save: dict[str, Any] = {}
        self.samples = NO_SAMPLES
        self.total_steps = 7
        self.position = Position()

    def loop(self) -> Loop:
        accumulation, batches = self.loader.accumulation, self.loader.batches_per_epoch
        steps_per_epoch = -(-batches // accumulation)
        parts: Any = {
            "emitter": self.emitter,
            "control": self.control,
            "loader": self.loader,
            "stepper": self.stepper,
            "saver": self.saver,
        }
        return Loop(
            **parts,
            save_schedule=SaveSchedule(
                output_name="cat",
                last_step=self.total_steps,
                last_epoch=-(-self.total_steps // steps_per_epoch),
                **self.save,
            ),
            sample_schedule=self.samples,
            draw_samples=lambda position: self.happened.append(f"sample {position.step}"),
            memory_mib=lambda: 12.5,
            total_steps=self.total_steps,
            batches_per_epoch=batches,
            position=self.position,
        )

    def during_step(self, number: int, do: Callable[[], object]) -> None:
        """Do something during one step, as a command that arrives meanwhile would."""
        self.stepper.during = lambda step: do() if step == number else None
