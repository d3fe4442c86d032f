"""Sizes of Stable Diffusion 2, worked out from the shapes of a file's tensors."""

from __future__ import annotations

from pathlib import Path

from helpers.tiny_model import make_tiny_sd2, tiny_sd2_architecture

from trainer_core.families.layouts.networks import build_networks, original_state
from trainer_core.families.layouts.sd2_architecture import (
    SD2_LAYOUT,
    TEXT_PREFIX,
    file_architecture,
    published_architecture,
)
from trainer_core.model_files.tensor_index import TensorEntry, TensorIndex
from trainer_core.model_files.weights_file import read_index


def published_index() -> TensorIndex:
    """Return Stability's file: with a 24th layer, a projection and a scale that are not used."""
    networks = build_networks(Path("sd21"), SD2_LAYOUT, published_architecture())
    shapes = {
        name: tuple(tensor.shape)
        for part in networks.modules
        for name, tensor in original_state(networks, part).items()
    }
    last = f"{TEXT_PREFIX}transformer.resblocks.22."
    shapes |= {
        name.replace("resblocks.22.", "resblocks.23."): shape
        for name, shape in shapes.items()
        if name.startswith(last)
    }
    shapes[f"{TEXT_PREFIX}text_projection"] = (1024, 1024)
    shapes[f"{TEXT_PREFIX}logit_scale"] = ()
    entries = {name: TensorEntry("F32", shape, 0, 0) for name, shape in shapes.items()}
    return TensorIndex(Path("sd21.safetensors"), entries)


def test_a_full_size_file_gives_the_published_configs() -> None:
    assert file_architecture(published_index()) == published_architecture()


def test_a_tiny_file_gives_the_configs_it_was_made_with(tmp_path: Path) -> None:
    files = make_tiny_sd2(tmp_path)
    assert file_architecture(read_index(files.safetensors)) == tiny_sd2_architecture()
