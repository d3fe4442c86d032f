"""Conditions of captions: how often each is encoded, and what is kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from trainer_core.errors import OutputError
from trainer_core.families.condition import TEXT, Condition
from trainer_core.pipeline import texts
from trainer_core.pipeline.texts import TextFiles, TextStore

CPU = torch.device("cpu")


class Encoder:
    """Makes of each caption its length, and keeps what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.was_recording: list[bool] = []

    def __call__(self, captions: Sequence[str]) -> Condition:
        self.asked.append(list(captions))
        self.was_recording.append(torch.is_grad_enabled())
        return Condition({TEXT: torch.tensor([[[float(len(each))]] for each in captions])})


ONE_BYTES = 4  # a number in 32 bit is all that a caption becomes here


@pytest.fixture
def encoder() -> Encoder:
    return Encoder()


def store(encoder: Encoder, *, is_trained: bool = False) -> TextStore:
    return TextStore(encoder, is_trained=is_trained, device=CPU)


def test_each_caption_is_encoded_once_and_by_itself(encoder: Encoder) -> None:
    asked = store(encoder)
    first = asked(["a", "bcd", "a"])
    second = asked(["bcd"])
    assert encoder.asked == [["a"], ["bcd"]]
    assert encoder.was_recording == [False, False]
    assert first[TEXT].flatten().tolist() == [1, 3, 1]
    assert second[TEXT].flatten().tolist() == [3]


def test_while_the_encoder_trains_every_batch_is_encoded_anew(encoder: Encoder) -> None:
    asked = store(encoder, is_trained=True)
    asked(["a", "b"])
    asked(["a", "b"])
    assert encoder.asked == [["a", "b"], ["a", "b"]]
    assert encoder.was_recording == [True, True]


def test_captions_encoded_ahead_need_no_encoder_any_more(encoder: Encoder) -> None:
    asked = store(encoder)
    told: list[tuple[int, int]] = []
    asked.encode_ahead(["a", "bc", "a"], progress=lambda *numbers: told.append(numbers))
    encoder.asked.clear()
    assert asked(["bc", "a"])[TEXT].flatten().tolist() == [2, 1]
    assert encoder.asked == []
    assert told == [(1, 2), (2, 2)]


def test_of_captions_met_on_the_way_the_newest_are_kept(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "MAX_REMEMBERED_BYTES", 2 * ONE_BYTES)
    asked = store(encoder)
    asked.encode_ahead(["prompt"], progress=lambda *_: None)
    for caption in ("a", "b", "c", "c", "a", "prompt"):
        asked([caption])
    assert encoder.asked == [["prompt"], ["a"], ["b"], ["c"], ["a"]]


def test_captions_that_would_take_too_much_memory_are_told_by_the_first(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "MAX_REMEMBERED_BYTES", 2 * ONE_BYTES)
    asked = store(encoder)
    assert asked.has_room(["a", "b"])
    assert not asked.has_room(["a", "b", "c"])
    assert asked.has_room([])
    assert {caption for captions in encoder.asked for caption in captions} == {"a"}


# ------------------------------------------------------------------ on the disk


class PooledEncoder(Encoder):
    """One that makes two tensors of a caption, in 16 bit."""

    def __call__(self, captions: Sequence[str]) -> Condition:
        features = super().__call__(captions)[TEXT].bfloat16()
        return Condition({TEXT: features, "pooled": features[:, 0] / 3})


def told_of(
    encoder: Encoder, captions: Sequence[str], folder: Path, *, identity: str = "clip float32"
) -> TextStore:
    """Return a store that has what the captions become, from the disk if it is there."""
    asked = store(encoder)
    files = TextFiles(folder, encoder=identity)
    asked.encode_ahead(captions, progress=lambda *_: None, files=files)
    return asked


def test_the_next_run_encodes_only_new_captions_and_finds_every_tensor_of_the_others(
    tmp_path: Path,
) -> None:
    encoder = PooledEncoder()
    first = told_of(encoder, ["a", "bc"], tmp_path).joined(["a", "bc"])
    encoder.asked.clear()

    second = told_of(encoder, ["a", "new", "bc"], tmp_path).joined(["a", "bc"])
    assert encoder.asked == [["new"]]
    assert first.tensors.keys() == second.tensors.keys() == {TEXT, "pooled"}
    for name, tensor in first.tensors.items():
        assert torch.equal(tensor, second[name])
        assert second[name].dtype == torch.bfloat16


def test_other_encoders_find_nothing(encoder: Encoder, tmp_path: Path) -> None:
    told_of(encoder, ["a"], tmp_path)
    told_of(encoder, ["a"], tmp_path, identity="clip bfloat16")
    assert encoder.asked == [["a"], ["a"]]


def test_a_damaged_entry_is_encoded_anew_and_no_other(encoder: Encoder, tmp_path: Path) -> None:
    told_of(encoder, ["a"], tmp_path)
    [damaged] = tmp_path.rglob("*.safetensors")
    told_of(encoder, ["b"], tmp_path)
    damaged.write_bytes(damaged.read_bytes()[:-4] + bytes(4))
    encoder.asked.clear()

    told_of(encoder, ["a", "b"], tmp_path)
    assert encoder.asked == [["a"]]


def test_what_memory_has_no_room_for_is_read_when_it_is_asked_for(
    encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "MAX_REMEMBERED_BYTES", ONE_BYTES)
    asked = told_of(encoder, ["a", "bc", "def"], tmp_path)

    assert asked.joined(["def", "a", "bc"])[TEXT].flatten().tolist() == [3, 1, 2]
    assert asked(["bc"])[TEXT].flatten().tolist() == [2]
    assert encoder.asked == [["a"], ["bc"], ["def"]]


def test_what_was_removed_during_the_run_is_named(
    encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "MAX_REMEMBERED_BYTES", 0)
    asked = told_of(encoder, ["a"], tmp_path)
    [file] = tmp_path.rglob("*.safetensors")
    file.unlink()

    with pytest.raises(OutputError, match="has lost what this run needs"):
        asked.joined(["a"])


def test_what_a_full_disk_did_not_take_is_written_by_the_next_attempt(
    encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OutputError("full")

    asked, files = store(encoder), TextFiles(tmp_path, encoder="clip")
    with monkeypatch.context() as full:
        full.setattr(TextFiles, "write", refuse)
        with pytest.raises(OutputError):
            asked.encode_ahead(["a", "b"], progress=lambda *_: None, files=files)
    asked.encode_ahead(["a", "b"], progress=lambda *_: None, files=files)

    assert sorted(map(tuple, encoder.asked)) == [("a",), ("b",)]
    assert len(list(tmp_path.rglob("*.safetensors"))) == 2
