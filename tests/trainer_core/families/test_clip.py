"""Captions to ids to features."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from helpers import vectors
from helpers.tiny_model import tiny_networks
from torch import Tensor, nn
from transformers import CLIPTokenizer

from trainer_core.errors import DatasetError
from trainer_core.families.clip import (
    ClipTokenizer,
    Padding,
    Tokens,
    core,
    encode_tokens,
    joined,
    of_first_chunk,
    read,
)
from trainer_core.files.resources import resource_path
from trainer_core.tokens.clip import CHUNK_TOKENS

TOKENIZERS = {
    "sd15": Padding.END,
    "sd2": Padding.FIRST_IN_TEXTS_TOO,
    "sdxl_tokenizer_1": Padding.END,
    "sdxl_tokenizer_2": Padding.FIRST,
}
END = 49407


def tokenizer_called(name: str) -> ClipTokenizer:
    return ClipTokenizer(resource_path("tokenizers", "clip"), 77, TOKENIZERS[name])


@pytest.fixture(scope="module")
def tokenizer() -> ClipTokenizer:
    return tokenizer_called("sd15")


def expand(row: dict[str, Any]) -> list[int]:
    """Spell out a recorded row: values, then a repeated one, then perhaps a last one."""
    ids = [*row["values"], *[row.get("then_repeat")] * row.get("count", 0)]
    return [*ids, row["final"]] if "final" in row else ids


def num_chunks(case: dict[str, Any]) -> int:
    return (case["max_token_length"] or CHUNK_TOKENS) // CHUNK_TOKENS


@pytest.mark.parametrize("name", TOKENIZERS)
def test_ids_equal_the_recorded_ones(name: str) -> None:
    tokenizer = tokenizer_called(name)
    data = vectors.load("prompt_weights.json")
    checked: Counter[int] = Counter()
    for case in data["tokenize"] + data["tokenize_75"]:
        for result in case["results"]:
            if result["tokenizer"] == name:
                found = tokenizer.encode([case["text"]], num_chunks(result))
                recorded = [expand(row) for row in result["input_ids"]]
                assert found.ids_BNL[0].tolist() == recorded, (case["text"], name)
                checked[len(recorded)] += 1
    assert checked == {1: 15, 2: 11, 3: 11}


@pytest.mark.parametrize("name", TOKENIZERS)
def test_ids_and_weights_equal_the_recorded_ones(name: str) -> None:
    tokenizer = tokenizer_called(name)
    checked: Counter[int] = Counter()
    for case in vectors.load("prompt_weights.json")["tokenize_with_weights"]:
        for result in case["results"]:
            if result["tokenizer"] == name:
                found = tokenizer.encode([case["text"]], num_chunks(result), is_weighted=True)
                recorded = [expand(row) for row in result["input_ids"]]
                assert found.ids_BNL[0].tolist() == recorded, (case["text"], name)
                weights = torch.tensor([expand(row) for row in result["weights"]])
                assert found.weights_BNL is not None
                torch.testing.assert_close(found.weights_BNL[0], weights, rtol=1e-6, atol=0)
                checked[len(recorded)] += 1
    assert checked == {1: 4, 2: 4, 3: 4}


@pytest.mark.parametrize("chunks", [1, 2])
def test_a_text_without_weights_has_the_ids_that_it_has_without_reading_them(
    tokenizer: ClipTokenizer, chunks: int
) -> None:
    texts = ["", "a “cat”, 1girl", "cat " * 200]
    plain = tokenizer.encode(texts, chunks)
    weighted = tokenizer.encode(texts, chunks, is_weighted=True)
    assert torch.equal(weighted.ids_BNL, plain.ids_BNL)
    assert weighted.weights_BNL is not None
    assert plain.weights_BNL is None
    assert (weighted.weights_BNL == 1).all()


def test_a_weight_that_is_none_is_refused(tokenizer: ClipTokenizer) -> None:
    with pytest.raises(DatasetError, match=r"\(a:1\.2\.3\)"):
        tokenizer.encode(["a cat", "(a:1.2.3)"], is_weighted=True)


@pytest.mark.parametrize("padding", [Padding.FIRST, Padding.FIRST_IN_TEXTS_TOO])
def test_a_written_tokenizer_pads_alike_in_other_programs(padding: Padding, tmp_path: Path) -> None:
    ours = ClipTokenizer(resource_path("tokenizers", "clip"), 77, padding)
    ours.write(tmp_path / "written")
    theirs = CLIPTokenizer.from_pretrained(tmp_path / "written", local_files_only=True)
    ids = theirs("a cat", padding="max_length", max_length=77).input_ids
    expected = [49406, 320, 2368, END, *[0] * 73]
    assert ours.encode(["a cat"]).ids_BNL[0, 0].tolist() == ids == expected


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
    assert torch.equal(tokenizer.encode([awkward]).ids_BNL, tokenizer.encode([plain]).ids_BNL)


@pytest.mark.parametrize("chunks", [1, 3])
def test_tokens_that_do_not_fit_are_cut(tokenizer: ClipTokenizer, chunks: int) -> None:
    words = ["cat"] * CHUNK_TOKENS * chunks
    texts = ["", " ".join(words[1:]), " ".join(words), " ".join([*words, "dog"])]
    rows = tokenizer.encode(texts, chunks).ids_BNL
    assert rows.shape == (4, chunks, 77)
    assert not torch.equal(rows[1], rows[2])
    assert torch.equal(rows[2], rows[3])


class Places(nn.Module):
    """An encoder that gives each place its own number: layer, chunk, position."""

    def __init__(self, layers: int) -> None:
        super().__init__()
        self.layers = layers
        self.text_model = nn.Module()
        self.text_model.final_layer_norm = Added(1000)

    def forward(self, ids_RL: Tensor, *, output_hidden_states: bool) -> SimpleNamespace:
        assert output_hidden_states
        rows = torch.arange(len(ids_RL)).repeat_interleave(77)
        columns = torch.arange(77).repeat(len(ids_RL))
        places = [
            torch.stack([torch.full_like(rows, layer), rows, columns], dim=1)
            for layer in range(self.layers + 1)
        ]
        hidden = tuple(each.unflatten(0, (-1, 77)) for each in places)
        first_end = (ids_RL == END).int().argmax(dim=1)
        pooled = hidden[-1][torch.arange(len(ids_RL)), first_end]
        return SimpleNamespace(hidden_states=hidden, text_embeds=pooled)


class Added(nn.Module):
    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def forward(self, states: Tensor) -> Tensor:
        return states + self.number


def spelt_out(runs: list[list[int]]) -> list[list[int]]:
    """Return the places of recorded runs: layer, chunk, first position, count."""
    return [[layer, chunk, first + n] for layer, chunk, first, count in runs for n in range(count)]


def layouts(*models: str) -> list[dict[str, Any]]:
    cases = vectors.load("prompt_weights.json")["hidden_state_layout"]
    return [case for case in cases if case["model"] in models]


@pytest.mark.parametrize("case", layouts("sd15", "sd2"))
def test_the_features_of_chunks_are_joined_as_recorded(case: dict[str, Any]) -> None:
    tokens = tokenizer_called(case["model"]).encode([case["text"]], num_chunks(case))
    encoder = Places(case["encoder_layers"])
    found = encode_tokens(encoder, tokens, case["clip_skip"] or 1)
    recorded = torch.tensor(spelt_out(case["runs"]))
    if case["clip_skip"] is None:  # what the encoder gives last is normed already there
        recorded += 1000
    assert torch.equal(found[0], recorded)


@pytest.mark.parametrize("case", layouts("sdxl"))
def test_two_encoders_are_read_as_recorded(case: dict[str, Any]) -> None:
    for number, layers in ((1, 12), (2, 32)):
        tokenizer = tokenizer_called(f"sdxl_tokenizer_{number}")
        tokens = tokenizer.encode([case["text"]], num_chunks(case))
        output = read(Places(layers), tokens)
        found = joined(output.hidden_states[-2], tokens)
        assert found[0].tolist() == spelt_out(case[f"runs_encoder{number}"])
    pooled = of_first_chunk(output.text_embeds, tokens)
    assert pooled.tolist() == [case["pooled_from_layer_chunk_position"]]


@pytest.mark.parametrize("chunks", [1, 3])
def test_features_are_multiplied_with_the_weights_of_their_ids(
    tokenizer: ClipTokenizer, chunks: int
) -> None:
    texts = ["a (cat:1.5)", "cat " * 74 + "(cat dog:0.5)"]
    tokens = tokenizer.encode(texts, chunks, is_weighted=True)
    states = torch.randn(2 * chunks, 77, 4)
    plain = joined(states, Tokens(tokens.ids_BNL))
    factors = torch.ones(2, 75 * chunks + 2, 1)
    factors[0, 2] = 1.5  # behind the start mark and the first word
    factors[1, 75 : 77 if chunks > 1 else 76] = 0.5  # the second of them is cut off in one chunk
    assert torch.equal(joined(states, tokens), plain * factors)
    assert joined(states.bfloat16(), tokens).dtype == torch.bfloat16


def test_each_text_of_a_batch_keeps_its_own_chunks(tokenizer: ClipTokenizer) -> None:
    tokens = tokenizer.encode(["a cat", "a dog"], 3)
    output = read(Places(2), tokens)
    [cat, dog] = joined(output.hidden_states[-1], tokens)
    assert cat[:, 1].unique().tolist() == [0, 1, 2]
    assert dog[:, 1].unique().tolist() == [3, 4, 5]
    assert of_first_chunk(output.text_embeds, tokens)[:, 1].tolist() == [0, 3]


@pytest.mark.parametrize("clip_skip", [1, 2, 3])
def test_clip_skip_takes_the_layer_from_the_end_and_norms_it(clip_skip: int) -> None:
    encoder = tiny_networks().modules["text_encoder"]
    tokens = Tokens(torch.tensor([[[49406, 320, 2368, *[END] * 74]]]))
    # An encoder that really has fewer layers ends in the same features.
    shorter = tiny_networks().modules["text_encoder"]
    layers = core(shorter).get_submodule("encoder").layers
    del layers[len(layers) - clip_skip + 1 :]
    expected = shorter(tokens.rows_RL).last_hidden_state
    assert torch.equal(encode_tokens(encoder, tokens, clip_skip), expected)


def test_features_equal_transformers_hidden_states() -> None:
    encoder = tiny_networks().modules["text_encoder"]
    tokens = Tokens(torch.tensor([[[49406, 320, 2368, *[END] * 74]]]))
    output = encoder(tokens.rows_RL, output_hidden_states=True)
    assert torch.equal(encode_tokens(encoder, tokens, 1), output.last_hidden_state)
    normed = core(encoder).get_submodule("final_layer_norm")(output.hidden_states[-2])
    assert torch.equal(encode_tokens(encoder, tokens, 2), normed)
