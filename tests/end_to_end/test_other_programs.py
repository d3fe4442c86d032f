"""What other programs make of our files: diffusers loads them, in the layout they know."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionPipeline
from helpers import vectors
from helpers.tiny_model import TINY_MODELS, loaded
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn

from trainer_core.adapters.base import Shape
from trainer_core.adapters.lora import LoRA
from trainer_core.adapters.set import AdapterSet, build
from trainer_core.adapters.shapes import shapes
from trainer_core.checkpoints.weights import write_lora
from trainer_core.families.condition import TEXT, Condition
from trainer_core.families.layouts.networks import build_networks
from trainer_core.families.layouts.sd1_architecture import SD1_LAYOUT, published_architecture
from trainer_core.families.sd1 import SD1
from trainer_core.families.sd2 import SD2
from trainer_core.families.stable_diffusion import StableDiffusion

RANK, ALPHA = 4, 2.5
TOLERANCE = 1e-5  # of the largest value
CAPTION = "a photo of a robot in the rain!"


def lora_for(family: StableDiffusion, *, rank: int, alpha: float) -> AdapterSet:
    """Return an adapter for every target of U-Net and text encoder."""
    targets = [
        target
        for part in ("text_encoder", "unet")
        for target in family.targets(part, frozenset({"linear", "conv"}))
        if target.is_standard
    ]
    return build(LoRA, targets, shapes(targets, linear=Shape(rank, alpha)))


# ------------------------------------------------------------- keys and shapes


def test_keys_and_shapes_of_a_full_size_lora_equal_the_recorded_ones() -> None:
    networks = build_networks(Path("meta"), SD1_LAYOUT, published_architecture())
    model = SD1(Path("meta"), networks)
    with torch.device("meta"):
        adapters = lora_for(model, rank=8, alpha=1.0)
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
class Outputs:
    """What a model gives for one caption and one noisy latent."""

    text_BLC: Tensor
    noise_BCHW: Tensor


@dataclass(frozen=True)
class Comparison:
    """The same file in our hands and in diffusers', and the model without it."""

    base: Outputs
    ours: Outputs
    theirs: Outputs
    modules: int
    layers: list[Any]
    messages: list[str]


def inputs() -> tuple[Tensor, Tensor, Tensor]:
    """Return a noisy latent, its timestep, and text features that do not depend on an adapter."""
    generator = torch.Generator().manual_seed(1)
    latent_BCHW = torch.randn((1, 4, 8, 8), generator=generator)
    return latent_BCHW, torch.tensor([400]), torch.randn((1, 77, 32), generator=generator)


@torch.no_grad()
def our_outputs(family: StableDiffusion) -> Outputs:
    noisy, timestep, text = inputs()
    return Outputs(
        family.encode_text([CAPTION])[TEXT],
        family.predict(noisy, timestep, Condition({TEXT: text})),
    )


@torch.no_grad()
def their_outputs(pipeline: Any) -> Outputs:
    ids = pipeline.tokenizer(
        CAPTION, padding="max_length", max_length=77, truncation=True, return_tensors="pt"
    ).input_ids
    return Outputs(pipeline.text_encoder(ids)[0], pipeline.unet(*inputs()).sample)


class Messages(logging.Handler):
    """Keeps what libraries warn of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.kept: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.kept.append(record.getMessage())


@pytest.fixture(scope="module", params=[SD1, SD2])
def comparison(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Comparison:
    kind: type[StableDiffusion] = request.param
    tiny_model = TINY_MODELS[kind.entry.kind](tmp_path_factory.mktemp("tiny"))
    family = loaded(tiny_model.folder, kind=kind)
    adapters = lora_for(family, rank=RANK, alpha=ALPHA)
    generator = torch.Generator().manual_seed(2)
    for weight in adapters.parameters():
        nn.init.normal_(weight, 0.0, 0.02, generator=generator)
    path = tmp_path_factory.mktemp("diffusers") / "drawn.safetensors"
    write_lora(path, adapters.saved(), metadata={}, precision="float")
    base = our_outputs(family)
    adapters.attach()
    ours = our_outputs(family)

    pipeline = StableDiffusionPipeline.from_pretrained(
        tiny_model.folder, local_files_only=True, safety_checker=None, feature_extractor=None
    )
    heard = Messages()
    for library in ("diffusers", "peft", "transformers"):
        logging.getLogger(library).addHandler(heard)
    pipeline.load_lora_weights(path.parent, weight_name=path.name)
    for library in ("diffusers", "peft", "transformers"):
        logging.getLogger(library).removeHandler(heard)
    layers = [
        layer
        for network in (pipeline.unet, pipeline.text_encoder)
        for layer in network.modules()
        if isinstance(layer, LoraLayer)
    ]
    theirs = their_outputs(pipeline)
    return Comparison(base, ours, theirs, len(adapters.targets), layers, heard.kept)


def test_diffusers_takes_every_key(comparison: Comparison) -> None:
    assert comparison.messages == []
    assert len(comparison.layers) == comparison.modules
    for layer in comparison.layers:
        (factor,) = layer.scaling.values()
        assert factor == pytest.approx(ALPHA / RANK)
        (up,) = layer.lora_B.values()
        assert up.weight.std().item() == pytest.approx(0.02, rel=0.5)  # not left at its start, zero


@pytest.mark.parametrize("part", ["text_BLC", "noise_BCHW"])
def test_diffusers_gives_the_output_that_training_saw(comparison: Comparison, part: str) -> None:
    base, ours, theirs = (
        getattr(outputs, part) for outputs in (comparison.base, comparison.ours, comparison.theirs)
    )
    largest = theirs.abs().max()
    assert largest > 0
    assert (ours - base).abs().max() > 100 * TOLERANCE * largest, "the file changes something"
    assert (ours - theirs).abs().max() <= TOLERANCE * largest
