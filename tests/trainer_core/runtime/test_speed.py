"""What is faster and changes bits is asked for; what changes none is used where it can be."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from bitsandbytes.optim import AdamW8bit

from trainer_core.runtime.speed import compile_repeated_blocks, fastest_kernels, use_hardware

CPU, GPU = torch.device("cpu"), torch.device("cuda")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    threads = torch.get_num_threads()
    matmul, cudnn = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    yield
    torch.set_num_threads(threads)
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = matmul, cudnn


@pytest.mark.parametrize("allowed", [True, False])
def test_tf32_is_used_in_both_places_or_in_none(allowed: bool) -> None:
    use_hardware(threads=None, allow_tf32=allowed)

    assert torch.backends.cuda.matmul.allow_tf32 is allowed
    assert torch.backends.cudnn.allow_tf32 is allowed


def test_threads_are_torch_s_own_choice_unless_they_are_given() -> None:
    before = torch.get_num_threads()
    use_hardware(threads=None, allow_tf32=False)
    assert torch.get_num_threads() == before

    use_hardware(threads=before + 1, allow_tf32=False)
    assert torch.get_num_threads() == before + 1


def test_torch_s_optimizers_are_fused_on_a_gpu_only() -> None:
    assert fastest_kernels(torch.optim.AdamW, GPU) == {"fused": True}
    assert fastest_kernels(torch.optim.AdamW, CPU) == {}  # whose results stay as they are


@pytest.mark.parametrize("kind", [AdamW8bit, torch.optim.Adadelta])
def test_an_optimizer_that_cannot_be_fused_is_left_alone(kind: type) -> None:
    assert fastest_kernels(kind, GPU) == {}


def test_compiled_blocks_take_any_size() -> None:
    class Network:
        asked: dict[str, object]

        def compile_repeated_blocks(self, **options: object) -> None:
            self.asked = options

    network = Network()
    compile_repeated_blocks(network)
    assert network.asked == {"dynamic": True}
