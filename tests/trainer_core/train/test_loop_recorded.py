"""The loop does as many steps, batches and epochs as the reference trainer did."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import vectors
from helpers.stubs import LoopParts

from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.subsets import SampleKey, SampleSettings
from trainer_core.objectives.diffusion import DDPM
from trainer_core.objectives.objective import Objective
from trainer_core.pipeline.latents import Posterior
from trainer_core.pipeline.loader import BatchLoader
from trainer_core.pipeline.sources import Source

FILE = "steps.json"
CASES = vectors.load(FILE)["cases"]
# Repeats of regularisation pictures and configuration files are told in tests of the data set.
RECORDED = [case for case in CASES if case["reg_folders"] is None and case["config"] is None]


class Nothing:
    """A store in which every latent is 0."""

    def get(self, key: str) -> Posterior:
        return torch.zeros(4, 1, 1), torch.zeros(4, 1, 1)


def options_of(case: dict[str, Any]) -> dict[str, int]:
    """Return the options of a case's command line; a switch is 1."""
    options: dict[str, int] = {}
    for word in shlex.split(case["command_line"]):
        if word.startswith("--"):
            name = word.removeprefix("--")
            options[name] = 1
        else:
            options[name] = int(word)
    return options


def real_loader(case: dict[str, Any], *, threads: int) -> BatchLoader:
    options = options_of(case)
    rules = BucketRules(
        (options["resolution"],) * 2,
        enable_bucket="enable_bucket" in options,
        min_bucket_reso=options.get("min_bucket_reso", 256),
        max_bucket_reso=options.get("max_bucket_reso", 1024),
        bucket_no_upscale=False,
    )
    sources = []
    for folder, sizes in case["train_folders"].items():
        for number, size in enumerate(sizes):
            placement = rules.place(tuple(size))
            assert placement is not None
            path, repeats = Path(folder, f"{number}.png"), int(folder.split("_")[0])
            sources.append(
                Source(
                    key=SampleKey(0, path),
                    name=str(path),
                    repeats=repeats,
                    size=tuple(size),
                    placement=placement,
                    caption="",
                    settings=SampleSettings(rules=rules),
                    latents=("key",),
                )
            )
    store: Any = Nothing()
    return BatchLoader(
        sources=sources,
        batch_size=options.get("train_batch_size", 1),
        accumulation=options.get("gradient_accumulation_steps", 1),
        seed=42,
        total_steps=100,
        threads=threads,
        store=store,
        encode=lambda pixels: pytest.fail("nothing is to be encoded"),
        latent_channels=4,
        pixels_per_latent=8,
        draw=Objective.plain(DDPM(torch.ones(10))).draw,
        device=torch.device("cpu"),
    )


@pytest.mark.parametrize("threads", [0, 2])
@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["description"])
def test_steps_batches_and_epochs_are_the_recorded_ones(
    case: dict[str, Any], threads: int, parts: LoopParts
) -> None:
    expected = case["expected"]
    parts.total_steps = expected["max_train_steps"]
    loop = parts.loop()
    loop.loader = real_loader(case, threads=threads)
    loop.batches_per_epoch = expected["num_batches_per_epoch"]

    assert loop.run() is None
    actual = {
        "actual_optimizer_steps": len(parts.emitter.steps),
        "forward_batches_run": parts.stepper.batches,
        "final_epoch_metadata": parts.saver.saves[-1].epoch,
    }
    recorded = {name: expected[name] for name in actual}
    vectors.check(FILE, case["description"], actual=actual, recorded=recorded)


def test_recorded_cases_of_plain_folders_are_all_run() -> None:
    assert len(RECORDED) == 10
    assert len(CASES) == 14
