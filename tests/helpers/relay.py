"""A parent process of the trainer that copies its events into a file, and may be put to sleep.

``python relay.py RECEIVED COMMAND ...`` starts the command with pipes on all three streams.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path


def main() -> int:
    """Start the command, copy what it says until it ends, and return its exit code."""
    received, *command = sys.argv[1:]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as trainer:
        assert trainer.stdout is not None
        assert trainer.stderr is not None
        threading.Thread(target=trainer.stderr.read, daemon=True).start()
        with Path(received).open("wb", buffering=0) as file:
            for line in trainer.stdout:
                file.write(line)
        return trainer.wait()


if __name__ == "__main__":
    sys.exit(main())
