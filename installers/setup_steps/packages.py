"""What goes into the environment: torch first, in the right build, then the project."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from setup_steps.console import SetupProblem, say
from setup_steps.progress import PipProgress
from trainer_core.environment.pip_output import failure_cause, last_error
from trainer_core.environment.torch_choice import (
    INDEX,
    SPACE_GB,
    TESTED,
    UP_TO_TESTED,
    Backend,
    TorchBuild,
)

PACKAGES = ("trainer_core", "desktop_app")

_ASK_TORCH = """
import json, torch
facts = [torch.__version__, torch.version.cuda, torch.version.hip, torch.cuda.is_available()]
print(json.dumps(facts))
"""


@dataclass(frozen=True, slots=True)
class Torch:
    """The torch that is installed, by its own word."""

    version: str
    backend: Backend
    sees_gpu: bool


def find_torch(python: Path) -> Torch | None:
    """Return the torch of an environment, None if it has none.

    Raises:
        SetupProblem: It is installed and does not start.
    """
    answer = subprocess.run(
        [str(python), "-I", "-c", _ASK_TORCH], capture_output=True, text=True, cwd=python.parent
    )
    if answer.returncode == 0:
        version, cuda, hip, sees_gpu = json.loads(answer.stdout.splitlines()[-1])
        return Torch(version, "cuda" if cuda else "rocm" if hip else "cpu", sees_gpu)
    if "No module named 'torch'" in answer.stderr:
        return None
    reason = answer.stderr.strip().splitlines()[-1]
    if sys.platform == "win32":
        reason += (
            " On Windows this is often the Visual C++ runtime that is missing: install "
            "https://aka.ms/vs/17/release/vc_redist.x64.exe and try again."
        )
    raise SetupProblem(f"torch is installed and does not start: {reason} Or try --fresh.")


def update_pip(python: Path) -> None:
    """Bring pip to the first version that tells its progress to other programs."""
    _run_pip(python, ["install", "pip>=24.1"], progress_bar="off")


def install_torch(python: Path, build: TorchBuild) -> None:
    """Install ``build``, by uv where it is there, which knows every card's index."""
    _require_space(python, build.backend)
    if not _installed_by_uv(python, build):
        index_url = build.index_url
        if build.backend == "cpu" and index_url is None and _would_bring_cuda(python):
            index_url = f"{INDEX}cpu"
            say("The package index offers the CUDA build; taking PyTorch's own CPU build.")
        index = ["--index-url", index_url] if index_url else []
        _run_pip(python, ["install", *index, build.requirement])


def install_project(python: Path, checkout: Path, extras: list[str], torch: Torch) -> None:
    """Install the checkout, editable, without letting anything replace torch."""
    with tempfile.TemporaryDirectory() as folder:
        constraint = Path(folder, "torch.txt")
        constraint.write_text(f"torch=={torch.version}\n", encoding="utf-8")
        project = f"{checkout}[{','.join(extras)}]"
        _run_pip(python, ["install", "--constraint", str(constraint), "--editable", project])
    _compile_sources(python, checkout)


def _compile_sources(python: Path, checkout: Path) -> None:
    """Compile what the checkout holds, which pip leaves to the first start.

    The compiled files are ordinary ones: a module that changes with the checkout is compiled anew.
    """
    folders = [str(checkout / name) for name in PACKAGES]
    command = [str(python), "-I", "-m", "compileall", "-q", "-j", "0", *folders]
    if subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) != 0:
        say("Not everything could be compiled, so the first start takes longer.")


def _require_space(python: Path, backend: Backend) -> None:
    needed_gb = SPACE_GB[backend]
    free_gb = shutil.disk_usage(python.parent).free / 1e9
    if free_gb < needed_gb:
        raise SetupProblem(
            f"About {needed_gb} GB are needed, and the disk that holds {python.parent.parent} has "
            f"{free_gb:.1f} GB free. Make room, or move the project to another disk."
        )


def _installed_by_uv(python: Path, build: TorchBuild) -> bool:
    uv = shutil.which("uv")
    if not uv:
        return False
    choice = ("cpu", TESTED) if build.backend == "cpu" else ("auto", UP_TO_TESTED)
    backend, requirement = choice
    command = [uv, "pip", "install", "--python", str(python), f"--torch-backend={backend}"]
    # uv, unlike pip, leaves compiling to the first start.
    if subprocess.call([*command, "--compile-bytecode", requirement]) == 0:
        return True
    say("uv could not install torch; going on with pip.")
    return False


def _would_bring_cuda(python: Path) -> bool:
    """Tell whether the package index would send CUDA's packages with torch (gigabytes)."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        _run_pip(python, ["install", "--quiet", "--dry-run", "--report", str(report), TESTED])
        items = json.loads(report.read_text(encoding="utf-8"))["install"]
    return any(item["metadata"]["name"].startswith("nvidia-") for item in items)


def _run_pip(python: Path, arguments: list[str], *, progress_bar: str = "raw") -> None:
    """Run pip and show its progress; what it writes goes to a log in the environment.

    Raises:
        SetupProblem: pip failed.
    """
    command = [str(python), "-I", "-u", "-X", "utf8", "-m", "pip", "--no-input"]
    command += ["--disable-pip-version-check", *arguments, "--progress-bar", progress_bar]
    progress = PipProgress()
    said = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
    ) as pip:
        for line in pip.stdout or ():
            said.append(line)
            progress.follow(line)
    progress.close()
    log = python.parents[1] / "install.log"
    log.write_text("".join(said), encoding="utf-8")
    if pip.returncode != 0:
        raise SetupProblem(f"{explain_pip(''.join(said))} All it said is in {log}.")


def explain_pip(output: str) -> str:
    """Return one paragraph on why pip failed, from what it wrote."""
    error = last_error(output)
    last = f'"{error}".' if error else "no reason given."
    cause = failure_cause(output)
    if cause == "disk":
        return (
            f"The disk is full (the one of the project or of {tempfile.gettempdir()}). Make room "
            "and run the same command again; it goes on from here."
        )
    if cause == "network":
        return (
            "The package index cannot be reached. Check the network (HTTPS_PROXY names a proxy, "
            "PIP_INDEX_URL another index) and run the same command again; it goes on from here. "
            f"pip says: {last}"
        )
    if cause == "permission":
        return f"A folder of the environment cannot be written. pip says: {last}"
    return (
        f"The packages could not be installed. pip says: {last} If the environment may be damaged, "
        "add --fresh to your command to have it made anew."
    )
