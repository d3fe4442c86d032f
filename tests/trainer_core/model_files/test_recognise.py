"""Every kind of file that people pick, told apart without reading a tensor."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.tiny_model import TinySD1, make_tiny_sd1
from safetensors.numpy import save_file

from trainer_core.catalogue.families import FAMILIES, TRAINABLE
from trainer_core.errors import ModelFileError, SettingsError
from trainer_core.model_files import recognise
from trainer_core.model_files.other_kinds import OTHER_KINDS, TASKS, OtherKind
from trainer_core.model_files.recognise import (
    inspect_model,
    kind_of,
    require_base_model,
    require_trainable_prediction,
)
from trainer_core.model_files.stated_noise import BY_SCHEDULER, SILENT, StatedNoise, Statement
from trainer_core.model_files.tensor_index import TensorEntry

UNET = "model.diffusion_model."
CONV_IN, CONV_OUT = f"{UNET}input_blocks.0.0.weight", f"{UNET}out.2.weight"
SD1_TEXT = "cond_stage_model.transformer.text_model.encoder.layers.0.mlp.fc1.weight"
SD2_TEXT = "cond_stage_model.model.transformer.resblocks.0.mlp.c_fc.weight"
SDXL_TEXT = "conditioner.embedders.1.model.transformer.resblocks.0.mlp.c_fc.weight"
#: What no family is trained on.
REFUSED = [*(name for name in FAMILIES if name not in TRAINABLE), *map(str, OTHER_KINDS)]
#: Settings of SDXL's U-Net and of its refiner's.
XL = {
    "cross_attention_dim": 2048,
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
REFINER = {**XL, "cross_attention_dim": 1280, "projection_class_embeddings_input_dim": 2560}
#: Channels that a denoiser for another task is given, by the kind.
CHANNELS = {str(kind): 4 + more for more, kind in TASKS.items()} | {"other_task": 13}
IN_FOLDER = StatedNoise(Statement("epsilon", BY_SCHEDULER), Statement("off", BY_SCHEDULER))
VAE = "first_stage_model.encoder.down.0.block.0.conv1.weight"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TinySD1:
    return make_tiny_sd1(tmp_path_factory.mktemp("tiny-recognise"))


def entries(*names: str, **shapes: tuple[int, ...]) -> dict[str, TensorEntry]:
    return {name: TensorEntry("F16", shapes.get(name, (4, 4)), 0, 32) for name in names}


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        ([CONV_IN, CONV_OUT, SD1_TEXT, VAE], "sd1"),
        ([CONV_IN, CONV_OUT, SD1_TEXT.replace(".text_model.", "."), VAE], "sd1"),
        ([CONV_IN, CONV_OUT, SD2_TEXT, VAE], "sd2"),
        ([CONV_IN, CONV_OUT, SDXL_TEXT, VAE], "sdxl"),
        ([CONV_IN, CONV_OUT, f"{UNET}label_emb.0.0.weight"], OtherKind.UNET),
        ([CONV_IN, CONV_OUT, SD2_TEXT, VAE, "noise_augmentor.data_mean"], OtherKind.UNCLIP),
        ([CONV_IN, CONV_OUT, SDXL_TEXT, VAE, "edm_vpred.sigma_max"], OtherKind.EDM),
        ([CONV_IN, CONV_OUT, SDXL_TEXT, VAE, "edm_mean", "edm_std"], OtherKind.EDM),
        (
            [CONV_IN, CONV_OUT, "conditioner.embedders.0.open_clip.model.visual.proj"],
            OtherKind.VIDEO,
        ),
        ([CONV_IN, CONV_OUT], OtherKind.UNET),
        ([CONV_IN, CONV_OUT, VAE], OtherKind.UNET),
        (["conv_in.weight", "time_embedding.linear_1.weight"], OtherKind.UNET),
        ([VAE], OtherKind.VAE),
        (["encoder.down.0.block.0.conv1.weight", "decoder.conv_in.weight"], OtherKind.VAE),
        (["encoder.down_blocks.0.resnets.0.conv1.weight"], OtherKind.VAE),
        (["text_model.encoder.layers.0.mlp.fc1.weight"], OtherKind.TEXT_ENCODER),
        ([SD1_TEXT], OtherKind.TEXT_ENCODER),
        (["lora_unet_down_blocks_0.lora_down.weight"], OtherKind.LORA),
        (["lora_te_text_model_encoder_layers_0_mlp_fc1.hada_w1_a"], OtherKind.LORA),
        (["unet.down_blocks.0.attentions.0.to_q.lora_A.weight"], OtherKind.LORA),
        (["base_model.model.to_q.lora_B.weight"], OtherKind.LORA),
        (["unet.down_blocks.0.attentions.0.proj_in.lora.down.weight"], OtherKind.LORA),
        (["emb_params"], OtherKind.EMBEDDING),
        (["string_to_param.*"], OtherKind.EMBEDDING),
        (["double_blocks.0.img_attn.qkv.weight"], OtherKind.FLUX),
        ([f"{UNET}double_blocks.0.img_attn.qkv.weight"], OtherKind.FLUX),
        ([f"{UNET}joint_blocks.0.x_block.attn.qkv.weight"], OtherKind.SD3),
        (["joint_transformer_blocks.0.attn.to_q.weight"], OtherKind.OTHER_BASE),
        ([CONV_IN, CONV_OUT, SDXL_TEXT.replace(".1.", ".0."), VAE], OtherKind.REFINER),
        ([CONV_IN, CONV_OUT, SD1_TEXT, VAE, "control_model.zero_convs.0.0.bias"], "controlnet"),
        (["controlnet_cond_embedding.conv_in.weight"], OtherKind.CONTROLNET),
        (["input_blocks.0.0.weight", "input_hint_block.0.weight"], OtherKind.CONTROLNET),
        (["lllite_unet_middle_block_1_proj_in.down.0.weight"], OtherKind.CONTROLNET),
        (["lora_te1_text_model_encoder_layers_0_mlp_fc1.hada_w1_a"], OtherKind.LORA),
        (["lora_te2_text_model_encoder_layers_0_mlp_fc1.diff"], OtherKind.LORA),
        (["lora_unet_x.lora_up.weight", "0.exp_avg"], OtherKind.TRAINING_STATE),
        (["something.else"], OtherKind.UNKNOWN),
        ([], OtherKind.UNKNOWN),
    ],
)
def test_kinds_are_told_by_names(names: list[str], kind: str) -> None:
    assert kind_of(entries(*names)) == kind


@pytest.mark.parametrize(
    ("channels", "kind"),
    [(9, "inpainting"), (8, "editing"), (7, "upscaling"), (5, "depth"), (13, "other_task")],
)
@pytest.mark.parametrize("text", [SD1_TEXT, SD2_TEXT, SDXL_TEXT])
def test_further_input_channels_make_a_model_for_another_task(
    text: str, channels: int, kind: str
) -> None:
    shapes = {CONV_IN: (320, channels, 3, 3), CONV_OUT: (4, 320, 3, 3)}
    assert kind_of(entries(CONV_IN, CONV_OUT, text, VAE, **shapes)) == kind


@pytest.mark.parametrize("layout", ["folder", "safetensors", "ckpt"])
def test_a_whole_model_is_reported_in_every_layout(tiny: TinySD1, layout: str) -> None:
    report = inspect_model(getattr(tiny, layout))
    assert report.kind == "sd1"
    assert report.dtype == "F32"
    weights_mib = (tiny.safetensors.stat().st_size) / 2**20
    assert report.size_mib == pytest.approx(weights_mib, abs=0.2)
    assert report.noise == (IN_FOLDER if layout == "folder" else SILENT)
    require_base_model(report, ["sd1"])


@pytest.mark.parametrize(
    ("pipeline", "unet", "kind"),
    [
        ("StableDiffusionPipeline", {}, "sd1"),
        ("StableDiffusionImg2ImgPipeline", {}, "sd1"),
        ("StableDiffusionPipeline", {"use_linear_projection": True}, "sd2"),
        ("StableDiffusionInpaintPipeline", {"in_channels": 9}, OtherKind.INPAINTING),
        ("StableDiffusionInstructPix2PixPipeline", {"in_channels": 8}, OtherKind.EDITING),
        ("StableDiffusionXLPipeline", XL, "sdxl"),
        ("StableDiffusionXLInpaintPipeline", {**XL, "in_channels": 9}, OtherKind.INPAINTING),
        ("StableDiffusionXLImg2ImgPipeline", REFINER, OtherKind.REFINER),
        ("StableDiffusion3Pipeline", {}, OtherKind.SD3),
        ("FluxPipeline", {}, OtherKind.FLUX),
        ("StableUnCLIPImg2ImgPipeline", {}, OtherKind.UNCLIP),
        ("StableVideoDiffusionPipeline", {}, OtherKind.VIDEO),
        ("PixArtAlphaPipeline", {}, OtherKind.OTHER_BASE),
    ],
)
def test_folders_are_told_by_their_pipeline(
    tiny: TinySD1, tmp_path: Path, pipeline: str, unet: dict[str, object], kind: str
) -> None:
    folder = Path(shutil.copytree(tiny.folder, tmp_path / "model"))
    shutil.copytree(folder / "text_encoder", folder / "text_encoder_2")
    for name, change in (
        ("model_index.json", {"_class_name": pipeline}),
        ("unet/config.json", unet),
    ):
        content = json.loads((folder / name).read_bytes()) | change
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    assert inspect_model(folder).kind == kind


def test_a_folder_with_noise_of_another_scale_is_told_by_its_scheduler(
    tiny: TinySD1, tmp_path: Path
) -> None:
    # As Playground 2.5 has it: diffusers' class, and SDXL's pipeline otherwise.
    folder = Path(shutil.copytree(tiny.folder, tmp_path / "model"))
    for name, kind in (
        ("model_index.json", "StableDiffusionXLPipeline"),
        ("scheduler/scheduler_config.json", "EDMDPMSolverMultistepScheduler"),
    ):
        content = json.loads((folder / name).read_bytes()) | {"_class_name": kind}
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    assert inspect_model(folder).kind == OtherKind.EDM


def test_the_most_special_family_that_a_folder_fits_is_taken(
    tiny: TinySD1, monkeypatch: pytest.MonkeyPatch
) -> None:
    special = dataclasses.replace(FAMILIES["sd1"], kind="special")
    monkeypatch.setattr(recognise, "FAMILIES", {**FAMILIES, "special": special})
    assert inspect_model(tiny.folder).kind == inspect_model(tiny.safetensors).kind == "special"


def test_a_folder_without_a_model_is_said(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"x")
    with pytest.raises(ModelFileError, match=r"no model: it has no model_index\.json"):
        inspect_model(tmp_path)


def test_a_saved_state_is_told_from_a_model(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    assert inspect_model(tmp_path).kind == OtherKind.TRAINING_STATE


def test_a_truncated_part_of_a_folder_is_named(tiny: TinySD1, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny.folder, tmp_path / "model"))
    unet = folder / "unet" / "diffusion_pytorch_model.safetensors"
    unet.write_bytes(unet.read_bytes()[:-1])
    with pytest.raises(ModelFileError, match=r"diffusion_pytorch_model\.safetensors is cut short"):
        inspect_model(folder)


def names_of(kind: str) -> list[str]:
    """Return names of tensors that a file of this kind has."""
    if kind in FAMILIES:
        return [CONV_IN, CONV_OUT, f"{FAMILIES[kind].fragments[0]}weight"]
    fragments = OTHER_KINDS[OtherKind(kind)].fragments
    if kind in CHANNELS:  # told by a shape
        return [CONV_IN, CONV_OUT, SD1_TEXT]
    return [f"{fragments[0]}weight"] if fragments else ["x"]


@pytest.mark.parametrize("kind", REFUSED)
def test_every_other_kind_is_refused_in_words_with_a_way_out(tmp_path: Path, kind: str) -> None:
    names = names_of(kind)
    width = CHANNELS.get(kind, 4)
    tensors = {name: np.ones((4, width if name == CONV_IN else 4), np.float32) for name in names}
    path = tmp_path / "picked.safetensors"
    save_file(tensors, path)
    report = inspect_model(path)
    assert report.kind == kind
    with pytest.raises(ModelFileError, match=r"picked\.safetensors") as caught:
        require_base_model(report, ["sd1"])
    assert (FAMILIES[kind].label if kind in FAMILIES else "") in str(caught.value)
    assert "Stable Diffusion 1.x" in str(caught.value.hint)


def test_looking_at_a_model_needs_no_torch(tiny: TinySD1) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from trainer_core.model_files.recognise import inspect_model\n"
        "kinds = [inspect_model(Path(name)).kind for name in sys.argv[1:]]\n"
        "loaded = {'torch', 'numpy', 'diffusers'} & set(sys.modules)\n"
        "sys.exit(f'{kinds} {loaded}' if loaded or set(kinds) != {'sd1'} else 0)"
    )
    paths = [str(tiny.folder), str(tiny.safetensors), str(tiny.ckpt)]
    done = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_prediction_that_no_family_member_has_is_refused() -> None:
    require_trainable_prediction("epsilon", "sd1")
    with pytest.raises(SettingsError, match="predicts x0, which cannot be trained") as caught:
        require_trainable_prediction("x0", "sd1")
    assert caught.value.setting == "model.pretrained_model_name_or_path"
