"""What a run does first once torch is there: find the machine, load and build everything."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator

import torch

from trainer_core.errors import OutOfMemory
from trainer_core.events.emitter import Emitter
from trainer_core.file_writing import publish_text
from trainer_core.runtime.device import Machine, find_machine
from trainer_core.settings.document import as_raw
from trainer_core.texts import T
from trainer_core.train.control import Control
from trainer_core.train.inputs import RunInputs
from trainer_core.train.loop import Loop
from trainer_core.train.run_start import RunStart
from trainer_core.train.session import Session
from trainer_core.version import __version__

_log = logging.getLogger(__name__)


def open_loop(inputs: RunInputs, start: RunStart, emitter: Emitter, control: Control) -> Loop:
    """Load and build what the run needs, and write down what is really used.

    Raises:
        TrainerError: Something cannot be used; nothing was trained.
        StopRequested: The run was told to stop before its first step.
    """
    hardware = inputs.settings.hardware
    if hardware.num_cpu_threads_per_process is not None:
        torch.set_num_threads(hardware.num_cpu_threads_per_process)
    machine = find_machine(hardware.mixed_precision)
    loop = Session(inputs, start, machine, emitter, control).open()
    _write_effective(start, inputs, machine)
    return loop


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
            reason=str(error).split("\n", maxsplit=1)[0],
        ) from error


def _write_effective(start: RunStart, inputs: RunInputs, machine: Machine) -> None:
    """Write what is really used, where the settings leave it open."""
    effective = {
        "run_id": start.run_id,
        "seed": start.seed,
        "device": machine.name,
        "precision": machine.precision,
        "torch": torch.__version__,
        "program": __version__,
        "cpu_threads": torch.get_num_threads(),
        "total_steps": inputs.plan.total_steps,
        "warmup_steps": inputs.plan.warmup_steps,
        "settings": as_raw(inputs.settings),
    }
    content = json.dumps(effective, indent=1, ensure_ascii=False)
    publish_text(start.folder.effective_file, content, replace=True)
