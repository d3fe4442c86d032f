"""What is encoded once: the same training comes of it, and the next run encodes nothing."""

from __future__ import annotations

from pathlib import Path

import torch
from helpers.pictures import write_picture
from helpers.run_results import Result, train_one_after_another
from helpers.trainer_process import Ended, TinyProject, run_trainer

from trainer_core.protocol.messages import Progress, StepDone, ToolDone

UNET_ONLY = {"adapter.network_train_unet_only": True}
TEXTS = UNET_ONLY | {"cache.cache_text_encoder_outputs": True}
TEXTS_ON_DISK = TEXTS | {"cache.cache_text_encoder_outputs_to_disk": True}


def test_cached_texts_train_the_same_and_are_encoded_once(
    project: TinyProject, tmp_path: Path
) -> None:
    runs = {"plain": UNET_ONLY, "memory": TEXTS, "first": TEXTS_ON_DISK, "second": TEXTS_ON_DISK}
    files = [
        project.run_file({"output.output_name": name, **values}, f"{name}.toml")
        for name, values in runs.items()
    ]
    codes = train_one_after_another(
        tmp_path / "codes.json",
        [[file] for file in files],
        env={"LORA_LOOM_CACHE": str(tmp_path / "cache")},
    )
    assert codes == [0] * len(runs)

    results = {name: Result.at(project.output, name) for name in runs}
    encoded = {
        name: [e.total for e in result.of(Progress) if e.phase == "loading"]
        for name, result in results.items()
    }
    assert set(encoded["first"]) == {5}  # a caption for each of five pictures
    assert encoded["second"] == []
    assert len(list((tmp_path / "cache" / "texts").rglob("*.safetensors"))) == 5
    weights = results["plain"].weights()
    for result in results.values():
        assert result.losses == results["plain"].losses
        found = result.weights()
        assert all(torch.equal(found[name], tensor) for name, tensor in weights.items())


def test_dropped_and_weighted_captions_train_the_same_cached(
    project: TinyProject, tmp_path: Path
) -> None:
    captions = {
        "captions.caption_dropout_rate": 0.5,
        "captions.caption_prefix": "a (photo:1.3) of",
        "captions.weighted_captions": True,
    }
    runs = {"plain": UNET_ONLY, "cached": TEXTS}
    files = [
        project.run_file({"output.output_name": name, **captions, **values}, f"{name}.toml")
        for name, values in runs.items()
    ]
    codes = train_one_after_another(tmp_path / "codes.json", [[file] for file in files])
    assert codes == [0, 0]

    plain, cached = (Result.at(project.output, name) for name in runs)
    totals = {event.total for event in cached.of(Progress) if event.phase == "loading"}
    assert totals == {6}  # a caption for each of five pictures, and none
    assert cached.losses == plain.losses
    weights = cached.weights()
    assert all(torch.equal(weights[name], tensor) for name, tensor in plain.weights().items())


def encoded(ended: Ended) -> dict[str, int]:
    """Return how many captions (``loading``) and pictures (``caching``) were encoded."""
    assert ended.code == 0, ended.log
    return {event.phase: event.done for event in ended.of(Progress) if event.total}


def test_the_cache_command_encodes_what_changed_and_trains_nothing(
    project: TinyProject, tmp_path: Path
) -> None:
    on_disk = {"cache.cache_latents_to_disk": True, "cache.vae_batch_size": 1}
    run_file = project.run_file(TEXTS_ON_DISK | on_disk | {"output.output_dir": None})
    env = {"LORA_LOOM_CACHE": str(tmp_path / "cache")}
    first = run_trainer("cache", run_file, env=env)
    # Pictures of one size are the same here, and encoded once.
    assert encoded(first) == {"loading": 5, "caching": 2}
    assert first.of(StepDone) == []
    [done] = first.of(ToolDone)
    assert [str(line).split(",")[0] for line in done.text] == [
        "Cached: 5 pictures",
        "Cached: 5 captions",
    ]
    assert not project.output.exists()

    concept = project.pictures / "1_robot"
    write_picture(concept / "a.png", (64, 96))
    (concept / "b.txt").write_text("another caption", encoding="utf-8")
    assert encoded(run_trainer("cache", run_file, env=env)) == {"loading": 1, "caching": 1}
    assert encoded(run_trainer("cache", run_file, env=env)) == {}


def test_a_run_without_a_cache_on_the_disk_has_none_to_fill(project: TinyProject) -> None:
    ended = run_trainer("cache", project.run_file())
    assert ended.code == 2
    assert ended.failed.setting == "cache.cache_latents_to_disk"
