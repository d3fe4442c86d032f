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
        ("AVIF", rb"....ftypavi[fs]"),
        ("HEIF", rb"....ftyp(?:hei[cmsx]|hev[cm]|mif1|msf1|crx )"),
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
    return kind_of_bytes(head)


def kind_of_bytes(head: bytes) -> str | None:
    """Return what kind of picture begins with these 16 bytes; None for anything else."""
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


def _tiff(file: BinaryIO, length: int) -> bool:
    """Tell whether the first picture's table and its pixels are there (TIFF 6.0, section 2)."""
    file.seek(0)
    order = "<" if file.read(2) == b"II" else ">"
    file.seek(4)
    (table_at,) = struct.unpack(f"{order}I", file.read(4))
    file.seek(table_at)
    head = file.read(2)
    if len(head) < 2:
        return False
    (count,) = struct.unpack(f"{order}H", head)
    table = file.read(12 * count)
    if not count or len(table) < 12 * count:
        return False
    entries = {entry[0]: entry[1:] for entry in struct.iter_unpack(f"{order}HHI4s", table)}
    begins, sizes = (_last_of(file, entries.get(tag), order) for tag in (273, 279))  # strips
    return begins + sizes <= length


def _last_of(file: BinaryIO, entry: tuple[int, int, bytes] | None, order: str) -> int:
    """Return the last number of a table's entry; 0 if there is none, or it is out of reach."""
    if entry is None or entry[0] not in (3, 4) or not entry[1]:
        return 0
    kind, count, value = entry
    letter, size = ("H", 2) if kind == 3 else ("I", 4)
    if size * count > 4:
        file.seek(struct.unpack(f"{order}I", value)[0] + size * (count - 1))
        value = file.read(size)
    return int(struct.unpack_from(order + letter, value)[0]) if len(value) >= size else 2**32


_BOXES = frozenset(
    {
        *(b"ftyp", b"meta", b"mdat", b"moov", b"free", b"skip", b"uuid"),
        *(b"JXL ", b"jxlc", b"jxlp", b"jxll", b"jxli", b"Exif", b"xml ", b"brob", b"jbrd", b"jumb"),
    }
)
"""The boxes of AVIF and JPEG XL."""


def _boxes(file: BinaryIO, length: int) -> bool:
    """Tell whether every box is there to its end (ISO/IEC 14496-12, 4.2)."""
    place = 0
    while place < length:
        file.seek(place)
        head = file.read(16)
        size = int.from_bytes(head[:4], "big")
        if size == 0 and len(head) >= 8:  # it goes to the end of the file
            return True
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if size < 8 or head[4:8] not in _BOXES:
            return place > 0  # something that follows the picture
        place += size
    return place == length


def _tail(file: BinaryIO, length: int, size: int) -> bytes:
    file.seek(max(0, length - size))
    return file.read(size)


_CHECKS: tuple[tuple[bytes, Callable[[BinaryIO, int], bool]], ...] = (
    (rb"\x89PNG\r\n\x1a\n", _png),
    (rb"\xff\xd8\xff", _jpeg),
    (rb"RIFF....WEBP", _webp),
    (rb"BM", _bmp),
    (rb"II\*\0|MM\0\*", _tiff),
    (rb"....ftypavi[fs]", _boxes),
    (rb"\0\0\0\x0cJXL ", _boxes),
)
"""How files of a kind begin, and where the end of the picture is looked for."""
