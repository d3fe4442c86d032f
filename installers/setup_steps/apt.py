"""System packages of Debian and Ubuntu; read by old Pythons too."""

import os
import shlex
import shutil
import subprocess

from setup_steps.console import SetupProblem, say


def is_known(package: str) -> bool:
    """Tell whether apt can install ``package``."""
    if not shutil.which("apt-cache"):
        return False
    command = ["apt-cache", "show", "--no-all-versions", package]
    null = subprocess.DEVNULL
    return subprocess.call(command, stdout=null, stderr=null) == 0


def require(packages: "list[str]", message: str, is_system_allowed: bool) -> None:
    """Install ``packages`` if that is allowed, else raise the paragraph that asks for it."""
    names = " ".join(packages)
    if not shutil.which("apt-get"):
        raise SetupProblem(
            f"{message} On Debian and Ubuntu the packages are called {names}; install what your "
            "system calls them, and run this again."
        )
    update = _as_root(["apt-get", "update"])
    install = _as_root(["apt-get", "install", *packages])
    # Old package lists, or none in a new container, name files that the mirrors do not hold.
    shown = f"{shlex_join(update)} && {shlex_join(install)}"
    if not is_system_allowed:
        raise SetupProblem(f"{message} This installs it:", shown, is_for_system=True)
    say(f"Installing {names} with apt-get.")
    subprocess.call(update)
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", *packages]
    if subprocess.call(_as_root(quiet)) != 0:
        raise SetupProblem(
            f"{message} apt-get could not install it; the lines above say why. "
            "Once that is mended:",
            shown,
        )


def shlex_join(command: "list[str]") -> str:
    """Return ``command`` as one would type it (``shlex.join`` came with Python 3.8)."""
    return " ".join(shlex.quote(word) for word in command)


def _as_root(command: "list[str]") -> "list[str]":
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return command
    return ["sudo", *command] if shutil.which("sudo") else ["su", "-c", shlex_join(command)]
