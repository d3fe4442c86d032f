import json
from pathlib import Path

import pytest
from helpers.another_method import another_method
from safetensors.numpy import save_file

from desktop_app.words.name_ways import NameWay, taken_name
from trainer_core.files.state_manifest import MANIFEST_NAME
from trainer_core.settings.model import ModelSettings
from trainer_core.settings.output import OutputSettings
from trainer_core.settings.schema import TrainSettings

__all__ = ["another_method"]  # a fixture


def settings(folder: Path, **output: object) -> TrainSettings:
    return TrainSettings(output=OutputSettings(output_dir=folder, output_name="cat", **output))


def write_state(folder: Path, step: int, **settings: dict[str, object]) -> Path:
    state = folder / f"cat-step{step:08d}-state"
    state.mkdir()
    manifest = {"step": step, "settings": settings}
    (state / MANIFEST_NAME).write_text(json.dumps(manifest), encoding="utf-8")
    return state


def test_a_free_name_leaves_nothing_to_decide(tmp_path: Path):
    (tmp_path / "dog.safetensors").touch()
    assert taken_name(settings(tmp_path)) is None


def test_without_a_state_the_safest_is_another_name(tmp_path: Path):
    (tmp_path / "cat.safetensors").touch()
    taken = taken_name(settings(tmp_path))
    assert taken is not None
    assert [offer.way for offer in taken.offers] == [NameWay.RENAME, NameWay.REPLACE]
    assert taken.safest is NameWay.RENAME
    assert taken.new_name == "cat-2"


def test_with_a_state_the_safest_is_to_go_on(tmp_path: Path):
    write_state(tmp_path, 120)
    taken = taken_name(settings(tmp_path), total_steps=380)
    assert taken is not None
    assert taken.safest is NameWay.GO_ON
    assert taken.offers[0].label == "Go on from step 120"


def test_what_is_finished_is_not_trained_over_unasked(tmp_path: Path):
    state = write_state(tmp_path, 120)
    (tmp_path / "cat.run").mkdir()
    finished = {"event": "finished", "reason": "completed", "step": 380}
    (tmp_path / "cat.run" / "events.jsonl").write_text(json.dumps(finished), encoding="utf-8")
    taken = taken_name(settings(tmp_path), total_steps=380)
    assert taken is not None
    assert taken.safest is NameWay.RENAME
    [go_on] = [offer for offer in taken.offers if offer.way is NameWay.GO_ON]
    assert go_on.is_possible
    assert "replaces the finished cat.safetensors" in go_on.words
    assert go_on.state == state


@pytest.mark.parametrize("total_steps", [120, 100])
def test_a_run_that_is_as_long_as_asked_cannot_go_on(tmp_path: Path, total_steps: int):
    state = write_state(tmp_path, 120)
    manifest = {"step": 120, "settings": {}, "run_id": "one"}
    (state / MANIFEST_NAME).write_text(json.dumps(manifest), encoding="utf-8")
    metadata = {"loom_run_id": "one", "ss_steps": "120", "ss_epoch": "1"}
    save_file({}, tmp_path / "cat.safetensors", metadata)
    taken = taken_name(settings(tmp_path), total_steps=total_steps)
    assert taken is not None
    assert not taken.offers[0].is_possible
    assert f"{total_steps} steps" in taken.offers[0].words
    assert taken.safest is NameWay.RENAME


@pytest.mark.parametrize(
    ("section", "name", "value", "words"),
    [
        ("adapter", "network_dim", 4, "Network rank: 4"),
        ("adapter", "network_train_unet_only", True, "U-Net only: on"),
        ("optimizer", "optimizer_type", "AdamW", "Optimizer: AdamW"),
    ],
)
def test_a_state_of_other_settings_cannot_be_gone_on_from(
    tmp_path: Path, section: str, name: str, value: object, words: str
):
    write_state(tmp_path, 120, **{section: {name: value}})
    taken = taken_name(settings(tmp_path), total_steps=380)
    assert taken is not None
    assert not taken.offers[0].is_possible
    assert f"({words})" in taken.offers[0].words
    assert taken.safest is NameWay.RENAME


@pytest.mark.parametrize(
    "before",
    [
        {"adapter": {"network_alpha": 4.0}, "optimizer": {"learning_rate": 0.5}},
        {"adapter": {"network_dim": 4, "dim_from_weights": True}},  # it names no rank
        {"adapter": {"network_dim": "many"}},  # of a later version, perhaps
    ],
)
def test_other_settings_do_not_keep_a_run_from_going_on(
    tmp_path: Path, before: dict[str, dict[str, object]]
):
    write_state(tmp_path, 120, **before)
    taken = taken_name(settings(tmp_path), total_steps=380)
    assert taken is not None
    assert taken.safest is NameWay.GO_ON


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ({}, "Training method: LoRA"),
        ({"training_method": "whole", "clip_skip": 2}, "Clip skip: 2"),
        ({"training_method": "whole"}, ""),
    ],
)
def test_another_method_says_what_shapes_its_states(
    tmp_path: Path, another_method: str, before: dict[str, object], words: str
):
    write_state(tmp_path, 120, model=before, adapter={"network_dim": 4})
    model = ModelSettings(training_method=another_method)
    taken = taken_name(settings(tmp_path).model_copy(update={"model": model}), total_steps=380)
    assert taken is not None
    assert taken.offers[0].is_possible == (not words)
    assert f"({words})" in taken.offers[0].words or not words


def test_a_run_that_resumes_a_state_it_names_has_decided(tmp_path: Path):
    state = write_state(tmp_path, 120)
    assert taken_name(settings(tmp_path, resume=state)) is None


def test_the_newest_sound_state_is_offered_in_place_of_a_damaged_one(tmp_path: Path):
    sound = write_state(tmp_path, 60)
    (write_state(tmp_path, 120) / MANIFEST_NAME).write_bytes(b"{")
    taken = taken_name(settings(tmp_path), total_steps=380)
    assert taken is not None
    assert taken.safest is NameWay.GO_ON
    assert taken.state_of(NameWay.GO_ON) == sound
    assert taken.offers[0].label == "Go on from step 60"
    assert "cat-step00000120-state, is damaged" in taken.offers[0].words


def test_an_older_state_that_is_damaged_does_not_matter(tmp_path: Path):
    damaged = write_state(tmp_path, 60) / MANIFEST_NAME
    damaged.write_text(json.dumps({"step": 60, "files": {"gone": {"size": 1}}}), encoding="utf-8")
    write_state(tmp_path, 120)
    taken = taken_name(settings(tmp_path), total_steps=380)
    assert taken is not None
    assert taken.state_of(NameWay.GO_ON) is None
    assert taken.offers[0].words == "Trains on from its saved state, up to step 380."


def test_a_state_that_the_trainer_found_damaged_is_not_offered_again(tmp_path: Path):
    sound = write_state(tmp_path, 60)
    write_state(tmp_path, 120)
    taken = taken_name(settings(tmp_path), total_steps=380, sound_state=sound)
    assert taken is not None
    assert taken.state_of(NameWay.GO_ON) == sound
    assert "cat-step00000120-state, is damaged" in taken.offers[0].words


@pytest.mark.parametrize(
    ("written", "is_possible"), [(None, True), ("another", True), ("one", False)]
)
def test_a_result_that_is_missing_can_be_written(
    tmp_path: Path, written: str | None, is_possible: bool
):
    state = write_state(tmp_path, 120)
    manifest = {"step": 120, "settings": {}, "run_id": "one"}
    (state / MANIFEST_NAME).write_text(json.dumps(manifest), encoding="utf-8")
    if written is not None:
        metadata = {"loom_run_id": written, "ss_steps": "120", "ss_epoch": "1"}
        save_file({}, tmp_path / "cat.safetensors", metadata)
    taken = taken_name(settings(tmp_path), total_steps=120)
    assert taken is not None
    assert taken.offers[0].is_possible is is_possible
    assert ("writes cat.safetensors" in taken.offers[0].words) is is_possible


def test_replacing_says_how_much_goes(tmp_path: Path):
    write_state(tmp_path, 120)
    for name in ("cat.safetensors", "cat-000001.safetensors"):
        (tmp_path / name).touch()
    taken = taken_name(settings(tmp_path))
    assert taken is not None
    words = taken.offers[-1].words
    assert "(2)" in words  # weights
    assert "(1)" in words  # states
