"""Everything wrong with a run is found at once, each thing at its setting, without torch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.pictures import write_dataset
from safetensors.numpy import save_file

from trainer_core.catalogue.optimizers import OPTIMIZERS
from trainer_core.dataset.survey import bucket_rules, pace
from trainer_core.preflight import (
    PROMPT_FILE,
    Preflight,
    examine,
    known_problems,
    look_into_files,
)
from trainer_core.settings.document import replaced
from trainer_core.settings.problems import Severity
from trainer_core.settings.schema import TRAIN
from trainer_core.settings.token_lengths import LENGTH

MODEL = "model.pretrained_model_name_or_path"
PICTURES = "dataset.train_data_dir"
PROMPTS = "sampling.sample_prompts"
LIST = "sampling.prompt_list"
# Names by which a model of Stable Diffusion 1 is recognised.
SD1_TENSORS = (
    "model.diffusion_model.input_blocks.0.0.weight",
    "model.diffusion_model.out.2.weight",
    "cond_stage_model.transformer.text_model.encoder.layers.0.mlp.fc1.weight",
    "first_stage_model.encoder.down.0.block.0.conv1.weight",
)


@pytest.fixture
def raw(tmp_path: Path) -> dict[str, Any]:
    """A run that could start: a base model, three pictures shown four times, two prompts."""
    model = tmp_path / "base.safetensors"
    save_file({name: np.zeros((4, 4), np.float16) for name in SD1_TENSORS}, model)
    pictures = {f"{number}.png": None for number in range(3)}
    captions = {f"{number}.txt": "zxq cat" for number in range(3)}
    write_dataset(tmp_path / "pictures", {"4_cat": pictures | captions}, size=(512, 512))
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("a cat --n dog --s 20\nanother cat\n")
    return replaced(
        {},
        {
            MODEL: str(model),
            PICTURES: str(tmp_path / "pictures"),
            PROMPTS: str(prompts),
            "sampling.sample_every_n_epochs": 1,
            "output.output_dir": str(tmp_path / "output"),
        },
    )


def examined(raw: Mapping[str, Any], changes: Mapping[str, object]) -> Preflight:
    return examine(replaced(raw, changes))


def errors(found: Preflight) -> list[tuple[str, str]]:
    return [(problem.path, str(problem.message)) for problem in found.errors]


def test_a_run_that_can_start_has_a_plan_and_no_problem(raw: dict[str, Any]) -> None:
    found = examine(raw)

    assert found.problems == []
    assert found.plan is not None
    assert (found.plan.pictures, found.plan.samples, found.plan.total_steps) == (3, 12, 12)
    assert found.audit is not None
    assert set(found.audit.captions.values()) == {"zxq cat"}
    assert found.prompts is not None
    assert [prompt.prompt for prompt in found.prompts.prompts] == ["a cat", "another cat"]


def test_a_choice_that_needs_what_is_not_installed_is_named_with_how_to_get_it(
    raw: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", version)

    found = examined(raw, {"optimizer.optimizer_type": "AdamW8bit"})

    (problem,) = found.errors
    package = OPTIMIZERS["AdamW8bit"].package
    assert problem.path == "optimizer.optimizer_type"
    assert str(problem.message) == f"AdamW8bit needs {package}, which is not installed."
    assert problem.suggestion is not None
    assert f'pip install "{package}"' in str(problem.suggestion.message)
    assert examined(raw, {"optimizer.optimizer_type": "AdamW"}).errors == []


def test_listed_prompts_are_drawn_before_those_of_the_file(raw: dict[str, Any]) -> None:
    found = examined(raw, {LIST: ["a dog --d 3", "a bird --zz"]})

    assert found.prompts is not None
    drawn = [prompt.prompt for prompt in found.prompts.prompts]
    assert drawn == ["a dog", "a bird", "a cat", "another cat"]
    (problem,) = (problem for problem in found.problems if problem.path == LIST)
    assert problem.severity is Severity.WARNING
    assert "--zz" in str(problem.message)


def test_listed_prompts_need_no_file(raw: dict[str, Any]) -> None:
    found = examined(raw, {LIST: ["a dog"], PROMPTS: None})

    assert found.prompts is not None
    assert [prompt.prompt for prompt in found.prompts.prompts] == ["a dog"]


@pytest.mark.parametrize("prompts", [True, False])
def test_only_a_choice_that_acts_needs_its_package(
    raw: dict[str, Any], monkeypatch: pytest.MonkeyPatch, prompts: bool
) -> None:
    installed = metadata.version

    def version(name: str) -> str:
        if name == "scipy":
            raise metadata.PackageNotFoundError(name)
        return installed(name)

    monkeypatch.setattr(metadata, "version", version)
    changes = {"sampling.sample_sampler": "lms"} | ({} if prompts else {PROMPTS: None})

    paths = [path for path, _ in errors(examined(raw, changes))]

    assert paths == (["sampling.sample_sampler"] if prompts else [])


def test_settings_that_cannot_be_used_hide_the_rest(raw: dict[str, Any]) -> None:
    found = examined(raw, {"model.clip_skip": 99, "model.clip_skp": 1, PICTURES: "/gone"})

    assert {path for path, _ in errors(found)} == {"model.clip_skip", "model.clip_skp"}
    assert (found.settings, found.plan) == (None, None)


def test_every_part_is_examined_though_another_is_wrong(
    raw: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "base.safetensors").write_bytes(b"no model")
    (tmp_path / "pictures" / "4_cat" / "1.png").write_bytes(b"no picture")
    (tmp_path / "prompts.txt").write_bytes(b"\xff\xfe\x00")
    found = examined(raw, {"output.output_name": "a/b"})

    paths = [path for path, _ in errors(found)]
    assert sorted(set(paths)) == sorted([MODEL, PICTURES, PROMPTS, "output.output_name"])


# ------------------------------------------------------------------ the model


def known(found: Preflight) -> dict[str, object]:
    """Return what the files say, but for the prompts."""
    return {name: fact for name, fact in found.facts.items() if name != PROMPT_FILE}


def test_what_a_detected_family_came_to_is_told(raw: dict[str, Any]) -> None:
    found = examine(raw)
    assert found.settings is not None

    assert known(found) == {"family": "sd1"}
    assert look_into_files(found.settings, ()).facts == found.facts


def test_what_a_model_says_of_its_prediction_is_told(raw: dict[str, Any], tmp_path: Path) -> None:
    tensors = {name: np.zeros((4, 4), np.float16) for name in SD1_TENSORS}
    metadata = {"modelspec.prediction_type": "v"}
    save_file(tensors, tmp_path / "base.safetensors", metadata)

    found = examine(raw)
    assert known(found) == {
        "family": "sd1",
        "prediction": "v_prediction",
        "prediction_by": "its metadata",
        "v_parameterization": "on",
    }
    assert not errors(found)


def test_what_is_no_vae_is_named_with_its_setting(raw: dict[str, Any], tmp_path: Path) -> None:
    lora = tmp_path / "lora.safetensors"
    save_file({"lora_unet_x.lora_down.weight": np.zeros((4, 4), np.float16)}, lora)

    ((path, message),) = errors(examined(raw, {"model.vae": str(lora)}))
    assert (path, message) == ("model.vae", f"{lora} holds no VAE.")


def test_a_lora_given_as_base_model_is_named(raw: dict[str, Any], tmp_path: Path) -> None:
    lora = tmp_path / "lora.safetensors"
    save_file({"lora_unet_x.lora_down.weight": np.zeros((4, 4), np.float16)}, lora)

    ((path, message),) = errors(examined(raw, {MODEL: str(lora)}))
    assert (path, message) == (MODEL, f"{lora} is a LoRA, not a base model.")


def test_a_model_that_is_not_there_is_named_once(raw: dict[str, Any], tmp_path: Path) -> None:
    ((path, message),) = errors(examined(raw, {MODEL: str(tmp_path / "gone.safetensors")}))

    assert path == MODEL
    assert "does not exist" in message


# ------------------------------------------------------------------ the pictures


def test_findings_of_the_audit_are_problems_of_the_picture_folder(
    raw: dict[str, Any], tmp_path: Path
) -> None:
    broken = tmp_path / "pictures" / "4_cat" / "1.png"
    broken.write_bytes(b"")
    found = examine(raw)

    ((path, message),) = errors(found)
    assert path == PICTURES
    assert str(broken) in message
    assert found.plan is None
    assert found.audit is not None


def test_a_warning_of_the_audit_does_not_hinder(raw: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "pictures" / "4_cat" / "1.txt").unlink()
    found = examine(raw)

    assert found.errors == []
    assert [problem.path for problem in found.problems] == [PICTURES]
    assert found.plan is not None


def test_a_folder_without_pictures_is_named(raw: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    ((path, message),) = errors(examined(raw, {PICTURES: str(tmp_path / "empty")}))
    assert path == PICTURES
    assert "empty" in message


@pytest.mark.parametrize(
    "changes",
    [
        {"buckets.bucket_no_upscale": False, "buckets.min_bucket_reso": 1024},
        {"buckets.bucket_no_upscale": False, "buckets.max_bucket_reso": 64},
        {"buckets.bucket_reso_steps": 72},
        {"buckets.bucket_reso_steps": 512, "buckets.resolution": [256, 256]},
        {
            "buckets.bucket_no_upscale": False,
            "buckets.min_bucket_reso": 64,
            "buckets.bucket_reso_steps": 128,
        },
    ],
)
def test_bucket_settings_that_contradict_each_other_are_named_at_their_setting(
    raw: dict[str, Any], changes: dict[str, object]
) -> None:
    found = examined(raw, changes)

    assert {path for path, _ in errors(found)} <= changes.keys()
    assert found.errors
    assert found.plan is None


def test_the_settings_reach_buckets_and_pace() -> None:
    changes = {
        "buckets.resolution": [640, 384],
        "buckets.enable_bucket": False,
        "buckets.min_bucket_reso": 128,
        "buckets.max_bucket_reso": 1024,
        "buckets.bucket_reso_steps": 128,
        "buckets.bucket_no_upscale": False,
        "optimizer.gradient_accumulation_steps": 3,
        "optimizer.epoch": 5,
        "optimizer.max_train_epochs": 6,
        "optimizer.max_train_steps": 70,
        "optimizer.lr_scheduler": "linear",
        "optimizer.lr_warmup": 20.0,
        "optimizer.lr_warmup_steps": 8,
    }
    settings, _ = TRAIN.parse(replaced({}, changes))
    assert settings is not None
    rules, length = bucket_rules(settings.buckets), pace(2, settings.optimizer)

    for path, value in changes.items():
        name = path.partition(".")[2]
        found = getattr(rules, name) if path.startswith("buckets") else getattr(length, name)
        assert found == (tuple(value) if isinstance(value, list) else value), path
    assert length.train_batch_size == 2


# ------------------------------------------------------------------ plan and prompts


def test_a_warm_up_longer_than_the_run_is_a_warning_with_a_way_out(raw: dict[str, Any]) -> None:
    found = examined(raw, {"optimizer.lr_warmup_steps": 100})

    (problem,) = found.problems
    assert problem.severity is Severity.WARNING
    assert str(problem.message).startswith("The warm-up of 100 steps is longer than the run of 12")
    assert problem.suggestion is not None
    changes = {"optimizer.lr_warmup_steps": 100} | dict(problem.suggestion.changes)
    assert examined(raw, changes).problems == []


@pytest.mark.parametrize("steps", [0, 12])
def test_a_warm_up_as_long_as_the_run_is_fine(raw: dict[str, Any], steps: int) -> None:
    assert examined(raw, {"optimizer.lr_warmup_steps": steps}).problems == []


def test_another_alpha_of_starting_weights_is_told_before_torch_is_there(
    raw: dict[str, Any], tmp_path: Path
) -> None:
    module = "lora_unet_mid_block_attentions_0_proj_in"
    tensors = {
        f"{module}.lora_down.weight": np.ones((8, 4), np.float32),
        f"{module}.lora_up.weight": np.ones((4, 8), np.float32),
        f"{module}.alpha": np.float32(4),
    }
    save_file({name: np.asarray(value) for name, value in tensors.items()}, tmp_path / "mine.st")
    weights = {"adapter.network_weights": str(tmp_path / "mine.st")}

    (problem,) = examined(raw, {**weights, "adapter.network_alpha": 1.0}).problems

    assert (problem.path, problem.severity) == ("adapter.network_alpha", Severity.WARNING)
    assert "alpha 4, not 1;" in str(problem.message)
    assert examined(raw, {**weights, "adapter.network_alpha": 4.0}).problems == []


@pytest.mark.parametrize(
    ("name", "fits", "exceeds", "message"),
    [
        (
            "token_warmup_step",
            12.0,
            13.0,
            "The tag warm-up of 13 steps is longer than the run of 12",
        ),
        ("token_warmup_step", 0.9, 100.0, "The tag warm-up of 100 steps is longer than the run"),
        ("caption_dropout_every_n_epochs", None, 2, "dropped in epoch 2; the run has 1 epoch."),
    ],
)
def test_what_does_not_come_about_within_the_run_is_a_warning_with_a_way_out(
    raw: dict[str, Any], name: str, fits: float | None, exceeds: float, message: str
) -> None:
    path = f"captions.{name}"
    assert examined(raw, {path: "unset" if fits is None else fits}).problems == []

    (problem,) = examined(raw, {path: exceeds}).problems
    assert (problem.path, problem.severity) == (path, Severity.WARNING)
    assert message in str(problem.message)
    assert problem.suggestion is not None
    assert examined(raw, problem.suggestion.changes).problems == []


def test_what_is_not_understood_in_a_prompt_is_a_warning(
    raw: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "prompts.txt").write_text("a cat --q 7\n")
    found = examine(raw)

    (problem,) = found.problems
    assert (problem.path, problem.severity) == (PROMPTS, Severity.WARNING)


def test_a_prompt_whose_end_is_not_read_is_a_warning(raw: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "prompts.txt").write_text("a cat\na cat --n " + "dog " * 76)

    (problem,) = examine(raw).problems
    assert (problem.path, problem.severity) == (PROMPTS, Severity.WARNING)
    assert str(problem.message) == "Prompt 2 has 76 tokens; only the first 75 are read."
    assert problem.suggestion is not None
    assert problem.suggestion.changes == {LENGTH: 150}
    assert examined(raw, problem.suggestion.changes).problems == []


def test_a_listed_prompt_whose_end_is_not_read_is_a_warning_while_editing(
    raw: dict[str, Any],
) -> None:
    found = examined(raw, {"sampling.prompt_list": ["a cat", "dog " * 226]})
    (problem,) = found.problems
    assert (problem.path, problem.severity) == ("sampling.prompt_list", Severity.WARNING)
    assert str(problem.message) == "Prompt 2 has 226 tokens; only the first 75 are read."
    assert found.settings is not None
    assert problem in known_problems(found.settings, found.facts)
    assert str(problem.suggestion.message).startswith("At most 225 tokens can be read.")
    assert problem.suggestion.changes == {}


def test_a_prompt_is_counted_without_its_weights_where_they_are_read(raw: dict[str, Any]) -> None:
    weighted = {"captions.weighted_captions": True, "sampling.prompt_list": ["(dog:1.2)" * 75]}
    assert examined(raw, weighted).problems == []


def test_a_weight_around_captions_is_read_where_weights_are(raw: dict[str, Any]) -> None:
    ends = {"captions.caption_prefix": "(a", "captions.caption_suffix": "b:1.2.3)"}
    assert examined(raw, ends).problems == []
    (problem,) = examined(raw, ends | {"captions.weighted_captions": True}).problems
    assert (problem.path, problem.severity) == ("captions.caption_suffix", Severity.ERROR)
    assert str(problem.message) == "The weight 1.2.3 is no number: (a b:1.2.3)"


def test_a_prompt_with_a_weight_that_is_none_is_refused(raw: dict[str, Any]) -> None:
    prompts = {"sampling.prompt_list": ["a cat", "a dog --n (cat:1.2.3)"]}
    assert examined(raw, prompts).problems == []
    found = examined(raw, prompts | {"captions.weighted_captions": True})
    (problem,) = found.problems
    assert (problem.path, problem.severity) == ("sampling.prompt_list", Severity.ERROR)
    assert str(problem.message) == "In prompt 2 the weight 1.2.3 is no number: (cat:1.2.3)"
    assert found.settings is not None
    assert problem in known_problems(found.settings, found.facts)


def test_a_caption_whose_end_is_not_read_is_a_warning_at_its_picture(
    raw: dict[str, Any], tmp_path: Path
) -> None:
    folder = tmp_path / "pictures" / "4_cat"
    (folder / "1.txt").write_text("dog " * 76)

    (problem,) = examine(raw).problems
    assert problem.suggestion is not None
    assert problem.suggestion.changes == {LENGTH: 150}
    assert problem.picture == str(folder / "1.png")
    assert (problem.path, problem.severity) == (PICTURES, Severity.WARNING)


def test_a_prompt_file_of_an_unknown_kind_is_named(raw: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "prompts.doc").write_text("a cat")

    ((path, message),) = errors(examined(raw, {PROMPTS: str(tmp_path / "prompts.doc")}))
    assert path == PROMPTS
    assert "prompts.doc" in message


def test_examining_needs_no_torch() -> None:
    code = "import sys, trainer_core.preflight; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_folder_to_resume_from_must_hold_a_complete_state(
    raw: dict[str, Any], tmp_path: Path
) -> None:
    state = tmp_path / "cat-state"
    state.mkdir()

    found = examined(raw, {"output.resume": str(state)})

    assert errors(found) == [("output.resume", f"{state} holds no complete state.")]
    (state / "manifest.json").write_text("{")
    found = examined(raw, {"output.resume": str(state)})
    assert errors(found) == [("output.resume", f"The state {state} is damaged.")]


# ------------------------------------------------------------------ several places


def test_further_pictures_are_in_the_plan(raw: dict[str, Any], tmp_path: Path) -> None:
    files = {"x.png": None, "x.txt": "a dog"}
    write_dataset(tmp_path / "more", {"5_dog": files}, size=(512, 512))
    found = examined(raw, {"dataset.more_pictures": [str(tmp_path / "more")]})
    assert found.problems == []
    assert found.plan is not None
    assert found.plan.samples == 3 * 4 + 5


def test_further_pictures_do_without_a_picture_folder(raw: dict[str, Any], tmp_path: Path) -> None:
    picture = str(tmp_path / "pictures" / "4_cat" / "1.png")
    found = examined(raw, {PICTURES: None, "dataset.more_pictures": [picture]})
    assert found.problems == []
    assert found.plan is not None
    assert found.plan.samples == 4


def test_a_bad_picture_is_named_at_the_setting_that_led_to_it(
    raw: dict[str, Any], tmp_path: Path
) -> None:
    write_dataset(tmp_path / "more", {"5_dog": {"x.png": "nothing", "x.txt": "a dog"}})
    found = examined(raw, {"dataset.more_pictures": [str(tmp_path / "more")]})
    assert [path for path, _ in errors(found)] == ["dataset.more_pictures"]
    broken = tmp_path / "pictures" / "4_cat" / "1.png"
    broken.write_bytes(b"nothing")
    found = examined(raw, {"dataset.more_pictures": [str(broken)]})
    assert [path for path, _ in errors(found)] == [PICTURES]


def test_an_entry_that_is_no_picture_stops_the_run(raw: dict[str, Any], tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.touch()
    found = examined(raw, {"dataset.more_pictures": [str(notes)]})
    message = f"{notes} is no picture of a kind that is trained."
    assert errors(found) == [("dataset.more_pictures", message)]
