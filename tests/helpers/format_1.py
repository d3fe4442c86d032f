"""The run that wrote ``tests/data/state_format_1``: its model, pictures and settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from helpers.stories import write_two_buckets
from helpers.tiny_model import make_tiny_sd1
from helpers.trainer_process import write_run_file

SAVED_AT_STEP = 4
TOTAL_STEPS = 10
STATE = f"robot-step{SAVED_AT_STEP:08d}-state"

_VALUES: Mapping[str, object] = {
    "model.pretrained_model_name_or_path": "tiny",
    "dataset.train_data_dir": "pictures",
    "buckets.resolution": [128, 128],
    "dataset.train_batch_size": 2,
    "augmentation.flip_aug": True,
    "captions.shuffle_caption": True,
    "adapter.network_dim": 1,
    "adapter.network_alpha": 1.0,
    "optimizer.gradient_accumulation_steps": 2,
    "optimizer.max_train_steps": TOTAL_STEPS,
    "optimizer.lr_scheduler": "cosine",
    "optimizer.lr_warmup": 20.0,
    "optimizer.learning_rate": 1e-3,
    "optimizer.unet_lr": 1e-2,
    "output.output_dir": "output",
    "output.output_name": "robot",
    "output.save_precision": "float",
    "output.save_every_n_epochs": "unset",
    "output.save_every_n_steps": SAVED_AT_STEP,
    "output.save_state": True,
    "hardware.mixed_precision": "no",
    "hardware.num_cpu_threads_per_process": 1,
    "hardware.seed": 7,
}

OPTIMIZERS: Mapping[str, Mapping[str, object]] = {
    "AdamW": {"optimizer.optimizer_type": "AdamW"},
    "AdamW8bit": {
        "optimizer.optimizer_type": "AdamW8bit",
        # By default bitsandbytes keeps tensors as small as these in 32 bit.
        "optimizer.optimizer_args": ["min_8bit_size=64"],
        "adapter.network_train_unet_only": True,  # the smaller state
    },
}


def prepare(folder: Path, optimizer: str) -> Path:
    """Write model, pictures and run file into ``folder``; return the run file.

    Its paths are relative, so that the state names no machine: train with ``folder`` as the
    working folder.
    """
    make_tiny_sd1(folder)
    write_two_buckets(folder / "pictures")
    return write_run_file(folder / "run.toml", {**_VALUES, **OPTIMIZERS[optimizer]})
