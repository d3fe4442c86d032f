"""The networks of a model, built from its configs without memory for their weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from trainer_core.errors import ModelFileError
from trainer_core.families.clip import ClipTokenizer
from trainer_core.families.layouts.family_layout import (
    Architecture,
    Config,
    FamilyLayout,
    Names,
    Place,
    TokenizerPlace,
)
from trainer_core.files.resources import resource_path
from trainer_core.texts import T


@dataclass(slots=True)
class Networks:
    """A model as it is in memory.

    Attributes:
        layout: What its family says of files.
        modules: The parts by their names.
        tokenizers: Those of the parts that read captions, by the parts' names.
        scheduler: The settings of its noise schedule.
    """

    layout: FamilyLayout
    modules: dict[str, Any]
    tokenizers: dict[str, ClipTokenizer]
    scheduler: Config


def build_networks(path: Path, layout: FamilyLayout, architecture: Architecture) -> Networks:
    """Build the networks on the meta device, without memory for their weights.

    Args:
        path: The file, or the folder, which may have tokenizers of its own.
        layout: Of its family.
        architecture: The configs of all parts.

    Raises:
        ModelFileError: The sizes do not go together, or a tokenizer cannot be read.
    """
    try:
        with torch.device("meta"):
            modules: dict[str, Any] = {
                name: part.build(architecture.parts[name]) for name, part in layout.parts.items()
            }
    except Exception as error:  # the libraries raise whatever comes of sizes that do not fit
        raise ModelFileError(
            T("Errors", "{path} describes networks that cannot be built: {reason}"),
            T("Errors", "The file is damaged or of an unusual layout. Choose another model."),
            path=path,
            reason=error,
        ) from error
    for module in modules.values():
        module.requires_grad_(False).eval()
    tokenizers = {
        name: _tokenizer(path, part.tokenizer, modules[name].config)
        for name, part in layout.parts.items()
        if part.tokenizer is not None
    }
    return Networks(layout, modules, tokenizers, architecture.scheduler)


def _tokenizer(path: Path, place: TokenizerPlace, encoder: Any) -> ClipTokenizer:
    """Return the tokenizer of a text encoder, whose config is ``encoder``.

    Raises:
        ModelFileError: It cannot be read, or knows tokens that the encoder does not.
    """
    own = path / place.folder
    folder = own if own.is_dir() else resource_path("tokenizers", place.shipped)
    tokenizer = ClipTokenizer(folder, encoder.max_position_embeddings, place.padding)
    if len(tokenizer.library) > encoder.vocab_size:
        raise ModelFileError(
            T("Errors", "The tokenizer in {path} has {count} tokens, the text encoder {known}."),
            T("Errors", "Copy the whole model folder again."),
            path=folder,
            count=len(tokenizer.library),
            known=encoder.vocab_size,
        )
    return tokenizer


def original_names(networks: Networks) -> dict[str, Names]:
    """Return, by part, the way from a network's names to its tensors' places in a single file."""
    return {
        name: part.file_names(networks.modules[name].config)
        for name, part in networks.layout.parts.items()
    }


def original_tensors(networks: Networks, part: str) -> Iterator[tuple[str, Tensor]]:
    """Yield a part's tensors under the names and in the shapes of a single file.

    They are the part's own or views of them, in its type, on its device; a tensor that a file has
    in one and the network in shares is put together when it is its turn.
    """
    names = original_names(networks)[part]
    shares: dict[str, list[tuple[Place, Tensor]]] = {}
    for name, tensor in networks.modules[part].state_dict().items():
        place = names(name)[0]
        shares.setdefault(place.name, []).append((place, tensor))
    for name, found in shares.items():
        found.sort(key=lambda each: each[0].share)
        assert [place.share for place, _ in found] == [(n, len(found)) for n in range(len(found))]
        stored = [place.stored(tensor) for place, tensor in found]
        yield name, stored[0] if len(stored) == 1 else torch.cat(stored)


def original_state(networks: Networks, part: str) -> dict[str, Tensor]:
    """Return all of a part's tensors as a single file has them; see `original_tensors`."""
    return dict(original_tensors(networks, part))
