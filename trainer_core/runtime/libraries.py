"""Large libraries: imported in less time, and kept from talking to the user."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import warnings
from collections.abc import Iterator


def quiet_libraries() -> None:
    """Silence deprecations and hints at packages that are not needed; call before their import."""
    warnings.simplefilter("ignore", FutureWarning)
    warnings.simplefilter("ignore", DeprecationWarning)
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)


@contextlib.contextmanager
def quick_imports() -> Iterator[None]:
    """Import inside without garbage collection, and leave what came into being out of it for good.

    All of it lives as long as the process. Looking through it again and again takes a quarter of
    the time that importing torch and diffusers takes, and as much when the process ends.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
