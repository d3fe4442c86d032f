"""The device and the number formats of a run."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import psutil
import torch
from torch import Tensor

from trainer_core.errors import OutOfMemory, SettingsError
from trainer_core.texts import T

_log = logging.getLogger(__name__)

Precision = Literal["no", "fp16", "bf16"]

_DTYPES: dict[Precision, torch.dtype] = {
    "no": torch.float32,
    "fp16": torch.float16,
    "bf16": torch.bfloat16,
}


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a run calculates, and in which number format."""

    device: torch.device
    precision: Precision
    name: str

    @property
    def weight_dtype(self) -> torch.dtype:
        """The format of the frozen base model's weights."""
        return _DTYPES[self.precision]


def find_machine(mixed_precision: Literal["auto", "no", "fp16", "bf16"]) -> Machine:
    """Return the device and the precision that is really used (guide-facts 45).

    Raises:
        SettingsError: The device cannot do what was asked.
    """
    if torch.cuda.is_available():
        return _gpu(torch.device("cuda"), mixed_precision)
    if mixed_precision == "fp16":
        raise SettingsError(
            T("Errors", "fp16 needs a GPU; on a CPU it would silently be 32 bit."),
            T("Errors", "Set mixed_precision to auto, no or bf16."),
        )
    precision: Precision = "bf16" if mixed_precision == "bf16" else "no"
    return Machine(torch.device("cpu"), precision, _cpu_name())


def _cpu_name() -> str:
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'s' if threads > 1 else ''}"


def _gpu(device: torch.device, asked: Literal["auto", "no", "fp16", "bf16"]) -> Machine:
    has_bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    name = torch.cuda.get_device_name(device)
    if asked == "auto":
        return Machine(device, "bf16" if has_bf16 else "fp16", name)
    if asked == "bf16" and not has_bf16:
        raise SettingsError(
            T("Errors", "{device} cannot calculate in bf16."),
            T("Errors", "Set mixed_precision to auto or fp16."),
            device=name,
        )
    return Machine(device, asked, name)


def memory_mib(device: torch.device) -> float:
    """Return the memory in use in MiB: the highest so far on a GPU, the process's on a CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return float(psutil.Process().memory_info().rss) / 2**20


def pinning(device: torch.device) -> Callable[[Tensor], Tensor] | None:
    """Return what puts a tensor in page-locked memory, from which a GPU copies by itself.

    None for a device that has no use for it. It may be called in any thread.
    """
    if device.type != "cuda":
        return None

    def pin(tensor: Tensor) -> Tensor:
        with torch.cuda.device(device):  # a new thread would ask the first GPU, whichever trains
            return tensor.pin_memory()

    return pin


def free_cache(device: torch.device) -> None:
    """Give memory that is no longer used back to the device."""
    if device.type == "cuda":
        with contextlib.suppress(RuntimeError):
            torch.cuda.empty_cache()


@contextlib.contextmanager
def out_of_memory_in_words() -> Iterator[None]:
    """Turn the GPU's "out of memory" into an error that names the ways out.

    Raises:
        OutOfMemory: It was met.
    """
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        _log.exception("out of memory")
        raise OutOfMemory(
            T("Errors", "The GPU has too little memory: {reason}"),
            T(
                "Errors",
                "Lower the batch size or the resolution, switch gradient checkpointing on, or "
                "close other programs that use the GPU.",
            ),
            reason=str(error).split("\n", maxsplit=1)[0],
        ) from error
