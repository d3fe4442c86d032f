"""Stable Diffusion 1 from a folder, a single file and a checkpoint."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
import torch
from diffusers import StableDiffusionPipeline
from helpers.tiny_model import PARTS, TinySD1, loaded, tiny_networks
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from trainer_core.errors import ModelFileError
from trainer_core.families.condition import TEXT
from trainer_core.families.sd1 import SD1

VAE_ATTENTION = "encoder.mid_block.attentions.0."


def weights(model: Any) -> Iterator[tuple[str, Tensor]]:
    """Yield every tensor of the three networks; ``model`` is an SD1 or a diffusers pipeline."""
    for part in PARTS:
        network: nn.Module = model.module(part) if isinstance(model, SD1) else getattr(model, part)
        yield from network.named_parameters()
        yield from network.named_buffers()


def assert_same(model: Any, expected: Any) -> None:
    found, wanted = list(weights(model)), list(weights(expected))
    assert [name for name, _ in found] == [name for name, _ in wanted]
    for (name, tensor), (_, other) in zip(found, wanted, strict=True):
        assert torch.equal(tensor, other), name


@pytest.fixture
def folder(tiny_files: TinySD1, tmp_path: Path) -> Path:
    """A copy of the tiny folder that a test may change."""
    return Path(shutil.copytree(tiny_files.folder, tmp_path / "model"))


@pytest.mark.parametrize("layout", ["safetensors", "ckpt"])
def test_a_single_file_gives_the_same_bits_as_the_folder(tiny_files: TinySD1, layout: str) -> None:
    assert_same(loaded(getattr(tiny_files, layout)), loaded(tiny_files.folder))


def test_a_folder_gives_what_was_written(tiny_files: TinySD1) -> None:
    model = loaded(tiny_files.folder)
    for part, expected in tiny_networks().modules.items():
        found = model.module(part).state_dict()
        for name, tensor in expected.state_dict().items():
            assert torch.equal(found[name], tensor), name


@pytest.mark.parametrize("layout", ["safetensors", "ckpt"])
def test_diffusers_reads_the_same_from_the_single_file(tiny_files: TinySD1, layout: str) -> None:
    path = getattr(tiny_files, layout)
    reference = StableDiffusionPipeline.from_single_file(
        path, config=str(tiny_files.folder), local_files_only=True, safety_checker=None
    )
    assert_same(loaded(path), reference)


def test_diffusers_reads_the_same_from_the_folder(tiny_files: TinySD1) -> None:
    reference = StableDiffusionPipeline.from_pretrained(tiny_files.folder, local_files_only=True)
    assert_same(loaded(tiny_files.folder), reference)


@pytest.mark.parametrize("layout", ["folder", "safetensors", "ckpt"])
def test_nothing_is_fetched(
    tiny_files: TinySD1, layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert loaded(getattr(tiny_files, layout)).encode_text(["a cat"])[TEXT].isfinite().all()


def test_a_half_precision_file_becomes_full_precision_weights(
    tiny_files: TinySD1, tmp_path: Path
) -> None:
    halves = {name: tensor.half() for name, tensor in load_file(tiny_files.safetensors).items()}
    save_file(halves, tmp_path / "half.safetensors")
    model = loaded(tmp_path / "half.safetensors")
    expected = halves["model.diffusion_model.input_blocks.0.0.weight"].float()
    assert torch.equal(model.module("unet").get_parameter("conv_in.weight"), expected)
    assert {p.dtype for _, p in weights(model)} == {torch.float32, torch.int64}


def test_each_part_gets_the_precision_asked_for(tiny_files: TinySD1) -> None:
    model = SD1.open(tiny_files.ckpt)
    wanted = {"unet": torch.bfloat16, "vae": torch.float32, "text_encoder": torch.float16}
    for part, dtype in wanted.items():
        module = model.load(part, dtype=dtype, device=torch.device("cpu"))
        assert {weight.dtype for weight in module.parameters()} == {dtype}


def test_averages_and_buffers_beside_the_weights_are_left_alone(
    tiny_files: TinySD1, tmp_path: Path
) -> None:
    position_ids = "cond_stage_model.transformer.text_model.embeddings.position_ids"
    extra = {
        "model_ema.decay": torch.tensor(0.9999),
        "model_ema.diffusion_modelinput_blocks00weight": torch.full((16, 4, 3, 3), 7.0),
        "alphas_cumprod": torch.ones(1000),
        position_ids: torch.arange(77).expand(1, -1).contiguous(),
    }
    save_file({**load_file(tiny_files.safetensors), **extra}, tmp_path / "ema.safetensors")
    assert_same(loaded(tmp_path / "ema.safetensors"), loaded(tiny_files.folder))


def test_a_file_without_text_model_in_its_names_is_read(
    tiny_files: TinySD1, tmp_path: Path
) -> None:
    state = load_file(tiny_files.safetensors)
    bare = {name.replace(".text_model.", "."): tensor for name, tensor in state.items()}
    save_file(bare, tmp_path / "bare.safetensors")
    assert_same(loaded(tmp_path / "bare.safetensors"), loaded(tiny_files.folder))


def test_a_folder_of_half_precision_variants_is_read(folder: Path) -> None:
    for part, name in (("unet", "diffusion_pytorch_model"), ("text_encoder", "model")):
        plain = folder / part / f"{name}.safetensors"
        plain.rename(plain.with_name(f"{name}.fp16.safetensors"))
    assert loaded(folder).encode_text(["a cat"])[TEXT].isfinite().all()


def test_a_folder_of_pickled_weights_is_read(folder: Path, tiny_files: TinySD1) -> None:
    for part, name in (("unet", "diffusion_pytorch_model"), ("text_encoder", "model")):
        plain = folder / part / f"{name}.safetensors"
        pickled = name if part == "unet" else "pytorch_model"
        torch.save(load_file(plain), folder / part / f"{pickled}.bin")
        plain.unlink()
    assert_same(loaded(folder), loaded(tiny_files.folder))


def test_the_vae_of_an_old_folder_is_read(folder: Path, tiny_files: TinySD1) -> None:
    old_names = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    file = folder / "vae" / "diffusion_pytorch_model.safetensors"
    state = load_file(file)
    for new, old in old_names.items():
        for leaf in ("weight", "bias"):
            state[f"{VAE_ATTENTION}{old}.{leaf}"] = state.pop(f"{VAE_ATTENTION}{new}.{leaf}")
    save_file(state, file)
    assert_same(loaded(folder), loaded(tiny_files.folder))


def test_a_folders_own_tokenizer_is_used(folder: Path) -> None:
    vocabulary = folder / "tokenizer" / "vocab.json"
    tokens = json.loads(vocabulary.read_bytes())
    tokens["cat</w>"], tokens["dog</w>"] = tokens["dog</w>"], tokens["cat</w>"]
    vocabulary.write_text(json.dumps(tokens), encoding="utf-8")
    swapped = loaded(folder).encode_text(["cat"])[TEXT]
    shutil.rmtree(folder / "tokenizer")
    assert torch.equal(swapped, loaded(folder).encode_text(["dog"])[TEXT])


def test_a_broken_tokenizer_is_named(folder: Path) -> None:
    (folder / "tokenizer" / "vocab.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelFileError, match=r"tokenizer in .*tokenizer cannot be read"):
        loaded(folder)


def test_sizes_that_cannot_be_built_are_an_error_that_names_the_model(folder: Path) -> None:
    config = folder / "vae" / "config.json"
    settings = json.loads(config.read_bytes()) | {"down_block_types": ["NoSuchBlock"]}
    config.write_text(json.dumps(settings), encoding="utf-8")
    with pytest.raises(ModelFileError, match=r"model describes networks that cannot be built"):
        loaded(folder)


def test_a_model_that_lacks_a_tensor_is_refused_when_it_is_opened(
    tiny_files: TinySD1, tmp_path: Path
) -> None:
    state = load_file(tiny_files.safetensors)
    del state["model.diffusion_model.out.0.bias"]
    save_file(state, tmp_path / "cut.safetensors")
    with pytest.raises(ModelFileError, match=r"cut\.safetensors lacks the tensor .*out\.0\.bias"):
        SD1.open(tmp_path / "cut.safetensors")


def test_weights_go_to_the_memory_format_asked_for(tiny_files: TinySD1) -> None:
    model = SD1.open(tiny_files.folder)
    unet = model.load(
        "unet",
        dtype=torch.float32,
        device=torch.device("cpu"),
        memory_format=torch.channels_last,
    )
    expected = loaded(tiny_files.folder).module("unet").to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    strides = [weight.stride() for weight in unet.parameters()]
    assert strides == [weight.stride() for weight in expected.parameters()]


STEMS = {
    "unet": "diffusion_pytorch_model",
    "vae": "diffusion_pytorch_model",
    "text_encoder": "model",
}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_in_pieces_gives_the_same_bits(tiny_files: TinySD1, folder: Path, part: str) -> None:
    stem = STEMS[part]
    whole = folder / part / f"{stem}.safetensors"
    tensors = load_file(whole)
    whole.unlink()
    places = {}
    for number in (0, 1, 2):
        name = f"{stem}-0000{number + 1}-of-00003.safetensors"
        piece = dict(list(tensors.items())[number::3])
        save_file(piece, folder / part / name)
        places |= dict.fromkeys(piece, name)
    (folder / part / f"{stem}.safetensors.index.json").write_text(
        json.dumps({"weight_map": places})
    )
    assert_same(loaded(folder), loaded(tiny_files.folder))


def test_a_variant_of_every_part_is_read(tiny_files: TinySD1, folder: Path) -> None:
    for part, stem in STEMS.items():
        path = folder / part / f"{stem}.safetensors"
        path.rename(path.with_name(f"{stem}.bf16.safetensors"))
    assert_same(loaded(folder), loaded(tiny_files.folder))


@pytest.mark.parametrize(
    ("config", "changes"),
    [
        ("text_encoder/config.json", {"initializer_factor": 1, "num_hidden_layers": 3.0}),
        ("scheduler/scheduler_config.json", {"num_train_timesteps": 1000.0}),
        ("unet/config.json", {"layers_per_block": 1.0, "mid_block_scale_factor": 1}),
        ("vae/config.json", {"sample_size": 512.0, "__class__": 5, "unknown": [1]}),
    ],
)
def test_the_same_numbers_written_otherwise_are_the_same_model(
    tiny_files: TinySD1, folder: Path, config: str, changes: dict[str, object]
) -> None:
    content = json.loads((folder / config).read_bytes()) | changes
    (folder / config).write_text(json.dumps(content))
    model = loaded(folder)
    assert_same(model, loaded(tiny_files.folder))
    assert len(model.noise_schedule.betas_T) == 1000


@pytest.mark.parametrize(
    ("config", "changes", "message"),
    [
        ("vae/config.json", {"layers_per_block": 2**31}, "layers_per_block cannot be 2147483648"),
        ("vae/config.json", {"norm_num_groups": 3}, "describes networks that cannot be built"),
        ("vae/config.json", {"down_block_types": ["X"] * 4}, "networks that cannot be built"),
        ("unet/config.json", {"act_fn": "nothing"}, "describes networks that cannot be built"),
        ("text_encoder/config.json", {"hidden_act": "x"}, "describes networks that cannot be"),
        ("text_encoder/config.json", {"vocab_size": 100}, "has 49408 tokens, the text encoder 100"),
        (
            "scheduler/scheduler_config.json",
            {"beta_schedule": "%s"},
            "beta_schedule cannot be '%s'",
        ),
        (
            "scheduler/scheduler_config.json",
            {"trained_betas": [0.1]},
            "noise schedule of .* cannot",
        ),
        ("scheduler/scheduler_config.json", {"__class__": 1.5}, "__class__ cannot be 1.5"),
    ],
)
def test_a_config_of_what_cannot_be_is_refused_in_words(
    folder: Path, config: str, changes: dict[str, object], message: str
) -> None:
    content = json.loads((folder / config).read_bytes()) | changes
    (folder / config).write_text(json.dumps(content))
    with pytest.raises(ModelFileError, match=message):
        SD1.open(folder)
