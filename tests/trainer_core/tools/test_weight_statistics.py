"""Numbers of tensors of every type, against torch's."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from trainer_core.model_files.tensor_index import TensorEntry
from trainer_core.model_files.weights_file import read_index
from trainer_core.tools import weight_statistics
from trainer_core.tools.weight_statistics import numbers_of, scalar_of

FLOATS = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
}


@pytest.mark.parametrize("name", FLOATS)
def test_every_float_type_is_read_as_torch_reads_it(name: str, tmp_path: Path) -> None:
    tensor = (torch.randn(300, generator=torch.Generator().manual_seed(1)) * 3).to(FLOATS[name])
    path = tmp_path / "a.safetensors"
    save_file({"a": tensor}, path)
    entry = read_index(path).entries["a"]
    assert entry.dtype == name
    with path.open("rb") as file:
        numbers = numbers_of(file, entry)
    magnitudes = tensor.double().abs()
    assert numbers.mean == pytest.approx(float(magnitudes.mean()), rel=1e-12)
    assert (numbers.largest, numbers.not_finite) == (float(magnitudes.max()), 0)
    assert numbers.count == 300


@pytest.mark.parametrize("name", ["F8_E4M3", "F8_E5M2"])
def test_all_codes_of_8_bits_mean_what_they_mean_to_torch(name: str) -> None:
    codes = torch.arange(256, dtype=torch.uint8)
    theirs = codes.view(FLOATS[name]).double().numpy()
    ours = weight_statistics._as_float(bytes(range(256)), name)
    assert ((ours == theirs) | ((ours != ours) & (theirs != theirs))).all()


def test_large_tensors_are_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tensor = torch.arange(-50.0, 51.0)
    path = tmp_path / "a.safetensors"
    save_file({"a": tensor}, path)
    monkeypatch.setattr(weight_statistics, "_PIECE", 7)
    with path.open("rb") as file:
        numbers = numbers_of(file, read_index(path).entries["a"])
    assert (numbers.mean, numbers.largest, numbers.count) == (2550 / 101, 50.0, 101)


def test_an_empty_tensor_has_no_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"")
    with path.open("rb") as file:
        entry = TensorEntry("F32", (0,), 0, 0)
        assert numbers_of(file, entry) == weight_statistics.TensorNumbers(0.0, 0.0, 0, 0)
        assert scalar_of(file, entry) is None
