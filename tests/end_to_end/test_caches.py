"""What is encoded once: the same training comes of it, and the next run encodes nothing."""

from __future__ import annotations

from pathlib import Path

import torch
from helpers.run_results import Result, train_one_after_another
from helpers.trainer_process import TinyProject

from trainer_core.protocol.messages import Progress

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
