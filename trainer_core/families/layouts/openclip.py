"""CLIP text encoders under OpenCLIP's names, as single files of SD 2 and SDXL have them.

The network is transformers': query, key and value stand apart there, and the projection of the
pooled output, where there is one, is a layer. OpenCLIP has the three in one tensor and multiplies
by the projection from the other side. What else a file has is not needed: ``logit_scale``, causal
masks and position ids.

Source of the names: open_clip, ``model.py`` and ``transformer.py``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from transformers import CLIPTextConfig, CLIPTextModelWithProjection

from trainer_core.families.clip import TEXT_MODEL
from trainer_core.families.layouts.family_layout import (
    Config,
    PartLayout,
    Place,
    TokenizerPlace,
)
from trainer_core.families.layouts.parts import clip_part
from trainer_core.families.layouts.shapes import Shapes

_PROJECTION = "text_projection"
_ENDS: Mapping[str, str] = {
    "embeddings.token_embedding.weight": "token_embedding.weight",
    "embeddings.position_embedding.weight": "positional_embedding",
    "final_layer_norm.weight": "ln_final.weight",
    "final_layer_norm.bias": "ln_final.bias",
}
_IN_LAYER: Mapping[str, str] = {
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}
#: Query, key and value are shares of one tensor, in this order.
_FUSED = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")


def openclip_place(name: str) -> Place:
    """Return where a tensor of a text encoder is in OpenCLIP's layout, without the file's prefix.

    Args:
        name: Its name in transformers, with or without ``text_model.``.

    Raises:
        KeyError: OpenCLIP's text encoders have no such tensor.
    """
    if name == f"{_PROJECTION}.weight":
        return Place(_PROJECTION, is_transposed=True)
    inner = name.removeprefix(TEXT_MODEL)
    match inner.split("."):
        case ["encoder", "layers", layer, *module, leaf]:
            path, block = ".".join(module), f"transformer.resblocks.{layer}"
            if path in _FUSED:
                share = (_FUSED.index(path), len(_FUSED))
                return Place(f"{block}.attn.in_proj_{leaf}", share)
            return Place(f"{block}.{_IN_LAYER[path]}.{leaf}")
    return Place(_ENDS[inner])


def openclip_part(
    prefix: str, tokenizer: TokenizerPlace, *, has_projection: bool = False
) -> PartLayout:
    """Return the layout of a text encoder of OpenCLIP; in folders it is like any other CLIP.

    Args:
        prefix: What stands before its names in a single file (``cond_stage_model.model.``).
        tokenizer: Where its tokenizer is.
        has_projection: Whether its pooled output is projected, by a matrix of the file.
    """

    def places(name: str) -> list[Place]:
        place = openclip_place(name)
        return [place._replace(name=prefix + place.name)]

    part = dataclasses.replace(clip_part(prefix, tokenizer), file_names=lambda config: places)
    if not has_projection:
        return part
    usual = part.folder_names

    def folder_names(name: str) -> list[Place]:
        is_outside = name.startswith(_PROJECTION)
        return [Place(name)] if is_outside else list(usual(name))

    return dataclasses.replace(part, build=_build_with_projection, folder_names=folder_names)


def _build_with_projection(config: Config) -> CLIPTextModelWithProjection:
    return CLIPTextModelWithProjection(CLIPTextConfig.from_dict(config))


def openclip_config(shapes: Shapes, prefix: str, most_layers: int) -> Config:
    """Read the sizes of a text encoder off a single file in OpenCLIP's layout.

    Args:
        shapes: Of the file's tensors.
        prefix: What stands before the encoder's names.
        most_layers: Layers that are used. SD 2's files have one more, whose output nothing reads.

    Raises:
        ModelFileError: A tensor that decides a size is missing.
    """
    layer = f"{prefix}transformer.resblocks.{{}}.mlp.c_fc.weight"
    tokens, width = shapes[f"{prefix}token_embedding.weight"][:2]
    projection = f"{prefix}{_PROJECTION}"
    return {
        "vocab_size": tokens,
        "hidden_size": width,
        "projection_dim": shapes[projection][1] if projection in shapes else width,
        "max_position_embeddings": shapes[f"{prefix}positional_embedding"][0],
        "num_hidden_layers": min(shapes.count(layer), most_layers),
        "num_attention_heads": max(1, width // 64),
        "intermediate_size": shapes[layer.format(0)][0],
    }
