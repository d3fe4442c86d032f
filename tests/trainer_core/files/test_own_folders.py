"""The program's folders are where the system keeps such things, or where somebody wants them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from trainer_core.files.own_folders import cache_folder, data_folder


@pytest.mark.parametrize(
    ("variable", "folder"), [("LORA_LOOM_HOME", data_folder), ("LORA_LOOM_CACHE", cache_folder)]
)
def test_the_folder_can_be_chosen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, folder: Callable[[], Path]
) -> None:
    monkeypatch.setenv(variable, str(tmp_path))

    assert folder() == tmp_path


@pytest.mark.skipif(os.name == "nt", reason="on Windows both are below LOCALAPPDATA")
@pytest.mark.parametrize(
    ("variable", "by_default", "folder"),
    [
        ("XDG_DATA_HOME", ".local/share/lora-loom", data_folder),
        ("XDG_CACHE_HOME", ".cache/lora-loom", cache_folder),
    ],
)
def test_the_folder_is_where_the_system_keeps_such_things(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    variable: str,
    by_default: str,
    folder: Callable[[], Path],
) -> None:
    for name in ("LORA_LOOM_HOME", "LORA_LOOM_CACHE"):
        monkeypatch.delenv(name)
    monkeypatch.setenv(variable, str(tmp_path))
    assert folder() == tmp_path / "lora-loom"

    monkeypatch.delenv(variable)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert folder() == tmp_path / by_default
