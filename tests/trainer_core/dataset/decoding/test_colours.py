"""Colours, depth and transparency of decoded pictures, against formulas and the colour engine."""

from __future__ import annotations

import io
import struct

import pytest
from helpers.pictures import gradient
from PIL import Image, ImageCms

from trainer_core.dataset.decoding import colours
from trainer_core.dataset.decoding.colours import first_channel, is_profiled, opacity, to_rgb

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped() -> bytes:
    """Return a profile of sRGB with red and blue exchanged, by its table of tags (ICC.1, 7.3)."""
    content = bytearray(SRGB)
    (count,) = struct.unpack_from(">I", content, 128)
    places = {bytes(content[at : at + 4]): at for at in range(132, 132 + 12 * count, 12)}
    red, blue = places[b"rXYZ"], places[b"bXYZ"]
    content[red : red + 4], content[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(content)


def grey_profile(gamma: int) -> bytes:
    """Return a profile of grey of a whole gamma, D50 (ICC.1:2001-04, 6.3.1.1)."""
    white = b"XYZ \0\0\0\0" + struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, gamma * 256) + b"\0\0"
    name = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"grey\0" + bytes(78) + b"\0"
    parts = {b"wtpt": white, b"kTRC": curve, b"desc": name}
    at, table, data = 132 + 12 * len(parts), struct.pack(">I", len(parts)), b""
    for tag, part in parts.items():
        table += tag + struct.pack(">II", at + len(data), len(part))
        data += part
    size = 128 + len(table) + len(data)
    header = struct.pack(">I4sI4s4s4s", size, b"\0" * 4, 0x02400000, b"mntr", b"GRAY", b"XYZ ")
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    header += struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)
    return header.ljust(128, b"\0") + table + data


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> Image.Image:
    """Return a picture as it comes from a file of a kind."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    file.seek(0)
    loaded = Image.open(file)
    loaded.load()
    return loaded


def encoded(linear: float) -> float:
    """Return the level of sRGB, 0 to 255, of linear light, 0 to 1 (IEC 61966-2-1)."""
    return 255 * (12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055)


# ------------------------------------------------------------------ profiles


def test_the_colours_of_a_profile_are_turned_into_srgb() -> None:
    # What the file calls red is the blue of sRGB.
    picture = saved(Image.new("RGB", (4, 4), (200, 30, 60)), icc_profile=swapped())

    assert is_profiled(picture)
    assert to_rgb(picture).getpixel((2, 2)) == pytest.approx((60, 30, 200), abs=1)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
def test_every_kind_of_file_brings_its_profile(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {"quality": 100}
    picture = saved(
        Image.new("RGB", (32, 32), (200, 30, 60)), kind, icc_profile=swapped(), **options
    )

    assert to_rgb(picture).getpixel((16, 16)) == pytest.approx((60, 30, 200), abs=4)


def test_srgb_changes_no_bit() -> None:
    picture = saved(gradient(), icc_profile=SRGB)

    assert not is_profiled(picture)
    assert to_rgb(picture).tobytes() == gradient().tobytes()


@pytest.mark.parametrize("icc", [b"no profile", swapped()[:200], bytes(3000)])
def test_a_damaged_profile_is_passed_over(icc: bytes) -> None:
    picture = saved(gradient(), icc_profile=icc)

    assert not is_profiled(picture)
    assert to_rgb(picture).tobytes() == gradient().tobytes()


def test_a_profile_of_other_colours_is_passed_over() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    picture = gradient()
    picture.info["icc_profile"] = lab

    assert to_rgb(picture).tobytes() == gradient().tobytes()


@pytest.mark.parametrize("level", [0, 30, 128, 200, 255])
@pytest.mark.parametrize("mode", ["L", "LA"])
def test_grey_of_another_gamma_keeps_its_light(mode: str, level: int) -> None:
    colour = level if mode == "L" else (level, 255)
    picture = Image.new(mode, (4, 4), colour)
    picture.info["icc_profile"] = grey_profile(1)

    expected = encoded(level / 255)
    assert to_rgb(picture).getpixel((1, 1)) == pytest.approx((expected,) * 3, abs=1)


def test_grey_with_a_profile_of_colours_is_turned_as_colour() -> None:
    picture = Image.new("L", (4, 4), 90)
    picture.info["icc_profile"] = swapped()

    assert to_rgb(picture).getpixel((1, 1)) == pytest.approx((90, 90, 90), abs=1)


@pytest.mark.parametrize("mode", ["P", "RGBA"])
def test_a_profile_acts_before_what_is_transparent_becomes_white(mode: str) -> None:
    picture = Image.new("RGBA", (8, 8), (200, 30, 60, 255))
    picture.paste((10, 20, 30, 0), (0, 0, 4, 8))
    picture = saved(picture.convert(mode), icc_profile=swapped())

    rgb = to_rgb(picture)
    assert rgb.getpixel((1, 1)) == (255, 255, 255)
    assert rgb.getpixel((6, 6)) == pytest.approx((60, 30, 200), abs=1)


def test_lab_is_turned_into_srgb() -> None:
    # L* 50 without colour: Y = ((50 + 16) / 116)^3 (CIE 15:2004, 8.2.1).
    picture = saved(Image.new("LAB", (4, 4), (round(50 * 2.55), 128, 128)), "TIFF")

    expected = encoded(((50 + 16) / 116) ** 3)
    assert picture.mode == "LAB"
    assert to_rgb(picture).getpixel((1, 1)) == pytest.approx((expected,) * 3, abs=2)


# ------------------------------------------------------------------ depth


@pytest.mark.parametrize("mode", ["I;16", "I;16B"])
@pytest.mark.parametrize("level", [0, 0x40FF, 0x8000, 0xFFFF])
def test_of_sixteen_bits_the_upper_byte_is_kept(mode: str, level: int) -> None:
    picture = saved(Image.new(mode, (2, 2), level), "TIFF")

    assert picture.mode == mode
    assert to_rgb(picture).getpixel((0, 0)) == (level >> 8,) * 3
    assert first_channel(picture).getpixel((0, 0)) == level >> 8


# ------------------------------------------------------------------ transparency


@pytest.mark.parametrize("mode", ["RGBA", "P"])
def test_transparent_pixels_may_keep_their_colours(mode: str) -> None:
    picture = Image.new("RGBA", (8, 8), (200, 30, 60, 0))
    if mode == "P":
        palette = picture.convert("RGB").quantize(2)
        palette.info["transparency"] = palette.getpixel((0, 0))
        picture = palette

    assert to_rgb(picture).getpixel((0, 0)) == (255, 255, 255)
    assert to_rgb(picture, keeps_transparent=True).getpixel((0, 0)) == (200, 30, 60)
    assert opacity(picture).getextrema() == (0, 0)


def test_a_picture_without_transparency_is_opaque_all_over() -> None:
    assert opacity(gradient()).getextrema() == (255, 255)


def test_the_first_channel_is_red_as_it_is_stored() -> None:
    picture = Image.new("RGBA", (2, 2), (70, 200, 10, 0))
    picture.info["icc_profile"] = swapped()

    assert first_channel(picture).getpixel((0, 0)) == 70
    assert first_channel(Image.new("1", (2, 2), 1)).getpixel((0, 0)) == 255


# ------------------------------------------------------------------ memory


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "CMYK", "I;16"])
def test_bands_of_a_huge_picture_join_without_a_seam(
    monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    picture = gradient((61, 47))
    picture = picture.convert("L").convert("I;16") if mode == "I;16" else picture.convert(mode)
    whole = to_rgb(picture)

    monkeypatch.setattr(colours, "_BAND_PIXELS", 500)
    assert to_rgb(picture).tobytes() == whole.tobytes()
