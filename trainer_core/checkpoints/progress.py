"""The plain data of a state: what ``progress.json`` must hold, of the formats that are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field
from torch import Tensor
from typing_extensions import TypedDict  # what pydantic asks for

from trainer_core.files.form import Count, Finite, WrongForm

_Pair = Annotated[list[Any], Field(min_length=2, max_length=2)]


class Outline(TypedDict):
    """What an optimizer keeps, with the places of its tensors; see `RunningState`."""

    parameters: list[_Pair]
    shared: Any
    groups: list[Any]
    more: Any


class OptimizerProgress(TypedDict):
    """The optimizer's class, how many tensors it moves, and what it keeps."""

    kind: str
    count: Count
    outline: Outline


class ScheduleProgress(TypedDict):
    """Where the schedule of the rates stands."""

    steps: Count


class Progress(TypedDict):
    """The plain data of a state; ``python`` is the state of Python's generator."""

    optimizer: OptimizerProgress
    python: Annotated[list[Any], Field(min_length=3, max_length=3)]
    schedule: ScheduleProgress
    scaler: dict[str, Finite] | None


def python_generator(state: list[Any]) -> tuple[Any, ...]:
    """Return the state of Python's generator as ``random.setstate`` takes it.

    Raises:
        WrongForm: Its last value is of another type.
    """
    version, numbers, rest = state
    if not isinstance(rest, float | None):
        raise WrongForm("python")
    return version, tuple(numbers), rest


def progress_of_format_1(
    progress: Mapping[str, Any], tensors: Mapping[str, Tensor]
) -> dict[str, Any]:
    """Return the plain data of a state of format 1 as format 2 has it.

    It kept flat values and the groups' rates only, and tensors as ``<parameter>.<name>``.
    """
    numbers = progress["optimizer"]
    kept: dict[int, list[list[Any]]] = {}
    for path in tensors:
        index, _, name = path.partition(".")
        kept.setdefault(int(index), []).append([name, {"tensor": path}])
    for index, values in numbers["values"].items():
        kept.setdefault(int(index), []).extend([name, value] for name, value in values.items())
    outline = {
        "parameters": [[index, {"dict": pairs}] for index, pairs in sorted(kept.items())],
        "shared": {"dict": []},
        "groups": [{"dict": [list(pair) for pair in g.items()]} for g in numbers["groups"]],
        "more": {"dict": []},
    }
    return {
        "optimizer": {"kind": numbers["kind"], "count": numbers["count"], "outline": outline},
        "python": progress["python"],
        "schedule": {"steps": progress["schedule_steps"]},
        "scaler": progress["scaler"],
    }
