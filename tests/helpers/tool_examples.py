"""A small example of every tool, from which the bench takes its settings: names and raw values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from helpers.lora_files import lora_tensors, write_lora_file

Values = Mapping[str, object]


def _verify(folder: Path) -> Values:
    return {
        "file": write_lora_file(folder / "mine.safetensors", lora_tensors()).as_posix(),
        "report": (folder / "what is in it.txt").as_posix(),
    }


#: Each writes what its tool reads into the folder, and returns settings with which the tool writes
#: every file that it can, into the same folder. Everything that is new for a tool stands here.
EXAMPLES: Mapping[str, Callable[[Path], Values]] = {"verify_lora": _verify}


#: A program in a tool's place: says hello and how far it is, then waits to be told to stop.
SLOW_TOOL = """
import json, sys
def say(**event): print(json.dumps(event), flush=True)
say(event="hello", version="0", pid=1)
say(event="progress", phase="working", done=1, total=3, work={"template": "Reading"})
for line in sys.stdin:
    if json.loads(line)["command"] == "stop":
        say(event="tool_done", reason="stopped")
        break
"""
