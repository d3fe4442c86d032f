"""Writes a model part by part, as one file in the original layout or as a diffusers folder.

Weights are converted and written one by one: beside the model itself no more than one of them is
in memory.
"""

from __future__ import annotations

import itertools
import json
import math
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from trainer_core.catalogue.predictions import (
    PREDICTIONS,
    USUAL_PREDICTION,
    ZERO_SNR_MARKER,
)
from trainer_core.families.base import Layout
from trainer_core.families.layouts.networks import Networks, original_tensors
from trainer_core.families.noise_schedule import ZERO_SNR
from trainer_core.files.writing import publish_file, publish_folder, publish_text

Lend = Callable[[str], AbstractContextManager[None]]  # has a part loaded while it is written

_TYPES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}


def write_model(
    networks: Networks,
    target: Path,
    layout: Layout,
    *,
    lend: Lend,
    dtype: torch.dtype,
    metadata: Mapping[str, str],
    index: Path,
    replace: bool,
) -> None:
    """Write a whole model; see `trainer_core.families.base.Family.write`.

    Args:
        networks: The model.
        target: The folder or file.
        layout: Which of the two.
        lend: Called for each part; inside its context the part has its weights.
        dtype: Of all weights.
        metadata: What a single file says of itself; what the denoiser predicts is added, and the
            tensors that mark it, if it is not the noise.
        index: The ``model_index.json`` of the family, for a folder.
        replace: Whether what has that name may be replaced.

    Raises:
        OutputError: It cannot be written.
    """
    if layout is Layout.DIFFUSERS:
        publish_folder(
            target,
            lambda folder: _fill_folder(networks, folder, index, lend=lend, dtype=dtype),
            replace=replace,
        )
        return
    prediction = PREDICTIONS.get(networks.scheduler.get("prediction_type", USUAL_PREDICTION))
    if prediction is not None and prediction.marker:
        metadata = {"modelspec.prediction_type": prediction.modelspec, **metadata}
    shapes: dict[str, Sequence[int]] = {
        name: tuple(tensor.shape)
        for part in networks.modules
        for name, tensor in original_tensors(networks, part)
    }
    markers = list(_markers(networks.scheduler))
    shapes |= dict.fromkeys(markers, (0,))
    empty = (torch.zeros(0) for _ in markers)
    weights = itertools.chain(_original_weights(networks, lend), empty)
    write_tensors(target, shapes, weights, dtype=dtype, metadata=metadata, replace=replace)


def _markers(scheduler: Mapping[str, object]) -> Iterator[str]:
    """Yield the names of the tensors by which programs tell what a single file predicts, and how.

    They are empty. Source: the files of v-prediction models for Stable Diffusion XL.
    """
    prediction = PREDICTIONS.get(str(scheduler.get("prediction_type", USUAL_PREDICTION)))
    if prediction is not None and prediction.marker:
        yield prediction.marker
    if scheduler.get(ZERO_SNR):
        yield ZERO_SNR_MARKER


def _original_weights(networks: Networks, lend: Lend) -> Iterator[Tensor]:
    for part in networks.modules:
        with lend(part):
            yield from (tensor for _, tensor in original_tensors(networks, part))


def _fill_folder(
    networks: Networks, folder: Path, index: Path, *, lend: Lend, dtype: torch.dtype
) -> None:
    """Write a diffusers folder that transformers 4 reads as well as 5."""
    for part, layout in networks.layout.parts.items():
        module = networks.modules[part]
        names = {name: layout.folder_names(name)[0].name for name in module.state_dict()}
        shapes = {names[name]: tuple(t.shape) for name, t in module.state_dict().items()}
        with lend(part):
            weights = iter(module.state_dict().values())
            path = folder / part / layout.weights
            write_tensors(path, shapes, weights, dtype=dtype, metadata={"format": "pt"})
        layout.save_config(module, folder / part)
        if layout.tokenizer is not None:
            own = folder / layout.tokenizer.folder
            networks.tokenizers[part].write(own)
    scheduler = json.dumps(networks.scheduler, indent=2)
    publish_text(folder / "scheduler" / "scheduler_config.json", scheduler)
    shutil.copyfile(index, folder / "model_index.json")


def write_tensors(
    path: Path,
    shapes: Mapping[str, Sequence[int]],
    tensors: Iterator[Tensor],
    *,
    dtype: torch.dtype,
    metadata: Mapping[str, str],
    replace: bool = False,
) -> None:
    """Write a ``.safetensors`` file, one tensor after the other.

    Args:
        path: The file; appears only when it is complete.
        shapes: Of the tensors by their names, in the order in which they come.
        tensors: On any device and of any type.
        dtype: What they become.
        metadata: What the file says of itself.
        replace: Whether a file of that name may be replaced.

    Raises:
        OutputError: It cannot be written.

    Source: https://github.com/huggingface/safetensors, "Format": the length of the header, the
    header as JSON, then the tensors without gaps.
    """
    header: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    end = 0
    for name, shape in shapes.items():
        begin, end = end, end + math.prod(shape) * dtype.itemsize
        entry = {"dtype": _TYPES[dtype], "shape": list(shape), "data_offsets": [begin, end]}
        header[name] = entry
    content = json.dumps(header).encode()
    content += b" " * (-len(content) % 8)  # so that every tensor begins at its type's alignment

    def write(file: BinaryIO) -> None:
        file.write(len(content).to_bytes(8, "little") + content)
        for shape, tensor in zip(shapes.values(), tensors, strict=True):
            assert tuple(tensor.shape) == tuple(shape)
            written = tensor.detach().to("cpu", dtype).contiguous()
            file.write(written.view(-1).view(torch.uint8).numpy().data)

    publish_file(path, write, replace=replace)
