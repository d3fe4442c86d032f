"""CLIP: captions to token ids, and ids to the text features that a denoiser attends to.

Shape suffixes: B captions, L tokens, C channels.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

import ftfy
import torch
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTokenizer

from trainer_core.errors import ModelFileError
from trainer_core.texts import T

#: What transformers 4 puts in front of a text encoder's names and 5 leaves out.
#: Files and adapters keep it.
TEXT_MODEL = "text_model."
_END = "<|endoftext|>"


_FIRST = "!"  # of the vocabulary
_CONFIGS = ("tokenizer_config.json", "special_tokens_map.json")


class Padding(StrEnum):
    """What fills the rest of a row of ids, behind the end mark.

    Source: vectors/README.md, prompt_weights.json.
    """

    END = "end"
    """The end mark."""
    FIRST = "first"
    """The first id, 0; a "!" of a caption has another."""
    FIRST_IN_TEXTS_TOO = "first_in_texts_too"
    """The first id, which is that of every "!" of a caption too."""


class ClipTokenizer:
    """Turns captions into rows of ids of one length: start mark, tokens, end mark, padding.

    Args:
        folder: Where ``vocab.json`` and ``merges.txt`` are.
        length: Ids in a row, both marks included.
        padding: What fills up the rest, whatever the folder says of it.
    """

    def __init__(self, folder: Path, length: int, padding: Padding = Padding.END) -> None:
        self.folder = folder
        self.length = length
        self.padding = padding
        mark = _FIRST if padding is Padding.FIRST_IN_TEXTS_TOO else _END
        try:
            self.library = CLIPTokenizer.from_pretrained(
                folder, local_files_only=True, pad_token=mark
            )
        except Exception as error:  # the tokenizers library raises nothing more exact
            raise ModelFileError(
                T("Errors", "The tokenizer in {path} cannot be read: {reason}"),
                T("Errors", "Copy the whole model folder again."),
                path=folder,
                reason=error,
            ) from error

        if padding is Padding.FIRST:  # now that "!" is no mark
            self.library.pad_token = _FIRST

    def write(self, folder: Path) -> None:
        """Write the tokenizer's files into a new folder, for any program to pad as it does here.

        Raises:
            OSError: They cannot be written.
        """
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        if self.padding is Padding.END:
            return
        for path in (folder / name for name in _CONFIGS):
            if path.is_file():
                config = json.loads(path.read_text(encoding="utf-8")) | {"pad_token": _FIRST}
                path.write_text(json.dumps(config, indent=2), encoding="utf-8")

    def encode(self, captions: Sequence[str]) -> Tensor:
        """Return the ids BL, int64 on the CPU.

        What does not fit into ``length`` is cut, the rest filled up.
        """
        cleaned = [_clean(caption) for caption in captions]
        padded = self.library(
            cleaned,
            padding="max_length",
            truncation=True,
            max_length=self.length,
            return_tensors="pt",
        )
        ids_BL: Tensor = padded.input_ids
        return ids_BL


def _clean(caption: str) -> str:
    """Mend quotes, ligatures and HTML entities as CLIP's own tokenizer did.

    transformers 5 leaves this step out and would give such captions other ids.
    """
    return str(ftfy.fix_text(caption))


def core(text_encoder: CLIPTextModel) -> nn.Module:
    """Return the module, in it or itself, that holds embeddings, layers and final norm."""
    inner: nn.Module = getattr(text_encoder, "text_model", text_encoder)
    return inner


def published_name(name: str) -> str:
    """Return a tensor's or module's name as files have it, whatever transformers' version."""
    return name if name.startswith(TEXT_MODEL) else TEXT_MODEL + name


def encode_ids(text_encoder: CLIPTextModel, ids_BL: Tensor, clip_skip: int) -> Tensor:
    """Return the text features of the ``clip_skip``-th layer from the end.

    Args:
        text_encoder: The encoder; gradients flow to whatever trains in it.
        ids_BL: Token ids, integers on its device.
        clip_skip: 1 for the last layer, 2 for the one before it, ...

    Returns:
        That layer's output after the encoder's final norm, shape BLC, there, in the encoder's
        type; under autocast, in the type that autocast gives a norm.
    """
    layers = text_encoder(ids_BL, output_hidden_states=True).hidden_states
    final_norm = core(text_encoder).get_submodule("final_layer_norm")
    features_BLC: Tensor = final_norm(layers[-clip_skip])
    return features_BLC


def set_gradient_checkpointing(text_encoder: CLIPTextModel, enabled: bool) -> None:
    """Choose between less memory and more speed in the encoder's backward pass.

    Training mode is part of it: transformers keeps everything in evaluation mode. Nothing else
    depends on the mode, as CLIP's dropout is 0.
    """
    # transformers 5 calls gradient checkpointing "activation checkpointing".
    new_name = hasattr(text_encoder, "activation_checkpointing_enable")
    prefix = "activation" if new_name else "gradient"
    if enabled:
        getattr(text_encoder, f"{prefix}_checkpointing_enable")({"use_reentrant": False})
    else:
        getattr(text_encoder, f"{prefix}_checkpointing_disable")()
    text_encoder.train(enabled)


def fill_position_ids(text_encoder: CLIPTextModel) -> None:
    """Make the buffer that no file holds and that a build on the meta device leaves empty.

    It is 1 x length, int64, on the device of the weights.
    """
    embeddings = core(text_encoder).get_submodule("embeddings")
    length = text_encoder.config.max_position_embeddings
    device = next(text_encoder.parameters()).device
    embeddings.position_ids = torch.arange(length, device=device).expand((1, -1))
