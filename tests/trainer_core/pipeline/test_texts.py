"""Conditions of captions: how often each is encoded, and what is kept."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from trainer_core.families.condition import TEXT, Condition
from trainer_core.pipeline import texts
from trainer_core.pipeline.texts import TextStore

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
    monkeypatch.setattr(texts, "MAX_REMEMBERED", 2)
    asked = store(encoder)
    asked.encode_ahead(["prompt"], progress=lambda *_: None)
    for caption in ("a", "b", "c", "c", "a", "prompt"):
        asked([caption])
    assert encoder.asked == [["prompt"], ["a"], ["b"], ["c"], ["a"]]
