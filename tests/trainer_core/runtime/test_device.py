"""The device and the precision that a run really uses, without a GPU to try it on."""

from __future__ import annotations

from typing import Any

import psutil
import pytest
import torch

from trainer_core.errors import OutOfMemory, SettingsError
from trainer_core.runtime.device import (
    find_machine,
    free_cache,
    memory_mib,
    out_of_memory_in_words,
    pinning,
)

CPU = torch.device("cpu")


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture(params=[True, False], ids=["new GPU", "old GPU"])
def has_bf16(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """A pretended GPU, with bf16 or without."""

    def is_supported(*, including_emulation: bool) -> bool:
        return including_emulation or request.param

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", is_supported)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Pretended 3000")
    return bool(request.param)


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize(
    ("asked", "precision", "dtype"),
    [
        ("auto", "no", torch.float32),
        ("no", "no", torch.float32),
        ("bf16", "bf16", torch.bfloat16),
    ],
)
def test_a_cpu_calculates_in_32_bit_unless_bf16_is_asked_for(
    asked: Any, precision: str, dtype: torch.dtype
) -> None:
    machine = find_machine(asked)

    assert (machine.device, machine.precision, machine.weight_dtype) == (CPU, precision, dtype)


@pytest.mark.usefixtures("no_gpu")
def test_fp16_on_a_cpu_is_refused_with_what_to_set() -> None:
    with pytest.raises(SettingsError, match="fp16 needs a GPU") as caught:
        find_machine("fp16")

    assert "auto" in str(caught.value.hint)


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize(("threads", "name"), [(1, "CPU, 1 thread"), (2, "CPU, 2 threads")])
def test_a_cpu_is_named_with_its_threads(
    threads: int, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)

    assert find_machine("auto").name == name


def test_a_gpu_calculates_in_the_best_16_bit_that_it_has(has_bf16: bool) -> None:
    machine = find_machine("auto")

    assert (machine.device, machine.name) == (torch.device("cuda", 1), "Pretended 3000")
    assert machine.precision == ("bf16" if has_bf16 else "fp16")


@pytest.mark.usefixtures("has_bf16")
@pytest.mark.parametrize(("asked", "dtype"), [("no", torch.float32), ("fp16", torch.float16)])
def test_any_gpu_does_what_is_asked(asked: Any, dtype: torch.dtype) -> None:
    machine = find_machine(asked)

    assert (machine.precision, machine.weight_dtype) == (asked, dtype)


def test_bf16_is_refused_where_it_would_be_emulated(has_bf16: bool) -> None:
    if has_bf16:
        assert find_machine("bf16").precision == "bf16"
        return
    with pytest.raises(SettingsError, match="Pretended 3000 cannot calculate in bf16"):
        find_machine("bf16")


def test_memory_on_a_cpu_is_the_process_s() -> None:
    before = memory_mib(CPU)
    held = torch.ones(64 * 2**18)  # 64 MiB of float32

    assert 50 < memory_mib(CPU) - before < 100
    assert before < psutil.virtual_memory().total / 2**20
    assert len(held)


def test_there_is_nothing_to_free_on_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: pytest.fail("asked a GPU"))

    free_cache(CPU)


def test_nothing_is_pinned_for_a_cpu() -> None:
    assert pinning(torch.device("cpu")) is None


def test_the_device_s_lack_of_memory_is_told_with_the_ways_out() -> None:
    refusal = pytest.raises(OutOfMemory, match=r"too little memory: 2 GiB\.$")
    with refusal as caught, out_of_memory_in_words():
        raise torch.cuda.OutOfMemoryError("2 GiB.\nmore of torch's words")
    assert caught.value.hint is not None
    assert "batch size" in str(caught.value.hint)
