"""The families of base models and their parts, and what else a model file can be.

A family without an implementation is recognised, and refused by its name; one more entry with an
implementation turns a family on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from trainer_core.catalogue.entry import Entry
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
    OTHER_BASE = "other_base"
    UNET = "unet"
    VAE = "vae"
    TEXT_ENCODER = "text_encoder"
    LORA = "lora"
    EMBEDDING = "embedding"
    TRAINING_STATE = "training_state"
    UNKNOWN = "unknown"


class FolderFacts(Protocol):
    """What a diffusers folder says of itself."""

    def pipeline_class(self) -> str:
        """Return the name of the pipeline's class."""
        ...

    def config(self, part: str) -> Mapping[str, Any]:
        """Return the settings of one part."""
        ...


class PartEntry(NamedTuple):
    """A part of a model that can be trained.

    Attributes:
        name: Of groups, events and states.
        label: What charts call it.
        inline: The same inside a sentence.
        rate: The setting of its learning rate.
        prefix: Of the keys in adapter files.
        tag: Of its learning rate in TensorBoard.
        file_prefix: Of its tensors in a single file; a diffusers folder has a subfolder called
            like the part.
        layers: Finds the weights of the layers that get an adapter if nothing else is asked for
            in the names of tensors, whichever layout they are of; of those with two axes or more.
        is_text_encoder: It reads the caption; otherwise it is the denoiser.
        rate_like: The setting whose rate it has without one of its own; empty: the common one.
    """

    name: str
    label: str
    inline: str
    rate: str
    prefix: str
    tag: str
    file_prefix: str
    layers: str
    is_text_encoder: bool = False
    rate_like: str = ""


class BaseNames(NamedTuple):
    """What other programs call a base model of a family.

    Attributes:
        version: In ``ss_base_model_version``.
        architecture: In ``modelspec.architecture``.
        implementation: In ``modelspec.implementation``: whose names its adapters' layers have.
    """

    version: str
    architecture: str
    implementation: str = "diffusers"


_UNNAMED = BaseNames("", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyEntry(Entry):
    """A family of base models; ``implementation`` is its class.

    Attributes:
        kind: Its name: what its files are recognised as.
        fragments: One of them occurs in the name of a tensor of its files.
        is_folder: Tells whether a diffusers folder is of this family.
        folders: The parts whose weights make up a folder's size, the denoiser first.
        parts: What can be trained, the denoiser first.
        side_step: Pixels that the sides of a bucket must be multiples of.
        resolution: The size of pictures that it was trained with.
        predictions: What its denoisers may predict and be trained to.
        prediction_hint: How to tell which, where files often do not say; empty where it is the
            noise unless they say otherwise.
        names: What other programs call it.
        names_by_prediction: The same of what predicts something else than the noise, if they
            differ.
        is_v2: What ``ss_v2`` says of it.
        has_clip_skip: Whether layers at the end of its text encoder can be left out.
    """

    kind: str
    fragments: tuple[str, ...]
    is_folder: Callable[[FolderFacts], bool]
    folders: tuple[str, ...] = ("unet", "vae", "text_encoder")
    parts: tuple[PartEntry, ...] = ()
    side_step: int = 64
    resolution: tuple[int, int] = (512, 512)
    predictions: tuple[str, ...] = ("epsilon",)
    prediction_hint: str = ""
    names: BaseNames = _UNNAMED
    names_by_prediction: Mapping[str, BaseNames] = field(default_factory=dict)
    is_v2: bool = False
    has_clip_skip: bool = True

    def names_for(self, prediction: str) -> BaseNames:
        """Return what other programs call a model of this family that predicts this."""
        return self.names_by_prediction.get(prediction, self.names)

    def part(self, name: str) -> PartEntry:
        """Return the part called ``name``."""
        return next(part for part in self.parts if part.name == name)

    @property
    def denoiser(self) -> str:
        """The name of the part that predicts."""
        return self.parts[0].name

    @property
    def text_encoders(self) -> tuple[str, ...]:
        """The names of the parts that read the caption."""
        return tuple(part.name for part in self.parts if part.is_text_encoder)


def _is_sdxl_folder(folder: FolderFacts) -> bool:
    return folder.pipeline_class().startswith("StableDiffusionXL")


def _is_sd_folder(folder: FolderFacts) -> bool:
    pipeline = folder.pipeline_class()
    others = ("StableDiffusionXL", "StableDiffusion3")
    return pipeline.startswith("StableDiffusion") and not pipeline.startswith(others)


def _is_sd2_folder(folder: FolderFacts) -> bool:
    """Tell SD 2 from SD 1, whose tensors have the same names in this layout.

    The projections around the U-Net's attention are linear in SD 2 and convolutions in SD 1. Some
    programs write SD 2 with convolutions too; then its wider text features tell.
    """
    if not _is_sd_folder(folder):
        return False
    unet = folder.config("unet")
    return bool(unet.get("use_linear_projection")) or unet.get("cross_attention_dim") == 1024


def _is_sd1_folder(folder: FolderFacts) -> bool:
    return _is_sd_folder(folder) and not _is_sd2_folder(folder)


_UNET = PartEntry(
    name="unet",
    label=T("Settings", "U-Net"),
    inline=T("Settings", "U-Net"),
    rate="unet_lr",
    prefix="lora_unet",
    tag="lr/unet",
    file_prefix="model.diffusion_model.",
    layers=r"\.(transformer_blocks\.\d+\..+|proj_in|proj_out)\.weight",
)
_TEXT_ENCODER = PartEntry(
    name="text_encoder",
    label=T("Settings", "Text encoder"),
    inline=T("Settings", "text encoder"),
    rate="text_encoder_lr",
    prefix="lora_te",
    tag="lr/textencoder",
    file_prefix="cond_stage_model.transformer.",
    layers=r"\bencoder\.layers\.\d+\..+\.weight",
    is_text_encoder=True,
)
# Of SD 2. Single files have OpenCLIP's names, and a 24th layer whose output nothing reads.
_OPENCLIP = _TEXT_ENCODER._replace(
    file_prefix="cond_stage_model.model.",
    layers=r"\b(encoder\.layers|transformer\.resblocks)\.(?!23\.)\d+\..+weight",
)

_SDXL_TEXT_ENCODER = _TEXT_ENCODER._replace(
    prefix="lora_te1", file_prefix="conditioner.embedders.0.transformer."
)
_SDXL_TEXT_ENCODER_2 = PartEntry(
    name="text_encoder_2",
    label=T("Settings", "Text encoder 2"),
    inline=T("Settings", "text encoder 2"),
    rate="learning_rate_te2",
    prefix="lora_te2",
    tag="lr/textencoder_2",
    file_prefix="conditioner.embedders.1.model.",
    layers=r"\b(encoder\.layers|transformer\.resblocks)\.\d+\..+weight",
    is_text_encoder=True,
    rate_like="text_encoder_lr",
)

#: By the names of their kinds. A file or folder is of the last family that it fits: later ones kept
#: names of earlier ones.
FAMILIES: Mapping[str, FamilyEntry] = {
    entry.kind: entry
    for entry in (
        FamilyEntry(
            label=T("Settings", "Stable Diffusion 1.x"),
            help=T("Settings", "SD 1.4, 1.5 and everything trained from them."),
            implementation="trainer_core.families.sd1:SD1",
            kind="sd1",
            fragments=("cond_stage_model.transformer.",),
            is_folder=_is_sd1_folder,
            parts=(_UNET, _TEXT_ENCODER),
            predictions=("epsilon", "v_prediction"),
            names=BaseNames("sd_v1", "stable-diffusion-v1"),
            names_by_prediction={"v_prediction": BaseNames("sd_v1_v", "stable-diffusion-v1")},
        ),
        FamilyEntry(
            label=T("Settings", "Stable Diffusion 2.x"),
            help=T(
                "Settings", "SD 2.0 and 2.1, the 512 and the 768 models, and what came of them."
            ),
            implementation="trainer_core.families.sd2:SD2",
            kind="sd2",
            fragments=("cond_stage_model.model.",),
            is_folder=_is_sd2_folder,
            parts=(_UNET, _OPENCLIP),
            predictions=("epsilon", "v_prediction"),
            prediction_hint=T(
                "Problems",
                "The 768 models of SD 2 predict the velocity, its base models the noise.",
            ),
            names=BaseNames("sd_v2", "stable-diffusion-v2-512"),
            names_by_prediction={"v_prediction": BaseNames("sd_v2_v", "stable-diffusion-v2-768-v")},
            is_v2=True,
        ),
        FamilyEntry(
            label=T("Settings", "Stable Diffusion XL"),
            help=T("Settings", "SDXL 1.0, Pony, Illustrious, NoobAI and all trained from them."),
            implementation="trainer_core.families.sdxl:SDXL",
            kind="sdxl",
            fragments=("conditioner.embedders.", "diffusion_model.label_emb."),
            is_folder=_is_sdxl_folder,
            folders=("unet", "vae", "text_encoder", "text_encoder_2"),
            parts=(_UNET, _SDXL_TEXT_ENCODER, _SDXL_TEXT_ENCODER_2),
            side_step=32,
            resolution=(1024, 1024),
            predictions=("epsilon", "v_prediction"),
            prediction_hint=T(
                "Problems", "Models called v-pred predict the velocity, all others the noise."
            ),
            names=BaseNames(
                "sdxl_base_v1-0",
                "stable-diffusion-xl-v1-base",
                "https://github.com/Stability-AI/generative-models",
            ),
            has_clip_skip=False,
        ),
    )
}


def _united(entries: Iterable[FamilyEntry]) -> dict[str, PartEntry]:
    united: dict[str, PartEntry] = {}
    for entry in entries:
        for part in entry.parts:
            united.setdefault(part.name, part)
    return united


#: The families that can be trained.
TRAINABLE: Mapping[str, FamilyEntry] = {n: e for n, e in FAMILIES.items() if e.implementation}
#: What can be set: a family, or to look into the file.
FAMILY_CHOICES: Mapping[str, Entry] = {
    "auto": Entry(
        label=T("Settings", "Detect"),
        help=T("Settings", "Recognised by the names of the file's tensors."),
    ),
    **TRAINABLE,
}
#: Every part of any family, for what does not know the family; the first family's words count.
PARTS: Mapping[str, PartEntry] = _united(FAMILIES.values())


def part_of_module(module: str) -> PartEntry | None:
    """Return the part, of any family, that the name of an adapter's module begins with."""
    parts = [part for entry in FAMILIES.values() for part in entry.parts]
    fitting = [part for part in parts if module.startswith(f"{part.prefix}_")]
    return fitting[0] if fitting else None


def with_clip_skip() -> tuple[str, ...]:
    """Return the families that can leave out layers of the text encoder."""
    return tuple(name for name, entry in TRAINABLE.items() if entry.has_clip_skip)


def with_part_rate(name: str) -> tuple[str, ...]:
    """Return the families with a part whose learning rate is the setting ``name``."""
    return tuple(
        family
        for family, entry in TRAINABLE.items()
        if any(part.rate == name for part in entry.parts)
    )


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
    if not _is_sdxl_folder(folder):
        return False
    unet = folder.config("unet")
    text, size = unet.get("cross_attention_dim"), unet.get("addition_time_embed_dim")
    told = unet.get("projection_class_embeddings_input_dim")
    return type(text) is type(size) is int and told == text + 5 * size


def _has_pipeline(*names: str) -> Callable[[FolderFacts], bool]:
    return lambda folder: folder.pipeline_class().startswith(names)


def _lora_fragments() -> tuple[str, ...]:
    """Return what adapters are known by: this program's by their prefixes, whatever the kind."""
    prefixes = {f"{p.prefix}_": None for entry in FAMILIES.values() for p in entry.parts}
    of_others = ("lora_down.", "lora_up.", "lora_A.", "lora_B.", "lora_te")
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
        ("control_model.", "controlnet_cond_embedding.", "controlnet_down_blocks."),
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
