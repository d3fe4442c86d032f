"""Measures how long a step waits for its pictures with different numbers of loader threads.

``python tests/benchmarks/loader_threads.py`` decodes JPEG pictures of 1024 px as a run without
cached latents does, four at a time, beside a step that a GPU does, and prints a line of a table for
each number of threads. ``--busy`` lets the step keep a core busy, as one without a GPU does.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.subsets import SampleKey, SampleSettings
from trainer_core.families.base import LatentPosterior
from trainer_core.objectives.diffusion import DDPM
from trainer_core.objectives.objective import Objective
from trainer_core.pipeline.loader import BatchLoader
from trainer_core.pipeline.sources import Source

SIDE_PX, BATCH_SIZE = 1024, 4
RULES = BucketRules((512, 512))


def sources(folder: Path, count: int) -> list[Source]:
    """Write pictures with the coarse noise of photos, and return them as a run has them."""
    found = []
    placement = RULES.place((SIDE_PX, SIDE_PX))
    assert placement is not None
    for number in range(count):
        path = folder / f"{number}.jpg"
        noise = np.random.default_rng(number).integers(0, 256, (128, 128, 3), np.uint8)
        Image.fromarray(noise).resize((SIDE_PX, SIDE_PX)).save(path, quality=92)
        found.append(
            Source(
                key=SampleKey(0, path),
                name=path.name,
                repeats=1,
                size=(SIDE_PX, SIDE_PX),
                placement=placement,
                caption="",
                settings=SampleSettings(rules=RULES),
            )
        )
    return found


def busy(seconds: float) -> None:
    """Keep a core busy for a while."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        torch.mm(torch.ones(256, 256), torch.ones(256, 256))


def waited(pictures: list[Source], threads: int, step: Callable[[], object]) -> tuple[float, float]:
    """Return seconds in all, and seconds waited for data, of one epoch."""
    objective = Objective.plain(DDPM.of_betas(torch.linspace(1e-4, 2e-2, 1000), "epsilon"))

    def encode(pixels_BCHW: torch.Tensor) -> LatentPosterior:
        empty = torch.zeros(len(pixels_BCHW), 4, 64, 64)
        return LatentPosterior(empty, empty)

    loader = BatchLoader(
        total_steps=1,
        sources=pictures,
        batch_size=BATCH_SIZE,
        accumulation=1,
        seed=1,
        threads=threads,
        store=None,
        encode=encode,
        latent_channels=4,
        pixels_per_latent=8,
        draw=objective.draw,
        device=torch.device("cpu"),
    )
    started, total_s = time.perf_counter(), 0.0
    for group in loader.groups(0, first_step=1):
        total_s += group.waited_s
        step()
    return time.perf_counter() - started, total_s


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=64)
    parser.add_argument("--step", type=float, default=0.1, help="seconds of a step")
    parser.add_argument("--busy", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    step = partial(busy if arguments.busy else time.sleep, arguments.step)
    with tempfile.TemporaryDirectory() as folder:
        pictures = sources(Path(folder), arguments.pictures)
        waited(pictures, 0, int)  # the file cache is warm from here on
        sys.stdout.write("threads  seconds  waited\n")
        for threads in (0, 1, 2, 4, 8):
            seconds, wait = waited(pictures, threads, step)
            sys.stdout.write(f"{threads:7}  {seconds:7.2f}  {wait:6.2f}\n")


if __name__ == "__main__":
    main()
