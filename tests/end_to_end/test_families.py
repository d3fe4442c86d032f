"""Real runs on a tiny model of each family: they train, draw, go on from a state, and say it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from helpers.pictures import write_picture
from helpers.run_results import Result, train_one_after_another
from helpers.tiny_model import TINY_MODELS, make_tiny_sd1, make_tiny_sd2
from helpers.trainer_process import TinyProject
from safetensors.torch import load_file, save_file

from trainer_core.catalogue.families import FAMILIES
from trainer_core.protocol.messages import Plan
from trainer_core.protocol.words import in_words

STEPS, STOPPED_AT = 6, 3
SETTINGS = {
    "optimizer.max_train_steps": STEPS,
    "optimizer.lr_scheduler": "constant",  # so that a shorter run is the beginning of a longer one
    "optimizer.unet_lr": 1e-2,
    "optimizer.text_encoder_lr": 1e-2,
    "output.save_state": True,
    "output.save_precision": "float",
    "sampling.prompt_list": ["a robot --w 64 --h 64 --s 2"],
    "sampling.sample_every_n_steps": STEPS,
    "hardware.seed": 3,
}

FEW = {
    "optimizer.max_train_steps": 2,
    "output.save_state": False,
    "sampling.sample_every_n_steps": "unset",
}


@dataclass(frozen=True)
class Runs:
    """A run that went through, and the same in two parts; of one family."""

    family: str
    straight: Result
    resumed: Result


@pytest.fixture(scope="module", params=[name for name in TINY_MODELS if name != "sd1"])
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    family = str(request.param)
    folder = tmp_path_factory.mktemp(family)
    model = TINY_MODELS[family](folder / "model").safetensors
    for name, width in {"a": 64, "b": 64, "c": 128}.items():
        path = write_picture(folder / "pictures" / "1_robot" / f"{name}.png", (width, 64))
        path.with_suffix(".txt").write_text(f"robot {name}", encoding="utf-8")
    project = TinyProject(folder, model, folder / "pictures", SETTINGS)
    straight, parts = folder / "straight", folder / "parts"
    first = {"output.output_dir": str(parts), "optimizer.max_train_steps": STOPPED_AT}
    second = {
        "output.output_dir": str(parts),
        "output.resume": str(parts / f"{project.values['output.output_name']}-state"),
    }
    words = [
        [project.run_file({"output.output_dir": str(straight)}, "straight.toml")],
        [project.run_file(first, "first.toml")],
        [project.run_file(second, "second.toml")],
    ]
    assert train_one_after_another(folder / "codes.json", words) == [0, 0, 0]
    name = str(project.values["output.output_name"])
    return Runs(family, Result.at(straight, name), Result.at(parts, name))


def test_every_part_was_trained(runs: Runs) -> None:
    weights = runs.straight.weights()
    for part in FAMILIES[runs.family].parts:
        module = f"{part.prefix}_"
        ups = [weights[key] for key in weights if key.startswith(module) and ".lora_up" in key]
        assert ups
        # Nothing reads the last layer of an encoder whose last layer but one is used.
        assert sum(up.abs().max() == 0 for up in ups) <= 6, part.name


def test_a_run_in_two_parts_ends_in_the_same_bits(runs: Runs) -> None:
    straight, resumed = runs.straight.weights(), runs.resumed.weights()
    assert straight.keys() == resumed.keys()
    assert all(torch.equal(tensor, resumed[key]) for key, tensor in straight.items())
    assert runs.straight.losses == runs.resumed.losses
    assert runs.straight.hashes == runs.resumed.hashes


def test_a_picture_was_drawn(runs: Runs) -> None:
    assert len(runs.straight.samples()) == 1
    assert runs.straight.samples() == runs.resumed.samples()


def test_the_file_names_its_base_model(runs: Runs) -> None:
    entry, metadata = FAMILIES[runs.family], runs.straight.metadata()
    expected: Mapping[str, str] = {
        "ss_base_model_version": entry.names.version,
        "ss_v2": str(entry.is_v2),
        "modelspec.architecture": f"{entry.names.architecture}/lora",
        "modelspec.prediction_type": "epsilon",
    }
    assert {key: metadata[key] for key in expected} == expected


# ------------------------------------------------------------- two text encoders

RATES = {
    "unet": {"optimizer.text_encoder_lr": 0.0},
    "text_encoder": {"optimizer.unet_lr": 0.0, "optimizer.learning_rate_te2": 0.0},
    "text_encoder_2": {
        "optimizer.unet_lr": 0.0,
        "optimizer.text_encoder_lr": 0.0,
        "optimizer.learning_rate_te2": 1e-2,
    },
}
CACHED = RATES["unet"] | {"cache.cache_text_encoder_outputs": True}
CACHED_ON_DISK = CACHED | {"cache.cache_text_encoder_outputs_to_disk": True}
#: Runs that train the U-Net alone, and differ in when captions are encoded.
ENCODED = {
    "at each step": RATES["unet"] | {"captions.shuffle_caption": True},  # of one tag each
    "cached": CACHED,
    "written": CACHED_ON_DISK,
    "read": CACHED_ON_DISK,
}


@pytest.fixture(scope="module")
def xl_runs(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Result]:
    """Runs of SDXL by their names in `RATES` and `ENCODED`."""
    folder = tmp_path_factory.mktemp("parts")
    model = TINY_MODELS["sdxl"](folder / "model").folder
    for name in ("a", "b"):
        path = write_picture(folder / "pictures" / "1_robot" / f"{name}.png", (64, 64))
        path.with_suffix(".txt").write_text(f"robot {name}", encoding="utf-8")
    project = TinyProject(folder, model, folder / "pictures", {**SETTINGS, **FEW})
    words = [
        [
            project.run_file(
                {**changes, "output.output_name": name.replace(" ", "-")}, f"{name}.toml"
            )
        ]
        for name, changes in (RATES | ENCODED).items()
    ]
    cache = {"LORA_LOOM_CACHE": str(folder / "cache")}
    codes = train_one_after_another(folder / "codes.json", words, env=cache)
    assert codes == [0] * len(words)
    assert len(list((folder / "cache" / "texts").rglob("*.safetensors"))) == 4  # two are prompts
    return {n: Result.at(project.output, n.replace(" ", "-")) for n in RATES | ENCODED}


@pytest.mark.parametrize("part", list(RATES))
def test_each_part_can_be_trained_alone(xl_runs: Mapping[str, Result], part: str) -> None:
    result, entry = xl_runs[part], FAMILIES["sdxl"].part(part)
    weights = result.weights()
    assert weights
    assert all(key.startswith(f"{entry.prefix}_") for key in weights)
    assert any(tensor.abs().max() > 0 for key, tensor in weights.items() if ".lora_up" in key)
    assert set(result.steps[1].learning_rates) == {part}


@pytest.mark.parametrize("name", list(ENCODED))
def test_it_does_not_matter_when_captions_are_encoded(
    xl_runs: Mapping[str, Result], name: str
) -> None:
    expected, found = xl_runs["unet"].weights(), xl_runs[name].weights()
    assert expected.keys() == found.keys()
    assert all(torch.equal(tensor, found[key]) for key, tensor in expected.items())


# ------------------------------------------------------------- velocity


@pytest.fixture(scope="module")
def velocity(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A run on a file whose marker tensors say velocity and zero terminal SNR."""
    folder = tmp_path_factory.mktemp("velocity")
    tensors = load_file(make_tiny_sd2(folder / "model").safetensors)
    model = folder / "marked.safetensors"
    save_file({**tensors, "v_pred": torch.zeros(0), "ztsnr": torch.zeros(0)}, model)
    write_picture(folder / "pictures" / "1_robot" / "a.png", (64, 64))
    project = TinyProject(folder, model, folder / "pictures", SETTINGS)
    run = [project.run_file({"optimizer.max_train_steps": 2, "sampling.sample_every_n_steps": 2})]
    assert train_one_after_another(folder / "codes.json", [run]) == [0]
    return Result.at(project.output, str(project.values["output.output_name"]))


def test_a_marked_file_is_trained_as_its_marks_say(velocity: Result) -> None:
    metadata = velocity.metadata()
    expected = {
        "ss_base_model_version": "sd_v2_v",
        "ss_zero_terminal_snr": "True",
        "modelspec.architecture": "stable-diffusion-v2-768-v/lora",
        "modelspec.prediction_type": "v",
    }
    assert {key: metadata[key] for key in expected} == expected


def test_what_the_marks_said_is_told_at_the_start_and_written_down(velocity: Result) -> None:
    (plan,) = velocity.of(Plan)
    assert "predicts the velocity" in in_words(plan)
    assert "zero terminal SNR" in in_words(plan)
    used = json.loads(velocity.folder.effective_file.read_text(encoding="utf-8"))["used"]
    assert used["model.v_parameterization"] == used["model.zero_terminal_snr"] == "on"


def test_a_picture_is_drawn_with_the_same_noise(velocity: Result) -> None:
    assert len(velocity.samples()) == 1


# ------------------------------------------------------------- another VAE


@pytest.fixture(scope="module")
def with_vae(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result, Result]:
    """The file of a VAE, a run with it, and the same run without."""
    folder = tmp_path_factory.mktemp("vae")
    model = TINY_MODELS["sd1"](folder / "model").safetensors
    vae = folder / "other.safetensors"
    other = make_tiny_sd1(folder / "other", seed=1)
    shutil.copy(other.folder / "vae" / "diffusion_pytorch_model.safetensors", vae)
    write_picture(folder / "pictures" / "1_robot" / "a.png", (64, 64))
    project = TinyProject(folder, model, folder / "pictures", {"optimizer.max_train_steps": 2})
    plain, changed = folder / "plain", folder / "changed"
    words = [
        [project.run_file({"output.output_dir": str(plain)}, "plain.toml")],
        [
            project.run_file(
                {"output.output_dir": str(changed), "model.vae": str(vae)}, "changed.toml"
            )
        ],
    ]
    assert train_one_after_another(folder / "codes.json", words) == [0, 0]
    name = str(project.values["output.output_name"])
    return vae, Result.at(changed, name), Result.at(plain, name)


def test_another_vae_makes_other_latents_and_is_named_with_its_hashes(
    with_vae: tuple[Path, Result, Result],
) -> None:
    vae, changed, plain = with_vae
    assert changed.losses != plain.losses
    metadata, content = changed.metadata(), vae.read_bytes()
    # As sd-scripts names it: the file's name, 64 KiB at 1 MiB, and the whole file.
    assert metadata["ss_vae_name"] == vae.name
    window = content[0x100000 : 0x100000 + 0x10000]
    assert metadata["ss_vae_hash"] == hashlib.sha256(window).hexdigest()[:8]
    assert metadata["ss_new_vae_hash"] == hashlib.sha256(content).hexdigest()
    assert not [key for key in plain.metadata() if "vae" in key]
