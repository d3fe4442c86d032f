"""What a model file can be beside a base model of a known family, and what each is known by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NamedTuple

from trainer_core.catalogue.families import FAMILIES, FolderFacts, is_sdxl_folder
from trainer_core.texts import T


class OtherKind(StrEnum):
    """What a model file turned out to be if it is of none of `FAMILIES`."""

    INPAINTING = "inpainting"
    EDITING = "editing"
    DEPTH = "depth"
    UPSCALING = "upscaling"
    OTHER_TASK = "other_task"
    REFINER = "refiner"
    SD3 = "sd3"
    FLUX = "flux"
    CONTROLNET = "controlnet"
    UNCLIP = "unclip"
    VIDEO = "video"
    EDM = "edm"
    OTHER_BASE = "other_base"
    UNET = "unet"
    VAE = "vae"
    TEXT_ENCODER = "text_encoder"
    LORA = "lora"
    EMBEDDING = "embedding"
    TRAINING_STATE = "training_state"
    UNKNOWN = "unknown"


class FileKind(NamedTuple):
    """What a model file can be beside a base model of a known family.

    Attributes:
        refusal: Why it cannot be trained on.
        fragments: One of them occurs in the name of a tensor; empty if it is told otherwise.
        is_part: It is one part of a model only; its fragments occur in whole models too.
        is_folder: Tells whether a diffusers folder is of this kind; None: such folders do not.
    """

    refusal: str
    fragments: tuple[str, ...] = ()
    is_part: bool = False
    is_folder: Callable[[FolderFacts], bool] | None = None


def _is_refiner_folder(folder: FolderFacts) -> bool:
    """Tell SDXL's refiner, which is told of one text encoder and of five sizes, from the base."""
    if not is_sdxl_folder(folder):
        return False
    unet = folder.config("unet")
    text, size = unet.get("cross_attention_dim"), unet.get("addition_time_embed_dim")
    told = unet.get("projection_class_embeddings_input_dim")
    return type(text) is type(size) is int and told == text + 5 * size


def _has_edm_scheduler(folder: FolderFacts) -> bool:
    """Tell models whose noise has EDM's scale (Playground 2.5, CosXL) by diffusers' class."""
    if not is_sdxl_folder(folder):
        return False
    return str(folder.scheduler().get("_class_name", "")).startswith("EDM")


def _has_pipeline(*names: str) -> Callable[[FolderFacts], bool]:
    return lambda folder: folder.pipeline_class().startswith(names)


def _lora_fragments() -> tuple[str, ...]:
    """Return what adapters are known by: this program's by their prefixes, whatever the kind."""
    prefixes = {f"{p.prefix}_": None for entry in FAMILIES.values() for p in entry.parts}
    of_others = ("lora_down.", "lora_up.", ".lora.down.", "lora_A.", "lora_B.", "lora_te")
    algorithms = ("hada_w1_", "lokr_w1", "oft_blocks")
    return (*prefixes, *of_others, *algorithms)


#: In the order in which they are looked for.
OTHER_KINDS: Mapping[OtherKind, FileKind] = {
    OtherKind.TRAINING_STATE: FileKind(
        T("Errors", "{path} is a saved training state, not a base model."),
        ("exp_avg", "optimizer_state", "lr_scheduler."),
    ),
    OtherKind.LORA: FileKind(T("Errors", "{path} is a LoRA, not a base model."), _lora_fragments()),
    OtherKind.EMBEDDING: FileKind(
        T("Errors", "{path} is a textual inversion embedding, not a base model."),
        ("emb_params", "string_to_param"),
    ),
    OtherKind.CONTROLNET: FileKind(
        T("Errors", "{path} is a ControlNet, not a base model."),
        (
            "control_model.",
            "controlnet_cond_embedding.",
            "controlnet_down_blocks.",
            "input_hint_block.",
            "lllite_",
        ),
    ),
    OtherKind.SD3: FileKind(
        T("Errors", "{path} is a Stable Diffusion 3 model, which cannot be trained here."),
        ("joint_blocks.",),
        is_folder=_has_pipeline("StableDiffusion3"),
    ),
    OtherKind.FLUX: FileKind(
        T("Errors", "{path} is a FLUX model, which cannot be trained here."),
        ("double_blocks.0.img_attn.",),
        is_folder=_has_pipeline("Flux"),
    ),
    OtherKind.UNCLIP: FileKind(
        T("Errors", "{path} is an unCLIP model, which draws from pictures: not a base model."),
        ("noise_augmentor.", "embedder.model.visual."),
        is_folder=_has_pipeline("StableUnCLIP"),
    ),
    OtherKind.VIDEO: FileKind(
        T("Errors", "{path} is a model that makes videos, not a base model."),
        (".time_stack.", ".open_clip.model.visual."),
        is_folder=_has_pipeline("StableVideoDiffusion"),
    ),
    OtherKind.EDM: FileKind(
        T("Errors", "{path} was trained with EDM's noise, which cannot be trained here."),
        ("edm_mean", "edm_vpred."),
        is_folder=_has_edm_scheduler,
    ),
    OtherKind.REFINER: FileKind(
        T("Errors", "{path} is the refiner of Stable Diffusion XL, not a base model."),
        ("conditioner.embedders.0.model.",),
        is_folder=_is_refiner_folder,
    ),
    OtherKind.OTHER_BASE: FileKind(
        T("Errors", "{path} is a base model of a kind that is not known here."),
        ("double_blocks.", "single_transformer_blocks.", "joint_transformer_blocks."),
    ),
    OtherKind.INPAINTING: FileKind(T("Errors", "{path} is an inpainting model, not a base model.")),
    OtherKind.EDITING: FileKind(
        T("Errors", "{path} is a model that edits pictures, not a base model.")
    ),
    OtherKind.DEPTH: FileKind(
        T("Errors", "{path} is a model that draws by depth, not a base model.")
    ),
    OtherKind.UPSCALING: FileKind(T("Errors", "{path} is an upscaling model, not a base model.")),
    OtherKind.OTHER_TASK: FileKind(
        T("Errors", "{path} is a model for another task, not a base model.")
    ),
    OtherKind.UNET: FileKind(
        T("Errors", "{path} has a U-Net but no text encoder: not a whole model."),
        ("input_blocks.0.0.", "time_embedding.linear_1."),
        is_part=True,
    ),
    OtherKind.VAE: FileKind(
        T("Errors", "{path} holds a VAE only, not a whole model."),
        ("encoder.down.0.", "encoder.down_blocks.0.", "decoder.up.0."),
        is_part=True,
    ),
    OtherKind.TEXT_ENCODER: FileKind(
        T("Errors", "{path} holds a text encoder only, not a whole model."),
        ("encoder.layers.0.", "transformer.resblocks.0."),
        is_part=True,
    ),
    OtherKind.UNKNOWN: FileKind(T("Errors", "{path} holds no model that is known here.")),
}

#: What a denoiser is for that is given more channels than it gives, by the number of more.
TASKS: Mapping[int, OtherKind] = {
    1: OtherKind.DEPTH,
    3: OtherKind.UPSCALING,
    4: OtherKind.EDITING,
    5: OtherKind.INPAINTING,
}
