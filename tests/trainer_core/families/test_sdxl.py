"""What the trainer asks of Stable Diffusion XL, against diffusers' own pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DDIMScheduler, StableDiffusionXLPipeline
from helpers import vectors
from helpers.tiny_model import TinySD1, make_tiny_sdxl
from helpers.tiny_sdxl import PARTS, POOLED_WIDTH, WIDTHS
from torch import Tensor, nn

from trainer_core.families.base import PLAIN, FamilyOptions, LayerKind
from trainer_core.families.condition import TEXT, Condition, SampleFacts
from trainer_core.families.sdxl import POOLED, SDXL, SIZES

CPU = torch.device("cpu")
TRAINED = ("unet", "text_encoder", "text_encoder_2")
LAYERS: frozenset[LayerKind] = frozenset({"linear", "conv"})
FACTS = [SampleFacts((1000, 400), (64, 32), False), SampleFacts((300, 500), (64, 64), True)]
CAPTIONS = ["a cat", "a dog, a very long dog"]


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> TinySD1:
    return make_tiny_sdxl(tmp_path_factory.mktemp("tiny-sdxl"))


@pytest.fixture(scope="module")
def model(files: TinySD1) -> SDXL:
    """The tiny model from its single file; tests change nothing in it."""
    return loaded(files.safetensors)


@pytest.fixture(scope="module")
def reference(files: TinySD1) -> Any:
    return StableDiffusionXLPipeline.from_pretrained(
        files.folder, local_files_only=True, add_watermarker=False
    )


def loaded(path: Path, options: FamilyOptions = PLAIN) -> SDXL:
    model = SDXL.open(path, options)
    for part in PARTS:
        model.load(part, dtype=torch.float32, device=CPU)
    return model


# ------------------------------------------------------------- captions


@torch.no_grad()
def test_captions_become_what_the_diffusers_pipeline_makes_of_them(
    model: SDXL, reference: Any
) -> None:
    condition = model.encode_text(CAPTIONS)
    features, _, pooled, _ = reference.encode_prompt(
        CAPTIONS, device="cpu", do_classifier_free_guidance=False
    )
    assert torch.equal(condition[TEXT], features)
    assert torch.equal(condition[POOLED], pooled)
    assert condition[TEXT].shape == (2, 77, sum(WIDTHS))
    assert condition[POOLED].shape == (2, POOLED_WIDTH)


LAID_OUT = [
    case
    for case in vectors.load("prompt_weights.json")["hidden_state_layout"]
    if case["model"] == "sdxl"
]


@torch.no_grad()
@pytest.mark.parametrize("case", LAID_OUT)
@pytest.mark.parametrize("eos_token_id", [49407, 2])  # as published, it means the highest id
def test_features_are_taken_from_the_recorded_layers_and_places(
    files: TinySD1, case: dict[str, Any], eos_token_id: int
) -> None:
    length = case["max_token_length"] or 75
    model = loaded(files.folder, FamilyOptions(max_token_length=length))
    second: Any = model.module("text_encoder_2")
    second.text_model.eos_token_id = eos_token_id
    found = model.encode_text([case["text"]])
    # How many layers the recorded encoders have, and the outputs of all layers of ours.
    recorded, states = {"text_encoder": 12, "text_encoder_2": 32}, {}
    for part in recorded:
        tokens = model._networks.tokenizers[part].encode([case["text"]], length // 75)
        states[part] = model.module(part)(tokens.ids_BNL[0], output_hidden_states=True)
    features = [
        torch.cat(
            [
                states[part].hidden_states[layer - last - 1][chunk, first : first + count]
                for layer, chunk, first, count in case[f"runs_encoder{number}"]
            ]
        )
        for number, (part, last) in enumerate(recorded.items(), start=1)
    ]
    assert torch.equal(found[TEXT][0], torch.cat(features, dim=-1))
    layer, chunk, position = case["pooled_from_layer_chunk_position"]
    state = states["text_encoder_2"].hidden_states[layer - recorded["text_encoder_2"] - 1]
    pooled = second.text_projection(second.text_model.final_layer_norm(state)[chunk, position])
    torch.testing.assert_close(found[POOLED][0], pooled)


def test_an_empty_caption_is_encoded_like_any_other(model: SDXL) -> None:
    condition = model.encode_text([""])
    assert condition[TEXT].abs().sum() > 0
    assert condition[POOLED].abs().sum() > 0


def test_clip_skip_changes_nothing(files: TinySD1, model: SDXL) -> None:
    skipping = SDXL.open(files.safetensors, FamilyOptions(clip_skip=12))
    for part in skipping.entry.text_encoders:
        skipping.load(part, dtype=torch.float32, device=CPU)
    assert torch.equal(skipping.encode_text(["a cat"])[TEXT], model.encode_text(["a cat"])[TEXT])


# ------------------------------------------------------------- sizes


def test_the_denoiser_is_told_height_before_width_and_of_the_letterboxed_cut(model: SDXL) -> None:
    condition = model.with_sizes(Condition({TEXT: torch.ones(2, 1, 1)}), FACTS)
    # 1000 x 400 fitted into 64 x 32 is 64 x 25.6, so that (32 - 25.6) // 2 = 3 are above it;
    # 300 x 500 in 64 x 64 is 38.4 wide, 12 from the left, and 13.6 from the right.
    assert condition[SIZES].tolist() == [[400, 1000, 3, 0, 32, 64], [500, 300, 0, 13, 64, 64]]
    assert condition[SIZES].dtype == torch.float32


def test_a_cut_that_is_not_at_the_centre_is_told_as_it_is(model: SDXL) -> None:
    facts = [FACTS[0]._replace(cut=(9, 5)), FACTS[1]._replace(cut=(0, 0))]
    condition = model.with_sizes(Condition({TEXT: torch.ones(2, 1, 1)}), facts)
    assert condition[SIZES].tolist() == [[400, 1000, 5, 9, 32, 64], [500, 300, 0, 0, 64, 64]]


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_prediction_is_that_of_the_diffusers_unet(
    files: TinySD1, reference: Any, dtype: torch.dtype
) -> None:
    model = SDXL.open(files.folder)
    model.load("unet", dtype=dtype, device=CPU)
    noisy, timesteps = noise(2, 4, 8, 8), torch.tensor([3, 900])
    text, pooled = noise(2, 77, sum(WIDTHS), seed=1), noise(2, POOLED_WIDTH, seed=2)
    condition = model.with_sizes(Condition({TEXT: text, POOLED: pooled}), FACTS)
    unet = reference.unet if dtype == torch.float32 else model.module("unet")
    sizes = torch.tensor([[400.0, 1000, 3, 0, 32, 64], [500, 300, 0, 13, 64, 64]])
    added = {"text_embeds": pooled.to(dtype), "time_ids": sizes}
    expected = unet(noisy.to(dtype), timesteps, text.to(dtype), added_cond_kwargs=added).sample
    assert torch.equal(model.predict(noisy, timesteps, condition), expected)


@torch.no_grad()
@pytest.mark.parametrize("tensor", [POOLED, SIZES])
def test_the_prediction_depends_on_all_of_the_condition(model: SDXL, tensor: str) -> None:
    condition = model.with_sizes(model.encode_text(CAPTIONS), FACTS)
    other = Condition({**condition.tensors, tensor: condition[tensor] * 2})
    noisy, timesteps = noise(2, 4, 8, 8), torch.tensor([3, 900])
    assert not torch.equal(
        model.predict(noisy, timesteps, condition), model.predict(noisy, timesteps, other)
    )


# ------------------------------------------------------------- samples


@torch.no_grad()
def test_a_sample_is_what_the_diffusers_pipeline_draws(model: SDXL, reference: Any) -> None:
    scheduler = DDIMScheduler.from_config(dict(model.sampler_config))
    ours = model.pipeline(scheduler)
    ours.set_progress_bar_config(disable=True)
    reference.set_progress_bar_config(disable=True)
    reference.scheduler = DDIMScheduler.from_config(dict(model.sampler_config))
    size = (64, 32)
    # One by one, as they are kept: a batch has another rounding.
    texts = Condition.batch([model.encode_text([each]) for each in ("a cat", "ugly")])
    condition = model.with_sizes(texts, [SampleFacts(size, size, False)] * 2)
    common = {"width": 64, "height": 32, "num_inference_steps": 2, "output_type": "latent"}
    inputs = model.pipeline_inputs(*condition.each())
    drawn = ours(**inputs, **common, latents=noise(1, 4, 4, 8)).images
    expected = reference(
        "a cat", negative_prompt="ugly", **common, latents=noise(1, 4, 4, 8)
    ).images
    assert torch.equal(drawn, expected)


# ------------------------------------------------------------- what is trained


def test_gradients_reach_what_trains_in_all_networks(files: TinySD1) -> None:
    model = loaded(files.folder)
    factors: dict[str, nn.Parameter] = {}
    for part in TRAINED:
        # The first layer of each: the last of the encoders bear on the pooled text at most.
        target = next(t for t in model.targets(part, LAYERS) if t.is_standard)
        factor = factors[part] = nn.Parameter(torch.ones(1))
        target.layer.register_forward_hook(lambda _m, _i, out, factor=factor: out * factor)
    condition = model.with_sizes(model.encode_text(["a cat"]), FACTS[:1])
    model.predict(noise(1, 4, 8, 8), torch.tensor([500]), condition).square().mean().backward()
    assert all(f.grad is not None and f.grad.abs() > 0 for f in factors.values())
