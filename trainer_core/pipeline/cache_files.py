"""Files of named tensors by key, which can be made again: what is encoded once for all runs.

What is read is proven by a checksum: files are not flushed when they are written, which would take
longer than the encoding. A damaged one goes, and is made again.
"""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from trainer_core.errors import DiskFull, OutputError
from trainer_core.files.writing import publish_bytes
from trainer_core.texts import T

Tensors = Mapping[str, Tensor]
_CHECKSUM = "crc32"


class CacheFiles:
    """Tensors by key in a folder; any thread and several programs may use it at once.

    Args:
        folder: Where the files are; it is made when it is needed.
        setting: The path of the setting that switches them on.
        message: Why they cannot be written, with ``{reason}``.
    """

    def __init__(self, folder: Path, setting: str, message: str) -> None:
        self.folder = folder
        self._setting = setting
        self._message = message

    def path(self, key: str) -> Path:
        """Return where the tensors of a key are, or would be."""
        return self.folder / key[:2] / f"{key}.safetensors"

    def read(self, key: str, is_right: Callable[[Tensors], bool] = bool) -> Tensors | None:
        """Return the tensors of a key, on the CPU; None if they are not there.

        Their file counts as used from now on. One that is damaged, of another key, or not right is
        removed.

        Args:
            key: As they were written.
            is_right: Tells whether the tensors are of use.
        """
        path = self.path(key)
        if not path.is_file():
            return None
        try:
            content = path.read_bytes()
            tensors: Tensors = load(content)
            if not is_right(tensors) or _written_checksum(content) != _checksum(key, tensors):
                raise ValueError("not what is wanted")
        except (OSError, SafetensorError, KeyError, ValueError):
            with contextlib.suppress(OSError):
                path.unlink()  # damaged or of an earlier version: it is made again
            return None
        with contextlib.suppress(OSError):  # by which it is seen what no run needs
            os.utime(path)
        return tensors

    def write(self, key: str, tensors: Tensors) -> None:
        """Write the tensors of a key, unless they are there already; in any thread.

        Args:
            key: Covers everything that they depend on.
            tensors: On the CPU, of any type.

        Raises:
            OutputError: The disk refuses it.
        """
        path = self.path(key)
        if path.exists():
            return
        whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
        content = save(whole, {_CHECKSUM: _checksum(key, whole)})
        try:
            publish_bytes(path, content, replace=False, sync=False)
        except OutputError as error:
            if not path.exists():  # else another run stored the same meanwhile
                told = self._in_words(error)
                raise DiskFull.at(path, told) if isinstance(error, DiskFull) else told from error

    def _in_words(self, error: OutputError) -> OutputError:
        return OutputError(
            self._message,
            T(
                "Errors",
                "Free some space in {folder}, set LORA_LOOM_CACHE to another folder, or "
                "switch {param} off.",
            ),
            setting=self._setting,
            param=self._setting.partition(".")[2],
            reason=error,
            folder=self.folder,
        )


def _checksum(key: str, tensors: Tensors) -> str:
    """Return a checksum of the key, of types and shapes and of the numbers, in order of the names.

    The tensors are contiguous and on the CPU.
    """
    crc = zlib.crc32(key.encode())
    for _, tensor in sorted(tensors.items()):
        crc = zlib.crc32(f"{tensor.dtype} {tuple(tensor.shape)}".encode(), crc)
        crc = zlib.crc32(tensor.view(-1).view(torch.uint8).numpy().data, crc)
    return f"{crc:08x}"


def _written_checksum(content: bytes) -> object:
    """Return the checksum that a file's header holds, None without one."""
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return (header.get("__metadata__") or {}).get(_CHECKSUM)
