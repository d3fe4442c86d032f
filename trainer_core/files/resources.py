"""Where the files that ship with the program are, installed or in a checkout.

Apart from `own_folders`: this needs no library, so that it can be asked in a bare Python.
"""

from __future__ import annotations

from pathlib import Path

_HOME = Path(__file__).resolve().parents[2]
_INSTALLED, _CHECKOUT = _HOME / "lora_loom_resources", _HOME / "resources"


def resource_path(*parts: str) -> Path:
    """Return the path of a shipped file or folder below ``resources/``."""
    root = _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
    return root.joinpath(*parts)
