"""The loop does as many steps, batches and epochs as the reference trainer did."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import vectors
from helpers.pictures import write_sizes
from helpers.stubs import LoopParts

from trainer_core.dataset.survey import Survey, SurveyRequest, take_survey
from trainer_core.objectives.diffusion import DDPM
from trainer_core.objectives.objective import Objective
from trainer_core.pipeline.latents import Posterior
from trainer_core.pipeline.loader import BatchLoader
from trainer_core.pipeline.sources import sources_of
from trainer_core.settings.document import replaced
from trainer_core.settings.foreign.dataset_toml import import_dataset_config
from trainer_core.settings.schema import TRAIN

FILE = "steps.json"
CASES = vectors.load(FILE)["cases"]
# The reference's command-line defaults, see the README of the vectors.
DEFAULTS = {
    "buckets.enable_bucket": False,
    "buckets.bucket_no_upscale": False,
    "buckets.max_bucket_reso": 1024,
    "optimizer.max_train_steps": 1600,
}


class Nothing:
    """A store in which every latent is 0."""

    def get(self, key: str) -> Posterior:
        return torch.zeros(4, 1, 1), torch.zeros(4, 1, 1)


def options_of(case: dict[str, Any]) -> dict[str, object]:
    """Return the options of a case's command line, by the paths of the settings."""
    options: dict[str, object] = {}
    path = ""
    for word in shlex.split(case["command_line"]):
        if word.startswith("--"):
            path = TRAIN.path_of(word.removeprefix("--")) or pytest.fail(f"no setting: {word}")
            options[path] = True
        else:
            options[path] = float(word) if "." in word else int(word)
    return options


def survey_of(case: dict[str, Any], root: Path) -> Survey:
    """Write the pictures of a case and return what its settings find there."""
    train = write_sizes(root / "train", case["train_folders"])
    values: dict[str, object] = {**DEFAULTS, **options_of(case)}
    values["dataset.train_data_dir"] = str(train)
    if case["reg_folders"]:
        values["dataset.reg_data_dir"] = str(write_sizes(root / "reg", case["reg_folders"]))
    if case["config"]:
        path = root / "data.toml"
        path.write_text(case["config"].replace("<train>", train.as_posix()), encoding="utf-8")
        values |= import_dataset_config(path).changes
    settings, problems = TRAIN.parse(replaced({}, values))
    assert settings is not None, problems
    request = SurveyRequest.of(settings)
    assert request is not None
    return take_survey(request)


def loader_of(found: Survey, *, threads: int) -> BatchLoader:
    assert found.audit is not None
    assert found.plan is not None
    sources = sources_of(found.index, found.audit, found.plan, found.request.settings)
    pace = found.request.pace
    store: Any = Nothing()
    return BatchLoader(
        sources=[replace(source, latents=("key",)) for source in sources],
        batch_size=pace.train_batch_size,
        accumulation=pace.gradient_accumulation_steps,
        seed=42,
        total_steps=found.plan.total_steps,
        threads=threads,
        store=store,
        encode=lambda pixels: pytest.fail("nothing is to be encoded"),
        latent_channels=4,
        pixels_per_latent=8,
        draw=Objective.plain(DDPM(torch.ones(10))).draw,
        device=torch.device("cpu"),
    )


@pytest.mark.parametrize("threads", [0, 2])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["description"])
def test_steps_batches_and_epochs_are_the_recorded_ones(
    case: dict[str, Any], threads: int, parts: LoopParts, tmp_path: Path
) -> None:
    found = survey_of(case, tmp_path)
    assert found.plan is not None
    parts.total_steps = found.plan.total_steps
    loop = parts.loop()
    loop.loader = loader_of(found, threads=threads)
    loop.batches_per_epoch = found.plan.batches_per_epoch

    assert loop.run() is None
    actual = {
        "actual_optimizer_steps": len(parts.emitter.steps),
        "forward_batches_run": parts.stepper.batches,
        "final_epoch_metadata": parts.saver.saves[-1].epoch,
    }
    recorded = {name: case["expected"][name] for name in actual}
    vectors.check(FILE, case["description"], actual=actual, recorded=recorded)
