"""What the first bytes of a JPEG XL file say: Pillow's plug-in decodes all of it to tell its size.

Source: ISO/IEC 18181-1:2022, annex D (image header), and 18181-2:2021, 9 (boxes).
"""

from __future__ import annotations

from typing import BinaryIO, NamedTuple

_BARE = b"\xff\x0a"
_READ = 2**16  # the header is at the beginning of the pixels, and a few bytes long

# The width is the height by one of these (D.2).
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


class JxlHeader(NamedTuple):
    """Size once upright, in pixels, and whether there is more than one frame."""

    width: int
    height: int
    is_animated: bool


def read_jxl_header(file: BinaryIO) -> JxlHeader | None:
    """Return what a file says of itself; None if it is no JPEG XL. Moves the file's position."""
    file.seek(0)
    head = file.read(2)
    if head != _BARE and not _to_codestream(file):
        return None
    bits = _Bits(file.read(_READ))
    try:
        return _header(bits)
    except IndexError:  # it is cut short
        return None


def _to_codestream(file: BinaryIO) -> bool:
    """Go from box to box to the pixels, and behind their first two bytes."""
    file.seek(0)
    while len(head := file.read(8)) == 8:
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        size = 8
        if length == 1:
            length, size = int.from_bytes(file.read(8), "big"), 16
        if kind in (b"jxlc", b"jxlp"):
            if kind == b"jxlp":
                file.read(4)  # the number of the part
            return file.read(2) == _BARE
        if length < size:  # 0: it goes to the end of the file
            return False
        file.seek(length - size, 1)
    return False


class _Bits:
    """Numbers of some bits each, the lowest first."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._place = 0

    def take(self, count: int) -> int:
        """Return the next number; IndexError behind the end."""
        value = 0
        for number in range(count):
            byte, bit = divmod(self._place, 8)
            value |= (self._content[byte] >> bit & 1) << number
            self._place += 1
        return value

    def side(self, *, is_small: int) -> int:
        """Return a side in pixels."""
        if is_small:
            return 8 * (1 + self.take(5))
        return 1 + self.take((9, 13, 18, 30)[self.take(2)])


def _header(bits: _Bits) -> JxlHeader:
    is_small = bits.take(1)
    height = bits.side(is_small=is_small)
    ratio = bits.take(3)
    if ratio:
        times, parts = _RATIOS[ratio - 1]
        width = height * times // parts
    else:
        width = bits.side(is_small=is_small)
    is_plain = bits.take(1)
    orientation, is_animated = 1, False
    if not is_plain and bits.take(1):
        orientation = 1 + bits.take(3)
        if bits.take(1):
            _skip_size(bits)
        if bits.take(1):
            _skip_preview(bits)
        is_animated = bool(bits.take(1))
    if orientation >= 5:  # stored lying
        width, height = height, width
    return JxlHeader(width, height, is_animated)


def _skip_size(bits: _Bits) -> None:
    is_small = bits.take(1)
    bits.side(is_small=is_small)
    if not bits.take(3):
        bits.side(is_small=is_small)


def _skip_preview(bits: _Bits) -> None:
    """Skip the size of a small version of the picture (D.4)."""
    is_small = bits.take(1)
    _preview_side(bits, is_small=is_small)
    if not bits.take(3):
        _preview_side(bits, is_small=is_small)


def _preview_side(bits: _Bits, *, is_small: int) -> None:
    choice = bits.take(2)
    if is_small:
        if choice >= 2:
            bits.take((5, 9)[choice - 2])
    else:
        bits.take((6, 8, 10, 12)[choice])
