"""Reading tensors one by one."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from trainer_core.errors import ModelFileError
from trainer_core.families.layouts import tensor_file
from trainer_core.families.layouts.family_layout import Place, same_name
from trainer_core.families.layouts.tensor_file import TensorFile, fill_module
from trainer_core.model_files.weights_file import read_index


def read(path: Path, name: str, dtype: torch.dtype = torch.float32) -> Tensor:
    with closing(TensorFile(read_index(path))) as file:
        return file.read(name, dtype)


@pytest.mark.parametrize(
    "dtype",
    [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn],
)
def test_every_type_of_weight_is_read_bit_for_bit(tmp_path: Path, dtype: torch.dtype) -> None:
    written = torch.randn(5, 3, generator=torch.Generator().manual_seed(1)).to(dtype)
    save_file({"before": torch.zeros(7), "w": written}, tmp_path / "a.safetensors")
    assert torch.equal(
        read(tmp_path / "a.safetensors", "w", dtype).view(torch.uint8), written.view(torch.uint8)
    )


def test_a_tensor_is_converted_while_it_is_read(tmp_path: Path) -> None:
    save_file({"w": torch.tensor([1.0, 0.1]).half()}, tmp_path / "a.safetensors")
    # The nearest to 0.1 with 11 significant bits: 1638 / 2**14.
    assert torch.equal(read(tmp_path / "a.safetensors", "w"), torch.tensor([1.0, 1638 / 2**14]))


def test_a_single_number_is_read(tmp_path: Path) -> None:
    save_file({"w": torch.tensor(3.5)}, tmp_path / "a.safetensors")
    assert torch.equal(read(tmp_path / "a.safetensors", "w"), torch.tensor(3.5))


@pytest.mark.parametrize(
    "stored",
    [
        torch.arange(24.0).reshape(2, 3, 2, 2).to(memory_format=torch.channels_last),
        torch.arange(12.0).reshape(3, 4).T,
        torch.arange(12.0)[4:8],
        torch.arange(12.0).reshape(3, 4)[1:, 1:3],
        nn.Parameter(torch.arange(3.0)),
        torch.empty(0, 4),
    ],
    ids=["channels_last", "transposed", "part", "gaps", "parameter", "empty"],
)
def test_a_checkpoint_gives_what_torch_load_gives(tmp_path: Path, stored: Tensor) -> None:
    torch.save({"state_dict": {"w": stored}}, tmp_path / "a.ckpt")
    expected = torch.load(tmp_path / "a.ckpt", weights_only=True)["state_dict"]["w"]
    found = read(tmp_path / "a.ckpt", "w")
    assert torch.equal(found, expected)
    assert found.is_contiguous()


def test_tensors_that_share_memory_are_read_apart(tmp_path: Path) -> None:
    whole = torch.arange(6.0)
    torch.save({"a": whole[:4], "b": whole[2:]}, tmp_path / "a.ckpt")
    assert torch.equal(read(tmp_path / "a.ckpt", "a"), torch.arange(4.0))
    assert torch.equal(read(tmp_path / "a.ckpt", "b"), torch.arange(2.0, 6.0))


def test_whole_numbers_are_no_weights(tmp_path: Path) -> None:
    save_file({"w": torch.ones(2, dtype=torch.int8)}, tmp_path / "quantised.safetensors")
    with pytest.raises(ModelFileError, match=r"w in .*quantised\.safetensors has the type I8"):
        read(tmp_path / "quantised.safetensors", "w")


@pytest.mark.parametrize(
    ("replace", "words"),
    [
        (lambda path: None, r"a\.safetensors does not exist\."),
        (Path.mkdir, r"a\.safetensors cannot be read: Is a directory"),
        (lambda path: os.mkfifo(path), r"a\.safetensors cannot be read: it is a pipe or a device"),
    ],
    ids=["gone", "folder", "pipe"],
)
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in folders here")
def test_a_file_that_is_another_once_its_header_was_read_is_named(
    tmp_path: Path, replace: Callable[[Path], None], words: str
) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"w": torch.zeros(1000), "v": torch.zeros(2)}, path)
    index = read_index(path)
    path.unlink()
    replace(path)
    with closing(TensorFile(index)) as file, pytest.raises(ModelFileError, match=words):
        list(file.read_all(["w", "v"], torch.float32))


def test_a_file_that_shrinks_while_it_is_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"w": torch.ones(1000)}, path)
    with closing(TensorFile(read_index(path))) as file:
        os.truncate(path, path.stat().st_size - 1)
        with pytest.raises(ModelFileError, match=r"a\.safetensors is cut short"):
            file.read("w", torch.float32)


def test_tensors_read_ahead_come_in_the_order_asked_for(tmp_path: Path, monkeypatch) -> None:
    written = {str(number): torch.full((number,), float(number)) for number in range(1, 40)}
    save_file(written, tmp_path / "a.safetensors")
    monkeypatch.setattr(tensor_file, "_AHEAD_BYTES", 200)
    names = sorted(written, key=lambda name: int(name) % 7)
    with closing(TensorFile(read_index(tmp_path / "a.safetensors"))) as file:
        found = dict(zip(names, file.read_all(names, torch.float16), strict=True))
    assert all(torch.equal(found[name].tensor, written[name].half()) for name in names)


def test_a_reader_ahead_in_a_file_that_shrinks_names_it(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"v": torch.ones(1000), "w": torch.ones(1000)}, path)
    with closing(TensorFile(read_index(path))) as file:
        os.truncate(path, path.stat().st_size - 1)
        tensors = file.read_all(["v", "w"], torch.float32)
        with pytest.raises(ModelFileError, match=r"a\.safetensors is cut short"):
            list(tensors)


def meta_linear() -> nn.Linear:
    with torch.device("meta"):
        return nn.Linear(3, 2)


def filled(path: Path, tensors: dict[str, Tensor], dtype: torch.dtype) -> nn.Linear:
    """Return a layer of 3 inputs and 2 outputs with the weights of a file."""
    save_file(tensors, path)
    linear = meta_linear()
    with closing(TensorFile(read_index(path))) as file:
        fill_module(linear, file, same_name, dtype)
    return linear


@pytest.mark.parametrize("stored", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("wanted", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_tensor_that_is_not_finite_names_file_and_tensor(
    tmp_path: Path, stored: torch.dtype, wanted: torch.dtype, value: float
) -> None:
    weights = {"weight": torch.ones(2, 3, dtype=stored), "bias": torch.ones(2, dtype=stored)}
    weights["bias"][1] = value
    message = r"bad\.safetensors is damaged: the tensor bias holds numbers that are not finite"
    with pytest.raises(ModelFileError, match=message):
        filled(tmp_path / "bad.safetensors", weights, wanted)


def test_a_number_too_large_for_half_precision_is_no_damage(tmp_path: Path) -> None:
    weights = {"weight": torch.full((2, 3), 70000.0), "bias": torch.ones(2)}
    with pytest.raises(ModelFileError, match=r"weight in .* has numbers too large for float16"):
        filled(tmp_path / "a.safetensors", weights, torch.float16)


@pytest.mark.parametrize(
    ("value", "dtype"), [(1e30, torch.float32), (60000.0, torch.float16), (2e38, torch.bfloat16)]
)
def test_large_numbers_whose_sum_overflows_are_finite(
    tmp_path: Path, value: float, dtype: torch.dtype
) -> None:
    weights = {"weight": torch.full((2, 3), value, dtype=dtype), "bias": torch.ones(2, dtype=dtype)}
    linear = filled(tmp_path / "a.safetensors", weights, dtype)
    assert torch.equal(linear.weight, weights["weight"])


def test_a_module_is_filled_frozen_and_in_evaluation_mode(tmp_path: Path) -> None:
    weights = {"weight": torch.ones(2, 3, 1, 1), "bias": torch.tensor([1.0, 2.0])}
    save_file(weights, tmp_path / "a.safetensors")
    linear = meta_linear()
    with closing(TensorFile(read_index(tmp_path / "a.safetensors"))) as file:
        fill_module(linear, file, lambda name: [Place(f"old.{name}"), Place(name)], torch.float32)
    assert torch.equal(linear(torch.ones(1, 3)), torch.tensor([[4.0, 5.0]]))
    assert not linear.weight.requires_grad
    assert not linear.training


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"weight": torch.ones(2, 3)}, r"a\.safetensors lacks the tensor bias"),
        (
            {"weight": torch.ones(3, 2), "bias": torch.ones(2)},
            r"weight in .*a\.safetensors has the shape \(3, 2\) instead of \(2, 3\)",
        ),
    ],
    ids=["missing", "misshapen"],
)
def test_a_file_that_does_not_fit_is_named(
    tmp_path: Path, weights: dict[str, Tensor], message: str
) -> None:
    save_file(weights, tmp_path / "a.safetensors")
    with (
        closing(TensorFile(read_index(tmp_path / "a.safetensors"))) as file,
        pytest.raises(ModelFileError, match=message),
    ):
        fill_module(meta_linear(), file, same_name, torch.float32)
