"""Keeps what libraries say to their own developers out of the user's sight."""

from __future__ import annotations

import logging
import os
import warnings


def quiet_libraries() -> None:
    """Silence deprecations and hints at packages that are not needed; call before their import."""
    warnings.simplefilter("ignore", FutureWarning)
    warnings.simplefilter("ignore", DeprecationWarning)
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
