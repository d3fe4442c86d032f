"""Everything of a run that can be encoded ahead, encoded without training."""

from __future__ import annotations

import torch

from trainer_core.events.emitter import Emitter
from trainer_core.pipeline.sources import sources_of
from trainer_core.protocol.messages import Phase
from trainer_core.runtime.device import find_machine
from trainer_core.runtime.speed import use_hardware
from trainer_core.runtime.team import Alone
from trainer_core.train.ahead.caching import Caching
from trainer_core.train.building import (
    build_accelerator,
    build_method,
    forward_context,
    open_family,
)
from trainer_core.train.control import Control
from trainer_core.train.full_disk.waiting import WaitForRoom
from trainer_core.train.inputs import RunInputs
from trainer_core.train.validation.measuring import validation_sources


def encode_all(inputs: RunInputs, emitter: Emitter, control: Control) -> None:
    """Fill the caches that the run keeps on the disk, as its start would.

    Raises:
        TrainerError: Something cannot be read or written.
        StopRequested: It was told to stop.
    """
    settings = inputs.settings
    hardware = settings.hardware
    use_hardware(threads=hardware.num_cpu_threads_per_process, allow_tf32=hardware.allow_tf32)
    machine = find_machine(hardware.mixed_precision)
    emitter.emit(Phase(phase="loading"))
    family, method = open_family(settings), build_method(settings)
    with torch.device("meta"):  # it only has to know what would be trained
        method.prepare(family, seed=None, warn=emitter.warn)
    caching = Caching(
        family=family,
        machine=machine,
        team=Alone(),
        emitter=emitter,
        stop_if_asked=control.stop_if_asked,
        with_room=WaitForRoom(emitter, control),
    )
    if settings.cache.keeps_texts:
        context = forward_context(build_accelerator(machine), settings, family, method)
        caching.texts(inputs, method=method, autocast=context)
    if settings.cache.keeps_latents:
        sources = sources_of(inputs.index, inputs.audit, inputs.plan, inputs.subsets)
        caching.latents(settings, sources, validation_sources(inputs))
