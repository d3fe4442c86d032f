"""The tokens of a text, counted as CLIP's tokenizer does.

The app asks too, which has neither transformers nor the `tokenizers` library: that one brings a
dozen packages for the network. What is needed of it is the count alone.

Source: Radford et al. 2021 (CLIP), ``simple_tokenizer.py``; the order in which pairs are joined is
that of the `tokenizers` library, whose counts the tests compare.
"""

from __future__ import annotations

import heapq
import itertools
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache

from trainer_core.files.resources import resource_path

CHUNK_TOKENS = 75
"""What a text encoder reads at once: its 77 places less the marks of start and end."""

_MARKS = re.compile(r"<\|startoftext\|>|<\|endoftext\|>")
_SPACE = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_SPACES = re.compile(f"[{_SPACE}]+")
# Letters, with some numerals among them; a digit; or a run of anything else.
_PIECE = re.compile(rf"'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|(?:[^\w{_SPACE}]|_)+")
_PLAIN = re.compile(r"[ -%'-~\t\n\r]*")  # ASCII without "&", which may begin an HTML entity
_END = "</w>"
_LONGEST = 20_000  # characters

_Ranks = Mapping[tuple[str, str], int]


@lru_cache(maxsize=2**15)  # so that a folder of which one caption changed is soon counted again
def count_tokens(text: str) -> int:
    """Return how many tokens a text has, those that are not read included.

    Of a text beyond any caption, only so much is counted as shows that it is too long. The first
    call reads the table of pairs, which takes some 50 ms: not one for the thread of a window.
    """
    text = text[:_LONGEST]
    mended = text if _PLAIN.fullmatch(text) else _mended(text)
    marks = len(_MARKS.findall(mended))
    return marks + sum(_count_between_marks(part) for part in _MARKS.split(mended))


def is_table_read() -> bool:
    """Tell whether counting takes no more than a blink, as it does after the first time."""
    return _ranks.cache_info().currsize > 0


def _mended(text: str) -> str:
    """Mend quotes, ligatures and HTML entities, as the trainer does before it encodes."""
    import ftfy  # here, because it takes a while and most captions need none of it

    return str(ftfy.fix_text(text))


def _count_between_marks(text: str) -> int:
    if text.isascii():
        return sum(map(_length, _PIECE.findall(_SPACES.sub(" ", text).lower())))
    normal = _SPACES.sub(" ", unicodedata.normalize("NFC", text))
    # One character after the other: at a word's end "Σ" would become another one than elsewhere.
    lower = "".join([each.lower() for each in normal])
    pieces = itertools.chain.from_iterable(map(_without_numerals, _PIECE.findall(lower)))
    return sum(map(_length, pieces))


def _without_numerals(piece: str) -> Iterator[str]:
    """Yield runs of letters, and each numeral between them by itself."""
    if piece.isascii() or not piece[0].isalnum():
        yield piece
        return
    letters = ""
    for character in piece:
        if unicodedata.category(character).startswith("N"):
            yield from filter(None, (letters, character))
            letters = ""
        else:
            letters += character
    if letters:
        yield letters


@lru_cache(maxsize=2**16)
def _length(piece: str) -> int:
    """Return how many symbols are left of a piece when all pairs are joined that can be."""
    alphabet = _alphabet()
    symbols: list[str] = [alphabet[byte] for byte in piece.encode("utf-8", "replace")]
    symbols[-1] += _END
    return _joined(symbols, _ranks())


def _joined(symbols: list[str], ranks: _Ranks) -> int:
    """Join the pair of the lowest rank, the first of equal ones, until none has a rank.

    Args:
        symbols: Changed: what was joined to its neighbour becomes "".
        ranks: Of every pair that can be joined.

    Returns:
        How many symbols are left.
    """
    following = [*range(1, len(symbols)), -1]
    before = list(range(-1, len(symbols) - 1))
    heap: list[tuple[int, int, str, str]] = []

    def note(place: int) -> None:
        behind = following[place] if place >= 0 else -1
        if behind >= 0:
            pair = symbols[place], symbols[behind]
            if pair in ranks:
                heapq.heappush(heap, (ranks[pair], place, *pair))

    for place in range(len(symbols) - 1):
        note(place)
    left = len(symbols)
    while heap:
        _, place, first, second = heapq.heappop(heap)
        behind = following[place]
        if behind < 0 or (symbols[place], symbols[behind]) != (first, second):
            continue  # one of them was joined to another meanwhile
        symbols[place], symbols[behind] = first + second, ""
        following[place] = following[behind]
        if following[place] >= 0:
            before[following[place]] = place
        following[behind] = -1
        left -= 1
        note(before[place])
        note(place)
    return left


@cache
def _ranks() -> _Ranks:
    lines = resource_path("tokenizers", "clip", "merges.txt").read_text(encoding="utf-8")
    _version, *pairs = lines.splitlines()
    ranks: dict[tuple[str, str], int] = {}
    for rank, pair in enumerate(pairs):
        first, _, second = pair.partition(" ")
        ranks[first, second] = rank
    return ranks


@cache
def _alphabet() -> tuple[str, ...]:
    """Return a printable character for each byte; those that print stand for themselves."""
    printable = {*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1)}
    printable |= set(range(ord("®"), ord("ÿ") + 1))
    others = itertools.count(256)
    return tuple(chr(byte if byte in printable else next(others)) for byte in range(256))
