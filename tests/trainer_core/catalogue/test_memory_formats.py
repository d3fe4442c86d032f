"""Automatic is channels last where it pays, and never where the bits are to stay."""

from __future__ import annotations

import pytest
import torch

from trainer_core.catalogue.entry import implementation
from trainer_core.catalogue.memory_formats import AUTOMATIC, MEMORY_FORMATS, memory_format


@pytest.mark.parametrize(
    ("device", "precision", "expected"),
    [
        ("cpu", "no", "contiguous"),
        ("cpu", "bf16", "channels_last"),
        ("cuda", "no", "channels_last"),
        ("cuda", "fp16", "channels_last"),
    ],
)
def test_automatic_depends_on_device_and_precision(device, precision, expected) -> None:
    assert memory_format(AUTOMATIC, device=device, precision=precision) == expected


@pytest.mark.parametrize("choice", ["channels_last", "contiguous"])
def test_what_is_asked_for_is_used_everywhere(choice) -> None:
    assert memory_format(choice, device="cpu", precision="no") == choice
    assert memory_format(choice, device="cuda", precision="bf16") == choice
    assert isinstance(implementation(MEMORY_FORMATS[choice].implementation), torch.memory_format)
