"""The command ``cache``: fills the caches of a run on the disk, and ends."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from trainer_core.errors import SettingsError, StopRequested, TrainerError
from trainer_core.events.border import serve
from trainer_core.events.emitter import Emitter
from trainer_core.files.own_folders import latent_folder, text_folder
from trainer_core.preflight import Preflight, examine
from trainer_core.protocol.messages import Detached, Failed, Phase, TextData, ToolDone
from trainer_core.runtime.libraries import quick_imports
from trainer_core.runtime.streams import GuardedStreams
from trainer_core.texts import T, Text, text
from trainer_core.train.ahead.problems import tell_problems
from trainer_core.train.control import Control
from trainer_core.train.inputs import RunInputs, run_inputs

_log = logging.getLogger(__name__)

# What results are called, and where they go, does not matter here.
_NOT_NEEDED = ("output.",)


def fill_caches(ask: Callable[[], Mapping[str, Any]]) -> int:
    """Fill the caches of the run that ``ask`` returns, a raw document; return the exit code."""

    def work(streams: GuardedStreams, emitter: Emitter, takes_commands: bool) -> int:
        control = Control(
            warn=emitter.warn,
            detached=lambda: emitter.emit(Detached(time=time.time())),
            has_terminal=streams.has_terminal,
        )
        control.watch_signals()
        if takes_commands:
            control.watch_stdin()
        return _fill(ask(), emitter, control)

    return serve(work)


def _fill(raw: Mapping[str, Any], emitter: Emitter, control: Control) -> int:
    """Check the run, fill its caches, and tell the end.

    Returns:
        0, also if it was told to stop; 1 if it failed on the way; 128 and the number of a signal
        that stopped it.

    Raises:
        TrainerError: The run cannot be used: nothing was begun.
    """
    inputs = _checked(examine(raw), emitter)
    with quick_imports():
        from trainer_core.runtime.device import out_of_memory_in_words
        from trainer_core.train.ahead.encoding import encode_all
    try:
        with out_of_memory_in_words():
            encode_all(inputs, emitter, control)
    except StopRequested:
        _tell_end(emitter, "stopped", text(T("Events", "Stopped; what was encoded is kept.")))
        return 0 if control.signal is None else 128 + control.signal
    except TrainerError as error:
        _log.error("%s", error.sentences)
        emitter.emit(Failed.of(error))
        return 1
    _tell_end(emitter, "completed", *_results(inputs))
    return 0


def _checked(found: Preflight, emitter: Emitter) -> RunInputs:
    """Return what is to be encoded.

    Raises:
        TrainerError: The first of what stands in its way.
    """
    needed = [each for each in found.problems if not each.path.startswith(_NOT_NEEDED)]
    found = replace(found, problems=needed)
    tell_problems(found, emitter.warn)
    inputs = run_inputs(found)
    cache = inputs.settings.cache
    if not (cache.keeps_latents or cache.keeps_texts):
        raise SettingsError(
            T("Errors", "This run keeps no cache on the disk."),
            T("Errors", "Turn on {latents}, {texts} or both."),
            setting="cache.cache_latents_to_disk",
            latents="cache_latents_to_disk",
            texts="cache_text_encoder_outputs_to_disk",
        )
    return inputs


def _results(inputs: RunInputs) -> list[Text]:
    lines = []
    if inputs.settings.cache.keeps_latents:
        template = T("Events", "Cached: {count} [count:picture|pictures], in {folder}")
        count = inputs.plan.pictures
        lines.append(text(template, count=count, folder=latent_folder()))
    if inputs.settings.cache.keeps_texts:
        template = T("Events", "Cached: {count} [count:caption|captions], in {folder}")
        count = len(set(inputs.captions.values()))
        lines.append(text(template, count=count, folder=text_folder()))
    return lines


def _tell_end(emitter: Emitter, reason: str, *lines: Text) -> None:
    emitter.emit(Phase(phase="ended"))
    told = [TextData.of(line).model_dump() for line in lines]
    emitter.emit(ToolDone.model_validate({"reason": reason, "text": told}))
