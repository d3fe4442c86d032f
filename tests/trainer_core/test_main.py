"""The command line ends in words, whatever happens."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

import trainer_core.__main__ as command_line

RUN_FILE = 'format = "loom/2"\n[dataset]\ntrain_data_dir = "猫"\n'


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    path = tmp_path / "run.toml"
    path.write_text(RUN_FILE, encoding="utf-8")
    return path


@pytest.mark.parametrize("error", [KeyError("x"), RecursionError(), MemoryError(), OSError("y")])
def test_check_never_ends_in_a_traceback_nor_with_the_exit_code_of_warnings(
    run_file: Path,
    error: Exception,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(raw: object) -> object:
        raise error

    monkeypatch.setattr(command_line, "report", fail)

    assert command_line.main(["check", str(run_file)]) == 2
    told = capsys.readouterr().err
    assert f"unexpected error in {__file__}:" in told
    assert f"{type(error).__name__}: {error}" in told
    assert "Traceback" not in told


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_check_prints_any_name_in_any_encoding(
    run_file: Path, flags: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))

    assert command_line.main(["check", *flags, str(run_file)]) == 2
    assert b"\\u732b" in written.getvalue()
