"""A loss that is not finite stops a run before its update and costs nothing that was good."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from helpers.run_results import Result, train_one_after_another
from helpers.tiny_model import TinySD1, loaded
from helpers.trainer_process import Ended, TinyProject, run_trainer
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

from trainer_core.dataset.batches import Pool, epoch_batches
from trainer_core.dataset.subsets import SampleKey
from trainer_core.pipeline.decode import load_pixels
from trainer_core.pipeline.latents import LatentStore
from trainer_core.preflight import examine
from trainer_core.settings import files

SEED, BATCH, STEPS, COUNT = 7, 2, 6, 5


@dataclass(frozen=True)
class Poisoned:
    """A run of which one cached latent holds a NaN, and the same run without."""

    culprit: str
    last_good_step: int
    clean: Result
    ended: Ended
    left: Result
    mended: Result


def write_colours(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for number in range(COUNT):
        Image.new("RGB", (64, 64), (40 * number, 90, 200)).save(folder / f"colour{number}.png")
    return folder


def late_in_the_first_epoch() -> tuple[str, int]:
    """Return a picture of the first epoch's last batch, and how many steps come before it."""
    batches = epoch_batches([Pool(0, (64, 64), BATCH)] * COUNT, [1] * COUNT, seed=SEED, epoch=0)
    return f"colour{batches[-1].pictures[0]}.png", len(batches) - 1


def latent_file(cache: Path, run_file: Path, model: Path, picture: Path) -> Path:
    """Return the file in the cache that holds what the encoder makes of ``picture``."""
    plan = examine(files.load(run_file).raw).plan
    assert plan is not None
    placement = plan.placements[SampleKey(0, picture)]
    pixels_CHW = load_pixels(picture, placement, interpolation="auto", flip=False)
    mean_BCHW = loaded(model).encode_images(pixels_CHW[None]).mean_BCHW
    (found,) = (
        path
        for path in (cache / "latents").rglob("*.safetensors")
        if torch.allclose(load_file(path)["mean"], mean_BCHW[0], atol=1e-4)
    )
    return found


def poison(latent: Path) -> None:
    """Put a NaN into a latent of the cache, as if it had been encoded so."""
    store, key = LatentStore(latent.parents[1]), latent.stem
    assert store.has(key, tuple(load_file(latent)["mean"].shape))
    mean_CHW, _ = store.get(key)
    mean_CHW[0, 0, 0] = torch.nan
    latent.unlink()
    store.write(key)


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory, tiny_model: TinySD1) -> Poisoned:
    folder = tmp_path_factory.mktemp("numeric")
    env = {"LORA_LOOM_CACHE": str(folder / "cache")}
    settings = {
        "dataset.train_batch_size": BATCH,
        "buckets.resolution": [64, 64],
        "cache.cache_latents_to_disk": True,
        "optimizer.max_train_steps": STEPS,
        "output.save_precision": "float",
    }
    pictures = write_colours(folder / "pictures")
    project = TinyProject(folder, tiny_model.folder, pictures, settings)
    every_step = {"output.output_name": "clean", "output.save_every_n_steps": 1}
    clean = project.run_file(every_step, "clean.toml")
    assert train_one_after_another(folder / "codes", [[clean]], env=env) == [0]

    culprit, last_good_step = late_in_the_first_epoch()
    run_file = project.run_file()
    latent = latent_file(folder / "cache", run_file, tiny_model.folder, pictures / culprit)
    sound = latent.read_bytes()
    poison(latent)
    ended = run_trainer("train", run_file, env=env)
    shutil.copytree(project.output, folder / "left")

    latent.write_bytes(sound)
    assert train_one_after_another(folder / "codes", [[run_file, "--continue"]], env=env) == [0]
    return Poisoned(
        culprit,
        last_good_step,
        Result.at(project.output, "clean"),
        ended,
        Result.at(folder / "left", "tiny"),
        Result.at(project.output, "tiny"),
    )


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_it_stops_before_the_update_of_the_step_that_failed(poisoned: Poisoned) -> None:
    assert poisoned.ended.code == 1
    assert poisoned.ended.steps == list(range(1, poisoned.last_good_step + 1))
    assert poisoned.ended.failed.kind == "numeric"
    assert poisoned.ended.failed.step == poisoned.last_good_step


def test_it_names_step_picture_and_timestep_and_no_other_picture(poisoned: Poisoned) -> None:
    message = str(poisoned.ended.failed.message)
    assert f"step {poisoned.last_good_step + 1}." in message
    assert "The VAE made no finite numbers" in message
    named = re.findall(r"(\S+\.png) \(timestep (\d+)\)", message)
    assert [name for name, _ in named] == [poisoned.culprit]
    assert 0 <= int(named[0][1]) < 1000
    assert Path(poisoned.ended.failed.picture).name == poisoned.culprit
    assert Path(poisoned.ended.failed.picture).is_absolute()
    assert poisoned.ended.failed.setting == "model.vae"  # where another one is chosen


def test_the_last_good_weights_are_kept(poisoned: Poisoned) -> None:
    suffix = f"-step{poisoned.last_good_step:08d}"
    assert same(poisoned.left.weights(suffix), poisoned.clean.weights(suffix))


def test_nothing_is_published_that_is_not_finite(poisoned: Poisoned) -> None:
    published = list(poisoned.left.folder.output_dir.rglob("*.safetensors"))
    assert published
    for path in published:
        assert all(tensor.isfinite().all() for tensor in load_file(path).values())


def test_it_goes_on_from_there_once_the_cause_is_gone(poisoned: Poisoned) -> None:
    failed = poisoned.ended.failed
    assert failed.state is not None
    assert Path(failed.state).name == f"tiny-step{poisoned.last_good_step:08d}-state"
    assert same(poisoned.mended.weights(), poisoned.clean.weights())


def test_a_base_model_that_is_not_finite_is_named_before_anything_is_trained(
    tmp_path: Path, tiny_model: TinySD1
) -> None:
    tensors = load_file(tiny_model.safetensors)
    tensors["model.diffusion_model.out.2.bias"][0] = torch.inf
    save_file(tensors, tmp_path / "infinite.safetensors")
    pictures = write_colours(tmp_path / "pictures")
    project = TinyProject(tmp_path, tmp_path / "infinite.safetensors", pictures)
    ended = run_trainer("train", project.run_file())
    assert (ended.code, ended.failed.kind, ended.steps) == (2, "model_file", [])
    assert "infinite.safetensors is damaged" in str(ended.failed.message)
    assert ended.failed.setting == "model.pretrained_model_name_or_path"
    assert [path.name for path in project.output.iterdir()] == ["tiny.run"]


def test_weights_that_an_update_spoils_are_told_and_those_before_it_saved(
    tmp_path: Path, tiny_model: TinySD1
) -> None:
    # Warm-up: the first step is taken at a rate of 0, the second multiplies weights by 1e34.
    settings = {
        "buckets.resolution": [64, 64],
        "optimizer.learning_rate": 1.0,
        "optimizer.optimizer_args": ["weight_decay=1e35"],
        "optimizer.lr_scheduler": "constant_with_warmup",
        "optimizer.lr_warmup_steps": 3,
        "optimizer.max_train_steps": STEPS,
        "output.save_precision": "float",
    }
    pictures = write_colours(tmp_path / "pictures")
    project = TinyProject(tmp_path, tiny_model.folder, pictures, settings)
    ended = run_trainer("train", project.run_file())

    assert (ended.code, ended.failed.kind, ended.steps) == (1, "numeric", [1, 2])
    message = str(ended.failed.message)
    assert "step 3 is not finite for any picture: the update before it" in message
    assert re.findall(r"\S+\.png \(timestep \d+\)", message)
    saved = Result.at(project.output, "tiny").weights("-step00000001")
    ups = [tensor for name, tensor in saved.items() if name.endswith("lora_up.weight")]
    assert ups
    assert not any(up.any() for up in ups)  # at a rate of 0 they stay as they were drawn
    assert not (project.output / "tiny-step00000002.safetensors").exists()
