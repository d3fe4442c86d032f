"""What will be installed into a Python, and the commands that do it, one after the other."""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from desktop_app.process.tool_process import ToolEnd
from desktop_app.trainer_python.facts import PythonFacts
from desktop_app.trainer_python.requirements import Fit, Requirement, release
from trainer_core.environment.pip_output import FIRST_PIP_WITH_PROGRESS, Installed, read_line
from trainer_core.environment.torch_choice import INDEX, SPACE_GB, TESTED, TorchBuild
from trainer_core.texts import T, Text, text

_PIP = ("-I", "-u", "-X", "utf8", "-m", "pip", "--no-input", "--disable-pip-version-check")
_SPACE_WITHOUT_TORCH_GB = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """What one Python lacks and will get.

    Attributes:
        python: The Python that gets it, or that makes ``environment``.
        environment: Folder of an environment that is made first and gets it instead.
        build: The build of torch; None if torch stays as it is.
        is_torch_replaced: A torch that is there gives way.
        packages: What else is installed, torch not among them.
        wheel: Our own trainer; None if it is there.
        pip: The version of pip that is there; empty if there is none.
        torch: The version of torch that stays, for the others to respect.
    """

    python: Path
    environment: Path | None = None
    build: TorchBuild | None = None
    is_torch_replaced: bool = False
    packages: tuple[Requirement, ...] = ()
    wheel: Path | None = None
    pip: str = ""
    torch: str = ""

    @property
    def target(self) -> Path:
        """The Python that will have everything."""
        return self.python if self.environment is None else python_of(self.environment)

    @property
    def space_gb(self) -> int:
        """About how much room it takes, downloads included; 0 is next to nothing."""
        if self.build is not None:
            return SPACE_GB[self.build.backend]
        return _SPACE_WITHOUT_TORCH_GB if self.packages else 0


@dataclass(frozen=True, slots=True)
class Step:
    """One command and what it is for."""

    title: Text
    program: str
    arguments: tuple[str, ...]


Steps = Generator[Step, ToolEnd | None, None]


def plan_for(
    facts: PythonFacts,
    wanted: Sequence[Requirement],
    build: TorchBuild,
    *,
    replaces_torch: bool = False,
) -> Plan:
    """Return what a Python lacks; the wheel is added when it is made (``needs_trainer``)."""
    lacking = [state for state in facts.states(wanted) if state.fit is not Fit.OK]
    is_torch_broken = facts.torch_error is not None
    needs_torch = any(state.wanted.key == "torch" for state in lacking) or is_torch_broken
    return Plan(
        facts.path,
        build=build if needs_torch or replaces_torch else None,
        is_torch_replaced=replaces_torch or is_torch_broken,
        packages=tuple(
            state.wanted
            for state in lacking
            if not state.is_trainer and state.wanted.key != "torch"
        ),
        pip=facts.found("pip") or "",
        torch=facts.found("torch") or "",
    )


def plan_for_environment(
    python: Path, folder: Path, wanted: Sequence[Requirement], build: TorchBuild
) -> Plan:
    """Return the making of an environment with everything in it."""
    packages = tuple(item for item in wanted if item.key != "torch")
    return Plan(python, folder, build, packages=packages)


def needs_trainer(facts: PythonFacts) -> bool:
    """Tell whether the trainer of our version must be put there."""
    return any(state.is_trainer and state.fit is not Fit.OK for state in facts.states(()))


def python_of(environment: Path) -> Path:
    """Return the Python of an environment's folder."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def step_count(plan: Plan, scratch: Path) -> int:
    """Return how many steps a plan takes."""
    return sum(1 for _ in steps(plan, scratch))


def steps(plan: Plan, scratch: Path) -> Steps:
    """Yield the commands; each is sent the end of the one before.

    Args:
        plan: What is to be done.
        scratch: A folder for files that pip reads and writes on the way.
    """
    target = str(plan.target)
    if plan.environment is not None:
        title = text(T("App", "Making the environment"))
        yield Step(title, str(plan.python), ("-I", "-m", "venv", str(plan.environment)))
    elif not plan.pip:
        title = text(T("App", "Getting pip"))
        yield Step(title, target, ("-I", "-m", "ensurepip", "--upgrade", "--default-pip"))
    if not plan.pip or release(plan.pip) < release(FIRST_PIP_WITH_PROGRESS):
        title = text(T("App", "Bringing pip up to date"))
        yield _pip(title, target, ("--progress-bar", "off", f"pip>={FIRST_PIP_WITH_PROGRESS}"))
    torch = plan.torch
    if plan.build is not None:
        torch = yield from _torch_steps(plan, target, plan.build, scratch)
    if plan.packages:
        title = text(T("App", "Installing the trainer's packages"))
        names = [str(requirement) for requirement in plan.packages]
        yield _pip(title, target, (*_raw(), *_constraint(torch, scratch), *names))
    if plan.wheel is not None:
        title = text(T("App", "Installing LoRA Loom's trainer"))
        own = ("--no-index", "--no-deps", "--force-reinstall", str(plan.wheel))
        yield _pip(title, target, (*_raw(), *own))


def _torch_steps(
    plan: Plan, target: str, build: TorchBuild, scratch: Path
) -> Generator[Step, ToolEnd | None, str]:
    """Yield the steps that install torch; return the version that they brought."""
    index_url = build.index_url
    if build.backend == "cpu" and index_url is None:
        report = scratch / "offer.json"
        title = text(T("App", "Asking which build the package index has"))
        look = ("--quiet", "--dry-run", "--ignore-installed", "--report", str(report), TESTED)
        yield _pip(title, target, look)
        index_url = f"{INDEX}cpu" if _brings_cuda(report) else None
    index = ("--index-url", index_url) if index_url else ()
    force = ("--force-reinstall",) if plan.is_torch_replaced else ()
    title = text(T("App", "Installing PyTorch ({backend})"), backend=build.backend.upper())
    end = yield _pip(title, target, (*_raw(), *index, *force, build.requirement))
    return _installed_version("torch", end.output.splitlines() if end else ())


def _pip(title: Text, python: str, arguments: Sequence[str]) -> Step:
    return Step(title, python, (*_PIP, "install", *arguments))


def _raw() -> tuple[str, str]:
    return "--progress-bar", "raw"


def _brings_cuda(report: Path) -> bool:
    """Tell whether the package index would send CUDA's packages with torch (gigabytes)."""
    try:
        items = json.loads(report.read_text(encoding="utf-8"))["install"]
        return any(item["metadata"]["name"].startswith("nvidia-") for item in items)
    except (OSError, ValueError, LookupError, TypeError):
        return True  # PyTorch's own index has the small build for certain


def _constraint(torch: str, scratch: Path) -> tuple[str, ...]:
    """Return what keeps the other packages from bringing another torch."""
    if not torch:
        return ()
    path = scratch / "torch.txt"
    path.write_text(f"torch=={torch}\n", encoding="utf-8")
    return "--constraint", str(path)


def _installed_version(name: str, lines: Iterable[str]) -> str:
    installed = (news for news in map(read_line, lines) if isinstance(news, Installed))
    packages = (package for news in installed for package in news.packages)
    versions = (p.removeprefix(f"{name}-") for p in packages if p.startswith(f"{name}-"))
    return next(versions, "")


def with_wheel(plan: Plan, wheel: Path | None) -> Plan:
    """Return the plan with our own trainer in it."""
    return replace(plan, wheel=wheel)
