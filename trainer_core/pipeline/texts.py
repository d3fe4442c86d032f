"""Conditions of captions: encoded ahead, remembered, or made anew while a text encoder trains."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import torch

from trainer_core.errors import OutputError
from trainer_core.families.condition import Condition
from trainer_core.pipeline.cache_files import CacheFiles
from trainer_core.pipeline.cache_writer import CacheWriter
from trainer_core.texts import T

#: What captions may take in memory: some 4,500 in Stable Diffusion 1, in 32 bit, and 1,700 in XL.
MAX_REMEMBERED_BYTES = 2**30

TEXT_VERSION = 1  # raised when the same encoders give other numbers for the same caption
TO_DISK = "cache.cache_text_encoder_outputs_to_disk"

Encode = Callable[[Sequence[str]], Condition]


class TextFiles:
    """Conditions of captions on the disk, by everything that they depend on.

    Args:
        folder: Where the files are.
        encoder: Identity of the text encoders' weights and options, and of their precision.
    """

    def __init__(self, folder: Path, *, encoder: str) -> None:
        message = T("Errors", "The text cache cannot be written: {reason}")
        self._files = CacheFiles(folder, TO_DISK, message)
        self._encoder = encoder

    def read(self, caption: str) -> Condition | None:
        """Return what the encoders made of a caption, on the CPU; None if it is not there."""
        tensors = self._files.read(self._key(caption))
        return None if tensors is None else Condition(tensors)

    def write(self, caption: str, condition: Condition) -> None:
        """Write what the encoders made of a caption, all of its tensors; in any thread.

        Raises:
            OutputError: The disk refuses it.
        """
        self._files.write(self._key(caption), condition.tensors)

    def require(self, caption: str) -> Condition:
        """Return what was there when the run began.

        Raises:
            OutputError: It is gone.
        """
        found = self.read(caption)
        if found is None:
            raise OutputError(
                T("Errors", "The text cache in {folder} has lost what this run needs."),
                T("Errors", "Go on from the newest state: what is missing is encoded anew."),
                setting=TO_DISK,
                folder=self._files.folder,
            )
        return found

    def _key(self, caption: str) -> str:
        facts = [TEXT_VERSION, caption, self._encoder]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


class TextStore:
    """Gives the conditions of a batch's captions.

    With frozen text encoders each caption is encoded once, by itself, so that what it was batched
    with cannot change its rounding, and kept on the CPU, in the type that the encoders gave. Those
    that are encoded ahead stay, and need no encoder any more; of the others, the newest. Autocast,
    where it is wanted, is on when this is called: encoding is computed in it.

    Args:
        encode: What makes conditions of captions, on any device.
        is_trained: Whether anything in the text encoders trains; nothing is kept then.
        device: Where conditions are given to.
    """

    def __init__(self, encode: Encode, *, is_trained: bool, device: torch.device) -> None:
        self._encode = encode
        self._is_trained = is_trained
        self._device = device
        self._files: TextFiles | None = None
        self._ahead: dict[str, Condition] = {}
        self._newest: dict[str, Condition] = {}

    def encode_ahead(
        self,
        captions: Iterable[str],
        *,
        progress: Callable[[int, int], None],
        files: TextFiles | None = None,
    ) -> None:
        """Have what captions that will be asked for become, encoding each at most once.

        With ``files`` the first ones are kept in memory, and the others read when they are asked
        for.

        Args:
            captions: All of them; repetitions cost nothing.
            progress: Told after each how many are done, and how many there are to encode.
            files: Where those of earlier runs are, and where new ones are written to; all of them
                are there when this returns.

        Raises:
            OutputError: The files cannot be written.
        """
        self._files = files
        if files is not None:
            for caption, condition in self._ahead.items():
                files.write(caption, condition)  # what a full disk did not take before
        missing = [each for each in dict.fromkeys(captions) if not self._is_known(each)]
        with CacheWriter() as writer:
            for number, caption in enumerate(missing, start=1):
                condition = self._encoded(caption)
                self._keep(caption, condition)
                if files is not None:
                    writer.put(partial(files.write, caption, condition))
                progress(number, len(missing))

    def has_room(self, captions: Sequence[str]) -> bool:
        """Tell whether captions may be kept in memory, by the first one, which is encoded now."""
        for caption in captions[:1]:
            self._ahead[caption] = self._encoded(caption)
        return self.num_bytes(len(captions)) <= MAX_REMEMBERED_BYTES

    def num_bytes(self, count: int) -> int:
        """Return about how many bytes so many captions take, by one that was encoded; else 0."""
        known = next(iter(self._ahead.values()), None)
        return 0 if known is None else count * _num_bytes(known)

    def joined(self, captions: Sequence[str]) -> Condition:
        """Return the conditions of captions that were encoded ahead as one batch, on the CPU.

        May be called in any thread.

        Raises:
            KeyError: One was not encoded.
            OutputError: It is on the disk no more.
        """
        return Condition.batch([self._known(caption) for caption in captions])

    def __call__(self, captions: Sequence[str]) -> Condition:
        """Return the conditions of ``captions`` as one batch, on the device.

        Gradients flow if the encoders train; else there are none.
        """
        if self._is_trained:
            return self._encode(captions)
        return Condition.batch([self._kept(caption) for caption in captions]).to(self._device)

    def _is_known(self, caption: str) -> bool:
        if caption in self._ahead:
            return True
        found = None if self._files is None else self._files.read(caption)
        if found is not None:
            self._keep(caption, found)
        return found is not None

    def _keep(self, caption: str, condition: Condition) -> None:
        if self._files is None or len(self._ahead) < _most(condition):
            self._ahead[caption] = condition

    def _known(self, caption: str) -> Condition:
        if caption in self._ahead or self._files is None:
            return self._ahead[caption]
        return self._files.require(caption)

    def _kept(self, caption: str) -> Condition:
        known = self._ahead.get(caption) or self._newest.get(caption)
        if known is None and self._files is not None:
            known = self._files.require(caption)
        if known is None:
            known = self._encoded(caption)
            if len(self._newest) >= max(_most(known), 1):
                del self._newest[next(iter(self._newest))]
            self._newest[caption] = known
        return known

    @torch.no_grad()
    def _encoded(self, caption: str) -> Condition:
        return self._encode([caption]).to(torch.device("cpu"))


def _num_bytes(condition: Condition) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in condition.tensors.values())


def _most(condition: Condition) -> int:
    """Return how many such conditions may be kept in memory."""
    return MAX_REMEMBERED_BYTES // _num_bytes(condition)
