"""Picture files: what their headers say, and their pixels as upright RGB."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from PIL import ExifTags, Image, UnidentifiedImageError

from trainer_core.dataset.file_ends import is_complete
from trainer_core.errors import DatasetError
from trainer_core.files.reading import open_regular
from trainer_core.texts import T

Size = tuple[int, int]
"""Width and height in pixels."""

FORMAT_OF_EXTENSION: Mapping[str, str] = MappingProxyType(
    {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".bmp": "BMP"}
)
"""The pictures that are trained, by extension in lower case, and what they should contain."""

# Decided from the content, so that a GIF or AVIF saved as .jpg by a browser is read too. No
# others: decoders that nobody needs here are only a way in for hostile files.
_READABLE_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "AVIF")

MAX_PIXELS = 2**28
"""The largest picture that is opened: 268 million pixels, above any phone or camera of today."""

# Pillow's own limit warns at 89 and refuses at 179 million pixels, which real photos reach.
Image.MAX_IMAGE_PIXELS = None

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
        frames: More than 1 for an animation, of which only the first frame is used.
    """

    width: int
    height: int
    format: str
    orientation: int
    mode: str
    frames: int

    @property
    def size(self) -> Size:
        """Width and height once upright."""
        return self.width, self.height


def read_header(path: Path) -> PictureHeader:
    """Return what the file says of itself.

    Raises:
        DatasetError: It cannot be read, is no picture, is cut short, or is too large.
    """
    with _failures_in_words(path), open_regular(path) as file, _opened(path, file) as image:
        orientation = _orientation(image)
        width, height = image.size if orientation < _FIRST_LYING else image.size[::-1]
        return PictureHeader(
            width=width,
            height=height,
            format=_format(image),
            orientation=orientation,
            mode=image.mode,
            frames=1 if image.format == "MPO" else getattr(image, "n_frames", 1),
        )


def load_picture(path: Path) -> Image.Image:
    """Decode a picture whole and turn it upright; it keeps its own pixel mode.

    Raises:
        DatasetError: It cannot be read, is damaged, or is too large.
    """
    with _failures_in_words(path), open_regular(path) as file, _opened(path, file) as image:
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
    with _failures_in_words(path), open_regular(path) as file, _opened(path, file) as image:
        transposition = _TRANSPOSITIONS.get(_orientation(image))
        image.draft(image.mode, (side, side))
        small = to_rgb(image)
        small.thumbnail((side, side), Image.Resampling.BILINEAR)
        return small if transposition is None else small.transpose(transposition)


def open_rgb(path: Path) -> Image.Image:
    """Decode a picture whole, upright, as 8-bit RGB without transparency; see `to_rgb`.

    Raises:
        DatasetError: It cannot be read, is damaged, or is too large.
    """
    image = load_picture(path)
    with _failures_in_words(path):
        return to_rgb(image)


def to_rgb(image: Image.Image) -> Image.Image:
    """Return a decoded picture as 8-bit RGB.

    Transparent parts become white, as picture viewers show them; what a program left in the
    invisible pixels is never trained. Of 16-bit grey the upper byte is kept, as Pillow does for
    16-bit colour. Colour profiles are not applied, as in the other trainers of the field.
    """
    if image.mode.startswith("I"):
        image = image.point(lambda value: value * (1 / 256)).convert("L")
    elif image.has_transparency_data:
        picture = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return image.convert("RGB")


def is_transparent(image: Image.Image) -> bool:
    """Tell whether a decoded picture has a pixel that is not opaque."""
    if not image.has_transparency_data or image.mode.startswith("I"):
        return False
    return image.convert("RGBA").getchannel("A").getextrema() != (255, 255)


def _opened(path: Path, file: BinaryIO) -> Image.Image:
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
    image = Image.open(file, formats=_READABLE_FORMATS)
    width, height = image.size
    if width * height > MAX_PIXELS:
        image.close()
        raise DatasetError(
            T("Errors", "The picture {path} is too large: {width} x {height} pixels."),
            T("Errors", "Scale it down; up to {limit} million pixels are read."),
            picture=str(path),
            path=path,
            width=width,
            height=height,
            limit=MAX_PIXELS // 1_000_000,
        )
    return image


def _format(image: Image.Image) -> str:
    # Cameras store a preview behind the picture; Pillow calls such a JPEG MPO.
    return "JPEG" if image.format == "MPO" else str(image.format)


def _orientation(image: Image.Image) -> int:
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
        raise DatasetError(
            T("Errors", "The picture {path} cannot be read: {reason}"),
            T("Errors", "Replace or remove the file."),
            picture=str(path),
            path=path,
            reason=getattr(error, "strerror", None) or str(error) or type(error).__name__,
        ) from error
