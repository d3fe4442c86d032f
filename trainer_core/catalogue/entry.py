"""What an entry of the catalogue is."""

from __future__ import annotations

import importlib
from typing import Any


def implementation(name: str) -> Any:
    """Return what an entry's ``module:name`` stands for."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)
