"""Text encoders under OpenCLIP's names, against diffusers' own conversion of such files."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers.loaders.single_file_utils import convert_open_clip_checkpoint
from helpers.tiny_model import fill_randomly
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from trainer_core.families.layouts.family_layout import TokenizerPlace
from trainer_core.families.layouts.openclip import openclip_config, openclip_part, openclip_place
from trainer_core.families.layouts.shapes import Shapes
from trainer_core.model_files.tensor_index import TensorEntry, TensorIndex

PREFIX = "conditioner.embedders.1.model."
LAYERS, WIDTH, PROJECTED, TOKENS, LENGTH = 3, 64, 24, 100, 77
CONFIG = {
    "vocab_size": TOKENS,
    "hidden_size": WIDTH,
    "projection_dim": PROJECTED,
    "max_position_embeddings": LENGTH,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 1,
    "intermediate_size": 128,
}


def openclip_shapes(layers: int) -> dict[str, tuple[int, ...]]:
    """Return the tensors of an OpenCLIP text encoder, as its own code defines them."""
    shapes: dict[str, tuple[int, ...]] = {
        "positional_embedding": (LENGTH, WIDTH),
        "text_projection": (WIDTH, PROJECTED),
        "logit_scale": (),
        "token_embedding.weight": (TOKENS, WIDTH),
        "ln_final.weight": (WIDTH,),
        "ln_final.bias": (WIDTH,),
    }
    of_a_layer = {
        "ln_1": (WIDTH,),
        "ln_2": (WIDTH,),
        "attn.in_proj": (3 * WIDTH, WIDTH),
        "attn.out_proj": (WIDTH, WIDTH),
        "mlp.c_fc": (128, WIDTH),
        "mlp.c_proj": (WIDTH, 128),
    }
    for layer in range(layers):
        for module, shape in of_a_layer.items():
            name = f"transformer.resblocks.{layer}.{module}"
            joint = "_" if module == "attn.in_proj" else "."
            shapes |= {f"{name}{joint}weight": shape, f"{name}{joint}bias": shape[:1]}
    return shapes


@pytest.fixture(scope="module")
def stored() -> dict[str, Tensor]:
    """An OpenCLIP text encoder with random weights, as a file has it."""
    generator = torch.Generator().manual_seed(0)
    return {
        PREFIX + name: torch.randn(shape, generator=generator)
        for name, shape in openclip_shapes(LAYERS).items()
    }


@pytest.mark.parametrize("kind", [CLIPTextModel, CLIPTextModelWithProjection])
def test_every_tensor_is_where_diffusers_finds_it(
    kind: type[nn.Module], stored: dict[str, Tensor]
) -> None:
    network = kind(CLIPTextConfig(**CONFIG))
    expected = convert_open_clip_checkpoint(network, dict(stored), PREFIX)
    for name in network.state_dict():
        place = openclip_place(name)
        taken = place.taken_from(stored[PREFIX + place.name])
        published = name if name in expected else f"text_model.{name}"
        assert torch.equal(taken, expected[published]), name


def test_what_is_written_is_an_openclip_text_encoder() -> None:
    with torch.device("meta"):
        network = CLIPTextModelWithProjection(CLIPTextConfig(**CONFIG))
    fill_randomly(network, torch.Generator().manual_seed(0))
    shapes: dict[str, list[tuple[int, ...]]] = {}
    for name, tensor in network.state_dict().items():
        place = openclip_place(name)
        shapes.setdefault(place.name, []).append(tuple(place.stored(tensor).shape))
    whole = {n: (len(all_) * all_[0][0], *all_[0][1:]) for n, all_ in shapes.items()}
    expected = openclip_shapes(LAYERS)
    del expected["logit_scale"]  # it weighs pictures against texts
    assert whole == expected


def test_in_a_folder_only_the_projection_stands_outside_the_text_model() -> None:
    part = openclip_part(PREFIX, TokenizerPlace("tokenizer_2", "clip"), has_projection=True)
    assert [place.name for place in part.folder_names("text_projection.weight")] == [
        "text_projection.weight"
    ]
    assert part.folder_names("text_model.final_layer_norm.bias")[0].name == (
        "text_model.final_layer_norm.bias"
    )


@pytest.mark.parametrize(("layers", "used"), [(3, 3), (4, 3), (2, 2)])
def test_sizes_are_read_off_shapes_without_layers_that_nothing_reads(
    layers: int, used: int
) -> None:
    shapes = {PREFIX + n: TensorEntry("F32", s, 0, 0) for n, s in openclip_shapes(layers).items()}
    index = TensorIndex(Path("tiny.safetensors"), shapes)
    assert openclip_config(Shapes(index), PREFIX, most_layers=3) == (
        CONFIG | {"num_hidden_layers": used}
    )
