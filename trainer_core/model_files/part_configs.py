"""What the configs of a model's parts may say: every key that builds something, with its bounds.

The keys are those of diffusers' and transformers' own classes. Numbers are numbers: ``1000.0`` is
1000 and ``1`` is 1.0, but ``"1000"`` is none. Other keys are left out, as the libraries leave them
out, so that a config can neither ask for networks without end nor reach into a library's objects.
Bounds are several times what any published model of these kinds has.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict  # pydantic asks for this one below Python 3.12

from trainer_core.errors import ModelFileError
from trainer_core.texts import T

_SHOWN_CHARACTERS = 60


def _whole(value: object) -> object:
    """Return a float without a fraction as the whole number that it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


_Whole = BeforeValidator(_whole)
Width = Annotated[int, _Whole, Field(ge=1, le=65_536)]
Layers = Annotated[int, _Whole, Field(ge=1, le=8)]  # of a block
Depth = Annotated[int, _Whole, Field(ge=1, le=32)]  # of a transformer
Kernel = Annotated[int, _Whole, Field(ge=1, le=15)]
Small = Annotated[int, _Whole, Field(ge=-1000, le=1000)]
Token = Annotated[int, _Whole, Field(ge=-1, le=10_000_000)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Factor = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
Beta = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
Word = Annotated[str, Field(max_length=100)]
#: One for each block.
_Blocks = Field(min_length=1, max_length=8)
Words = Annotated[list[Word], _Blocks]
Widths = Annotated[list[Width], _Blocks]
Depths = Annotated[list[Depth | Annotated[list[Depth], _Blocks]], _Blocks]


class UNetConfig(TypedDict, total=False):
    """Of diffusers' ``UNet2DConditionModel``."""

    sample_size: Width | Widths | None
    in_channels: Width
    out_channels: Width
    center_input_sample: bool | None
    flip_sin_to_cos: bool | None
    freq_shift: Small
    down_block_types: Words
    mid_block_type: Word | None
    up_block_types: Words
    only_cross_attention: bool | Annotated[list[bool], _Blocks]
    block_out_channels: Widths
    layers_per_block: Layers | Annotated[list[Layers], _Blocks]
    downsample_padding: Annotated[int, _Whole, Field(ge=0, le=8)]
    mid_block_scale_factor: Factor
    dropout: Share
    act_fn: Word
    norm_num_groups: Width | None
    norm_eps: Share
    cross_attention_dim: Width | Widths
    transformer_layers_per_block: Depth | Depths
    reverse_transformer_layers_per_block: Depths | None
    encoder_hid_dim: Width | None
    encoder_hid_dim_type: Word | None
    attention_head_dim: Width | Widths
    num_attention_heads: Width | Widths | None
    dual_cross_attention: bool | None
    use_linear_projection: bool | None
    class_embed_type: Word | None
    addition_embed_type: Word | None
    addition_time_embed_dim: Width | None
    num_class_embeds: Width | None
    upcast_attention: bool | None
    resnet_time_scale_shift: Word
    resnet_skip_time_act: bool | None
    resnet_out_scale_factor: Factor
    time_embedding_type: Word
    time_embedding_dim: Width | None
    time_embedding_act_fn: Word | None
    timestep_post_act: Word | None
    time_cond_proj_dim: Width | None
    conv_in_kernel: Kernel
    conv_out_kernel: Kernel
    projection_class_embeddings_input_dim: Width | None
    attention_type: Word
    class_embeddings_concat: bool | None
    mid_block_only_cross_attention: bool | None
    cross_attention_norm: Word | None
    addition_embed_type_num_heads: Width


class VaeConfig(TypedDict, total=False):
    """Of diffusers' ``AutoencoderKL``."""

    in_channels: Width
    out_channels: Width
    down_block_types: Words
    up_block_types: Words
    block_out_channels: Widths
    layers_per_block: Layers
    act_fn: Word
    latent_channels: Width
    norm_num_groups: Width
    sample_size: Width
    scaling_factor: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
    shift_factor: Factor | None
    latents_mean: Annotated[list[Factor], Field(max_length=1024)] | None
    latents_std: Annotated[list[Factor], Field(max_length=1024)] | None
    force_upcast: bool | None
    use_quant_conv: bool | None
    use_post_quant_conv: bool | None
    mid_block_add_attention: bool | None


class ClipTextConfig(TypedDict, total=False):
    """Of transformers' ``CLIPTextConfig``."""

    vocab_size: Annotated[int, _Whole, Field(ge=1, le=10_000_000)]
    hidden_size: Width
    intermediate_size: Width
    projection_dim: Width | None
    num_hidden_layers: Annotated[int, _Whole, Field(ge=1, le=128)]
    num_attention_heads: Width
    max_position_embeddings: Width
    hidden_act: Word
    layer_norm_eps: Share
    attention_dropout: Share
    initializer_range: Factor
    initializer_factor: Factor
    pad_token_id: Token | None
    bos_token_id: Token | None
    eos_token_id: Token | Annotated[list[Token], _Blocks] | None


class SchedulerConfig(TypedDict, total=False):
    """Of any of diffusers' schedulers; their further keys are given on if they are plain."""

    num_train_timesteps: Annotated[int, _Whole, Field(ge=1, le=100_000)]
    beta_start: Beta
    beta_end: Beta
    beta_schedule: Literal["linear", "scaled_linear", "squaredcos_cap_v2", "laplace", "sigmoid"]
    trained_betas: Annotated[list[Share], Field(min_length=1, max_length=100_000)] | None
    variance_type: Word | None
    clip_sample: bool | None
    prediction_type: Word
    thresholding: bool | None
    dynamic_thresholding_ratio: Share
    clip_sample_range: Factor
    sample_max_value: Factor
    timestep_spacing: Word
    steps_offset: Annotated[int, _Whole, Field(ge=0, le=1000)]
    rescale_betas_zero_snr: bool | None


#: What a part's keys are checked against.
ConfigKeys = type[UNetConfig] | type[VaeConfig] | type[ClipTextConfig] | type[SchedulerConfig]
_schemas: dict[str, TypeAdapter[Any]] = {}  # made when needed: the app's start is not the time


def checked_config(path: Path, raw: Mapping[str, Any], keys: ConfigKeys) -> dict[str, Any]:
    """Return what a config sets of a part's keys, each number of the type that it should have.

    Args:
        path: Of the file that says it, for people.
        raw: Its content.
        keys: What may be set.

    Raises:
        ModelFileError: A value is of another kind, or beyond all bounds; the error names its key.
    """
    try:
        return dict(_schema(keys).validate_python(dict(raw), strict=True))
    except ValidationError as error:
        key = str(error.errors()[0]["loc"][0])
        raise _odd_value(path, key, raw[key]) from error


def _schema(keys: ConfigKeys) -> TypeAdapter[Any]:
    if keys.__name__ not in _schemas:
        _schemas[keys.__name__] = TypeAdapter(keys)
    return _schemas[keys.__name__]


def checked_scheduler(path: Path, raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return a scheduler's config: its known keys checked, others as they are.

    Raises:
        ModelFileError: A value is not what its key asks for, or is no single value.
    """
    known = checked_config(path, raw, SchedulerConfig)
    further = {key: value for key, value in raw.items() if key not in known}
    for key, value in further.items():
        if not key.isidentifier() or key.startswith("__") or not _is_plain(value):
            raise _odd_value(path, key, value)
    return known | further


def _is_plain(value: object) -> bool:
    if isinstance(value, int | float):
        # Infinity is a value that diffusers writes itself: ``lambda_min_clipped``.
        return abs(value) < 1e9 or value in (math.inf, -math.inf)
    return value is None or (isinstance(value, str) and len(value) <= 1000)


def _odd_value(path: Path, key: str, value: object) -> ModelFileError:
    return ModelFileError(
        T("Errors", "In {path}, {key} cannot be {value}."),
        T("Errors", "Copy the model again, or choose another one."),
        path=path,
        key=_shown(key).strip("'"),
        value=_shown(value),
    )


def _shown(value: object) -> str:
    try:
        words = repr(value)
    except RecursionError:  # lists in lists without end
        words = "[[[[[["
    return words if len(words) <= _SHOWN_CHARACTERS else f"{words[:_SHOWN_CHARACTERS]}…"
