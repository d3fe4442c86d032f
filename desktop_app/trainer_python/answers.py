"""What the probe of a Python says, line by line; any program can stand where a Python should."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict  # what pydantic asks for

from trainer_core.files.form import Count


class PythonAnswer(TypedDict):
    """What the Python is, and whether packages can be put into it."""

    kind: Literal["python"]
    version: str
    bits: Count
    implementation: str
    prefix: str
    is_environment: bool
    is_managed: bool
    is_writable: bool
    has_venv: bool
    has_ensurepip: bool


class PackagesAnswer(TypedDict):
    """What is installed; a broken package has no version. ``trainer`` is "" if there is none."""

    kind: Literal["packages"]
    packages: dict[str, str | None]
    trainer: str


class CardAnswer(TypedDict):
    """A graphics card; its memory in bytes."""

    name: str
    memory: Count
    has_bf16: bool


class TorchAnswer(TypedDict):
    """The build of torch, and the cards that it sees."""

    kind: Literal["torch"]
    version: str
    cuda: str | None
    rocm: str | None
    cards: list[CardAnswer]


class TorchErrorAnswer(TypedDict):
    """Why torch cannot be imported."""

    kind: Literal["torch_error"]
    reason: str


class Answer(TypedDict):
    """Any of them."""

    kind: str
