"""What is known of a Python that may train, and how it stands to what is wanted."""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from desktop_app.trainer_python.answers import (
    Answer,
    PackagesAnswer,
    PythonAnswer,
    TorchAnswer,
    TorchErrorAnswer,
)
from desktop_app.trainer_python.requirements import Fit, Requirement, normalized
from trainer_core.environment.torch_choice import Backend
from trainer_core.files.form import checked, plain_json
from trainer_core.texts import T, Text, text
from trainer_core.version import __version__

MARK = "loom-probe "

_Named = Literal[
    "version",
    "bits",
    "implementation",
    "is_environment",
    "is_managed",
    "is_writable",
    "has_venv",
    "has_ensurepip",
]


@dataclass(frozen=True, slots=True)
class Card:
    """A graphics card as torch sees it."""

    name: str
    memory_gib: float
    has_bf16: bool


@dataclass(frozen=True, slots=True)
class Torch:
    """The torch that was imported, by its own word."""

    version: str
    backend: Backend
    toolkit: str = ""  # version of CUDA or ROCm
    cards: tuple[Card, ...] = ()


@dataclass(frozen=True, slots=True)
class PythonFacts:
    """Everything found out so far; what is not known yet is None or empty.

    Attributes:
        path: The program as it was chosen.
        version: ``3.11.7``; empty until it has answered.
        packages: Installed versions by normalized name.
        trainer: Version of the trainer that it would start; empty if there is none.
        torch_error: Why torch, though installed, cannot be imported.
        is_complete: True once nothing more will come.
        problem: Why it cannot train, whatever is installed.
        hint: What to do about that.
    """

    path: Path
    version: str = ""
    bits: int = 64
    implementation: str = "CPython"
    prefix: Path | None = None
    is_environment: bool = False
    is_managed: bool = False
    is_writable: bool = True
    has_venv: bool = True
    has_ensurepip: bool = True
    packages: Mapping[str, str] | None = None
    trainer: str = ""
    torch: Torch | None = None
    torch_error: Text | None = None
    is_complete: bool = False
    problem: Text | None = None
    hint: Text | None = None

    def with_line(self, line: str) -> PythonFacts:
        """Return the facts with what a line of the probe tells; other lines tell nothing."""
        if not line.startswith(MARK):
            return self
        try:
            return self._with_answer(plain_json(line.removeprefix(MARK).encode(errors="replace")))
        except ValueError:
            return self

    def found(self, name: str) -> str | None:
        """Return the installed version of a package."""
        return (self.packages or {}).get(normalized(name))

    def states(self, wanted: Sequence[Requirement]) -> list[PackageState]:
        """Return every wanted package beside what was found, and the trainer itself last."""
        if self.packages is None:
            return []
        states = [PackageState(item, self.found(item.name)) for item in wanted]
        trainer = Requirement("lora-loom", f"=={__version__}")
        return [*states, PackageState(trainer, self.trainer or None)]

    def _with_answer(self, answer: object) -> PythonFacts:
        match checked(Answer, answer)["kind"]:
            case "python":
                python = checked(PythonAnswer, answer)
                named: dict[str, Any] = {name: python[name] for name in _NAMES}
                return replace(self, prefix=Path(python["prefix"]), **named)
            case "packages":
                told = checked(PackagesAnswer, answer)
                sound = {name: version for name, version in told["packages"].items() if version}
                found = {normalized(name): version for name, version in sound.items()}
                return replace(self, packages=found, trainer=told["trainer"])
            case "torch":
                return replace(self, torch=_torch(checked(TorchAnswer, answer)))
            case "torch_error":
                template = T("App", "PyTorch is installed and does not start: {reason}")
                reason = checked(TorchErrorAnswer, answer)["reason"]
                return replace(self, torch_error=text(template, reason=reason))
        return self


_NAMES: tuple[_Named, ...] = typing.get_args(_Named)


@dataclass(frozen=True, slots=True)
class PackageState:
    """A wanted package and what was found of it."""

    wanted: Requirement
    found: str | None
    fit: Fit = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fit", self.wanted.fit(self.found))

    @property
    def is_trainer(self) -> bool:
        """True for our own trainer, which no index has."""
        return self.wanted.name == "lora-loom"


def judged(facts: PythonFacts, bounds: Requirement) -> PythonFacts:
    """Return the facts with the reason why this Python cannot train, if there is one."""
    other = text(T("App", "Choose another Python (64-bit, {wanted})."), wanted=bounds)
    if facts.bits < 64:
        problem = text(T("App", "This is a 32-bit Python; PyTorch needs a 64-bit one."))
        return replace(facts, problem=problem, hint=other)
    if facts.implementation != "CPython":
        template = T("App", "This is {name}; PyTorch needs the usual Python (CPython).")
        problem = text(template, name=facts.implementation)
        return replace(facts, problem=problem, hint=other)
    fit = bounds.fit(facts.version)
    if fit is not Fit.OK:
        template = T("App", "This is Python {version}; LoRA Loom needs {wanted}.")
        problem = text(template, version=facts.version, wanted=bounds)
        return replace(facts, problem=problem, hint=other)
    return facts


def _torch(answer: TorchAnswer) -> Torch:
    backend: Backend = "cuda" if answer["cuda"] else "rocm" if answer["rocm"] else "cpu"
    cards = [Card(c["name"], c["memory"] / 2**30, c["has_bf16"]) for c in answer["cards"]]
    return Torch(answer["version"], backend, answer["cuda"] or answer["rocm"] or "", tuple(cards))
