"""Importing the large libraries in less time."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


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
