"""Picture files: what their headers say, and their pixels as upright RGB."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from PIL import ExifTags, Image, UnidentifiedImageError, features
from PIL.TiffImagePlugin import TiffImageFile

from trainer_core.dataset.decoding.colours import has_transparency, is_profiled, opacity, to_rgb
from trainer_core.dataset.decoding.jxl_header import read_jxl_header
from trainer_core.dataset.file_ends import is_complete, kind_of_bytes
from trainer_core.errors import DatasetError
from trainer_core.files.reading import open_regular
from trainer_core.texts import T

Size = tuple[int, int]
"""Width and height in pixels."""

# Decided from the content, so that a GIF or AVIF saved as .jpg by a browser is read too. No
# others: decoders that nobody needs here are only a way in for hostile files.
_READABLE_FORMATS = ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "AVIF"]

_PACKAGES = MappingProxyType({"JXL": "pillow-jxl-plugin", "AVIF": "Pillow>=11.3"})
"""What reads the kinds that not every Pillow can."""

MAX_PIXELS = 2**28
"""The largest picture that is opened: 268 million pixels, above any phone or camera of today."""

# Pillow's own limit warns at 89 and refuses at 179 million pixels, which real photos reach.
Image.MAX_IMAGE_PIXELS = None

_BITS_PER_SAMPLE = 258  # TIFF 6.0, section 8

_UPRIGHT, _FIRST_LYING = 1, 5
_TRANSPOSITIONS = MappingProxyType(
    {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
)
"""EXIF orientation -> what makes the picture upright (EXIF 2.3, tag 0x0112)."""


@dataclass(frozen=True, slots=True)
class PictureHeader:
    """What a picture file says of itself, without decoding its pixels.

    Attributes:
        width: In pixels, once upright.
        height: Likewise.
        format: Of the content, whatever the extension: ``PNG``, ``JPEG``, ``WEBP``, ...
        orientation: EXIF orientation, 1 to 8; 1 is upright.
        mode: Pillow's pixel mode, such as ``RGB``.
        frames: More than 1 for an animation or for pages, of which only the first is used.
        is_profiled: Whether it has a colour profile that is not sRGB.
        has_alpha: Whether it may have transparent pixels.
    """

    width: int
    height: int
    format: str
    orientation: int
    mode: str
    frames: int
    is_profiled: bool = False
    has_alpha: bool = False

    @property
    def size(self) -> Size:
        """Width and height once upright."""
        return self.width, self.height


def read_header(path: Path) -> PictureHeader:
    """Return what the file says of itself.

    Raises:
        DatasetError: It cannot be read, is no picture, is cut short, or is too large.
    """
    with _failures_in_words(path), open_regular(path) as file:
        jxl = _checked(path, file)
        if jxl is not None:
            # What else is in it, only decoding tells.
            return PictureHeader(*jxl, "JXL", _UPRIGHT, "RGB", frames=1, has_alpha=True)
        with _opened(path, file) as image:
            orientation = _orientation(image)
            width, height = image.size if orientation < _FIRST_LYING else image.size[::-1]
            return PictureHeader(
                width=width,
                height=height,
                format=_format(image),
                orientation=orientation,
                mode=image.mode,
                frames=1 if image.format == "MPO" else getattr(image, "n_frames", 1),
                is_profiled=is_profiled(image),
                has_alpha=has_transparency(image),
            )


def load_picture(path: Path) -> Image.Image:
    """Decode a picture whole and turn it upright; it keeps its own pixel mode.

    Raises:
        DatasetError: It cannot be read, is damaged, or is too large.
    """
    with _failures_in_words(path), _ready(path) as image:
        orientation = _orientation(image)
        image.load()
        transposition = _TRANSPOSITIONS.get(orientation)
        return image if transposition is None else image.transpose(transposition)


def open_small(path: Path, side: int) -> Image.Image:
    """Decode a picture, upright, as 8-bit RGB, scaled down to fit into a square of ``side``.

    A JPEG is decoded at the size that comes next above: a fraction of the work.

    Raises:
        DatasetError: It cannot be read, is damaged, or is too large.
    """
    with _failures_in_words(path), _ready(path) as image:
        transposition = _TRANSPOSITIONS.get(_orientation(image))
        image.draft(image.mode, (side, side))
        small = to_rgb(image)
        small.thumbnail((side, side), Image.Resampling.BILINEAR)
        return small if transposition is None else small.transpose(transposition)


def open_rgb(path: Path, *, keeps_transparent: bool = False) -> Image.Image:
    """Decode a picture whole, upright, as 8-bit sRGB without transparency; see `to_rgb`.

    Raises:
        DatasetError: It cannot be read, is damaged, or is too large.
    """
    image = load_picture(path)
    with _failures_in_words(path):
        return to_rgb(image, keeps_transparent=keeps_transparent)


@contextmanager
def _ready(path: Path) -> Iterator[Image.Image]:
    """Open a picture to be decoded."""
    with open_regular(path) as file:
        _checked(path, file)
        with _opened(path, file) as image:
            yield image


def is_transparent(image: Image.Image) -> bool:
    """Tell whether a decoded picture has a pixel that is not opaque."""
    return has_transparency(image) and opacity(image).getextrema() != (255, 255)


def _checked(path: Path, file: BinaryIO) -> Size | None:
    """Refuse what need not be opened to be refused; return the size of a JPEG XL.

    Raises:
        DatasetError: The file is empty, cut short or too large, or nothing here reads its kind.
    """
    if not file.read(1):
        raise DatasetError(
            T("Errors", "The picture {path} is an empty file (0 bytes)."),
            T("Errors", "Replace or remove the file."),
            picture=str(path),
            path=path,
        )
    if not is_complete(file):
        raise DatasetError(
            T("Errors", "The end of the picture {path} is missing."),
            T("Errors", "Copy or download it again, or remove it."),
            picture=str(path),
            path=path,
        )
    file.seek(0)
    kind = kind_of_bytes(file.read(16))
    if kind is not None and not _can_read(kind):
        raise DatasetError(
            T("Errors", "{path} is a {kind} picture, which cannot be read without {package}."),
            T("Errors", 'Save it as PNG, or install the package: pip install "{package}"'),
            picture=str(path),
            path=path,
            kind=kind,
            package=_PACKAGES[kind],
        )
    header = read_jxl_header(file) if kind == "JXL" else None
    file.seek(0)
    if header is None:
        return None
    _check_pixels(path, header.width, header.height)
    if header.is_animated:  # which frame the decoder gives is not sure
        raise DatasetError(
            T("Errors", "{path} is an animated JPEG XL, of which no single frame can be read."),
            T("Errors", "Save the frame that is to be learnt as PNG."),
            picture=str(path),
            path=path,
        )
    return header.width, header.height


def _can_read(kind: str) -> bool:
    if kind == "AVIF":
        return bool(features.check("avif"))
    return kind not in _PACKAGES or _can_read_jxl()


@cache
def _can_read_jxl() -> bool:
    """Tell whether JPEG XL can be read: its package tells Pillow when it is imported."""
    try:
        importlib.import_module("pillow_jxl")  # when it is needed: it takes a while
    except ImportError:
        return False
    return True


def _check_pixels(path: Path, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise DatasetError(
            T("Errors", "The picture {path} is too large: {width} x {height} pixels."),
            T("Errors", "Scale it down; up to {limit} million pixels are read."),
            picture=str(path),
            path=path,
            width=width,
            height=height,
            limit=MAX_PIXELS // 1_000_000,
        )


def _opened(path: Path, file: BinaryIO) -> Image.Image:
    """Open what `_checked` let through."""
    formats = [*_READABLE_FORMATS, *(["JXL"] if "JXL" in Image.OPEN else [])]
    image = Image.open(file, formats=formats)
    try:
        _check_pixels(path, *image.size)
        _check_depth(path, image)
    except DatasetError:
        image.close()
        raise
    return image


def _check_depth(path: Path, image: Image.Image) -> None:
    """Refuse pixels whose black and white nothing tells: numbers of 32 bits."""
    bits = image.tag_v2.get(_BITS_PER_SAMPLE) if isinstance(image, TiffImageFile) else None
    if image.mode == "F" or (image.mode.startswith("I") and bits == (32,)):
        raise DatasetError(
            T("Errors", "The picture {path} has 32 bits per colour; up to 16 can be read."),
            T("Errors", "Save it anew with 8 or 16 bits per colour, or remove it."),
            picture=str(path),
            path=path,
        )


def _format(image: Image.Image) -> str:
    # Cameras store a preview behind the picture; Pillow calls such a JPEG MPO.
    return "JPEG" if image.format == "MPO" else str(image.format)


def _orientation(image: Image.Image) -> int:
    if image.format == "TIFF":
        return _UPRIGHT  # Pillow turns it itself, and tells the size once upright
    if image.format == "JXL" and not getattr(image, "jpeg", False):
        return _UPRIGHT  # its decoder turns it, whatever EXIF says (ISO/IEC 18181-2)
    try:
        # The base class's method: that of PNG would decode the picture to look behind the pixels.
        value = Image.Image.getexif(image).get(ExifTags.Base.Orientation)
    except Exception:  # noqa: BLE001 - damaged EXIF raises anything; viewers pass over it
        return _UPRIGHT
    return value if isinstance(value, int) and value in _TRANSPOSITIONS else _UPRIGHT


@contextmanager
def _failures_in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except DatasetError:
        raise
    except UnidentifiedImageError as error:
        raise DatasetError(
            T("Errors", "{path} is not a picture of a known kind, whatever its name says."),
            T("Errors", "Save it anew as PNG, JPEG, WebP or BMP, or remove it."),
            picture=str(path),
            path=path,
        ) from error
    except Exception as error:  # on damaged files decoders raise anything, down to RuntimeError
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        if reason.startswith("Generic Error"):  # the decoder of JPEG XL has no words of its own
            reason = "damaged"
        raise DatasetError(
            T("Errors", "The picture {path} cannot be read: {reason}"),
            T("Errors", "Replace or remove the file."),
            picture=str(path),
            path=path,
            reason=reason,
        ) from error
