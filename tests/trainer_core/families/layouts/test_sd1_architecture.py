"""Sizes that are worked out from the shapes of a file's tensors."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.tiny_model import TinySD1, tiny_architecture

from trainer_core.errors import ModelFileError
from trainer_core.families.layouts.networks import build_networks, original_state
from trainer_core.families.layouts.sd1_architecture import (
    SD1_LAYOUT,
    file_architecture,
    published_architecture,
)
from trainer_core.model_files.tensor_index import TensorEntry, TensorIndex
from trainer_core.model_files.weights_file import read_index


def published_index() -> TensorIndex:
    networks = build_networks(Path("sd15"), SD1_LAYOUT, published_architecture())
    entries = {
        name: TensorEntry("F32", tuple(tensor.shape), 0, 0)
        for part in networks.modules
        for name, tensor in original_state(networks, part).items()
    }
    return TensorIndex(Path("sd15.safetensors"), entries)


def test_a_full_size_file_gives_the_published_configs() -> None:
    assert file_architecture(published_index()) == published_architecture()


def test_a_tiny_file_gives_the_configs_it_was_made_with(tiny_files: TinySD1) -> None:
    assert file_architecture(read_index(tiny_files.safetensors)) == tiny_architecture()


def test_names_without_text_model_are_understood() -> None:
    index = published_index()
    entries = {name.replace(".text_model.", "."): e for name, e in index.entries.items()}
    assert file_architecture(TensorIndex(index.path, entries)) == published_architecture()


@pytest.mark.parametrize(
    ("entries", "metadata"),
    [
        ({"v_pred": TensorEntry("F32", (0,), 0, 0)}, {}),
        ({}, {"modelspec.prediction_type": "v"}),
    ],
)
def test_a_stated_prediction_type_is_kept(
    entries: dict[str, TensorEntry], metadata: dict[str, str]
) -> None:
    index = published_index()
    stated = TensorIndex(index.path, {**index.entries, **entries}, metadata)
    assert file_architecture(stated).scheduler["prediction_type"] == "v_prediction"


def test_a_missing_part_is_named() -> None:
    index = published_index()
    entries = {n: e for n, e in index.entries.items() if not n.startswith("first_stage_model.")}
    with pytest.raises(ModelFileError, match=r"sd15\.safetensors lacks .*first_stage_model\."):
        file_architecture(TensorIndex(index.path, entries))
