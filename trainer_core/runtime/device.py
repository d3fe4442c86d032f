"""The device and the number formats of a run."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psutil
import torch
from torch import Tensor

from trainer_core.catalogue.entry import implementation
from trainer_core.catalogue.precisions import MIXED_PRECISIONS
from trainer_core.errors import OutOfMemory, SettingsError
from trainer_core.texts import T

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a run calculates, and in which number format."""

    device: torch.device
    precision: str
    name: str

    @property
    def weight_dtype(self) -> torch.dtype:
        """The format of the frozen base model's weights."""
        dtype: torch.dtype = implementation(MIXED_PRECISIONS[self.precision].implementation)
        return dtype


def find_machine(mixed_precision: str) -> Machine:
    """Return the device and the precision that is really used (guide-facts 45).

    Args:
        mixed_precision: The name of one of `MIXED_PRECISIONS`.

    Raises:
        SettingsError: The device cannot do what was asked.
    """
    device = _device()
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _cpu_name()
    tried = MIXED_PRECISIONS[mixed_precision].tried.get(device.type, (mixed_precision,))
    for precision in tried:
        if _calculates_in(device, precision):
            return Machine(device, precision, name)
    if device.type == "cpu":
        raise SettingsError(
            T("Errors", "{precision} needs a GPU; on a CPU it would silently be 32 bit."),
            T("Errors", "Set {param} to auto, no or bf16."),
            setting="hardware.mixed_precision",
            param="mixed_precision",
            precision=tried[-1],
        )
    raise SettingsError(
        T("Errors", "{device} cannot calculate in {precision}."),
        T("Errors", "Set {param} to auto or fp16."),
        setting="hardware.mixed_precision",
        param="mixed_precision",
        device=name,
        precision=tried[-1],
    )


def _calculates_in(device: torch.device, precision: str) -> bool:
    entry = MIXED_PRECISIONS[precision]
    if device.type == "cpu":
        return entry.on_cpu
    is_bf16 = implementation(entry.implementation) is torch.bfloat16
    return not is_bf16 or torch.cuda.is_bf16_supported(including_emulation=False)


def _cpu_name() -> str:
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'s' if threads > 1 else ''}"


def memory_mib(device: torch.device) -> float:
    """Return the memory in use in MiB: the highest so far on a GPU, the process's on a CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return float(psutil.Process().memory_info().rss) / 2**20


def _device() -> torch.device:
    """Return the device of this process: of several GPUs the one that its team gave it."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    # With its number, because another thread's current GPU is the first.
    return torch.device("cuda", torch.cuda.current_device())


def pinning(device: torch.device) -> Callable[[Tensor], Tensor] | None:
    """Return what puts a tensor on the CPU in page-locked memory: a GPU copies it by itself.

    None for a device that has no use for it. It takes any shape and type, in any thread.
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
