"""Large libraries: imported in less time, and kept from talking to the user."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import sys
import warnings
from collections.abc import Collection, Iterator

#: What diffusers and transformers import where it is installed, for quantized models, adapters of
#: their own and statistics. Without it they are there in two thirds of the time, and the process
#: has 114 MiB less; our own code imports what it needs of it.
_FOR_OTHERS = ("bitsandbytes", "peft", "scipy")


def quiet_libraries() -> None:
    """Silence deprecations and hints at packages that are not needed; call before their import."""
    warnings.simplefilter("ignore", FutureWarning)
    warnings.simplefilter("ignore", DeprecationWarning)
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)


@contextlib.contextmanager
def quick_imports(*, needed: Collection[str] = ()) -> Iterator[None]:
    """Import inside without garbage collection, and leave what came into being out of it for good.

    All of it lives as long as the process. Looking through it again and again takes a quarter of
    the time that importing torch and diffusers takes, and as much when the process ends.

    Args:
        needed: Packages that diffusers has to find, of those that it is otherwise not let see.
    """
    gc.disable()
    try:
        with _unseen(set(_FOR_OTHERS).difference(needed)):
            yield
    finally:
        gc.freeze()
        gc.enable()


@contextlib.contextmanager
def _unseen(packages: Collection[str]) -> Iterator[None]:
    """Let packages that nobody imported yet look like ones that are not installed."""
    unseen = [name for name in packages if name not in sys.modules]
    sys.modules.update(dict.fromkeys(unseen))  # type: ignore[arg-type]  # None: not to be found
    try:
        yield
    finally:
        for name in unseen:
            del sys.modules[name]
