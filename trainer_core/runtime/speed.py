"""How torch uses the hardware: what is faster and changes no bit, and what is asked for."""

from __future__ import annotations

import inspect
from typing import Any

import torch


def use_hardware(*, threads: int | None, allow_tf32: bool) -> None:
    """Tell torch how to calculate; for the whole process.

    Args:
        threads: For calculations on the CPU; None: torch's own choice.
        allow_tf32: Whether NVIDIA cards from 2020 on may multiply 32-bit numbers with a mantissa
            of 10 bits: faster, and not the same result. torch allows it in convolutions by
            itself; here it is off for both unless it is asked for.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    torch.backends.cuda.matmul.allow_tf32 = allow_tf32
    torch.backends.cudnn.allow_tf32 = allow_tf32


def compile_repeated_blocks(network: Any) -> None:
    """Compile the blocks of a network that occur many times, each kind once.

    Compiling the whole network would take minutes and be done again for every bucket's size; the
    sizes are dynamic here. What stands in for a layer's forward is compiled with it.

    Args:
        network: A diffusers model, on its device, that names its repeated blocks.
    """
    network.compile_repeated_blocks(dynamic=True)


def fastest_kernels(kind: type[Any], device: torch.device) -> dict[str, object]:
    """Return the arguments by which an optimizer of torch updates all weights in few kernels.

    Args:
        kind: The optimizer's class.
        device: Where the weights are; nothing is changed on a CPU, where results are exact.
    """
    is_torch = kind.__module__.startswith("torch.optim")
    has_fused = "fused" in inspect.signature(kind).parameters
    return {"fused": True} if device.type == "cuda" and is_torch and has_fused else {}
