"""Several processes on this machine that meet as one run, as a launcher would start them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Sequence

from trainer_core.environment.launch import EVENTS_VARIABLE


def team_environment(size: int, rank: int, port: int) -> dict[str, str]:
    """Return the environment that a launcher gives to process ``rank`` of ``size``."""
    return {
        **os.environ,
        EVENTS_VARIABLE: "1",
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(size),
        "LOCAL_WORLD_SIZE": str(size),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "ACCELERATE_USE_CPU": "true",
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start_team(command: Sequence[str], size: int) -> list[subprocess.Popen[str]]:
    """Start the command once for each rank; their outputs are pipes of text."""
    port = free_port()
    return [
        subprocess.Popen(
            command,
            env=team_environment(size, rank, port),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(size)
    ]


def run_code(code: str, size: int, *, timeout_s: float = 120) -> list[str]:
    """Run Python code in every process; return what each printed.

    Raises:
        AssertionError: One of them failed; the text is what it said.
    """
    processes = start_team([sys.executable, "-c", code], size)
    ends = [process.communicate(timeout=timeout_s) for process in processes]
    for process, (_, errors) in zip(processes, ends, strict=True):
        assert process.returncode == 0, errors
    return [output for output, _ in ends]
