"""The families of base models and their parts.

A family without an implementation is recognised, and refused by its name; one more entry with an
implementation turns a family on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from trainer_core.catalogue.entry import Entry
from trainer_core.texts import T


class FolderFacts(Protocol):
    """What a diffusers folder says of itself."""

    def pipeline_class(self) -> str:
        """Return the name of the pipeline's class."""
        ...

    def config(self, part: str) -> Mapping[str, Any]:
        """Return the settings of one part."""
        ...

    def scheduler(self) -> Mapping[str, Any]:
        """Return the settings of the noise schedule."""
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


def is_sdxl_folder(folder: FolderFacts) -> bool:
    """Tell SDXL and its refiner from others."""
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
            fragments=("conditioner.embedders.",),
            is_folder=is_sdxl_folder,
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
