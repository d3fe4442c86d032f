"""Set LoRA Loom up in ``.venv`` and start it, or its tests: ``bootstrap.py run`` and ``test``.

Any Python from 3.6 reads this file, so that an old one can say what is missing.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from setup_steps import apt
from setup_steps.console import SetupProblem, explain, say
from setup_steps.handover import hand_over

OLDEST, NEWEST = (3, 11), (3, 14)
VERSIONS = [f"3.{minor}" for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]


def main(arguments: "list[str]") -> int:
    """Run the steps with this Python where it suits, else with one that does."""
    try:
        if OLDEST <= sys.version_info[:2] <= NEWEST:
            # What is shared with the app lies in the checkout beside this folder.
            sys.path.append(str(Path(__file__).resolve().parents[1]))
            # Not above: an old Python cannot read this module.
            from setup_steps import flow

            return flow.main(arguments)
        python = _other_python("--system" in arguments)
        say(f"Python {_this_version()} does not suit; going on with {' '.join(python)}.")
        return hand_over([*python, __file__, *arguments])
    except SetupProblem as problem:
        explain(problem)
        return 1
    except KeyboardInterrupt:
        say("\nStopped. The same command goes on from here.")
        return 130


def _other_python(is_system_allowed: bool) -> "list[str]":
    """Return the command of a suitable Python; install one if allowed."""
    command = _find_python()
    if command is None:
        _install_python(is_system_allowed)
        command = _find_python()
    if command is None:
        raise SetupProblem("A newer Python was installed, but it is not on PATH.")
    return command


def _find_python() -> "list[str] | None":
    """Return the command of a suitable Python that really starts, None if there is none."""
    for version in VERSIONS:
        command = ["py", f"-{version}"] if os.name == "nt" else [f"python{version}"]
        # Version switchers put commands on PATH that only say what is not installed.
        if shutil.which(command[0]) and _runs([*command, "-c", "import venv"]):
            return command
    return None


def _runs(command: "list[str]") -> bool:
    null = subprocess.DEVNULL
    return subprocess.call(command, stdin=null, stdout=null, stderr=null) == 0


def _install_python(is_system_allowed: bool) -> None:
    message = (
        f"LoRA Loom needs Python {VERSIONS[-1]} to {VERSIONS[0]}; this is Python "
        f"{_this_version()}, and no other was found."
    )
    for version in VERSIONS:
        if apt.is_known(f"python{version}-venv"):
            packages = [f"python{version}", f"python{version}-venv"]
            return apt.require(packages, message, is_system_allowed)
    raise SetupProblem(
        f"{message} Install one from https://www.python.org/downloads/, or by uv "
        "(https://docs.astral.sh/uv/) as below, and run this again.",
        "uv python install 3.12",
    )


def _this_version() -> str:
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
