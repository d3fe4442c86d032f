"""Tools on the command line: listed, described, used in pipes and terminals, stopped."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import torch
from helpers.lora_files import lora_tensors, write_lora_file
from helpers.trainer_process import Ended, TrainerProcess, run_trainer, trainer_command

from trainer_core.catalogue.tools import TOOLS
from trainer_core.protocol.messages import Hello, Phase, Progress, ToolDone
from trainer_core.settings import files
from trainer_core.settings.tools.schema import tool_schema

# Two seconds for the four matrices of the tiny file.
SLOWLY = """
import time
from trainer_core.tools import verify
numbers_of = verify.numbers_of
def slowly(*arguments):
    time.sleep(0.5)
    return numbers_of(*arguments)
verify.numbers_of = slowly
"""
WITHOUT_TORCH = "import sys; sys.modules['torch'] = None"


@pytest.fixture
def lora(tmp_path: Path) -> Path:
    return write_lora_file(tmp_path / "mine.safetensors", lora_tensors())


def said(ended: Ended) -> str:
    return "\n".join(str(line) for line in ended.of(ToolDone)[0].text)


def test_without_a_name_every_tool_is_listed() -> None:
    ended = run_trainer("tool", before=WITHOUT_TORCH)
    assert ended.code == 0
    listed = [line.split(maxsplit=1) for line in ended.out.splitlines()]
    assert listed == [[name, entry.help] for name, entry in TOOLS.items()]


@pytest.mark.parametrize("name", TOOLS)
def test_help_and_describe_name_every_setting(name: str) -> None:
    by_help = run_trainer("tool", name, "--help", before=WITHOUT_TORCH)
    described = run_trainer("describe", "--tool", name, before=WITHOUT_TORCH)
    assert (by_help.code, described.code) == (0, 0)
    for param in tool_schema(name).params().values():
        assert f"--{param.name} VALUE" in by_help.out
        assert param.spec.help in described.out


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["verify_lora", "--fle", "x"], "Did you mean --file?"),
        (["verify_lora", "--set", "reprot=x"], "Did you mean report?"),
        (["verify_lroa"], "Did you mean verify_lora?"),
        (["verify_lora"], "Choose a file: file."),
        (["verify_lora", "gone.toml"], "gone.toml"),
    ],
)
def test_a_mistake_is_told_with_a_way_out(words: list[str], answer: str) -> None:
    ended = run_trainer("tool", *words, before=WITHOUT_TORCH)
    assert ended.code == 2
    assert answer in ended.log
    assert "Traceback" not in ended.log


def test_it_speaks_the_protocol_in_a_pipe(lora: Path) -> None:
    ended = run_trainer("tool", "verify_lora", "--file", lora, before=WITHOUT_TORCH)
    kinds = [type(event) for event in ended.events]
    assert ended.code == 0, ended.log
    assert (kinds[:3], kinds[-2:]) == ([Hello, Phase, Phase], [Phase, ToolDone])
    assert Progress in kinds
    assert "rank 2" in said(ended)
    assert "rank 2" in ended.log, "people read it there"


def test_flags_win_over_the_file_and_paths_are_meant_from_where_they_stand(
    lora: Path, tmp_path: Path
) -> None:
    settings = tmp_path / "verify.toml"
    raw = {"verify_lora": {"file": lora.name, "report": "from the file.txt"}}
    files.save(settings, files.RunFile(raw), replace=False, schema=tool_schema("verify_lora"))
    here = tmp_path / "here"
    here.mkdir()

    ended = run_trainer("tool", "verify_lora", settings, "--report", "from a flag.txt", cwd=here)

    assert ended.code == 0, ended.log
    assert [path.name for path in here.iterdir()] == ["from a flag.txt"]
    assert not (tmp_path / "from the file.txt").exists()


def test_settings_of_a_run_are_no_settings_of_a_tool(lora: Path, tmp_path: Path) -> None:
    run_file = tmp_path / "run.toml"
    run_file.write_text('format = "loom/2"\n[model]\nclip_skip = 1\n', encoding="utf-8")
    ended = run_trainer("tool", "verify_lora", run_file, "--file", lora)
    assert (ended.code, str(ended.failed.message)) == (2, "There is no section [model].")


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGTERM")
def test_a_signal_stops_it_before_anything_is_written(lora: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.txt"
    words = ("tool", "verify_lora", "--file", lora, "--report", report)
    with TrainerProcess(*words, before=SLOWLY) as process:
        process.wait_for(Progress)
        process.signal(signal.SIGTERM)
        ended = process.end()
    assert ended.code == 128 + signal.SIGTERM
    assert ended.of(ToolDone)[0].reason == "stopped"
    assert {path.name for path in tmp_path.iterdir()} == {lora.name}


def test_a_terminal_shows_words_and_no_events(lora: Path, tmp_path: Path) -> None:
    if os.name == "nt":
        pytest.skip("Windows has no pseudo terminals")
    from helpers.terminal import Terminal

    tensors = lora_tensors()
    tensors["stray"] = torch.ones(1)
    write_lora_file(lora, tensors)
    with Terminal(trainer_command("tool", "verify_lora", f"--file={lora}")) as terminal:
        assert terminal.end() == 0, terminal.shown
    assert "mine.safetensors: 7 tensors in 2 modules" in terminal.shown
    assert "Warning: Part of no adapter: stray" in terminal.shown
    assert '{"' not in terminal.shown


def test_ctrl_c_in_a_terminal_stops_in_words(lora: Path) -> None:
    if os.name == "nt":
        pytest.skip("Windows has no pseudo terminals")
    from helpers.terminal import Terminal

    command = trainer_command("tool", "verify_lora", f"--file={lora}", before=SLOWLY)
    with Terminal(command) as terminal:
        terminal.wait_for("part/s")
        terminal.press_ctrl_c()
        assert terminal.end() == 128 + signal.SIGINT, terminal.shown
    assert "Stopped; nothing was written." in terminal.shown
    assert "Traceback" not in terminal.shown
