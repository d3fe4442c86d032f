"""Training does what the settings say: seen in the events and files of real runs."""

import json
import math
import os
import statistics
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from helpers.pictures import write_picture
from helpers.run_results import Result, train_one_after_another
from helpers.tiny_model import TinySD1
from helpers.trainer_process import TinyProject
from PIL import Image

from trainer_core.checkpoints.hashes import base_model_hashes
from trainer_core.protocol.messages import (
    CheckpointRemoved,
    CheckpointSaved,
    Failed,
    Finished,
    Hello,
    Phase,
    Plan,
    Progress,
    SampleReady,
    StepDone,
)
from trainer_core.settings import files
from trainer_core.settings.document import parse

pytestmark = pytest.mark.timeout(600)  # the first test here waits for all the runs

STEPS = 6
OVERFIT_STEPS = 120
RATE = 1e-3

# Runs without mixed precision, one after the other in one process: name, changes.
PLAIN: Mapping[str, Mapping[str, object]] = {
    "base": {},
    "same seed": {},
    "other seed": {"hardware.seed": 8},
    "no threads": {"dataset.max_data_loader_n_workers": 0},
    "five threads": {"dataset.max_data_loader_n_workers": 5},
    "not cached": {"dataset.cache_latents": False},
    "cached on disk": {"dataset.cache_latents_to_disk": True},
    "checkpointing": {"hardware.gradient_checkpointing": True},
    "unet only": {"adapter.network_train_unet_only": True},
    "text encoder only": {"adapter.network_train_text_encoder_only": True},
    "clip skip 2": {"model.clip_skip": 2},
    "fp16": {"hardware.mixed_precision": "fp16"},
}
