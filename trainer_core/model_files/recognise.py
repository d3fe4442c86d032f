"""Tells what kind of model a file or folder holds, by its tensors' names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from trainer_core.errors import ModelFileError
from trainer_core.model_files.diffusers_folder import DiffusersFolder
from trainer_core.model_files.tensor_index import TensorEntry, TensorIndex
from trainer_core.model_files.weights_file import read_index
from trainer_core.texts import T


class ModelKind(StrEnum):
    """What a model file turned out to be; the base models are those of `BASE_MODELS`."""

    SD1 = "sd1"
    SD2 = "sd2"
    SDXL = "sdxl"
    INPAINTING = "inpainting"
    OTHER_BASE = "other_base"
    UNET = "unet"
    VAE = "vae"
    TEXT_ENCODER = "text_encoder"
    LORA = "lora"
    EMBEDDING = "embedding"
    TRAINING_STATE = "training_state"
    UNKNOWN = "unknown"


BASE_MODELS: Mapping[ModelKind, str] = {
    ModelKind.SD1: "Stable Diffusion 1.x",
    ModelKind.SD2: "Stable Diffusion 2.x",
    ModelKind.SDXL: "Stable Diffusion XL",
}

#: The first kind one of whose fragments occurs in a tensor's name is the file's kind.
_BY_FRAGMENT: Mapping[ModelKind, tuple[str, ...]] = {
    ModelKind.TRAINING_STATE: ("exp_avg", "optimizer_state", "lr_scheduler."),
    ModelKind.LORA: (
        *("lora_down.", "lora_up.", "lora_A.", "lora_B.", "lora_unet_", "lora_te"),
        *("hada_w1_", "lokr_w1", "oft_blocks"),
    ),
    ModelKind.EMBEDDING: ("emb_params", "string_to_param"),
    ModelKind.OTHER_BASE: ("double_blocks.", "joint_blocks.", "single_transformer_blocks."),
    ModelKind.SDXL: ("conditioner.embedders.", "diffusion_model.label_emb."),
    ModelKind.SD2: ("cond_stage_model.model.",),
    ModelKind.SD1: ("cond_stage_model.transformer.",),
}
#: The same for a file that holds one part of a model only.
_PARTS: Mapping[ModelKind, tuple[str, ...]] = {
    ModelKind.UNET: ("input_blocks.0.0.", "time_embedding.linear_1."),
    ModelKind.VAE: ("encoder.down.0.", "encoder.down_blocks.0.", "decoder.up.0."),
    ModelKind.TEXT_ENCODER: ("encoder.layers.0.", "transformer.resblocks.0."),
}
_UNET = "model.diffusion_model."
_STATE_FILES = ("manifest.json", "train_state.json", "optimizer.bin", "random_states_0.pkl")


@dataclass(frozen=True, slots=True)
class ModelReport:
    """What can be said of a model before its tensors are read.

    Attributes:
        path: The file or folder.
        kind: What it is.
        size_mib: Of all tensors in it.
        dtype: The element type of most of them ("F16"), empty if there are none.
        prediction_type: What the denoiser predicts, if the file says so.
    """

    path: Path
    kind: ModelKind
    size_mib: float
    dtype: str
    prediction_type: str | None


def inspect_model(path: Path) -> ModelReport:
    """Find out what a file or folder holds, reading no tensor.

    Raises:
        ModelFileError: It is missing, damaged or hostile, or a folder that is no model.
    """
    if path.is_dir():
        return _inspect_folder(path)
    index = read_index(path)
    prediction = stated_prediction(index)
    return _report(path, kind_of(index.entries), [index], prediction)


def kind_of(entries: Mapping[str, TensorEntry]) -> ModelKind:
    """Tell what kind of model the tensors make up."""
    kind = _first_match(_BY_FRAGMENT, entries)
    if kind is not None and kind not in BASE_MODELS:
        return kind
    has_unet = any(name.startswith(_UNET) for name in entries)
    if kind is None or not has_unet:
        return _first_match(_PARTS, entries) or ModelKind.UNKNOWN
    first, last = (entries.get(f"{_UNET}{end}.weight") for end in ("input_blocks.0.0", "out.2"))
    is_plain = first is None or last is None or first.shape[1:2] == last.shape[:1]
    return kind if is_plain else ModelKind.INPAINTING


def _first_match(
    table: Mapping[ModelKind, tuple[str, ...]], names: Iterable[str]
) -> ModelKind | None:
    joined = "\n".join(names)
    for kind, fragments in table.items():
        if any(fragment in joined for fragment in fragments):
            return kind
    return None


def stated_prediction(index: TensorIndex) -> str | None:
    """Return ``epsilon`` or ``v_prediction`` if the file says which.

    Source: the ``modelspec`` metadata standard, and the marker tensors of v-prediction models.
    """
    if "v_pred" in index.entries:
        return "v_prediction"
    stated = index.metadata.get("modelspec.prediction_type")
    return {"v": "v_prediction", "epsilon": "epsilon"}.get(str(stated))


def _inspect_folder(path: Path) -> ModelReport:
    folder = DiffusersFolder(path)
    if folder.is_model:
        kind = _kind_of_folder(folder)
        parts = ("unet", "vae", "text_encoder") if kind in BASE_MODELS else ()
        indexes = [read_index(folder.weights(part)) for part in parts]
        prediction = folder.config("scheduler").get("prediction_type") if parts else None
        return _report(path, kind, indexes, prediction)
    if any((path / name).is_file() for name in _STATE_FILES):
        return _report(path, ModelKind.TRAINING_STATE, [], None)
    raise ModelFileError(
        T("Errors", "The folder {path} is no model: it has no model_index.json."),
        T("Errors", "Choose a .safetensors or .ckpt file, or a diffusers folder."),
        path=path,
    )


def _kind_of_folder(folder: DiffusersFolder) -> ModelKind:
    """Tell the kind of a diffusers folder.

    The tensors of SD 1 and 2 have the same names there; the projections around the U-Net's
    attention, linear in SD 2 and convolutions in SD 1, leave no doubt.
    """
    pipeline = folder.pipeline_class()
    if pipeline.startswith("StableDiffusionXL"):
        return ModelKind.SDXL
    if not pipeline.startswith("StableDiffusion") or pipeline.startswith("StableDiffusion3"):
        return ModelKind.OTHER_BASE
    unet = folder.config("unet")
    if unet.get("in_channels", 4) != unet.get("out_channels", 4):
        return ModelKind.INPAINTING
    return ModelKind.SD2 if unet.get("use_linear_projection") else ModelKind.SD1


def _report(
    path: Path, kind: ModelKind, indexes: list[TensorIndex], prediction_type: str | None
) -> ModelReport:
    entries = [entry for index in indexes for entry in index.entries.values()]
    size_mib = round(sum(entry.num_bytes for entry in entries) / 2**20, 1)
    dtypes = Counter(entry.dtype for entry in entries).most_common(1)
    return ModelReport(path, kind, size_mib, dtypes[0][0] if dtypes else "", prediction_type)


#: Why a model of this kind cannot be trained on; further base models are told by name.
_REFUSALS: Mapping[ModelKind, str] = {
    ModelKind.INPAINTING: T("Errors", "{path} is an inpainting model, not a base model."),
    ModelKind.OTHER_BASE: T("Errors", "{path} is a base model of a kind that is not known here."),
    ModelKind.UNET: T("Errors", "{path} has a U-Net but no text encoder: not a whole model."),
    ModelKind.VAE: T("Errors", "{path} holds a VAE only, not a whole model."),
    ModelKind.TEXT_ENCODER: T("Errors", "{path} holds a text encoder only, not a whole model."),
    ModelKind.LORA: T("Errors", "{path} is a LoRA, not a base model."),
    ModelKind.EMBEDDING: T("Errors", "{path} is a textual inversion embedding, not a base model."),
    ModelKind.TRAINING_STATE: T("Errors", "{path} is a saved training state, not a base model."),
    ModelKind.UNKNOWN: T("Errors", "{path} holds no model that is known here."),
}


def require_base_model(report: ModelReport, wanted: Collection[ModelKind]) -> None:
    """Refuse a model that is of none of the ``wanted`` kinds, in words that name both.

    Raises:
        ModelFileError: It is something else.
    """
    if report.kind not in wanted:
        raise ModelFileError(
            _REFUSALS.get(report.kind, T("Errors", "{path} is a {found} model.")),
            T("Errors", "Choose a base model of this kind: {wanted}."),
            path=report.path,
            found=BASE_MODELS.get(report.kind, ""),
            wanted=", ".join(BASE_MODELS[kind] for kind in wanted),
        )
