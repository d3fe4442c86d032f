"""Changes that are made to many captions alike: a trigger word, find and replace, an encoding."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from trainer_core.dataset.captions import count_tags
from trainer_core.texts import T

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LABELS = {
    "utf-16": T("App", "Unicode (UTF-16)"),
    "utf-16-le": T("App", "Unicode (UTF-16)"),
    "utf-16-be": T("App", "Unicode (UTF-16, big end first)"),
    "utf-32": T("App", "Unicode (UTF-32)"),
    "cp1252": T("App", "Western (Windows-1252)"),
    "cp1250": T("App", "Central European (Windows-1250)"),
    "cp1251": T("App", "Cyrillic (Windows-1251)"),
    "cp932": T("App", "Japanese (Shift JIS)"),
    "gb18030": T("App", "Chinese (GB 18030)"),
    "big5": T("App", "Chinese (Big5)"),
    "cp949": T("App", "Korean (Windows-949)"),
}
_OF_LETTERS = ("cp1252", "cp1250", "cp1251")  # of one byte each
_OF_SIGNS = ("cp932", "gb18030", "big5", "cp949")  # of two bytes, most of them
_MANY_FOREIGN = 0.3  # of the bytes: hardly a language of Latin letters with accents
_ALLOWED_CONTROLS = frozenset("\t\n\r")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says if it is read in an encoding; ``label`` is how people know the encoding."""

    encoding: str
    label: str
    text: str


def readings(data: bytes) -> list[Reading]:
    """Return the ways to read bytes that are not UTF-8, the likelier ones first."""
    found: list[Reading] = []
    for encoding in _candidates(data):
        text = decoded(data, encoding)
        if text is not None and text not in [reading.text for reading in found]:
            found.append(Reading(encoding, _LABELS[encoding], text))
    return found


def decoded(data: bytes, encoding: str) -> str | None:
    """Return the text in an encoding, None if it cannot be in it."""
    try:
        text = data.decode(encoding).removeprefix("\ufeff")
    except UnicodeError:
        return None
    return text if all(_is_text(sign) for sign in set(text)) else None


def with_trigger_word(text: str, word: str) -> str:
    """Return a caption that begins with a trigger word; one that has it as a tag stays as it is."""
    word = word.strip().strip(",").strip()
    first, *others = text.split("\n")
    if not word or word.casefold() in count_tags(first):
        return text
    first = f"{word}, {first.strip()}" if first.strip() else word
    return "\n".join([first, *others])


def with_replaced(text: str, find: str, replacement: str, *, match_case: bool) -> str:
    """Return a caption with one wording for another, wherever it occurs.

    A tag that becomes empty goes with its comma.
    """
    if not find:
        return text
    pattern = re.compile(re.escape(find), 0 if match_case else re.IGNORECASE)
    lines = text.split("\n")
    after = [pattern.sub(lambda _: replacement, line) for line in lines]
    if not replacement.strip():
        after = [
            line if line == before else _without_empty_tags(line, before)
            for before, line in zip(lines, after, strict=True)
        ]
    return "\n".join(after)


def _without_empty_tags(line: str, before: str) -> str:
    """Return a line without the tags that were something before and are nothing now."""
    if line.count(",") != before.count(","):  # commas were replaced themselves
        return line
    tags = zip(line.split(","), before.split(","), strict=True)
    return ",".join(tag for tag, was in tags if tag.strip() or not was.strip()).strip()


def _candidates(data: bytes) -> Iterator[str]:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            yield encoding
            return
    if b"\0" in data:
        # Latin letters in UTF-16 have a zero byte each, the second one or the first.
        ends = ("utf-16-le", "utf-16-be")
        yield from ends if data[1::2].count(0) >= data[::2].count(0) else reversed(ends)
        return
    share = sum(byte > 0x7F for byte in data) / max(len(data), 1)
    groups = (_OF_SIGNS, _OF_LETTERS) if share > _MANY_FOREIGN else (_OF_LETTERS, _OF_SIGNS)
    for group in groups:
        yield from group


def _is_text(sign: str) -> bool:
    return sign in _ALLOWED_CONTROLS or unicodedata.category(sign) not in ("Cc", "Cn", "Co", "Cs")
