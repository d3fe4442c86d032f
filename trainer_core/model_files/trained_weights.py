"""Which run wrote a weights file, and after how many steps, as its metadata say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trainer_core.errors import ModelFileError
from trainer_core.model_files.tensor_index import read_safetensors


@dataclass(frozen=True, slots=True)
class WrittenBy:
    """The run that wrote a file, by its id, and where it stood; ``epoch`` as events count it."""

    run_id: str
    step: int
    epoch: int = 0


def weights_written_by(path: Path) -> WrittenBy | None:
    """Return which run of this program wrote a weights file, None if none did or nobody can tell.

    Reads the header alone.
    """
    try:
        metadata = read_safetensors(path).metadata if path.is_file() else {}
        step, epoch = int(metadata["ss_steps"]), int(metadata["ss_epoch"])
        run_id = metadata["loom_run_id"]
    except (OSError, ModelFileError, ValueError, KeyError, TypeError):
        return None
    return WrittenBy(run_id, step, epoch) if isinstance(run_id, str) else None
