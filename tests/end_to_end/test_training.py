"""Training does what the settings say: seen in the events and files of real runs."""

import hashlib
import json
import os
import statistics
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from helpers.pictures import gradient
from helpers.run_results import Result, train_one_after_another
from helpers.stories import write_two_buckets
from helpers.tiny_model import TinySD1
from helpers.trainer_process import TinyProject

from trainer_core.protocol.messages import (
    CheckpointRemoved,
    CheckpointSaved,
    EventBase,
    Failed,
    Finished,
    Hello,
    Phase,
    Plan,
    Progress,
    SampleReady,
    StepDone,
)
from trainer_core.settings import files
from trainer_core.settings.schema import TRAIN

pytestmark = pytest.mark.timeout(600)  # the first test here waits for all the runs

STEPS = 6
OVERFIT_STEPS = 150
RATE = 1e-3

# Runs without mixed precision; what each changes.
VARIANTS: Mapping[str, Mapping[str, object]] = {
    "base": {},
    "same seed": {},
    "other seed": {"hardware.seed": 8},
    "no threads": {"cache.max_data_loader_n_workers": 0},
    "five threads": {"cache.max_data_loader_n_workers": 5},
    "not cached": {"cache.cache_latents": False},
    "cached on disk": {"cache.cache_latents_to_disk": True},
    "checkpointing": {"hardware.gradient_checkpointing": True},
    "unet only": {"adapter.network_train_unet_only": True},
    "text encoder only": {"adapter.network_train_text_encoder_only": True},
    "clip skip 2": {"model.clip_skip": 2},
    "fp16": {"hardware.mixed_precision": "fp16"},
    "overfit": {
        "adapter.network_dim": 16,
        "adapter.network_alpha": 16.0,
        "optimizer.max_train_steps": OVERFIT_STEPS,
        "optimizer.learning_rate": 1e-2,
    },
}
BARELY = 1e-12  # a rate at which nothing can be seen to move

# Runs after those, from the same disk cache; all but the first begin with the base run's weights.
SEQUELS: Mapping[str, Mapping[str, object]] = {
    "warm start": {},
    "from weights": {"optimizer.learning_rate": BARELY},
    "dim from weights": {
        "optimizer.learning_rate": BARELY,
        "adapter.network_dim": 7,
        "adapter.dim_from_weights": True,
    },
}

# One run in bf16 that does everything that a run can do by itself.
EVERYTHING = {
    "hardware.mixed_precision": "bf16",
    "sampling.sample_at_first": True,
    "sampling.sample_every_n_steps": 4,
    "output.save_every_n_steps": 2,
    "output.save_last_n_steps": 1,
    "output.save_state": True,
    "output.training_comment": "trigger word: robot",
}


@dataclass(frozen=True)
class Runs:
    """All the runs by name, and their exit codes."""

    folder: Path
    codes: Mapping[str, int]

    def __getitem__(self, name: str) -> Result:
        return Result.at(self.folder / "output", name.replace(" ", "-"))


class Workshop:
    """Makes the runs; those that depend on nothing train side by side."""

    def __init__(self, folder: Path, model: TinySD1) -> None:
        self._folder, self._model = folder, model
        pictures = write_two_buckets(folder / "pictures")
        self._project = TinyProject(folder, model.folder, pictures, self._settings())

    def _settings(self) -> dict[str, object]:
        prompts = self._folder / "prompts.txt"
        prompts.write_text("a robot --w 64 --h 64 --s 2\n", encoding="utf-8")
        return {
            "dataset.train_batch_size": 2,
            "augmentation.flip_aug": True,
            "captions.shuffle_caption": True,
            "optimizer.max_train_steps": STEPS,
            "optimizer.learning_rate": RATE,
            "optimizer.unet_lr": "unset",
            "optimizer.text_encoder_lr": "unset",
            "optimizer.lr_scheduler": "constant",
            "sampling.sample_prompts": str(prompts),
            "output.save_precision": "float",
        }

    def make(self) -> Runs:
        with ThreadPoolExecutor() as pool:
            variants = pool.submit(self._train, "variants", VARIANTS)
            everything = pool.submit(self._train, "all", {"everything": self._everything()})
        codes = {**variants.result(), **everything.result()}
        self._damage_pictures()
        weights = self._project.output / "base.safetensors"
        sequels = {
            name: {
                **changes,
                "cache.cache_latents_to_disk": True,
                "adapter.network_weights": None if name == "warm start" else str(weights),
            }
            for name, changes in SEQUELS.items()
        }
        return Runs(self._folder, {**codes, **self._train("sequels", sequels)})

    def _train(self, what: str, runs: Mapping[str, Mapping[str, object]]) -> dict[str, int]:
        commands = [[self._run_file(name, changes)] for name, changes in runs.items()]
        env = {"LORA_LOOM_CACHE": str(self._folder / f"cache-{what != 'all'}")}
        codes = train_one_after_another(self._folder / f"codes-{what}", commands, env=env)
        return dict(zip(runs, codes, strict=True))

    def _run_file(self, name: str, changes: Mapping[str, object]) -> Path:
        named = name.replace(" ", "-")
        pictures = (
            {"dataset.train_data_dir": str(self._two_pictures())} if name == "overfit" else {}
        )
        return self._project.run_file(
            {"output.output_name": named, **pictures, **changes}, f"{named}.toml"
        )

    def _two_pictures(self) -> Path:
        folder = self._folder / "two"
        if not folder.exists():
            folder.mkdir()
            for number, picture in enumerate((gradient(), gradient().transpose(1))):
                picture.save(folder / f"{number}.png")
        return folder

    def _everything(self) -> dict[str, object]:
        logs = {"output.logging_dir": str(self._folder / "logs")}
        model = {"model.pretrained_model_name_or_path": str(self._model.safetensors)}
        return {**EVERYTHING, **logs, **model}

    def _damage_pictures(self) -> None:
        """Make every picture impossible to decode, with size, time, header and end as before."""
        for path in self._project.pictures.rglob("*.png"):
            facts, content = path.stat(), bytearray(path.read_bytes())
            middle = content.index(b"IDAT") + 8
            content[middle : middle + 40] = bytes(40)
            path.write_bytes(content)
            os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, tiny_model: TinySD1) -> Runs:
    return Workshop(tmp_path_factory.mktemp("training"), tiny_model).make()


def test_every_run_but_one_ends_as_planned(runs: Runs) -> None:
    assert {name for name, code in runs.codes.items() if code != 0} == {"fp16"}


# ------------------------------------------------------------- what decides the result


def test_the_same_seed_gives_the_same_losses(runs: Runs) -> None:
    assert runs["same seed"].losses == runs["base"].losses
    assert runs["same seed"].hashes == runs["base"].hashes


def test_another_seed_gives_other_losses(runs: Runs) -> None:
    assert not set(runs["other seed"].losses) & set(runs["base"].losses)
    assert not set(runs["other seed"].hashes) & set(runs["base"].hashes)


@pytest.mark.parametrize("variant", ["no threads", "five threads", "cached on disk", "warm start"])
def test_threads_and_disk_cache_change_nothing(runs: Runs, variant: str) -> None:
    assert runs[variant].losses == runs["base"].losses
    assert runs[variant].hashes == runs["base"].hashes


def test_without_cache_the_batches_are_the_same(runs: Runs) -> None:
    assert runs["not cached"].hashes == runs["base"].hashes
    # The encoder's results depend on what it is given at once, by rounding.
    assert runs["not cached"].losses == pytest.approx(runs["base"].losses, rel=1e-4)


def test_gradient_checkpointing_changes_no_loss(runs: Runs) -> None:
    assert runs["checkpointing"].losses == pytest.approx(runs["base"].losses, rel=1e-6)


def test_a_warm_start_encodes_nothing(runs: Runs) -> None:
    # Its pictures cannot even be decoded any more.
    assert [event.total for event in runs["warm start"].of(Progress)] == [0]
    assert runs["cached on disk"].of(Progress)[-1].total == 8 * 2


def test_training_lowers_the_loss(runs: Runs) -> None:
    losses = [loss for loss in runs["overfit"].losses if loss is not None]
    assert len(losses) == OVERFIT_STEPS
    third = OVERFIT_STEPS // 3
    assert statistics.mean(losses[-third:]) < 0.9 * statistics.mean(losses[:third])


# ------------------------------------------------------------- what is trained


def prefixes(result: Result) -> set[str]:
    return {"_".join(name.split("_")[:2]) for name in result.weights()}


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        ("base", {"lora_unet", "lora_te"}),
        ("unet only", {"lora_unet"}),
        ("text encoder only", {"lora_te"}),
    ],
)
def test_only_the_parts_asked_for_are_trained(runs: Runs, variant: str, expected: set[str]) -> None:
    assert prefixes(runs[variant]) == expected
    parts = {"lora_unet": "unet", "lora_te": "text_encoder"}
    assert set(runs[variant].of(Plan)[0].trainable_parameters) == {parts[p] for p in expected}
    assert set(runs[variant].steps[1].learning_rates) == {parts[p] for p in expected}


def test_clip_skip_changes_what_the_model_sees(runs: Runs) -> None:
    assert runs["clip skip 2"].hashes == runs["base"].hashes
    assert runs["clip skip 2"].losses[0] != runs["base"].losses[0]
    assert runs["clip skip 2"].metadata()["ss_clip_skip"] == "2"


def test_training_starts_from_given_weights(runs: Runs) -> None:
    given, result = runs["base"].weights(), runs["from weights"].weights()
    assert given.keys() == result.keys()
    assert all(torch.allclose(result[key], given[key], atol=1e-9) for key in given)
    assert any(tensor.abs().max() > RATE for key, tensor in given.items() if "lora_up" in key)


def test_rank_and_alpha_can_come_from_the_given_weights(runs: Runs) -> None:
    given, result = runs["base"].weights(), runs["dim from weights"].weights()
    assert {key: tensor.shape for key, tensor in result.items()} == {
        key: tensor.shape for key, tensor in given.items()
    }
    alphas = [key for key in given if key.endswith(".alpha")]
    assert all(result[key] == given[key] == 1.0 for key in alphas)


# ------------------------------------------------------------- number formats


def test_fp16_is_refused_on_a_cpu(runs: Runs) -> None:
    assert runs.codes["fp16"] == 2
    (failed,) = runs["fp16"].of(Failed)
    assert "fp16" in str(failed.message)
    assert "bf16" in str(failed.hint)


def test_bf16_trains_on_a_cpu(runs: Runs) -> None:
    result = runs["everything"]
    assert len(result.losses) == STEPS
    assert result.losses == pytest.approx(runs["base"].losses, rel=0.05)
    assert result.losses != runs["base"].losses
    assert result.metadata()["ss_mixed_precision"] == "bf16"


# ------------------------------------------------------------- what is told and written


def test_every_kind_of_event_is_told(runs: Runs) -> None:
    told = {type(event) for event in runs["everything"].events}
    expected: set[type[EventBase]] = {
        Hello,
        Plan,
        Phase,
        Progress,
        StepDone,
        SampleReady,
        CheckpointSaved,
        CheckpointRemoved,
        Finished,
    }
    assert told == expected


def test_phases_come_in_the_order_of_the_work(runs: Runs) -> None:
    phases = [event.phase for event in runs["base"].of(Phase)]
    assert phases == ["starting", "loading", "caching", "training", "saving", "ended"]
    assert {event.phase for event in runs["everything"].of(Phase)} == {*phases, "sampling"}


def test_the_plan_is_what_the_pictures_give(runs: Runs) -> None:
    (plan,) = runs["base"].of(Plan)
    assert [(b.width, b.height, b.count) for b in plan.buckets] == [(64, 64, 15), (128, 64, 9)]
    assert (plan.pictures, plan.showings_per_epoch) == (8, 24)
    assert (plan.batches_per_epoch, plan.steps_per_epoch) == (8 + 5, 13)
    assert (plan.total_steps, plan.epochs) == (STEPS, 1)


def test_a_step_tells_all_that_a_chart_shows(runs: Runs) -> None:
    for number, step in runs["base"].steps.items():
        assert (step.step, step.epoch) == (number, 1)
        assert step.learning_rates == {"text_encoder": RATE, "unet": RATE}
        assert step.grad_norm is not None
        assert step.grad_norm > 0
        assert step.seconds > step.data_wait_s >= 0
        assert step.images_per_second == pytest.approx(2 / step.seconds, rel=0.5)
        assert step.memory_mib > 100


def test_sample_pictures_are_written_when_they_are_due(runs: Runs) -> None:
    drawn = runs["everything"].of(SampleReady)
    assert [(event.step, event.prompt) for event in drawn] == [(0, "a robot"), (4, "a robot")]
    assert {Path(event.path).name for event in drawn} == set(runs["everything"].samples())
    assert len({event.seed for event in drawn}) == 1


def test_saves_are_told_with_size_and_hash(runs: Runs) -> None:
    saves = runs["everything"].of(CheckpointSaved)
    assert [(save.kind, save.step) for save in saves] == [
        ("weights", 2),
        ("state", 2),
        ("weights", 4),
        ("state", 4),
        ("state", 6),
        ("weights", 6),
    ]
    final = Path(saves[-1].path)
    assert saves[-1].size_bytes == final.stat().st_size
    assert saves[-1].sha256 == hashlib.sha256(final.read_bytes()).hexdigest()


def test_the_run_file_says_what_was_asked_with_id_and_seed(runs: Runs) -> None:
    result = runs["everything"]
    written = files.load(result.folder.run_file)
    settings, problems = TRAIN.parse(written.raw)
    assert problems == []
    assert settings is not None
    assert settings.output.training_comment == "trigger word: robot"
    assert settings.optimizer.max_train_steps == STEPS
    assert written.run == {"id": result.metadata()["loom_run_id"], "seed": 7}


def test_what_was_left_open_is_in_the_effective_settings(runs: Runs) -> None:
    result = runs["everything"]
    effective = json.loads(result.folder.effective_file.read_text(encoding="utf-8"))
    assert effective["run_id"] == result.metadata()["loom_run_id"]
    assert effective["precision"] == "bf16"
    assert effective["cpu_threads"] == 1
    assert effective["total_steps"] == STEPS
    assert effective["settings"]["adapter"]["network_dim"] == 2
    assert effective["attention"] == "sdpa"
    assert effective["optimizer"] == "torch.optim.adamw.AdamW"
    assert effective["trainable_parameters"] == dict(result.of(Plan)[0].trainable_parameters)


def test_what_a_setting_came_to_stands_under_its_name(runs: Runs) -> None:
    result = runs["everything"]
    used = json.loads(result.folder.effective_file.read_text(encoding="utf-8"))["used"]
    assert set(used) <= set(TRAIN.params())
    assert used["hardware.mixed_precision"] == "bf16"
    assert used["hardware.seed"] == 7
    assert used["model.family"] == "sd1"
    assert used["captions.caption_extension"] == ".txt"
    assert used["cache.vae_batch_size"] == 2  # the batch size
    assert used["cache.max_data_loader_n_workers"] == min(2, os.cpu_count() or 1)


@pytest.mark.filterwarnings("ignore")  # tensorboard's own reader is old
def test_tensorboard_files_hold_the_known_tags(runs: Runs) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    result = runs["everything"]
    (folder,) = (runs.folder / "logs").iterdir()
    log = EventAccumulator(str(folder))
    log.Reload()
    rates = {"lr/unet", "lr/textencoder"}
    assert set(log.Tags()["scalars"]) == {"loss/current", "loss/average", "grad_norm", *rates}
    losses = {entry.step: entry.value for entry in log.Scalars("loss/current")}
    assert losses == pytest.approx({n: step.loss for n, step in result.steps.items()})
