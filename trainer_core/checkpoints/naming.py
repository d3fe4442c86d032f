"""What the files and folders of results are called: the names of the reference trainer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from trainer_core.files.run_folder import STATE_SUFFIX

WEIGHTS_SUFFIX = ".safetensors"

# Where no output name was given. Source: vectors/save_policy.json, behaviours 15.
_UNNAMED = {"step": "at", "epoch": "epoch", "end": "last", "kept": "kept"}


@dataclass(frozen=True, slots=True)
class SavePoint:
    """When a result was saved: after an optimizer step, after an epoch, or at the end.

    ``kept`` is after a step too, but because some minutes had passed.
    """

    kind: Literal["step", "epoch", "end", "kept"]
    number: int = 0

    def stem(self, output_name: str | None) -> str:
        """Return the name without its ending; ``output_name`` None gives the default names."""
        name = output_name if output_name is not None else _UNNAMED[self.kind]
        if self.kind in ("step", "kept"):
            return f"{name}-{self.kind}{self.number:08d}"
        return f"{name}-{self.number:06d}" if self.kind == "epoch" else name

    def weights_name(self, output_name: str | None) -> str:
        """Return the name of the weight file."""
        return self.stem(output_name) + WEIGHTS_SUFFIX

    def state_name(self, output_name: str | None) -> str:
        """Return the name of the folder with the resumable state."""
        return self.stem(output_name) + STATE_SUFFIX


def is_result_name(output_name: str, name: str) -> bool:
    """Tell whether ``name`` is what a run called ``output_name`` gives a file or a state."""
    endings = f"({re.escape(WEIGHTS_SUFFIX)}|{re.escape(STATE_SUFFIX)})"
    number = r"(-\d{6,}|-(step|kept)\d{8,})?"
    return re.fullmatch(rf"{re.escape(output_name)}{number}{endings}", name) is not None


def is_kept_state(output_name: str, name: str) -> bool:
    """Tell whether ``name`` is that of a state which was saved because minutes had passed."""
    pattern = rf"{re.escape(output_name)}-kept\d{{8,}}{re.escape(STATE_SUFFIX)}"
    return re.fullmatch(pattern, name) is not None
