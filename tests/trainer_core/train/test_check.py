"""What only `check` finds, each thing at the setting that mends it."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from helpers.pictures import write_dataset
from helpers.tiny_model import make_tiny_sd1
from helpers.trainer_process import tiny_values
from safetensors.torch import load_file, save_file

from trainer_core.checkpoints.state import Position, StateFacts, write_state
from trainer_core.files.state_manifest import MANIFEST_NAME, read_manifest, sealed
from trainer_core.pipeline.sources import fingerprint, sources_of
from trainer_core.settings.document import Raw, replaced
from trainer_core.settings.problems import Problem, Severity
from trainer_core.settings.schema import TRAIN
from trainer_core.train.building import build_method, build_optimizer, open_family
from trainer_core.train.check import as_lines, exit_code, report
from trainer_core.train.inputs import run_inputs

WEIGHTS, STATE = "adapter.network_weights", "output.resume"
FROM_WEIGHTS = {
    "adapter.dim_from_weights": True,
    "adapter.network_dim": None,
    "adapter.network_alpha": None,
}


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


@pytest.mark.parametrize(("name", "is_told"), [("whole", True), ("part", False)])
def test_only_of_a_base_model_it_is_told_what_it_predicts(
    raw: Raw, model: Path, tmp_path: Path, name: str, is_told: bool
) -> None:
    part = model / "vae" / "diffusion_pytorch_model.safetensors"
    path = model if name == "whole" else Path(shutil.copy(part, tmp_path / "part.safetensors"))
    changed = replaced(raw, {"model.pretrained_model_name_or_path": str(path)})
    lines = list(as_lines(report(changed)))
    assert any("predicts" in line for line in lines) is is_told


def test_starting_weights_of_another_rank_are_named_with_a_way_out(
    raw: Raw, weights_of_rank_4: Path
) -> None:
    (problem,) = problems(raw, {WEIGHTS: str(weights_of_rank_4)})

    assert (problem.path, problem.severity) == (WEIGHTS, Severity.ERROR)
    assert problem.suggestion is not None
    assert "dim_from_weights" in str(problem.suggestion.message)
    assert problems(raw, {WEIGHTS: str(weights_of_rank_4), **FROM_WEIGHTS}) == []


def weights_of(modules: Iterable[str], path: Path, weights: Path) -> str:
    """Write a LoRA of what ``weights`` has for its first module, under the names of others."""
    tensors = load_file(weights)
    first = min(tensors).partition(".")[0]
    own = {name: t for name, t in tensors.items() if name.startswith(f"{first}.")}
    names = {
        f"{module}.{name.partition('.')[2]}": t for module in modules for name, t in own.items()
    }
    save_file({name: tensor.clone() for name, tensor in names.items()}, path)
    return str(path)


def test_starting_weights_of_which_nothing_fits_are_named_at_their_setting(
    raw: Raw, weights_of_rank_4: Path, tmp_path: Path
) -> None:
    other = weights_of(["lora_unet_other"], tmp_path / "other.safetensors", weights_of_rank_4)

    (problem,) = problems(raw, {WEIGHTS: other, **FROM_WEIGHTS})
    assert (problem.path, problem.severity) == (WEIGHTS, Severity.ERROR)
    assert "lora_unet_other" in str(problem.message)
    assert problem.suggestion is not None
    assert "learning rate" not in str(problem.suggestion.message)


def test_starting_weights_of_which_some_do_not_fit_are_a_warning(
    raw: Raw, weights_of_rank_4: Path, tmp_path: Path
) -> None:
    fits = min(load_file(weights_of_rank_4)).partition(".")[0]
    modules = [fits, "lora_unet_other"]
    some = weights_of(modules, tmp_path / "some.safetensors", weights_of_rank_4)

    (problem,) = problems(raw, {WEIGHTS: some, **FROM_WEIGHTS})
    assert problem.severity is Severity.WARNING
    assert "not used, such as lora_unet_other" in str(problem.message)


def test_an_output_folder_that_cannot_be_made_whatever_its_rights_say_is_named(
    raw: Raw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = os.mkdir

    def refuse(path: Any, *rest: Any, **more: Any) -> None:
        if str(path).startswith(str(tmp_path)):  # as below /proc, where root may write
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        make(path, *rest, **more)

    monkeypatch.setattr(os, "mkdir", refuse)

    (problem,) = problems(raw, {})
    assert (problem.path, problem.severity) == ("output.output_dir", Severity.ERROR)
    assert str(tmp_path / "output") in str(problem.message)


def test_nothing_is_left_where_the_output_would_be(raw: Raw, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    assert problems(raw, {}) == []
    assert sorted(tmp_path.iterdir()) == before


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


@pytest.mark.parametrize(
    ("name", "words"),
    [("", "is no folder"), ("samples", "is no folder"), ("lock", "is no file")],
)
def test_what_is_in_the_place_of_a_run_folder_or_record_is_named(
    raw: Raw, tmp_path: Path, name: str, words: str
) -> None:
    path = (tmp_path / "output" / f"{raw['output']['output_name']}.run" / name).absolute()
    path.parent.mkdir(parents=True)
    if name == "lock":
        path.mkdir()
    else:
        path.touch()
    assert [str(p.message) for p in problems(raw, {})] == [f"{path} {words}."]


def test_a_picture_that_cannot_be_used_can_be_left_out(raw: Raw, tmp_path: Path) -> None:
    broken = tmp_path / "pictures" / "1_robot" / "c.png"
    broken.write_bytes(b"broken")
    refused = report(raw)
    left_out = report(replaced(raw, {"dataset.left_out": [str(broken)]}))

    assert exit_code(refused) == 2
    assert any("left_out" in line for line in as_lines(refused))
    assert exit_code(left_out) == 0
    assert "Left out of this run (1): c.png." in "\n".join(as_lines(left_out))


# ------------------------------------------------------------------ a state to go on from


@pytest.fixture
def state(raw: Raw, tmp_path: Path) -> Path:
    """The state of the sound run after two steps."""
    settings, _ = TRAIN.parse(raw)
    assert settings is not None
    method = build_method(settings)
    method.prepare(open_family(settings), seed=1, warn=lambda _: None)
    found = report(raw).found
    assert found.plan is not None
    inputs = run_inputs(found)
    pictures = fingerprint(
        sources_of(inputs.index, inputs.audit, inputs.plan, inputs.subsets),
        batch_size=settings.dataset.train_batch_size,
        accumulation=settings.optimizer.gradient_accumulation_steps,
    )
    place = Position(step=2, epoch=2)
    name = settings.output.output_name
    folder = tmp_path / "rescued" / f"{name}-state"
    folder.parent.mkdir()
    write_state(
        folder,
        StateFacts("id", name, 1, place, pictures, TRAIN.as_raw(settings)),
        trained=method.state(),
        optimizer=build_optimizer(method, settings.optimizer),
        progress={"schedule": {"steps": 2}, "scaler": None},
    )
    return folder


def edited(state: Path, **changes: object) -> None:
    """Change what a state says of itself, and have it sealed as if it had been written so."""
    manifest = read_manifest(state) | changes
    (state / MANIFEST_NAME).write_bytes(sealed(manifest))


def test_a_sound_state_has_no_problem(raw: Raw, state: Path) -> None:
    assert problems(raw, {STATE: str(state)}) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"optimizer.optimizer_type": "AdamW8bit"}, "was saved with"),
        ({"adapter.network_dim": 4}, ""),
    ],
)
def test_a_state_of_another_optimizer_or_network_is_refused_before_the_start(
    raw: Raw, state: Path, changes: Mapping[str, object], words: str
) -> None:
    (problem,) = problems(raw, {STATE: str(state), **changes})

    assert (problem.path, problem.severity) == (STATE, Severity.ERROR)
    assert words in str(problem.message)


def test_a_state_beyond_the_end_is_refused_before_the_start(raw: Raw, state: Path) -> None:
    (problem,) = problems(raw, {STATE: str(state), "optimizer.max_train_steps": 1})

    assert problem.path == "optimizer.max_train_steps"
    assert "The state is at step 2, but the run ends at step 1." in str(problem.message)


def test_a_state_at_a_batch_that_its_epoch_has_not_is_refused(raw: Raw, state: Path) -> None:
    edited(state, batch=2**40, epoch=0)

    (problem,) = problems(raw, {STATE: str(state)})

    assert (problem.path, problem.severity) == (STATE, Severity.ERROR)
    assert "is damaged" in str(problem.message)


def test_a_file_of_a_state_that_was_damaged_is_told_before_the_start(raw: Raw, state: Path) -> None:
    (state / "progress.json").write_bytes(b"{}")

    (problem,) = problems(raw, {STATE: str(state)})

    assert (problem.path, problem.severity) == (STATE, Severity.ERROR)
    assert "progress.json" in str(problem.message)
