"""Decoded pixels of every mode as 8-bit sRGB: profiles, depth, transparency.

A picture without a profile, or with one that comes to sRGB, keeps every bit.
"""

from __future__ import annotations

import functools
import io
import itertools

from PIL import Image, ImageCms

# Above it, the copies that are made on the way would fill the memory: it is done in bands.
_BAND_PIXELS = 2**24

# Profiles of sRGB by several makers differ by no more than this in 8 bit.
_SAME = 2

_SPACES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab ": "LAB"}
"""The colour space that a profile is of (ICC.1, 7.2.6) -> the mode of pixels that are in it."""


def to_rgb(image: Image.Image, *, keeps_transparent: bool = False) -> Image.Image:
    """Return a decoded picture as 8-bit sRGB.

    Of 16 bits the upper byte is kept. A colour profile is turned into sRGB; one that is damaged
    or of other colours than the picture's is passed over, as viewers do.

    Args:
        image: In any mode but ``F``, with the ``info`` that it was opened with.
        keeps_transparent: Whether transparent pixels keep the colours that are stored in them.
            Otherwise they become white, as picture viewers show them.
    """
    transform = _acting(image.info.get("icc_profile"), image.mode)
    if image.mode == "RGB" and transform is None and not image.has_transparency_data:
        image.load()  # the file may be closed after this
        return image
    change = functools.partial(_changed, transform=transform, keeps_transparent=keeps_transparent)
    width, height = image.size
    if width * height <= _BAND_PIXELS:
        return change(image)
    rgb = Image.new("RGB", image.size)
    rows = max(1, _BAND_PIXELS // width)
    for top in range(0, height, rows):
        rgb.paste(change(image.crop((0, top, width, min(height, top + rows)))), (0, top))
    return rgb


def is_profiled(image: Image.Image) -> bool:
    """Tell whether an opened picture has a profile that changes its colours."""
    return _acting(image.info.get("icc_profile"), image.mode) is not None


def has_transparency(image: Image.Image) -> bool:
    """Tell whether an opened picture has an alpha channel or a transparent colour that acts."""
    return bool(image.has_transparency_data) and not image.mode.startswith("I")


def opacity(image: Image.Image) -> Image.Image:
    """Return how opaque each pixel of a decoded picture is, 0 to 255, in mode ``L``."""
    if not has_transparency(image):
        return Image.new("L", image.size, 255)
    return image.convert("RGBA").getchannel("A")


def first_channel(image: Image.Image) -> Image.Image:
    """Return grey, or red, of a decoded picture, 0 to 255, as it is stored: no profile acts."""
    grey = _eight_bit(image)
    return grey if grey.mode == "L" else grey.convert("RGB").getchannel("R")


def _changed(
    image: Image.Image,
    *,
    transform: ImageCms.ImageCmsTransform | None,
    keeps_transparent: bool,
) -> Image.Image:
    if image.mode.startswith("I"):
        return _in_srgb(_eight_bit(image), transform)
    if not image.has_transparency_data:
        return _in_srgb(image, transform)
    picture = image.convert("RGBA")
    if transform is not None:
        alpha = picture.getchannel("A")
        colours = image.getchannel("L") if image.mode == "LA" else picture.convert("RGB")
        picture = _in_srgb(colours, transform)
        picture.putalpha(alpha)
    if not keeps_transparent:
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture.convert("RGB")


def _eight_bit(image: Image.Image) -> Image.Image:
    """Return the upper byte of 16-bit grey; any other picture as it is."""
    if not image.mode.startswith("I"):
        return image
    if image.mode not in ("I", "I;16"):  # the other byte order, which cannot be scaled
        image = image.convert("I")
    return image.point(lambda value: value * (1 / 256)).convert("L")


def _in_srgb(image: Image.Image, transform: ImageCms.ImageCmsTransform | None) -> Image.Image:
    if transform is None:
        return image.convert("RGB")
    wanted = str(transform.input_mode)
    return transform.apply(image if image.mode == wanted else image.convert(wanted))


def _acting(icc: object, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return what turns pixels of ``mode`` into sRGB; None where they are in it as they are."""
    if mode == "LAB":
        return _from_lab()
    return _from_profile(icc, mode == "CMYK") if isinstance(icc, bytes) and icc else None


@functools.lru_cache(maxsize=64)
def _from_profile(icc: bytes, is_cmyk: bool) -> ImageCms.ImageCmsTransform | None:
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        mode = _SPACES.get(profile.profile.xcolor_space)
        if mode is None or mode == "LAB" or (mode == "CMYK") != is_cmyk:
            return None
        transform = _transform_of(profile, mode)
    except (OSError, ImageCms.PyCMSError, ValueError):  # a damaged profile
        return None
    return None if mode != "CMYK" and _changes_nothing(transform, mode) else transform


@functools.cache
def _from_lab() -> ImageCms.ImageCmsTransform:
    return _transform_of(ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")), "LAB")


def _transform_of(profile: ImageCms.ImageCmsProfile, mode: str) -> ImageCms.ImageCmsTransform:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    return ImageCms.ImageCmsTransform(
        profile,
        srgb,
        mode,
        "RGB",
        intent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Tell whether colours from all over stay what they are, but for rounding."""
    levels = range(0, 256, 15)
    if mode == "L":
        probe = Image.frombytes("L", (len(levels), 1), bytes(levels))
    else:
        colours = bytes(itertools.chain.from_iterable(itertools.product(levels, repeat=3)))
        probe = Image.frombytes("RGB", (len(colours) // 3, 1), colours)
    before, after = probe.convert("RGB").tobytes(), transform.apply(probe).tobytes()
    return all(abs(now - then) <= _SAME for now, then in zip(after, before, strict=True))
