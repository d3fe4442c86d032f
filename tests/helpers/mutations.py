"""Seeded damage to files of other programs, and parsers that must refuse it in words.

A parser is declared once, as a `Parser`, in a table (`model_parsers`, `record_parsers`,
`app_parsers`); a test runs a few thousand mutations of each, ``tests/benchmarks/mutations.py`` any
number. A mutation is known by its number: `mutated` makes the same bytes again.
"""

from __future__ import annotations

import json
import random
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Returns the JSON inside a file, and what makes a file of other JSON.
Unwrap = Callable[[bytes], tuple[bytes, Callable[[bytes], bytes]]]

#: Mutations in a test of a parser whose share is 1000; ``tests/benchmarks/mutations.py`` does more.
COUNT = 2000

_DEEP = "[" * 3000 + "]" * 3000
#: Values that programs, people and failing disks put where another was, as JSON.
_ODD_VALUES = (
    *("null", "true", "false", "0", "-0", "-1", "1", "1.0", "1.5", "1e3", "-1e-9", "1e999", "NaN"),
    *(
        "-Infinity",
        "255",
        "65536",
        "2147483647",
        "2147483648",
        "4294967296",
        "-9223372036854775808",
    ),
    *("9223372036854775807", "18446744073709551616", "9" * 400, "9" * 5000),
    *('""', '" "', '"5"', '"1_000"', '"nan"', '"%s"', '"{path}"', '"../x"', '"/etc/passwd"'),
    *('"\\u0000"', '"\\u001b[31m"', '"\\ud800"', '"\\u202e"', '"é漢😀"', '"a\\nb"'),
    *(json.dumps("a" * 5000), "[]", "[1]", '["a", 1]', "[[]]", "[null]", "{}", '{"a": 1}', _DEEP),
)
_ODD_NAMES = (
    "",
    "__class__",
    "__metadata__",
    "_class_name",
    "self",
    "a" * 300,
    "\x00",
    "漢",
    "{x}",
)
_ODD_BYTES = (
    b"\x00",
    b"\xff",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"{",
    b"}",
    b'"',
    b"\n",
    b"\x80",
    b"9",
)


class TooSlow(BaseException):
    """A parser took longer than it may; no parser's own ``except Exception`` catches it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parser:
    """One parser of foreign files.

    Attributes:
        name: Of what it reads; the seed of its mutations.
        samples: Sound contents of such files.
        parse: Reads a content; `as_file` makes one of a function that reads a path.
        allowed: What it may raise: errors in words.
        unwrap: Finds the JSON in a content, which is then damaged as JSON too; None if it is none.
        judge: Called with a content and whether it was accepted; returns what is wrong with that.
        share: How many of a thousand mutations it gets: less for one that is slow by nature.
        seconds: Of processor time that one content may take.
    """

    name: str
    samples: tuple[bytes, ...]
    parse: Callable[[bytes], object]
    allowed: tuple[type[BaseException], ...]
    unwrap: Unwrap | None = None
    judge: Callable[[bytes, bool], str | None] = lambda content, is_accepted: None
    share: int = 1000
    seconds: float = 5.0


@dataclass(slots=True)
class Outcome:
    """What came of a parser's mutations: how many were refused, accepted, and what went wrong."""

    refused: int = 0
    accepted: int = 0
    failures: list[str] = field(default_factory=list)


def as_file(path: Path, parse: Callable[[Path], object]) -> Callable[[bytes], object]:
    """Return what puts a content at ``path`` and has it parsed there."""

    def write_and_parse(content: bytes) -> object:
        put(path, content)
        return parse(path)

    return write_and_parse


def put(path: Path, content: bytes) -> None:
    """Write a file over what it holds.

    Some file systems flush a file to the disk that was emptied first: thousands take minutes.
    """
    with path.open("r+b" if path.exists() else "wb") as file:
        file.write(content)
        file.truncate()


def plain_json(content: bytes) -> tuple[bytes, Callable[[bytes], bytes]]:
    """Unwrap a file that is nothing but JSON."""
    return content, lambda changed: changed


def run(parser: Parser, count: int, *, first: int = 0) -> Outcome:
    """Parse the mutations ``first`` to ``first + count`` of a parser."""
    outcome = Outcome()
    for number in range(first, first + count):
        content = mutated(parser, number)
        is_accepted = False
        try:
            with _time_limit(parser.seconds):
                parser.parse(content)
            is_accepted = True
        except parser.allowed:
            pass
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            outcome.failures.append(_described(parser, number, f"{type(error).__name__}: {error}"))
            continue
        outcome.accepted += is_accepted
        outcome.refused += not is_accepted
        wrong = parser.judge(content, is_accepted)
        if wrong:
            outcome.failures.append(_described(parser, number, wrong))
    return outcome


def failures_of(parsers: Iterable[Parser], count: int = COUNT) -> list[str]:
    """Return what went wrong with ``count`` mutations of each parser, or its share of them."""
    failures: list[str] = []
    for parser in parsers:
        for sample in parser.samples:
            parser.parse(sample)  # else nothing would be shown by refusing its mutations
        outcome = run(parser, max(1, count * parser.share // 1000))
        failures += outcome.failures
        assert outcome.refused, parser.name
    return failures


def mutated(parser: Parser, number: int) -> bytes:
    """Return the mutation of that number: always the same bytes."""
    dice = random.Random(f"{parser.name} {number}")
    content = dice.choice(parser.samples)
    if parser.unwrap is not None and dice.random() < 0.7:
        inner, wrap = parser.unwrap(content)
        return wrap(_with_changed_json(inner, dice))
    for _ in range(dice.choice((1, 1, 2, 4))):
        content = dice.choice(_BYTE_CHANGES)(content, dice)
    return content


def _described(parser: Parser, number: int, words: str) -> str:
    content = mutated(parser, number)
    return f"{parser.name} {number}: {words[:300]}\n    {len(content)} B: {content[:200]!r}"


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Break into what takes too much processor time, where the system has a timer for it.

    What waits for ever is the business of the test's own limit.
    """
    if not hasattr(signal, "SIGPROF") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise TooSlow(f"longer than {seconds:g} s")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


# ---------------------------------------------------------------- bytes


def _span(content: bytes, dice: random.Random) -> tuple[int, int]:
    begin = dice.randrange(len(content) + 1)
    return begin, min(len(content), begin + dice.choice((1, 2, 8, 64)))


def _flip_bit(content: bytes, dice: random.Random) -> bytes:
    if not content:
        return b"\x01"
    changed = bytearray(content)
    changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def _flip_early_bit(content: bytes, dice: random.Random) -> bytes:
    """Change what most formats begin with: marks and lengths."""
    return _flip_bit(content[:64], dice) + content[64:]


def _put_odd_bytes(content: bytes, dice: random.Random) -> bytes:
    begin, end = _span(content, dice)
    end = dice.choice((begin, end))  # in between, or in place of what is there
    return content[:begin] + dice.choice(_ODD_BYTES) + content[end:]


def _cut_end(content: bytes, dice: random.Random) -> bytes:
    return content[: dice.randrange(len(content) + 1)]


def _cut_out(content: bytes, dice: random.Random) -> bytes:
    begin, end = _span(content, dice)
    return content[:begin] + content[end:]


def _repeat(content: bytes, dice: random.Random) -> bytes:
    begin, end = _span(content, dice)
    return content[:end] + content[begin:end] * dice.choice((1, 3)) + content[end:]


def _append(content: bytes, dice: random.Random) -> bytes:
    return content + dice.choice((b"\x00" * 8, b" ", b"\n", content[:16], b"}"))


def _zero(content: bytes, dice: random.Random) -> bytes:
    """Blank a piece, as a file system does that lost it in a power cut."""
    begin, end = _span(content, dice)
    return content[:begin] + b"\x00" * (end - begin) + content[end:]


_BYTE_CHANGES = (
    *(_flip_bit, _flip_bit, _flip_early_bit, _put_odd_bytes),
    *(_cut_end, _cut_out, _repeat, _append, _zero),
)

# ---------------------------------------------------------------- JSON


@dataclass(frozen=True, slots=True)
class _Raw:
    """JSON that is written as it stands."""

    text: str


def _with_changed_json(inner: bytes, dice: random.Random) -> bytes:
    """Return JSON with one or two of its values, names or entries changed."""
    tree = json.loads(inner)
    for _ in range(dice.choice((1, 1, 1, 2))):
        places = list(_places(tree))
        if not places:
            return dice.choice(_ODD_VALUES).encode()
        dice.choice(_JSON_CHANGES)(*dice.choice(places), dice)
    if dice.random() < 0.02:
        tree = _Raw(dice.choice(_ODD_VALUES))
    return _dumped(tree).encode("utf-8", "surrogatepass")


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container with each of its keys."""
    keys = tree if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    for key in keys:
        yield tree, key
        yield from _places(tree[key])


def _put_odd_value(container: Any, key: Any, dice: random.Random) -> None:
    container[key] = _Raw(dice.choice(_ODD_VALUES))


def _nudge(container: Any, key: Any, dice: random.Random) -> None:
    """Change a number a little: what a check of types alone lets through."""
    value = container[key]
    if isinstance(value, int | float) and not isinstance(value, bool):
        container[key] = dice.choice((value + 1, value - 1, value * 2, -value, float(value)))
    else:
        _put_odd_value(container, key, dice)


def _remove(container: Any, key: Any, dice: random.Random) -> None:
    del container[key]


def _rename(container: Any, key: Any, dice: random.Random) -> None:
    if isinstance(container, dict):
        container[dice.choice(_ODD_NAMES)] = container.pop(key)
    else:
        container.append(container[key])


def _double(container: Any, key: Any, dice: random.Random) -> None:
    """Write an entry twice under one name."""
    if isinstance(container, dict):
        container[_Raw(_name(key))] = dice.choice((container[key], _Raw("1")))
    else:
        container.insert(key, container[key])


def _swap(container: Any, key: Any, dice: random.Random) -> None:
    other = dice.choice(list(container) if isinstance(container, dict) else range(len(container)))
    container[key], container[other] = container[other], container[key]


_JSON_CHANGES = (_put_odd_value, _put_odd_value, _nudge, _remove, _rename, _double, _swap)


def _dumped(tree: Any) -> str:
    if isinstance(tree, _Raw):
        return tree.text
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{_name(k)}: {_dumped(v)}" for k, v in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(_dumped, tree)) + "]"
    return json.dumps(tree, ensure_ascii=False)


def _name(key: Any) -> str:
    return key.text if isinstance(key, _Raw) else json.dumps(key)
