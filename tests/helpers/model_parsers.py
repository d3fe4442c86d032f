"""The parsers of model files, as a table for `mutations`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import torch
from helpers.mutations import Parser, as_file
from safetensors import SafetensorError, deserialize
from safetensors.torch import save

from trainer_core.errors import ModelFileError
from trainer_core.model_files.weights_file import read_index


def model_parsers(folder: Path) -> list[Parser]:
    """Return the parsers; they put what they read into ``folder``."""
    return [safetensors_header(folder)]


def safetensors_header(folder: Path) -> Parser:
    """Read a table of contents; whatever the safetensors library refuses must be refused."""
    tensors = {
        "a.weight": torch.arange(12.0).view(3, 4),
        "b": torch.ones(2, 5, dtype=torch.float16),
        "c": torch.tensor(3),
        "none": torch.empty(0, 3),
    }
    return Parser(
        name="safetensors header",
        samples=(save(tensors, {"format": "pt"}), save(tensors)),
        parse=as_file(folder / "header.safetensors", read_index),
        allowed=(ModelFileError,),
        unwrap=header_json,
        judge=_library_agrees,
    )


def header_json(content: bytes) -> tuple[bytes, Callable[[bytes], bytes]]:
    """Unwrap the header of a safetensors file."""
    end = 8 + int.from_bytes(content[:8], "little")

    def wrap(header: bytes) -> bytes:
        return len(header).to_bytes(8, "little") + header + content[end:]

    return content[8:end], wrap


def _library_agrees(content: bytes, is_accepted: bool) -> str | None:
    if not is_accepted:
        return None
    try:
        deserialize(content)
    except SafetensorError as error:
        return f"read, but the library refuses it: {error}"
    names = json.loads(
        header_json(content)[0], object_pairs_hook=lambda pairs: [k for k, _ in pairs]
    )
    return "a name twice" if len(set(names)) < len(names) else None
