"""What the trainer asks of Stable Diffusion 1."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline
from helpers.tiny_model import TinySD1, loaded
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from trainer_core.catalogue.families import FAMILIES
from trainer_core.errors import ModelFileError, SettingsError
from trainer_core.families.base import FamilyOptions, ModelIdentity, Target
from trainer_core.families.clip import core
from trainer_core.families.condition import TEXT, Condition
from trainer_core.families.sd1 import SD1

PARTS = [part.name for part in FAMILIES["sd1"].parts]
EMBEDDING = "embeddings.token_embedding"


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def reference(tiny_files: TinySD1) -> StableDiffusionPipeline:
    return StableDiffusionPipeline.from_pretrained(tiny_files.folder, local_files_only=True)


def test_latents_are_scaled_to_what_the_denoiser_sees(
    tiny_sd1: SD1, reference: StableDiffusionPipeline
) -> None:
    pixels = noise(2, 3, 32, 48).clamp(-1, 1)
    posterior = tiny_sd1.encode_images(pixels)
    expected = reference.vae.encode(pixels).latent_dist
    assert torch.equal(posterior.mean_BCHW, expected.mean * 0.18215)
    assert torch.equal(posterior.std_BCHW, expected.std * 0.18215)
    assert posterior.mean_BCHW.shape == (2, 4, 4, 6)
    assert tiny_sd1.latent_channels == 4
    assert tiny_sd1.pixels_per_latent == 8


def test_the_prediction_is_that_of_the_diffusers_pipeline(
    tiny_sd1: SD1, reference: StableDiffusionPipeline
) -> None:
    noisy, timesteps = noise(2, 4, 8, 8), torch.tensor([3, 900])
    condition = tiny_sd1.encode_text(["a cat", ""])
    expected_text, _ = reference.encode_prompt(["a cat", ""], "cpu", 1, False)
    assert torch.equal(condition[TEXT], expected_text)
    expected = reference.unet(noisy, timesteps, expected_text).sample
    assert torch.equal(tiny_sd1.predict(noisy, timesteps, condition), expected)


def test_clip_skip_is_used_for_captions(
    tiny_files: TinySD1, reference: StableDiffusionPipeline
) -> None:
    encoder = reference.text_encoder
    ids = reference.tokenizer(["a cat"], padding="max_length", return_tensors="pt").input_ids
    layers = encoder(ids, output_hidden_states=True).hidden_states
    expected = core(encoder).get_submodule("final_layer_norm")(layers[-2])
    skipping = loaded(tiny_files.safetensors, FamilyOptions(clip_skip=2))
    assert torch.equal(skipping.encode_text(["a cat"])[TEXT], expected)


def test_clip_skip_beyond_the_first_layer_is_refused(tiny_files: TinySD1) -> None:
    with pytest.raises(SettingsError, match="Clip skip is 4; the text encoder has 3 layers"):
        SD1.open(tiny_files.safetensors, FamilyOptions(clip_skip=4))


def standard_targets(model: SD1, part: str) -> list[Target]:
    """Return the layers of a part that adapters go on."""
    found = model.targets(part, frozenset({"linear", "conv", "norm"}))
    return [target for target in found if target.is_standard]


def test_adapter_targets_are_the_layers_that_compute(tiny_sd1: SD1) -> None:
    calls: list[str] = []
    names = []
    for part in PARTS:
        for target in standard_targets(tiny_sd1, part):
            names.append(target.name)
            target.layer.register_forward_hook(
                lambda *_, name=target.name: calls.append(name)  # type: ignore[misc]
            )
    tiny_sd1.predict(noise(1, 4, 8, 8), torch.tensor([1]), tiny_sd1.encode_text(["a cat"]))
    assert sorted(calls) == sorted(names)


@pytest.mark.parametrize("checkpointing", [False, True])
def test_gradients_reach_what_trains_in_both_networks(tiny_sd1: SD1, checkpointing: bool) -> None:
    for part in PARTS:
        tiny_sd1.checkpoint_gradients(part, checkpointing)
    targets = [standard_targets(tiny_sd1, part)[0] for part in PARTS]
    # One trainable factor a layer, put in as adapters are: by a hook on a frozen layer.
    factors = [nn.Parameter(torch.ones(1)) for _ in targets]
    for target, factor in zip(targets, factors, strict=True):
        target.layer.register_forward_hook(lambda _m, _i, out, factor=factor: out * factor)
    text = tiny_sd1.encode_text(["a cat"])
    tiny_sd1.predict(noise(1, 4, 8, 8), torch.tensor([500]), text).square().mean().backward()
    assert all(factor.grad is not None and factor.grad.abs() > 0 for factor in factors)
    frozen = [weight for part in PARTS for weight in tiny_sd1.module(part).parameters()]
    assert all(parameter.grad is None for parameter in frozen)


def test_gradient_checkpointing_changes_no_result(tiny_files: TinySD1) -> None:
    results = []
    for enabled in (False, True):
        model = SD1.open(tiny_files.folder)
        for part in PARTS:  # before the weights are there, as a run does
            model.checkpoint_gradients(part, enabled)
            model.load(part, dtype=torch.float32, device=torch.device("cpu"))
        text = model.encode_text(["a cat"])[TEXT].requires_grad_()
        condition = Condition({TEXT: text})
        prediction = model.predict(noise(1, 4, 8, 8), torch.tensor([500]), condition)
        (gradient,) = torch.autograd.grad(prediction.square().mean(), text)
        results.append((prediction, gradient))
    assert torch.equal(results[0][0], results[1][0])
    assert torch.equal(results[0][1], results[1][1])


def test_gradient_checkpointing_keeps_less_for_the_backward_pass(tiny_sd1: SD1) -> None:
    kept = []
    for enabled in (False, True):
        for part in PARTS:
            tiny_sd1.checkpoint_gradients(part, enabled)
        tensors: list[int] = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda tensor, tensors=tensors: tensors.append(tensor.numel()) or tensor,  # type: ignore[misc,func-returns-value]
            lambda tensor: tensor,
        ):
            embedding = core(tiny_sd1.module("text_encoder")).get_submodule(EMBEDDING)  # type: ignore[arg-type]
            embedding.register_forward_hook(lambda _m, _i, out: out.requires_grad_())
            text = tiny_sd1.encode_text(["a cat"])
            tiny_sd1.predict(noise(1, 4, 16, 16), torch.tensor([5]), text)
        kept.append(sum(tensors))
    assert kept[1] < kept[0] / 2


def test_channels_last_changes_no_prediction_beyond_rounding(tiny_sd1: SD1) -> None:
    noisy, timesteps = noise(2, 4, 8, 8), torch.tensor([3, 900])
    text = tiny_sd1.encode_text(["a cat", ""])
    expected = tiny_sd1.predict(noisy, timesteps, text)
    tiny_sd1.module("unet").to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    torch.testing.assert_close(tiny_sd1.predict(noisy, timesteps, text), expected)


def test_attention_runs_through_torchs_fused_kernel(
    tiny_sd1: SD1, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    fused = nn.functional.scaled_dot_product_attention

    def counting(*args: Tensor, **kwargs: object) -> Tensor:
        calls.append(args[0].shape)
        return fused(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(nn.functional, "scaled_dot_product_attention", counting)
    text = tiny_sd1.encode_text(["a cat"])
    assert len(calls) == 3  # one a layer
    tiny_sd1.predict(noise(1, 4, 8, 8), torch.tensor([1]), text)
    assert len(calls) > 3


def test_the_noise_schedule_is_stable_diffusions(tiny_sd1: SD1) -> None:
    # Scaled linear: the square roots of the betas are evenly spaced (Rombach et al. 2022).
    roots = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float32)
    assert torch.equal(tiny_sd1.noise_schedule.betas_T, roots**2)
    assert tiny_sd1.noise_schedule.prediction_type == "epsilon"


def test_a_folders_prediction_type_is_kept(tiny_files: TinySD1, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_files.folder, tmp_path / "v"))
    config = folder / "scheduler" / "scheduler_config.json"
    # What published folders carry: another scheduler, with settings that ours does not have.
    published = {
        "_class_name": "PNDMScheduler",
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "beta_start": 0.00085,
        "num_train_timesteps": 1000,
        "prediction_type": "v_prediction",
        "set_alpha_to_one": False,
        "skip_prk_steps": True,
    }
    config.write_text(json.dumps(published), encoding="utf-8")
    model = SD1.open(folder)
    assert model.noise_schedule.prediction_type == "v_prediction"
    assert model.scheduler_config == published


def test_the_vae_hash_tells_encoders_apart(tiny_files: TinySD1, tmp_path: Path) -> None:
    original = loaded(tiny_files.folder).vae_hash()
    assert loaded(tiny_files.safetensors).vae_hash() == original
    state = load_file(tiny_files.safetensors)
    name = "first_stage_model.quant_conv.bias"
    state[name] = state[name] + torch.tensor([1e-6] + [0.0] * 7)
    save_file(state, tmp_path / "other.safetensors")
    assert loaded(tmp_path / "other.safetensors").vae_hash() != original
    folder = Path(shutil.copytree(tiny_files.folder, tmp_path / "scaled"))
    config = folder / "vae" / "config.json"
    config.write_text(config.read_text().replace("0.18215", "0.2"), encoding="utf-8")
    assert loaded(folder).vae_hash() != original


def test_the_vae_hash_does_not_depend_on_the_memory_layout(tiny_sd1: SD1) -> None:
    before = tiny_sd1.vae_hash()
    tiny_sd1.module("vae").to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    assert tiny_sd1.vae_hash() == before


def test_a_file_is_identified_by_name_and_hash(tiny_files: TinySD1) -> None:
    identity = SD1.open(tiny_files.ckpt).identity()
    content = tiny_files.ckpt.read_bytes()
    assert identity.name == "tiny.ckpt"
    window = content[1 << 20 : (1 << 20) + (1 << 16)]
    assert identity.legacy_hash == hashlib.sha256(window).hexdigest()[:8]


def test_a_folder_is_identified_by_its_name_alone(tiny_sd1: SD1) -> None:
    assert tiny_sd1.identity() == ModelIdentity("tiny", None)


def test_a_lora_as_base_is_refused(tmp_path: Path) -> None:
    save_file({"lora_unet_x.lora_down.weight": torch.ones(1, 2)}, tmp_path / "l.safetensors")
    with pytest.raises(ModelFileError, match=r"l\.safetensors is a LoRA, not a base model"):
        SD1.open(tmp_path / "l.safetensors")
