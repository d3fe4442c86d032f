"""The demo project is whole, small, and what its README says."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image, ImageChops, ImageStat
from transformers import CLIPTextModel, CLIPTokenizer

from trainer_core.families.sd1 import SD1
from trainer_core.files.resources import resource_path
from trainer_core.preflight import Preflight, examine
from trainer_core.prompts.file import load_prompts
from trainer_core.settings import files
from trainer_core.settings.schema import TRAIN

DEMO = resource_path("demo")
DATA = Path(__file__).parents[1] / "data"
PICTURES = sorted((DEMO / "pictures" / "10_zxq lantern").glob("*.png"))


@pytest.fixture(scope="module")
def preflight() -> Preflight:
    run_file = files.load(DEMO / "demo.toml")
    return examine(TRAIN.with_absolute_paths(run_file.raw, DEMO))


def test_the_run_file_has_no_problem(preflight: Preflight) -> None:
    assert [str(problem.message) for problem in preflight.problems] == []


def test_the_pictures_fill_three_buckets(preflight: Preflight) -> None:
    assert preflight.plan is not None
    buckets = {tuple(bucket.resolution) for bucket in preflight.plan.buckets}

    assert buckets == {(128, 128), (192, 128), (128, 192)}


def test_the_output_goes_where_the_run_file_was_copied_to() -> None:
    assert files.load(DEMO / "demo.toml").raw["output"]["output_dir"] == "output"


def test_every_picture_has_a_caption_with_the_trigger_word() -> None:
    captions = [picture.with_suffix(".txt").read_text(encoding="utf-8") for picture in PICTURES]

    assert len(captions) == 15
    assert all(caption.startswith("zxq lantern on a ") for caption in captions)
    assert len(set(captions)) == 15


def test_the_pictures_are_small() -> None:
    sides = []
    for path in PICTURES:
        with Image.open(path) as picture:
            sides += picture.size

    assert min(sides) >= 128
    assert max(sides) <= 512
    assert sum(path.stat().st_size for path in PICTURES) < 1_500_000


def test_every_prompt_has_a_seed_of_its_own() -> None:
    loaded = load_prompts(DEMO / "prompts.txt")
    seeds = [prompt.seed for prompt in loaded.prompts]

    assert None not in seeds
    assert len(set(seeds)) == len(seeds)


def test_the_base_is_a_stable_diffusion_1_of_few_megabytes() -> None:
    weights = list((DEMO / "base").rglob("*.safetensors"))

    family = SD1.open(DEMO / "base")

    assert family.pixels_per_latent == 8
    assert family.tokenizer.length == 77
    assert sum(path.stat().st_size for path in weights) <= 20_000_000


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(DEMO))
    return importlib.import_module("make_pictures")


@pytest.mark.parametrize("name", ["white", "wide", "nap"])
def test_the_script_draws_the_shipped_pictures(name: str, scripts: Any, tmp_path: Path) -> None:
    (scene,) = (scene for scene in scripts.SCENES if scene.name == name)

    drawn = scripts.draw_scene(scene)
    with Image.open(scripts.FOLDER / f"{name}.png") as shipped:
        difference = ImageStat.Stat(ImageChops.difference(drawn, shipped))

    # Another version of Pillow may round an edge differently.
    assert max(difference.mean) < 1.0


def test_the_base_loads_in_plain_diffusers_without_a_network() -> None:
    pipeline = StableDiffusionPipeline.from_pretrained(DEMO / "base", local_files_only=True)

    assert pipeline.scheduler.config.prediction_type == "epsilon"
    assert pipeline.vae.config.scaling_factor == 0.18215
    assert pipeline.safety_checker is None


def test_the_text_encoder_gives_what_it_gives_under_transformers_4() -> None:
    recorded = json.loads((DATA / "demo_text_features.json").read_text(encoding="utf-8"))
    tokenizer = CLIPTokenizer.from_pretrained(DEMO / "base" / "tokenizer")
    encoder = CLIPTextModel.from_pretrained(DEMO / "base" / "text_encoder").float()

    ids = tokenizer(recorded["prompt"], padding="max_length", max_length=77, return_tensors="pt")
    with torch.no_grad():
        features_BLD = encoder(ids.input_ids).last_hidden_state

    assert recorded["transformers"].startswith("4.")
    assert ids.input_ids[0].tolist() == recorded["ids"]
    torch.testing.assert_close(
        features_BLD[0], torch.tensor(recorded["features"]), rtol=0, atol=1e-4
    )
