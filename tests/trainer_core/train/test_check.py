"""What only `check` finds, each thing at the setting that mends it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from helpers.pictures import write_dataset
from helpers.tiny_model import make_tiny_sd1
from helpers.trainer_process import tiny_values
from safetensors.torch import save_file

from trainer_core.settings.document import Raw, replaced
from trainer_core.settings.problems import Problem, Severity
from trainer_core.settings.schema import TRAIN
from trainer_core.train.building import build_method, open_family
from trainer_core.train.check import report

WEIGHTS = "adapter.network_weights"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_sd1(tmp_path_factory.mktemp("tiny-model")).folder


@pytest.fixture
def raw(model: Path, tmp_path: Path) -> Raw:
    """A sound run of rank 2."""
    pictures = {"a.png": None, "b.png": None, "a.txt": "robot", "b.txt": "robot"}
    folder = write_dataset(tmp_path / "pictures", {"1_robot": pictures}, size=(128, 128))
    return replaced({}, tiny_values(model, folder, tmp_path / "output"))


@pytest.fixture
def weights_of_rank_4(raw: Raw, tmp_path: Path) -> Path:
    settings, _ = TRAIN.parse(replaced(raw, {"adapter.network_dim": 4}))
    assert settings is not None
    method = build_method(settings)
    method.prepare(open_family(settings), seed=1, warn=lambda _: None)
    path = tmp_path / "start.safetensors"
    save_file(method.state(), path)
    return path


def problems(raw: Raw, changes: Mapping[str, object]) -> list[Problem]:
    return report(replaced(raw, changes)).found.problems


def test_a_sound_run_has_no_problem(raw: Raw) -> None:
    assert problems(raw, {}) == []


def test_starting_weights_of_another_rank_are_named_with_a_way_out(
    raw: Raw, weights_of_rank_4: Path
) -> None:
    (problem,) = problems(raw, {WEIGHTS: str(weights_of_rank_4)})

    assert (problem.path, problem.severity) == (WEIGHTS, Severity.ERROR)
    assert problem.suggestion is not None
    assert "dim_from_weights" in str(problem.suggestion.message)
    changes = {WEIGHTS: str(weights_of_rank_4), "adapter.dim_from_weights": True}
    assert (
        problems(raw, {**changes, "adapter.network_dim": None, "adapter.network_alpha": None}) == []
    )


def test_damaged_starting_weights_are_named_at_their_setting(raw: Raw, tmp_path: Path) -> None:
    (tmp_path / "broken.safetensors").write_bytes(b"nothing")

    (problem,) = problems(raw, {WEIGHTS: str(tmp_path / "broken.safetensors")})
    assert problem.path == WEIGHTS


def test_a_clip_skip_above_the_layers_is_named(raw: Raw) -> None:
    (problem,) = problems(raw, {"model.clip_skip": 12})

    assert (problem.path, problem.severity) == ("model.clip_skip", Severity.ERROR)


def test_arguments_that_the_optimizer_refuses_at_its_first_step_are_named(raw: Raw) -> None:
    (problem,) = problems(raw, {"optimizer.optimizer_args": ["betas=0.9"]})

    assert problem.path == "optimizer.optimizer_args"


def test_a_name_that_is_taken_is_a_warning(raw: Raw, tmp_path: Path) -> None:
    (tmp_path / "output").mkdir()
    (tmp_path / "output" / "tiny.safetensors").touch()

    (problem,) = problems(raw, {})
    assert (problem.path, problem.severity) == ("output.output_name", Severity.WARNING)
