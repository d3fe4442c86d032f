"""Captions to ids to features."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import vectors
from helpers.tiny_model import tiny_networks
from transformers import CLIPTokenizer

from trainer_core.families.clip import ClipTokenizer, Padding, core, encode_ids
from trainer_core.files.resources import resource_path
from trainer_core.tokens.clip import MAX_TOKENS

Cases = list[tuple[str, list[int]]]


@pytest.fixture(scope="module")
def tokenizer() -> ClipTokenizer:
    return ClipTokenizer(resource_path("tokenizers", "clip"), 77)


def expand(row: dict[str, Any]) -> list[int]:
    """Spell out a recorded row: values, then a repeated one, then perhaps a last one."""
    ids = [*row["values"], *[row.get("then_repeat")] * row.get("count", 0)]
    return [*ids, row["final"]] if "final" in row else ids


def recorded_rows(tokenizer: str) -> Cases:
    """The cases of one 77-token row; longer ones are left to the setting max_token_length."""
    data = vectors.load("prompt_weights.json")
    return [
        (case["text"], expand(result["input_ids"][0]))
        for case in data["tokenize"] + data["tokenize_75"]
        for result in case["results"]
        if result["tokenizer"] == tokenizer and result["max_token_length"] in (None, 75)
    ]


@pytest.mark.parametrize(
    ("name", "padding"),
    [
        ("sd15", Padding.END),
        ("sd2", Padding.FIRST_IN_TEXTS_TOO),
        ("sdxl_tokenizer_1", Padding.END),
        ("sdxl_tokenizer_2", Padding.FIRST),
    ],
)
def test_ids_equal_the_recorded_ones(name: str, padding: Padding) -> None:
    cases = recorded_rows(name)
    tokenizer = ClipTokenizer(resource_path("tokenizers", "clip"), 77, padding)
    assert len(cases) >= 15
    for text, ids in cases:
        assert tokenizer.encode([text])[0].tolist() == ids, text


@pytest.mark.parametrize("padding", [Padding.FIRST, Padding.FIRST_IN_TEXTS_TOO])
def test_a_written_tokenizer_pads_alike_in_other_programs(padding: Padding, tmp_path: Path) -> None:
    ours = ClipTokenizer(resource_path("tokenizers", "clip"), 77, padding)
    ours.write(tmp_path / "written")
    theirs = CLIPTokenizer.from_pretrained(tmp_path / "written", local_files_only=True)
    ids = theirs("a cat", padding="max_length", max_length=77).input_ids
    assert ours.encode(["a cat"])[0].tolist() == ids == [49406, 320, 2368, 49407, *[0] * 73]


@pytest.mark.parametrize(
    ("awkward", "plain"),
    [
        ("the cat’s “hat”", 'the cat\'s "hat"'),
        ("black &amp; white", "black & white"),
        ("ﬂuffy", "fluffy"),
        ("A  Photo\nof a CAT ", "a photo of a cat"),
    ],
)
def test_text_is_cleaned_as_clip_did(tokenizer: ClipTokenizer, awkward: str, plain: str) -> None:
    assert torch.equal(tokenizer.encode([awkward]), tokenizer.encode([plain]))


def test_tokens_that_do_not_fit_are_cut(tokenizer: ClipTokenizer) -> None:
    words = ["cat"] * MAX_TOKENS
    rows = tokenizer.encode(["", " ".join(words[1:]), " ".join(words), " ".join([*words, "dog"])])
    assert rows.shape == (4, 77)
    assert not torch.equal(rows[1], rows[2])
    assert torch.equal(rows[2], rows[3])


@pytest.mark.parametrize("clip_skip", [1, 2, 3])
def test_clip_skip_takes_the_layer_from_the_end_and_norms_it(clip_skip: int) -> None:
    encoder = tiny_networks().modules["text_encoder"]
    ids = torch.tensor([[49406, 320, 2368, *[49407] * 74]])
    # An encoder that really has fewer layers ends in the same features.
    shorter = tiny_networks().modules["text_encoder"]
    layers = core(shorter).get_submodule("encoder").layers
    del layers[len(layers) - clip_skip + 1 :]
    expected = shorter(ids).last_hidden_state
    assert torch.equal(encode_ids(encoder, ids, clip_skip), expected)


def test_features_equal_transformers_hidden_states() -> None:
    encoder = tiny_networks().modules["text_encoder"]
    ids = torch.tensor([[49406, 320, 2368, *[49407] * 74]])
    output = encoder(ids, output_hidden_states=True)
    assert torch.equal(encode_ids(encoder, ids, 1), output.last_hidden_state)
    normed = core(encoder).get_submodule("final_layer_norm")(output.hidden_states[-2])
    assert torch.equal(encode_ids(encoder, ids, 2), normed)
