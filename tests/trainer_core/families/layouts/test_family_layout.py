"""A family with a second text encoder, told by a layout of its own: as SDXL has it in files."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import torch
from helpers.tiny_model import filled_networks, tiny_architecture
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from trainer_core.errors import ModelFileError, OutputError
from trainer_core.families.base import Layout
from trainer_core.families.layouts.family_layout import (
    Architecture,
    Place,
    TokenizerPlace,
)
from trainer_core.families.layouts.networks import Networks
from trainer_core.families.layouts.openclip import openclip_part
from trainer_core.families.layouts.original_names import UNetNames
from trainer_core.families.layouts.reading import ModelReader, open_reader
from trainer_core.families.layouts.sd1_architecture import SD1_LAYOUT
from trainer_core.families.layouts.tensor_file import Read, TensorFile, found_places
from trainer_core.families.layouts.writing import write_model
from trainer_core.files.resources import resource_path
from trainer_core.model_files.weights_file import read_index

SECOND = "text_encoder_2"
PREFIX = "conditioner.embedders.1.model."
LAYOUT = dataclasses.replace(
    SD1_LAYOUT,
    parts={
        **SD1_LAYOUT.parts,
        SECOND: openclip_part(PREFIX, TokenizerPlace("tokenizer_2", "clip"), has_projection=True),
    },
    file_architecture=lambda index: architecture(),
)


def architecture() -> Architecture:
    first = tiny_architecture()
    second = first.parts["text_encoder"] | {"projection_dim": 24, "num_hidden_layers": 2}
    return Architecture({**first.parts, SECOND: second}, first.scheduler)


@pytest.fixture(scope="module")
def networks() -> Networks:
    return filled_networks(LAYOUT, architecture())


def written(networks: Networks, layout: Layout, target: Path) -> Path:
    write_model(
        networks,
        target,
        layout,
        lend=lambda part: contextlib.nullcontext(),
        dtype=torch.float32,
        metadata={},
        index=resource_path("model_configs", "sd1", "model_index.json"),
        replace=False,
    )
    return target


def read(reader: ModelReader, part: str) -> None:
    reader.read(
        part,
        dtype=torch.float32,
        device=torch.device("cpu"),
        memory_format=torch.contiguous_format,
    )


@pytest.mark.parametrize("layout", list(Layout))
def test_both_text_encoders_read_back_equal(
    layout: Layout, networks: Networks, tmp_path: Path
) -> None:
    target = written(networks, layout, tmp_path / "two")
    reader = open_reader(target.rename(tmp_path / "two.safetensors"), LAYOUT)
    for part, module in networks.modules.items():
        read(reader, part)
        expected: dict[str, Tensor] = module.state_dict()
        found = reader.networks.modules[part].state_dict()
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


def test_query_key_and_value_stand_in_one_tensor_and_a_matrix_is_turned(
    networks: Networks, tmp_path: Path
) -> None:
    stored = load_file(written(networks, Layout.ORIGINAL, tmp_path / "two.safetensors"))
    second = networks.modules[SECOND]
    attention = next(m for name, m in second.named_modules() if name.endswith("layers.1.self_attn"))
    for leaf in ("weight", "bias"):
        shares = [
            getattr(getattr(attention, name), leaf) for name in ("q_proj", "k_proj", "v_proj")
        ]
        fused = stored[f"{PREFIX}transformer.resblocks.1.attn.in_proj_{leaf}"]
        assert torch.equal(fused, torch.cat(shares))
    assert torch.equal(stored[f"{PREFIX}text_projection"], second.text_projection.weight.T)


def test_what_holds_several_layers_is_read_once(
    networks: Networks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = open_reader(written(networks, Layout.ORIGINAL, tmp_path / "two.safetensors"), LAYOUT)
    asked: list[str] = []
    read_all = TensorFile.read_all

    def noting(file: TensorFile, names: Sequence[str], dtype: torch.dtype) -> Iterator[Read]:
        asked.extend(names)
        return read_all(file, names, dtype)

    monkeypatch.setattr(TensorFile, "read_all", noting)
    read(reader, SECOND)
    assert f"{PREFIX}transformer.resblocks.1.attn.in_proj_weight" in asked
    assert len(asked) == len(set(asked))


def test_a_share_of_another_shape_is_named_with_the_shape_of_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "fused.safetensors"
    save_file({"fused": torch.zeros(9, 2)}, path)
    with torch.device("meta"):
        third = nn.Linear(2, 2, bias=False)
    with pytest.raises(ModelFileError, match=r"fused in .* \(9, 2\) instead of \(6, 2\)"):
        found_places(third, read_index(path), lambda name: [Place("fused", share=(1, 3))])


def test_each_text_encoder_has_its_own_tokenizer(networks: Networks, tmp_path: Path) -> None:
    target = written(networks, Layout.DIFFUSERS, tmp_path / "two")
    shutil.rmtree(target / "tokenizer")
    reader = open_reader(target, LAYOUT)
    folders = {part: tokenizer.folder for part, tokenizer in reader.networks.tokenizers.items()}
    assert folders == {
        "text_encoder": resource_path("tokenizers", "clip"),
        SECOND: target / "tokenizer_2",
    }


def test_further_layers_of_a_unet_have_the_names_that_their_family_says() -> None:
    further = {"add_embedding.linear_1": "label_emb.0.0", "mark": "mark"}
    names = UNetNames(2, ["UpBlock2D"], further)
    assert names.original("add_embedding.linear_1.bias") == "label_emb.0.0.bias"
    assert names.original("mark") == "mark"
    assert names.original("conv_in.weight") == "input_blocks.0.0.weight"


@pytest.mark.parametrize("name", ["mark", "class_embedding.linear_1.weight"])
def test_a_layer_without_a_name_in_a_single_file_is_said(name: str) -> None:
    with pytest.raises(OutputError, match=f"layer {name} has no place in a single file"):
        UNetNames(2, ["UpBlock2D"]).original(name)
