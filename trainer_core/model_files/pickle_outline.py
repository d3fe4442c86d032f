"""Follows a pickle on paper: what it would import or call becomes a symbol, nothing is run."""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any

#: Tables with a memory for order are built as plain tables; they have one too.
_TABLES = ("collections.OrderedDict", "builtins.dict", "__builtin__.dict")


class ForbiddenName(Exception):  # noqa: N818 - says what was met
    """The pickle asks for a name that is not allowed."""


@dataclass(frozen=True, slots=True, eq=False)
class Global:
    """A name that the pickle would import."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A call that the pickle would make."""

    function: object
    arguments: object


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """A block of numbers outside the pickle: ``("storage", type, key, device, elements)``."""

    identity: object


class _Paper:
    """The pickle machine with the calls left out: a stack, marks and a memo of plain values."""

    def __init__(self, allowed: Container[str]) -> None:
        self.stack: list[Any] = []
        self._allowed = allowed
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def mark(self) -> None:
        self._marks.append(len(self.stack))

    def pop_to_mark(self) -> list[Any]:
        start = self._marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def pop(self, count: int) -> list[Any]:
        items = self.stack[-count:]
        if len(items) < count:
            raise IndexError("the stack is empty")
        del self.stack[-count:]
        return items

    def remember(self, slot: int | None) -> None:
        self._memo[len(self._memo) if slot is None else slot] = self.stack[-1]

    def recall(self, slot: int) -> None:
        self.stack.append(self._memo[slot])

    def name(self, parts: list[str]) -> None:
        if not all(isinstance(part, str) for part in parts):
            raise ValueError("a name is no text")
        name = ".".join(parts)
        if name not in self._allowed:
            raise ForbiddenName(name)
        self.stack.append(Global(name))

    def call(self) -> None:
        function, arguments = self.pop(2)
        is_table = isinstance(function, Global) and function.name in _TABLES
        self.stack.append({} if is_table else Call(function, arguments))

    def set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if isinstance(target, dict):
            pairs = zip(items[::2], items[1::2], strict=True)
            target.update((key, value) for key, value in pairs if isinstance(key, str | int))

    def new_table(self, items: list[Any]) -> None:
        self.stack.append({})
        self.set_items(items)

    def append_items(self, items: list[Any]) -> None:
        if isinstance(self.stack[-1], list):
            self.stack[-1].extend(items)


def _pusher(make: Callable[[Any], Any]) -> Callable[[_Paper, Any], None]:
    return lambda paper, argument: paper.stack.append(make(argument))


def _packer(count: int) -> Callable[[_Paper, Any], None]:
    return lambda paper, _: paper.stack.append(tuple(paper.pop(count)))


_LITERALS = [
    *("INT", "LONG", "FLOAT", "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT"),
    *(
        "STRING",
        "UNICODE",
        "BINUNICODE",
        "SHORT_BINUNICODE",
        "BINUNICODE8",
        "BINSTRING",
        "SHORT_BINSTRING",
    ),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
]
_STORES = ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE")
#: What each instruction does; the few that no checkpoint uses are left out.
_STEPS: Mapping[str, Callable[[_Paper, Any], None]] = {
    **dict.fromkeys(_LITERALS, _pusher(lambda argument: argument)),
    **dict.fromkeys(["PROTO", "FRAME", "STOP"], lambda paper, _: None),
    **dict.fromkeys(_STORES, lambda paper, slot: paper.remember(slot)),
    **dict.fromkeys(["GET", "BINGET", "LONG_BINGET"], lambda paper, slot: paper.recall(slot)),
    **dict.fromkeys(["REDUCE", "NEWOBJ"], lambda paper, _: paper.call()),
    "NONE": _pusher(lambda _: None),
    "NEWTRUE": _pusher(lambda _: True),
    "NEWFALSE": _pusher(lambda _: False),
    "EMPTY_TUPLE": _pusher(lambda _: ()),
    "EMPTY_LIST": _pusher(lambda _: []),
    "EMPTY_SET": _pusher(lambda _: []),
    "EMPTY_DICT": _pusher(lambda _: {}),
    "GLOBAL": lambda paper, argument: paper.name(argument.split(" ")),
    "INST": lambda paper, argument: paper.name(argument.split(" ")),
    "STACK_GLOBAL": lambda paper, _: paper.name(paper.pop(2)),
    "TUPLE1": _packer(1),
    "TUPLE2": _packer(2),
    "TUPLE3": _packer(3),
    "TUPLE": lambda paper, _: paper.stack.append(tuple(paper.pop_to_mark())),
    "LIST": lambda paper, _: paper.stack.append(paper.pop_to_mark()),
    "DICT": lambda paper, _: paper.new_table(paper.pop_to_mark()),
    "MARK": lambda paper, _: paper.mark(),
    "POP": lambda paper, _: paper.stack.pop(),
    "SETITEM": lambda paper, _: paper.set_items(paper.pop(2)),
    "SETITEMS": lambda paper, _: paper.set_items(paper.pop_to_mark()),
    "APPEND": lambda paper, _: paper.append_items(paper.pop(1)),
    "APPENDS": lambda paper, _: paper.append_items(paper.pop_to_mark()),
    "ADDITEMS": lambda paper, _: paper.append_items(paper.pop_to_mark()),
    "BUILD": lambda paper, _: paper.stack.pop(),  # the state of an object that is never built
    "BINPERSID": lambda paper, _: paper.stack.append(Stored(paper.stack.pop())),
}


def outline(pickled: bytes, allowed: Container[str]) -> Any:
    """Return what a pickle describes: plain values, with symbols in place of objects.

    Args:
        pickled: The pickle's bytes.
        allowed: Dotted names that may be mentioned.

    Raises:
        ForbiddenName: Another name is mentioned.
        ValueError: It is no pickle, or uses instructions that are not known here.
    """
    paper = _Paper(allowed)
    try:
        for opcode, argument, _ in pickletools.genops(pickled):
            _STEPS[opcode.name](paper, argument)
        return paper.stack[-1]
    except (ValueError, LookupError, TypeError) as error:
        raise ValueError(f"the pickle makes no sense: {error}") from error
