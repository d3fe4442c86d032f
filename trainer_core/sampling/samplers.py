"""Samplers: the scheduler behind a name, built from the base model's own."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from trainer_core.catalogue.entry import implementation
from trainer_core.catalogue.samplers import SAMPLERS


def build_sampler(name: str, config: Mapping[str, Any]) -> Any:
    """Return the scheduler of the sampler that the settings call ``name``.

    Args:
        name: Of the catalogue.
        config: The base model's own scheduler: noise schedule, kind of prediction.
    """
    entry = SAMPLERS[name]
    with silent_library():
        return implementation(entry.implementation).from_config(config, **entry.changes)


@contextlib.contextmanager
def silent_library() -> Iterator[None]:
    """Keep from the user what the schedulers' own code is warned about.

    numpy 2 finds torch tensors wanting in ``__array__`` and ``__array_wrap__``; diffusers 0.42
    calls ``dpmsolver`` outdated, which prompt files still ask for.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="__array_", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message=".*dpmsolver", category=FutureWarning)
        yield
