"""The program's own folders on this machine: what it keeps, and what it can make again.

Apart from `resources`, which must not need a library.
"""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path, user_data_path

_PROGRAM = "lora-loom"


def data_folder() -> Path:
    """Return the folder for this program's own data; ``LORA_LOOM_HOME`` overrides it."""
    override = os.environ.get("LORA_LOOM_HOME")
    return Path(override) if override else user_data_path(_PROGRAM, appauthor=False)


def cache_folder() -> Path:
    """Return the folder of everything that can be made again; ``LORA_LOOM_CACHE`` overrides it."""
    override = os.environ.get("LORA_LOOM_CACHE")
    return Path(override) if override else user_cache_path(_PROGRAM, appauthor=False)


def latent_folder() -> Path:
    """Return where encoded pictures are kept."""
    return cache_folder() / "latents"


def text_folder() -> Path:
    """Return where encoded captions are kept."""
    return cache_folder() / "texts"
