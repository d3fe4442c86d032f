"""Handing the terminal over to another program; read by old Pythons too."""

import os
import signal
import subprocess
import sys


def hand_over(command: "list[str]") -> int:
    """Go on as ``command``; where a process cannot be replaced, return its exit code."""
    sys.stdout.flush()
    if os.name != "nt":
        os.execvp(command[0], command)
    # Ctrl-C is for the program, which saves before it ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return subprocess.call(command)
