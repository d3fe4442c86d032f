"""Pickles are followed, never run."""

from __future__ import annotations

import collections
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trainer_core.model_files.pickle_outline import Call, ForbiddenName, Global, outline


class Payload:
    """An object whose pickle makes a file when it is loaded."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f'echo run > "{self.marker}"',)


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize(
    "value",
    [
        {"a": 1, "b": [1.5, "x", None, True, False], "c": (1, (2,), (), (3, 4, 5, 6))},
        collections.OrderedDict(first=1, second={"nested": -7}),
        [2**70, -(2**40), 70000, "ü" * 300, b"bytes"],
        {str(i): [i] for i in range(2000)},
    ],
)
def test_plain_values_come_back(value: Any, protocol: int) -> None:
    pickled = pickle.dumps(value, protocol)
    allowed = {"collections.OrderedDict", "_codecs.encode"}
    found = outline(pickled, allowed)
    if protocol == 2 and isinstance(value, list):  # protocol 2 spells bytes as a call
        assert isinstance(found.pop(), Call)
        value = value[:-1]
    assert found == value


def test_values_that_occur_twice_are_one(tmp_path: Path) -> None:
    shared = ["x"]
    found = outline(pickle.dumps({"a": shared, "b": shared}, 2), ())
    assert found["a"] is found["b"]


@pytest.mark.parametrize("protocol", range(6))
def test_a_hostile_pickle_is_refused_by_name_and_not_run(tmp_path: Path, protocol: int) -> None:
    marker = tmp_path / "marker"
    pickled = pickle.dumps({"weights": Payload(marker)}, protocol)
    with pytest.raises(ForbiddenName, match=rf"{os.system.__module__}\.system"):
        outline(pickled, {"collections.OrderedDict"})
    assert not marker.exists()
    pickle.loads(pickled)  # what would have happened
    assert marker.exists()


def test_even_an_allowed_call_is_not_made(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    name = f"{os.system.__module__}.system"
    found = outline(pickle.dumps(Payload(marker), 2), {name})
    assert isinstance(found, Call)
    assert isinstance(found.function, Global)
    assert found.function.name == name
    assert not marker.exists()


def test_the_instruction_that_builds_old_classes_is_refused_by_name() -> None:
    with pytest.raises(ForbiddenName, match=r"os\.system"):
        outline(b"(S'true'\nios\nsystem\n.", ())


@pytest.mark.parametrize(
    "pickled",
    [
        b"",
        b"\x80\x02",
        b"\x80\x02}q\x00X\x05\x00\x00\x00ab",  # ends inside a text
        b"\x80\x02.",  # nothing on the stack
        b"\x80\x02\x86.",  # a pair of nothing
        b"\x80\x02h\x07.",  # a value that was never remembered
        b"\x80\x02u.",  # items without a mark
        b"\x80\x02}(X\x01\x00\x00\x00au.",  # a name without a value
        b"\x80\x02\x82\x01.",  # an extension code
        b"\xff\xfe",
    ],
)
def test_a_pickle_that_makes_no_sense_is_a_value_error(pickled: bytes) -> None:
    with pytest.raises(ValueError, match="makes no sense"):
        outline(pickled, ())
