"""CLIP: captions to token ids, and ids to the text features that a denoiser attends to.

An encoder reads chunks of 77 ids, both marks included; a longer text is read in several, and what
comes of them is joined to one.

Shape suffixes: B captions, N chunks, R = B x N rows, L ids of a chunk, T features of a text
(75 for each chunk, and 2), C channels.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

import ftfy
import torch
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTokenizer

from trainer_core.errors import ModelFileError
from trainer_core.texts import T
from trainer_core.tokens.prompt_weights import read_weights

#: What transformers 4 puts in front of a text encoder's names and 5 leaves out.
#: Files and adapters keep it.
TEXT_MODEL = "text_model."

_END = "<|endoftext|>"
_FIRST = "!"  # of the vocabulary
_CONFIGS = ("tokenizer_config.json", "special_tokens_map.json")


class Tokens(NamedTuple):
    """Captions as an encoder reads them.

    Attributes:
        ids_BNL: int64.
        weights_BNL: What the features of each are multiplied with, float32; None: as they are.
    """

    ids_BNL: Tensor
    weights_BNL: Tensor | None = None

    @property
    def rows_RL(self) -> Tensor:
        """The chunks, one below the other: those of a caption are neighbours."""
        return self.ids_BNL.flatten(0, 1)

    def to(self, device: torch.device) -> Tokens:
        """Return the same on a device."""
        weights_BNL = None if self.weights_BNL is None else self.weights_BNL.to(device)
        return Tokens(self.ids_BNL.to(device), weights_BNL)


class Padding(StrEnum):
    """What fills a chunk up behind the end mark.

    Source: vectors/README.md, prompt_weights.json.
    """

    END = "end"
    """The end mark."""
    FIRST = "first"
    """The first id, 0; a "!" of a caption has another."""
    FIRST_IN_TEXTS_TOO = "first_in_texts_too"
    """The first id, which is that of every "!" of a caption too."""


class ClipTokenizer:
    """Turns captions into chunks of ids: start mark, tokens, end mark and padding.

    Args:
        folder: Where ``vocab.json`` and ``merges.txt`` are.
        length: Ids of a chunk, both marks included.
        padding: What fills a chunk up, whatever the folder says of it.
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

    def encode(
        self, captions: Sequence[str], num_chunks: int = 1, *, is_weighted: bool = False
    ) -> Tokens:
        """Return the ids, on the CPU.

        What does not fit into so many chunks is cut, the rest filled up.

        Args:
            captions: The texts.
            num_chunks: So many for each.
            is_weighted: Whether weights are read in them: ``(word:1.3)``.

        Raises:
            DatasetError: Such a weight is no number.
        """
        length = num_chunks * (self.length - 2) + 2
        if is_weighted:
            rows = [self._weighted_row(caption, length) for caption in captions]
            ids, weights = (torch.tensor(part) for part in zip(*rows, strict=True))
            return Tokens(self._chunks(ids), _weight_chunks(weights, self.length))
        padded = self.library(
            [_clean(caption) for caption in captions],
            padding="max_length",
            truncation=True,
            max_length=length,
            return_tensors="pt",
        )
        return Tokens(self._chunks(padded.input_ids))

    def _weighted_row(self, caption: str, length: int) -> tuple[list[int], list[float]]:
        """Return ids and weights of a caption, cut or filled up: each piece is read by itself."""
        ids: list[int] = []
        weights: list[float] = []
        for piece in read_weights(caption).pieces:
            found = self.library(_clean(piece.text), add_special_tokens=False).input_ids
            ids += found
            weights += [piece.weight] * len(found)
        library, room = self.library, length - 2
        ids = [library.bos_token_id, *ids[:room], library.eos_token_id]
        weights = [1.0, *weights[:room]]
        ids += [library.pad_token_id] * (length - len(ids))
        return ids, weights + [1.0] * (length - len(weights))

    def _chunks(self, ids: Tensor) -> Tensor:
        """Return the rows of ids, start mark, tokens and one more, cut into chunks BNL.

        Where padding is another token than the end mark, the encoder sees it: a chunk then ends
        in what follows it, a full one in an end mark, and an empty one begins with that.

        Source: prompt_weights.json.
        """
        in_chunk = self.length - 2
        if ids.shape[1] == self.length:
            return ids[:, None]
        end, pad = self.library.eos_token_id, self.library.pad_token_id
        middle = ids[:, 1:-1].reshape(len(ids), -1, in_chunk).clone()
        first = ids[:, :1, None].expand(-1, middle.shape[1], 1)
        last = torch.full_like(first, end)
        if pad != end:
            has_room = (middle[:, :, -1] == end) | (middle[:, :, -1] == pad)
            following = ids[:, self.length - 1 :: in_chunk]
            last = torch.where(has_room, following, end)[:, :, None]
            middle[:, :, 0].masked_fill_(middle[:, :, 0] == pad, end)
        return torch.cat([first, middle, last], dim=2)


def _weight_chunks(weights: Tensor, length: int) -> Tensor:
    """Return rows of weights cut into chunks BNL of a length; marks have the weight 1."""
    inner_BNT = weights[:, 1:-1].reshape(len(weights), -1, length - 2)
    return nn.functional.pad(inner_BNT, (1, 1), value=1.0)


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


def read(text_encoder: nn.Module, tokens: Tokens) -> Any:
    """Return what an encoder makes of each chunk: transformers' output, of rows R.

    ``hidden_states`` are the outputs of the embeddings and of every layer, RLC; `joined` makes
    one of them what a denoiser attends to. ``text_embeds``, of an encoder with a projection, is
    the pooled output RC at the first end mark of each chunk; `of_first_chunk` is that of texts.

    Args:
        text_encoder: Gradients flow to whatever trains in it.
        tokens: On its device.
    """
    return text_encoder(tokens.rows_RL, output_hidden_states=True)


def joined(states_RLC: Tensor, tokens: Tokens) -> Tensor:
    """Return the features BTC of texts that were read in chunks, times the weights of their ids.

    Of each chunk what stands between its marks, before it the first chunk's start mark, behind
    it the last one's last place.
    """
    states_BTC = _in_one_row(states_RLC, tokens)
    if tokens.weights_BNL is None:
        return states_BTC
    weights_RL1 = tokens.weights_BNL.flatten(0, 1)[..., None]
    return states_BTC * _in_one_row(weights_RL1, tokens).to(states_BTC.dtype)


def _in_one_row(rows_RLC: Tensor, tokens: Tokens) -> Tensor:
    count = tokens.ids_BNL.shape[1]
    if count == 1:
        return rows_RLC
    rows_BNLC = rows_RLC.view(-1, count, *rows_RLC.shape[1:])
    inner_BTC = rows_BNLC[:, :, 1:-1].flatten(1, 2)
    return torch.cat([rows_BNLC[:, 0, :1], inner_BTC, rows_BNLC[:, -1, -1:]], dim=1)


def of_first_chunk(rows_RC: Tensor, tokens: Tokens) -> Tensor:
    """Return what belongs to the first chunk of each text, BC."""
    return rows_RC[:: tokens.ids_BNL.shape[1]]


def encode_tokens(text_encoder: CLIPTextModel, tokens: Tokens, clip_skip: int) -> Tensor:
    """Return the text features of the ``clip_skip``-th layer from the end, normed.

    Args:
        text_encoder: The encoder; gradients flow to whatever trains in it.
        tokens: On its device.
        clip_skip: 1 for the last layer, 2 for the one before it, ...

    Returns:
        That layer's output after the encoder's final norm, shape BTC, there, in the encoder's
        type; under autocast, in the type that autocast gives a norm.
    """
    layers = read(text_encoder, tokens).hidden_states
    final_norm = core(text_encoder).get_submodule("final_layer_norm")
    return joined(final_norm(layers[-clip_skip]), tokens)


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
