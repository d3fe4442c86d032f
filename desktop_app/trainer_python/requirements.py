"""Which packages the trainer needs, from the project's own declaration, and which versions fit."""

from __future__ import annotations

import importlib.metadata
import operator
import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

DISTRIBUTION = "lora-loom"
# Of what the app depends on, this is for the window alone; the rest is shared with the trainer.
WINDOW_ONLY = frozenset({"pyside6-essentials", "shiboken6", "pyqtgraph"})

_EXTRA = "trainer"
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)\s*(?P<bounds>[^;]*)(?:;(?P<marker>.*))?")
_BOUND = re.compile(r"(>=|<=|==|!=|<|>|~=)\s*([0-9][^,\s)]*)")
_VERSION = re.compile(r"v?(?P<release>\d+(?:\.\d+)*)(?P<early>[._-]?(?:a|b|c|rc|dev|alpha|beta))?")

Release = tuple[tuple[int, ...], bool]  # numbers without zeros at the end; final or early

_COMPARE: dict[str, Callable[[Release, Release], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}


class Fit(StrEnum):
    """How an installed version stands to what is wanted."""

    OK = "ok"
    MISSING = "missing"
    TOO_OLD = "too_old"
    TOO_NEW = "too_new"


@dataclass(frozen=True, slots=True)
class Requirement:
    """A package and the versions of it that fit, such as ``torch`` and ``>=2.6,<3``."""

    name: str
    bounds: str = ""

    @property
    def key(self) -> str:
        """The name as every spelling of it is compared."""
        return normalized(self.name)

    def __str__(self) -> str:
        return f"{self.name}{self.bounds}"

    def fit(self, version: str | None) -> Fit:
        """Tell whether an installed version fits; None is not installed."""
        if version is None:
            return Fit.MISSING
        found = release(version)
        for sign, limit in _BOUND.findall(self.bounds):
            if sign in _COMPARE and not _COMPARE[sign](found, release(limit)):
                return Fit.TOO_NEW if found >= release(limit) else Fit.TOO_OLD
        return Fit.OK


def release(version: str) -> Release:
    """Return a version in a form that compares; what follows the release numbers hardly counts.

    An early version (``2.0rc1``) comes before its final one. A build (``+cpu``) does not count.
    """
    found = _VERSION.match(version.strip())
    if not found:
        return (), False
    numbers = [int(number) for number in found["release"].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers), not found["early"]


def normalized(name: str) -> str:
    """Return a package's name in the one spelling that is compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def checkout() -> Path | None:
    """Return the folder of the project if the app runs from its source, else None."""
    folder = Path(__file__).resolve().parents[2]
    return folder if (folder / "pyproject.toml").is_file() else None


def wanted_packages() -> tuple[Requirement, ...]:
    """Return what the trainer needs, torch first.

    A checkout's pyproject.toml is asked first: the metadata of an editable installation is as
    old as the installation. Where there is neither (a frozen app that was built without its
    metadata) nothing is known, and the page says so.
    """
    source = checkout()
    if source is not None:
        project = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        words = [*project["optional-dependencies"][_EXTRA], *project["dependencies"]]
        return _for_trainer(words)
    try:
        declared = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        return ()
    return _for_trainer(_of_metadata(declared))


def python_bounds() -> Requirement:
    """Return which versions of Python fit."""
    source = checkout()
    if source is not None:
        project = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        return Requirement("Python", project["requires-python"])
    try:
        return Requirement("Python", importlib.metadata.metadata(DISTRIBUTION)["Requires-Python"])
    except (importlib.metadata.PackageNotFoundError, KeyError):
        return Requirement("Python", ">=3.11")


def parsed(words: str) -> Requirement:
    """Return a requirement from its words, without its marker.

    Raises:
        ValueError: It does not begin with a name.
    """
    found = _REQUIREMENT.match(words.strip())
    if not found:
        raise ValueError(f"no requirement: {words}")
    return Requirement(found["name"], found["bounds"].strip(" ()").replace(" ", ""))


def _of_metadata(declared: Sequence[str]) -> list[str]:
    """Return the requirements of the trainer's extra, then those without a condition."""
    trainer, always = [], []
    for words in declared:
        requirement, _, marker = words.partition(";")
        if not marker.strip():
            always.append(requirement)
        elif re.search(rf"extra\s*==\s*['\"]{_EXTRA}['\"]", marker):
            trainer.append(requirement)
    return [*trainer, *always]


def _for_trainer(words: Sequence[str]) -> tuple[Requirement, ...]:
    found = [parsed(word) for word in words]
    kept = [requirement for requirement in found if requirement.key not in WINDOW_ONLY]
    # A wheel's metadata is in the order of the alphabet.
    return tuple(sorted(kept, key=lambda requirement: requirement.key != "torch"))
