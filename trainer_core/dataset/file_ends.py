"""What the first and the last bytes of a file say: its kind, and whether it is there to its end.

The missing end is the cheap sign of a broken copy or download.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
_JPEG_END = b"\xff\xd9"
_BMP_HEADER_SIZES = (40, 52, 56, 108, 124)  # Windows' own; OS/2's are left to the decoder
_BMP_UNCOMPRESSED = (0, 3)  # BI_RGB, BI_BITFIELDS


_KINDS: tuple[tuple[str, re.Pattern[bytes]], ...] = tuple(
    (kind, re.compile(pattern, re.DOTALL))
    for kind, pattern in (
        ("PNG", rb"\x89PNG\r\n\x1a\n"),
        ("JPEG", rb"\xff\xd8\xff"),
        ("WEBP", rb"RIFF....WEBP"),
        ("BMP", rb"BM.{4}\0{4}"),  # the reserved fields, or any text that begins so would do
        ("GIF", rb"GIF8[79]a"),
        ("TIFF", rb"II\*\0|MM\0\*"),  # most raw formats of cameras are TIFF too
        ("PSD", rb"8BPS"),
        ("JXL", rb"\xff\x0a|\0\0\0\x0cJXL "),
        ("AVIF or HEIF", rb"....ftyp(?:avi[fs]|hei[cmsx]|hev[cm]|mif1|msf1|crx )"),
    )
)
"""How pictures begin, whether they are trained or not."""


def kind_of(path: Path) -> str | None:
    """Return what kind of picture a file begins as; None for anything else, pipes included."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            head = file.read(16)
    except OSError:
        return None
    return next((kind for kind, pattern in _KINDS if pattern.match(head)), None)


def is_complete(file: BinaryIO) -> bool:
    """Tell whether the end of the picture is in the file.

    True for kinds without a cheap sign: only decoding tells. The file's position is moved.
    """
    file.seek(0)
    head = file.read(12)
    length = file.seek(0, io.SEEK_END)
    checks = (check for magic, check in _CHECKS if re.match(magic, head, re.DOTALL))
    return all(check(file, length) for check in checks)


def _png(file: BinaryIO, length: int) -> bool:
    # Something may follow the picture (PNG 3rd edition, 13.2), so look at the usual place first.
    if _tail(file, length, len(_PNG_END)) == _PNG_END:
        return True
    file.seek(8)
    while len(head := file.read(8)) == 8:
        if head[4:] == b"IEND":
            return True
        file.seek(int.from_bytes(head[:4], "big") + 4, io.SEEK_CUR)
    return False


def _jpeg(file: BinaryIO, length: int) -> bool:
    if _tail(file, length, len(_JPEG_END)) == _JPEG_END:
        return True
    start = _jpeg_scan_start(file)
    if start is None:
        return False
    file.seek(start)
    # In coded pixels 0xFF is followed by 0 or a restart marker: the first FF D9 is the end
    # (ITU-T T.81, B.1.1.5).
    return _JPEG_END in file.read()


def _jpeg_scan_start(file: BinaryIO) -> int | None:
    """Return where the coded pixels begin, behind EXIF with its own small JPEG."""
    file.seek(2)
    while len(head := file.read(4)) == 4 and head[0] == 0xFF:
        if head[1] == 0xDA:
            return file.tell()
        file.seek(int.from_bytes(head[2:], "big") - 2, io.SEEK_CUR)
    return None


def _webp(file: BinaryIO, length: int) -> bool:
    file.seek(4)
    return int.from_bytes(file.read(4), "little") + 8 <= length


def _bmp(file: BinaryIO, length: int) -> bool:
    file.seek(10)
    if length < 34:
        return False
    fields = struct.unpack("<IIiiHHI", file.read(24))
    pixels_at, header_size, width, height, _, depth, compression = fields
    if header_size not in _BMP_HEADER_SIZES or compression not in _BMP_UNCOMPRESSED:
        return True
    row = (width * depth + 31) // 32 * 4
    return bool(pixels_at + row * abs(height) <= length)


def _tail(file: BinaryIO, length: int, size: int) -> bytes:
    file.seek(max(0, length - size))
    return file.read(size)


_CHECKS: tuple[tuple[bytes, Callable[[BinaryIO, int], bool]], ...] = (
    (rb"\x89PNG\r\n\x1a\n", _png),
    (rb"\xff\xd8\xff", _jpeg),
    (rb"RIFF....WEBP", _webp),
    (rb"BM", _bmp),
)
"""How files of a kind begin, and where the end of the picture is looked for."""
