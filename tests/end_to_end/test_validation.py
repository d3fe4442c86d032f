"""The validation loss: measured of pictures that are never trained, and nothing changes by it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from helpers.run_results import Result, train_one_after_another
from helpers.tiny_model import TinySD1
from helpers.trainer_process import TinyProject

from trainer_core.dataset.survey import SurveyRequest, take_survey
from trainer_core.protocol.messages import Plan, Validated
from trainer_core.settings.schema import TRAIN

SHARED = {
    "optimizer.max_train_steps": 5,
    "optimizer.lr_scheduler": "constant",
    "captions.shuffle_caption": True,
    "augmentation.flip_aug": True,
    "output.save_state_on_train_end": True,
}
SPLIT = SHARED | {"validation.validation_split": 0.4, "validation.validate_every_n_steps": 2}


def held_out(folder: Path) -> list[str]:
    """Return the pictures of a folder that `SPLIT` holds out."""
    settings, _ = TRAIN.parse(
        {"dataset": {"train_data_dir": str(folder)}, "validation": {"validation_split": 0.4}}
    )
    assert settings is not None
    request = SurveyRequest.of(settings)
    assert request is not None
    found = take_survey(request).held_out
    assert found is not None
    return [str(picture.path) for picture in found.index.pictures]


@pytest.fixture
def results(project: TinyProject, tmp_path: Path) -> Mapping[str, Result]:
    """Runs with the split, the second gone on with, and one without the pictures of the split."""
    uncached = SPLIT | {"cache.cache_latents": False}
    without = SHARED | {"dataset.left_out": held_out(project.pictures)}
    logged = SPLIT | {"output.logging_dir": str(tmp_path / "logs")}
    runs = {"split": logged, "halves": SPLIT, "uncached": uncached, "without": without}
    files = {
        name: project.run_file({"output.output_name": name, **values}, f"{name}.toml")
        for name, values in runs.items()
    }
    words: list[list[object]] = [[files[name]] for name in ("split", "uncached", "without")]
    words.append([files["halves"], "--max_train_steps", 2])
    words.append([files["halves"], "--continue"])
    codes = train_one_after_another(tmp_path / "codes.json", words)
    assert codes == [0] * len(words)
    return {name: Result.at(project.output, name) for name in runs}


def validated(result: Result) -> list[tuple[int, float | None, int]]:
    return [(event.step, event.loss, event.pictures) for event in result.of(Validated)]


def is_same(first: Result, second: Result) -> bool:
    one, other = first.weights(), second.weights()
    return all(torch.equal(tensor, other[name]) for name, tensor in one.items())


@pytest.mark.filterwarnings("ignore")  # tensorboard's own reader is old
def test_validation_changes_nothing_and_is_resumed_exactly(
    results: Mapping[str, Result], tmp_path: Path
) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    split = results["split"]
    assert [(step, pictures) for step, _, pictures in validated(split)] == [(2, 2), (4, 2), (5, 2)]
    assert all(loss is not None and 0 < loss < 3 for _, loss, _ in validated(split))
    assert len({loss for _, loss, _ in validated(split)}) == 3  # the weights change
    [plan] = split.of(Plan)
    assert (plan.pictures, plan.held_out) == (3, 2)
    assert split.metadata()["ss_num_validation_images"] == "2"
    assert split.metadata()["ss_validation_split"] == "0.4"

    log = EventAccumulator(str(next((tmp_path / "logs").iterdir())))
    log.Reload()
    logged = {entry.step: entry.value for entry in log.Scalars("loss/validation")}
    assert logged == pytest.approx({step: loss for step, loss, _ in validated(split)})

    assert is_same(split, results["without"])
    assert split.hashes == results["without"].hashes
    assert validated(results["without"]) == []

    assert is_same(split, results["halves"])
    assert validated(results["halves"]) == validated(split)

    # The encoder gets them in other groups without a cache: the last bits may differ.
    for (_, loss, _), (_, other, _) in zip(
        validated(split), validated(results["uncached"]), strict=True
    ):
        assert loss == pytest.approx(other, rel=1e-3)


def test_the_loss_before_anything_is_learnt_is_the_same_for_every_seed(
    tmp_path: Path, tiny_model: TinySD1, pictures: Path
) -> None:
    project = TinyProject(tmp_path, tiny_model.folder, pictures)
    rates = {"optimizer.unet_lr": 1e-30, "optimizer.text_encoder_lr": 1e-30}
    nothing = rates | {"optimizer.max_train_steps": 1}
    runs = [
        [project.run_file(SPLIT | nothing | values | {"output.output_name": name}, f"{name}.toml")]
        for name, values in {
            "first": {"hardware.seed": 1},
            "second": {"hardware.seed": 2},
            "other": {"hardware.seed": 1, "validation.validation_seed": 3},
        }.items()
    ]
    assert train_one_after_another(tmp_path / "codes.json", runs) == [0, 0, 0]
    first, second, other = (
        [loss for _, loss, _ in validated(Result.at(project.output, name))]
        for name in ("first", "second", "other")
    )
    assert first == second != other
