"""Weights in a text: ``(word:1.3)``, ``(word)`` and ``[word]``.

Source: prompt_weights.json, ``parse_attention``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from trainer_core.errors import DatasetError
from trainer_core.texts import T
from trainer_core.tokens.clip import count_tokens

_ROUND = 1.1
_SQUARE = 1 / 1.1
_FACTORS = {"(": _ROUND, "[": _SQUARE}
_OPENING = {")": "(", "]": "["}
_MARKS = re.compile(r"\\([\\()\[\]])|\\|:([+-]?[.\d]+)\)|[()\[\]]")
_SHOWN = 40  # characters


class Piece(NamedTuple):
    """A part of a text whose tokens all have one weight."""

    text: str
    weight: float


@dataclass(slots=True)
class WeightedText:
    """A text whose weights were read.

    Attributes:
        pieces: In order, at least one.
        unclosed: Brackets that nothing closes: they act to the end of the text.
        unopened: Brackets that close nothing: they are part of the text.
        bracketed: What stands in brackets, without those inside other ones.
    """

    pieces: list[Piece] = field(default_factory=list)
    unclosed: list[str] = field(default_factory=list)
    unopened: list[str] = field(default_factory=list)
    bracketed: list[str] = field(default_factory=list)


def read_weights(text: str) -> WeightedText:
    """Return the pieces of a text with their weights, and what of its brackets is odd.

    Raises:
        DatasetError: A weight is no number; the error quotes it.
    """
    return _Reader(text).read()


def count_read_tokens(text: str, *, is_weighted: bool) -> int:
    """Return how many tokens a text has: of its pieces, where weights are read.

    A text whose weights cannot be read is counted as it stands.
    """
    if not is_weighted or not _MARKS.search(text):
        return count_tokens(text)
    try:
        return sum(count_tokens(piece.text) for piece in read_weights(text).pieces)
    except DatasetError:
        return count_tokens(text)


class _Open(NamedTuple):
    """A bracket that is not closed yet: its kind, its place, and the piece that it begins at."""

    bracket: str
    place: int
    piece: int


class _Reader:
    """Reads a text from left to right.

    Round and square brackets are closed independently of one another: the last open one of the
    kind is. As in the reference trainer, whose results for ``([a)]`` depend on it.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._pieces: list[Piece] = []
        self._open: dict[str, list[_Open]] = {"(": [], "[": []}
        self._found = WeightedText()

    def read(self) -> WeightedText:
        begin = 0
        for match in _MARKS.finditer(self._text):
            self._add(self._text[begin : match.start()])
            self._read_mark(match)
            begin = match.end()
        self._add(self._text[begin:])
        for bracket in ("(", "["):
            for opened in self._open[bracket]:
                self._found.unclosed.append(bracket)
                self._found.bracketed.append(self._text[opened.place :])
                self._multiply(opened.piece, _FACTORS[bracket])
        self._found.pieces += _merged(self._pieces)
        return self._found

    def _read_mark(self, match: re.Match[str]) -> None:
        mark, escaped, weight = match[0], match[1], match[2]
        if escaped is not None:
            self._add(escaped)
        elif mark in _FACTORS:
            self._open[mark].append(_Open(mark, match.start(), len(self._pieces)))
        elif weight is not None and self._open["("]:
            opened = self._open["("].pop()
            self._close(opened, match, self._number(weight, opened, match))
        elif mark in _OPENING and self._open[_OPENING[mark]]:
            opened = self._open[_OPENING[mark]].pop()
            self._close(opened, match, _FACTORS[opened.bracket])
        elif mark == "\\":  # by itself it stands for nothing, but may part two pieces
            self._pieces.append(Piece("", 1.0))
        else:
            self._found.unopened.append(mark[-1])
            self._add(mark)

    def _close(self, opened: _Open, match: re.Match[str], factor: float) -> None:
        self._multiply(opened.piece, factor)
        if not any(self._open.values()):
            self._found.bracketed.append(self._text[opened.place : match.end()])

    def _number(self, words: str, opened: _Open, match: re.Match[str]) -> float:
        try:
            number = float(words)
        except ValueError:
            number = math.nan
        if math.isfinite(number):
            return number
        piece = self._text[opened.place : match.end()]
        raise DatasetError(
            T("Errors", "The weight {weight} is no number: {piece}"),
            T("Errors", "Write one such as 1.2, or \\( and \\) for brackets that are only text."),
            weight=words if len(words) <= _SHOWN else words[:_SHOWN] + "…",
            piece=piece if len(piece) <= _SHOWN else "…" + piece[-_SHOWN:],
        )

    def _add(self, words: str) -> None:
        if words:
            self._pieces.append(Piece(words, 1.0))

    def _multiply(self, begin: int, factor: float) -> None:
        for number, piece in enumerate(self._pieces[begin:], start=begin):
            self._pieces[number] = Piece(piece.text, piece.weight * factor)


def _merged(pieces: list[Piece]) -> Iterator[Piece]:
    """Yield the pieces with neighbours of one weight as one; of none, an empty one."""
    current, *others = pieces or [Piece("", 1.0)]
    for piece in others:
        if piece.weight == current.weight:
            current = Piece(current.text + piece.text, current.weight)
        else:
            yield current
            current = piece
    yield current
