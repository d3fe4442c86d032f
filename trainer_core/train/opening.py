"""What a run does first once torch is there: find the machine, load and build everything."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

import torch

from trainer_core.checkpoints.state import read_state
from trainer_core.errors import OutOfMemory
from trainer_core.events.emitter import Emitter
from trainer_core.files.run_folder import RunFolder
from trainer_core.runtime.device import find_machine
from trainer_core.runtime.team import Team, open_team
from trainer_core.texts import T
from trainer_core.train.control import Control
from trainer_core.train.inputs import RunInputs
from trainer_core.train.loop import Loop
from trainer_core.train.run_start import OwnFiles, RunStart
from trainer_core.train.session import Session

_log = logging.getLogger(__name__)


def meet(inputs: RunInputs, start: RunStart | None) -> tuple[Team, RunStart]:
    """Meet the other processes of the run, and agree on where it begins.

    Args:
        inputs: The same in all processes.
        start: What the first process decided; None in the others.

    Raises:
        TeamError: They cannot be met.
        StateError: The state that the run goes on from cannot be read here.
    """
    team = open_team(on_cpu=not torch.cuda.is_available())
    mine = None
    if start is not None:
        mine = (start.run_id, start.seed, start.state.folder if start.state else None)
    run_id, seed, state = team.tell(mine)
    if start is not None:
        return team, start
    output = inputs.settings.output
    assert output.output_dir is not None
    folder = RunFolder(output.output_dir, output.output_name)
    saved = None if state is None else read_state(state)
    return team, RunStart(folder, run_id, seed, saved, replaces=False, own=OwnFiles())


def open_loop(
    inputs: RunInputs, start: RunStart, team: Team, emitter: Emitter, control: Control
) -> Loop:
    """Load and build what the run needs, and write down what is really used.

    Raises:
        TrainerError: Something cannot be used; nothing was trained.
        StopRequested: The run was told to stop before its first step.
    """
    hardware = inputs.settings.hardware
    if hardware.num_cpu_threads_per_process is not None:
        torch.set_num_threads(hardware.num_cpu_threads_per_process)
    machine = find_machine(hardware.mixed_precision)
    return Session(inputs, start, machine, team, emitter, control).open()


@contextlib.contextmanager
def out_of_memory_in_words() -> Iterator[None]:
    """Turn the GPU's "out of memory" into an error that names the ways out.

    Raises:
        OutOfMemory: It was met.
    """
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        _log.exception("out of memory")
        raise OutOfMemory(
            T("Errors", "The GPU has too little memory: {reason}"),
            T(
                "Errors",
                "Lower the batch size or the resolution, switch gradient checkpointing on, or "
                "close other programs that use the GPU.",
            ),
            setting="dataset.train_batch_size",
            reason=str(error).split("\n", maxsplit=1)[0],
        ) from error
