"""The environment ``.venv`` of a checkout: made, checked, removed, and stamped when complete."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from setup_steps import apt
from setup_steps.console import SetupProblem, say
from trainer_core.environment.torch_choice import TESTED

MARKER = ".loom-bootstrap.json"
_ASK_VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a complete environment was made for."""

    checkout: str
    project: str  # fingerprint of what decides the packages
    python: str
    extras: list[str]
    backend: str


class Environment:
    """``.venv`` in a checkout.

    A marker file in it, written before anything else, tells that this setup made it and may
    remove it, and whether it was complete: an interrupted setup leaves no stamp.
    """

    def __init__(self, checkout: Path) -> None:
        self.checkout = checkout
        self.folder = checkout / ".venv"
        scripts = "Scripts/python.exe" if os.name == "nt" else "bin/python"
        self.python = self.folder / scripts
        self._marker = self.folder / MARKER

    def is_complete(self, extras: list[str], *, is_cpu_forced: bool) -> bool:
        """Tell whether everything wanted is installed, as far as the stamp knows.

        Raises:
            SetupProblem: The environment was complete once and does not start any more.
        """
        stamp = self._stamp()
        if stamp is None:
            return False
        if stamp.checkout != str(self.checkout):
            raise self._broken(f"was made in {stamp.checkout}, and environments cannot be moved")
        version = self.python_version()
        if version != stamp.python:
            now = f"now starts Python {version}" if version else "does not start any more"
            raise self._broken(f"was made with Python {stamp.python} and {now}")
        if is_cpu_forced and stamp.backend != "cpu":
            raise self._broken(f"holds a build of torch for {stamp.backend}, not for the CPU")
        return stamp.project == self._fingerprint() and set(extras) <= set(stamp.extras)

    def python_version(self) -> str | None:
        """Return the version that the environment's Python says it is, None if it fails."""
        command = [str(self.python), "-I", "-S", "-c", _ASK_VERSION]
        try:
            answer = subprocess.run(command, capture_output=True, text=True, check=True)
        except (OSError, subprocess.SubprocessError):
            return None
        return answer.stdout.strip()

    def make(self, *, is_system_allowed: bool) -> None:
        """Make the environment unless there is one to go on with.

        Raises:
            SetupProblem: This Python cannot make one, or a foreign one is in the way.
        """
        marker = self._read_marker()
        if marker is None and self.folder.exists():
            return self._adopt()
        if marker is not None and marker["has_python"]:
            return None
        _require_venv(is_system_allowed)
        if marker is not None:
            shutil.rmtree(self.folder)  # the making was interrupted
        say(f"Making .venv with Python {sys.version.split()[0]}.")
        self.folder.mkdir()
        self._write_marker(made_here=True, has_python=False)
        made = subprocess.run(
            [sys.executable, "-I", "-m", "venv", str(self.folder)], capture_output=True, text=True
        )
        if made.returncode != 0:
            last = (made.stdout + made.stderr).strip().splitlines()[-1:]
            raise SetupProblem(f"Python could not make the environment: {' '.join(last)}")
        self._write_marker(made_here=True, has_python=True)
        return None

    def finish(self, extras: list[str], backend: str) -> None:
        """Stamp the environment as complete."""
        version = self.python_version() or ""
        stamp = Stamp(str(self.checkout), self._fingerprint(), version, sorted(extras), backend)
        marker = self._read_marker() or {"made_here": False}
        self._write_marker(made_here=bool(marker["made_here"]), has_python=True, stamp=stamp)

    def remove(self) -> None:
        """Remove the environment, if this setup made it.

        Raises:
            SetupProblem: It was made by someone else, or runs this very program.
        """
        if not self.folder.exists() and not self.folder.is_symlink():
            return
        if Path(sys.prefix) == self.folder:
            raise SetupProblem("This Python lies in .venv itself. Use the system's for --fresh.")
        marker = self._read_marker()
        if self.folder.is_symlink() or marker is None or not marker["made_here"]:
            raise SetupProblem(
                f"{self.folder} was not made by this script, so it is not removed. Move it away "
                "and run this again:",
                f"mv {apt.shlex_join([str(self.folder)])} {apt.shlex_join([f'{self.folder}.old'])}",
            )
        say("Removing .venv.")
        shutil.rmtree(self.folder)

    def _adopt(self) -> None:
        version = self.python_version()
        if version is None:
            raise SetupProblem(
                f"{self.folder} was not made by this script and holds no Python that starts. "
                "Move it away and run this again."
            )
        say(f"Using the .venv that is here (Python {version}); what it lacks is added.")
        self._write_marker(made_here=False, has_python=True)

    def _stamp(self) -> Stamp | None:
        marker = self._read_marker()
        facts = marker and marker.get("stamp")
        return Stamp(**facts) if isinstance(facts, dict) else None

    def _read_marker(self) -> dict[str, object] | None:
        try:
            marker = json.loads(self._marker.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError:
            return {"made_here": True, "has_python": False}  # cut off while it was written
        return dict(marker)

    def _write_marker(
        self, *, made_here: bool, has_python: bool, stamp: Stamp | None = None
    ) -> None:
        facts = {
            "made_here": made_here,
            "has_python": has_python,
            "stamp": asdict(stamp) if stamp else None,
        }
        aside = self._marker.with_suffix(".new")
        aside.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        aside.replace(self._marker)

    def _fingerprint(self) -> str:
        digest = hashlib.sha256(TESTED.encode())
        for name in ("pyproject.toml", "trainer_core/version.py"):
            digest.update((self.checkout / name).read_bytes())
        return digest.hexdigest()

    def _broken(self, how: str) -> SetupProblem:
        return SetupProblem(
            f"The environment {self.folder} {how}. Add --fresh to your command to have it made "
            "anew; your pictures, runs and settings are not in it."
        )


def _require_venv(is_system_allowed: bool) -> None:
    """Install what this Python lacks to make environments (Debian keeps it apart)."""
    if _can_make_environments():
        return
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    message = f"Python {version} is here without the part that makes environments."
    apt.require([f"python{version}-venv"], message, is_system_allowed)
    importlib.invalidate_caches()
    if not _can_make_environments():
        raise SetupProblem(
            f"{message} Its package was installed, but {sys.executable} lacks it yet."
        )


def _can_make_environments() -> bool:
    return all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))
