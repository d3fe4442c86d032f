"""A complete set of values."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def complete(tmp_path: Path) -> dict[str, object]:
    """Values with which a run could start."""
    model = tmp_path / "base.safetensors"
    model.touch()
    return {
        "model.pretrained_model_name_or_path": str(model),
        "dataset.train_data_dir": str(tmp_path),
        "output.output_dir": str(tmp_path / "new"),
    }
