"""What other programs make of our files: diffusers loads them, in the layout they know."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DDIMScheduler, DiffusionPipeline
from helpers import vectors
from helpers.tiny_model import TINY_MODELS
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn

from trainer_core.adapters.base import Shape
from trainer_core.adapters.lora import LoRA
from trainer_core.adapters.set import AdapterSet, build
from trainer_core.adapters.shapes import shapes
from trainer_core.catalogue.families import FAMILIES
from trainer_core.checkpoints.weights import write_lora
from trainer_core.families.base import Family
from trainer_core.families.condition import Condition, SampleFacts
from trainer_core.families.layouts.networks import build_networks
from trainer_core.families.layouts.sd1_architecture import SD1_LAYOUT, published_architecture
from trainer_core.families.sd1 import SD1

RANK, ALPHA = 4, 2.5
TOLERANCE = 1e-5  # of the largest value, after two steps
CAPTION, NEGATIVE = "a photo of a robot in the rain", "ugly"
SIZE = (64, 32)
COMMON = {"width": SIZE[0], "height": SIZE[1], "num_inference_steps": 2, "output_type": "latent"}
LIBRARIES = ("diffusers", "peft", "transformers")


def adapters_of(family: Family, *, rank: int, alpha: float) -> AdapterSet:
    """Return an adapter for every standard target."""
    targets = [
        target
        for part in (*family.entry.text_encoders, family.entry.denoiser)
        for target in family.targets(part, frozenset({"linear", "conv"}))
        if target.is_standard
    ]
    return build(LoRA, targets, shapes(targets, linear=Shape(rank, alpha)))


# ------------------------------------------------------------- keys and shapes


def test_keys_and_shapes_of_a_full_size_lora_equal_the_recorded_ones() -> None:
    networks = build_networks(Path("meta"), SD1_LAYOUT, published_architecture())
    model = SD1(Path("meta"), networks)
    with torch.device("meta"):
        adapters = adapters_of(model, rank=8, alpha=1.0)
    variant = vectors.load("lora_keys_sd15.json")["variants"]["dim8_alpha1"]
    expected: dict[str, list[int]] = {}
    for module, _, down, up in variant["modules"]:
        expected[f"{module}.alpha"] = []
        expected[f"{module}.lora_down.weight"] = down
        expected[f"{module}.lora_up.weight"] = up
    saved = adapters.saved()
    assert {key: list(tensor.shape) for key, tensor in saved.items()} == expected
    assert len(saved) == variant["num_state_dict_keys"]
    assert list(saved)[: len(variant["first_keys"])] == variant["first_keys"]


# ------------------------------------------------------------- diffusers


@dataclass(frozen=True)
class Comparison:
    """The same file in our hands and in diffusers', and the model without it."""

    base_BCHW: Tensor
    ours_BCHW: Tensor
    theirs_BCHW: Tensor
    modules: int
    layers: list[Any]
    messages: list[str]


class Messages(logging.Handler):
    """Keeps what libraries warn of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.kept: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.kept.append(record.getMessage())


@contextmanager
def heard() -> Iterator[list[str]]:
    handler = Messages()
    for library in LIBRARIES:
        logging.getLogger(library).addHandler(handler)
    yield handler.kept
    for library in LIBRARIES:
        logging.getLogger(library).removeHandler(handler)


def opened(name: str, path: Path) -> Family:
    module, _, attribute = FAMILIES[name].implementation.partition(":")
    family: Family = getattr(importlib.import_module(module), attribute).open(path)
    for part in (family.entry.denoiser, *family.entry.text_encoders):
        family.load(part, dtype=torch.float32, device=torch.device("cpu"))
    return family


def noise() -> Tensor:
    width, height = SIZE
    generator = torch.Generator().manual_seed(1)
    return torch.randn((1, 4, height // 8, width // 8), generator=generator)


def scheduler(family: Family) -> Any:
    return DDIMScheduler.from_config(dict(family.sampler_config))


@torch.no_grad()
def our_latents(family: Family) -> Tensor:
    texts = Condition.batch([family.encode_text([each]) for each in (CAPTION, NEGATIVE)])
    condition = family.with_sizes(texts, [SampleFacts(SIZE, SIZE, False)] * 2)
    pipeline = family.pipeline(scheduler(family))
    pipeline.set_progress_bar_config(disable=True)
    inputs = family.pipeline_inputs(*condition.each())
    latents: Tensor = pipeline(**inputs, **COMMON, guidance_scale=3.0, latents=noise()).images
    return latents


@torch.no_grad()
def their_latents(pipeline: Any, family: Family) -> Tensor:
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = scheduler(family)
    latents: Tensor = pipeline(
        CAPTION, negative_prompt=NEGATIVE, **COMMON, guidance_scale=3.0, latents=noise()
    ).images
    return latents


@pytest.fixture(scope="module", params=list(TINY_MODELS))
def comparison(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Comparison:
    folder = tmp_path_factory.mktemp(request.param)
    files = TINY_MODELS[request.param](folder / "model")
    family = opened(request.param, files.safetensors)
    adapters = adapters_of(family, rank=RANK, alpha=ALPHA)
    generator = torch.Generator().manual_seed(2)
    for weight in adapters.parameters():
        nn.init.normal_(weight, 0.0, 0.1, generator=generator)
    path = folder / "drawn.safetensors"
    write_lora(path, adapters.saved(), metadata={}, precision="float")
    base = our_latents(family)
    adapters.attach()
    ours = our_latents(family)
    pipeline = DiffusionPipeline.from_pretrained(files.folder, local_files_only=True)
    with heard() as messages:
        pipeline.load_lora_weights(path.parent, weight_name=path.name)
    layers = [
        layer
        for network in pipeline.components.values()
        if isinstance(network, nn.Module)
        for layer in network.modules()
        if isinstance(layer, LoraLayer)
    ]
    theirs = their_latents(pipeline, family)
    return Comparison(base, ours, theirs, len(adapters.targets), layers, messages)


def test_diffusers_takes_every_key(comparison: Comparison) -> None:
    assert comparison.messages == []
    assert len(comparison.layers) == comparison.modules
    for layer in comparison.layers:
        (factor,) = layer.scaling.values()
        assert factor == pytest.approx(ALPHA / RANK)
        (up,) = layer.lora_B.values()
        assert up.weight.std().item() == pytest.approx(0.1, rel=0.5)  # not left at its start, zero


def test_diffusers_draws_what_we_draw(comparison: Comparison) -> None:
    largest = comparison.theirs_BCHW.abs().max()
    change = (comparison.ours_BCHW - comparison.base_BCHW).abs().max()
    assert change > 100 * TOLERANCE * largest, "the file changes something"
    difference = (comparison.ours_BCHW - comparison.theirs_BCHW).abs().max()
    assert difference <= TOLERANCE * largest
