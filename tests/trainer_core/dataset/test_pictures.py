"""Headers and pixels of real picture files, sound and damaged."""

from __future__ import annotations

import contextlib
import random
import struct
import zlib
from pathlib import Path

import pytest
from helpers.pictures import gradient, write_picture
from PIL import ExifTags, Image

from trainer_core.dataset import pictures
from trainer_core.dataset.pictures import is_transparent, load_picture, open_rgb, read_header
from trainer_core.errors import DatasetError
from trainer_core.settings.picture_kinds import FORMAT_OF_EXTENSION

NAMES = ["a.png", "a.jpg", "a.jpeg", "a.webp", "a.bmp", "a.PNG", "a.tif", "a.tiff", "a.avif"]
with contextlib.suppress(ImportError):
    import pillow_jxl  # noqa: F401 - the tests write JPEG XL too

    NAMES.append("a.jxl")
LYING = (64, 32)


def exif(orientation: object) -> Image.Exif:
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = orientation
    return tags


@pytest.mark.parametrize("name", NAMES)
def test_header_tells_size_and_format(tmp_path: Path, name: str) -> None:
    path = write_picture(tmp_path / name, (96, 40))
    header = read_header(path)
    assert header.size == (96, 40)
    assert header.format == FORMAT_OF_EXTENSION[path.suffix.lower()]
    assert (header.orientation, header.frames) == (1, 1)


def test_format_is_that_of_the_content(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.png").rename(tmp_path / "a.jpg")
    assert read_header(path).format == "PNG"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif", "a.avif"])
def test_orientation_is_applied_to_size_and_pixels(
    tmp_path: Path, name: str, orientation: int
) -> None:
    # The eight ways in which an upright picture may be stored (EXIF 2.3, 4.6.4 A): where its
    # first row and its first column are found.
    upright = gradient(LYING)
    flip, transpose = Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.TRANSPOSE
    stored = {
        1: upright,
        2: upright.transpose(flip),
        3: upright.rotate(180),
        4: upright.rotate(180).transpose(flip),
        5: upright.transpose(transpose),
        6: upright.rotate(90, expand=True),
        7: upright.rotate(180).transpose(transpose),
        8: upright.rotate(-90, expand=True),
    }[orientation]
    options = {"lossless": True} if name.endswith("webp") else {}
    path = tmp_path / name
    stored.save(path, exif=exif(orientation), quality=100, **options)
    header = read_header(path)
    assert header.size == LYING
    assert header.orientation == (1 if name == "a.tif" else orientation)  # Pillow turns it itself
    pixels = open_rgb(path)
    assert pixels.size == LYING
    for corner in ((0, 0), (63, 0), (0, 31), (63, 31)):
        assert pixels.getpixel(corner) == pytest.approx(upright.getpixel(corner), abs=12)


@pytest.mark.parametrize("orientation", [0, 9, 4711])
def test_impossible_orientation_is_taken_for_upright(tmp_path: Path, orientation: int) -> None:
    path = write_picture(tmp_path / "a.jpg", LYING, exif=exif(orientation))
    assert read_header(path).orientation == 1
    assert open_rgb(path).size == LYING


def test_damaged_exif_does_not_make_a_picture_unusable(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.jpg", LYING, exif=b"Exif\0\0nonsense")
    assert read_header(path).size == LYING
    assert open_rgb(path).size == LYING


def test_png_header_is_read_without_decoding(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.png")
    data = path.read_bytes()
    at = data.index(b"IDAT") + 4
    path.write_bytes(data[:at] + b"\xff" * 20 + data[at + 20 :])
    assert read_header(path).size == (64, 64)
    with pytest.raises(DatasetError):
        open_rgb(path)


@pytest.mark.parametrize("name", [each for each in NAMES if each != "a.jxl"])
@pytest.mark.parametrize("kept", [slice(20), slice(300), slice(-20)])
def test_a_file_cut_short_is_refused_by_its_header(tmp_path: Path, name: str, kept: slice) -> None:
    path = write_picture(tmp_path / name, (256, 256))
    path.write_bytes(path.read_bytes()[kept])
    for read in (read_header, open_rgb):
        with pytest.raises(DatasetError, match=rf"end of the picture .*{name} is missing"):
            read(path)


@pytest.mark.parametrize("name", NAMES)
def test_bytes_behind_the_picture_do_no_harm(tmp_path: Path, name: str) -> None:
    path = write_picture(tmp_path / name)
    with path.open("ab") as file:
        file.write(b"a trailer of the camera")
    assert read_header(path).size == (64, 64)
    assert open_rgb(path).size == (64, 64)


def test_the_end_of_an_embedded_thumbnail_is_not_the_end_of_the_picture(tmp_path: Path) -> None:
    small = write_picture(tmp_path / "small.jpg", (16, 16)).read_bytes()
    segment = b"\xff\xe1" + (len(small) + 2).to_bytes(2, "big") + small
    path = write_picture(tmp_path / "a.jpg", (256, 256))
    data = path.read_bytes()
    path.write_bytes(data[:2] + segment + data[2:-200])
    with pytest.raises(DatasetError, match="is missing"):
        read_header(path)


def test_a_camera_preview_behind_a_jpeg_is_no_animation(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    gradient().save(path, "MPO", save_all=True, append_images=[gradient((32, 32))])
    header = read_header(path)
    assert (header.format, header.frames, header.size) == ("JPEG", 1, (64, 64))


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.gif"])
def test_of_an_animation_the_first_frame_is_used(tmp_path: Path, name: str) -> None:
    red, blue = Image.new("RGB", (64, 64), "red"), Image.new("RGB", (64, 64), "blue")
    path = write_picture(tmp_path / name)
    red.save(path, save_all=True, append_images=[blue, red])
    assert read_header(path).frames == 3
    red_value, _, blue_value = open_rgb(path).getpixel((32, 32))
    assert red_value > 240
    assert blue_value < 15


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_every_mode_of_png_becomes_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (8, 8), "white").convert(mode).save(path)
    pixels = open_rgb(path)
    assert pixels.mode == "RGB"
    assert pixels.getpixel((4, 4)) == (255, 255, 255)


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.new("RGB", (64, 64), "red").convert("CMYK").save(path)
    assert read_header(path).mode == "CMYK"
    red, green, blue = open_rgb(path).getpixel((32, 32))
    assert (red, green, blue) == pytest.approx((255, 0, 0), abs=12)


def test_sixteen_bit_grey_keeps_its_brightness(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    grey = Image.new("I;16", (4, 1))
    for x, value in enumerate((0, 0x40FF, 0x8000, 0xFFFF)):
        grey.putpixel((x, 0), value)
    grey.save(path)
    pixels = open_rgb(path)
    assert [pixels.getpixel((x, 0)) for x in range(4)] == [(v,) * 3 for v in (0, 0x40, 0x80, 255)]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_becomes_white(tmp_path: Path, mode: str) -> None:
    # Invisible black on the left, as picture editors leave it.
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    image.paste((80, 80, 80, 255), (4, 0, 8, 8))
    path = tmp_path / "a.png"
    image.convert(mode).save(path)
    assert is_transparent(load_picture(path))
    pixels = open_rgb(path)
    assert pixels.getpixel((0, 0)) == (255, 255, 255)
    assert pixels.getpixel((7, 7)) == pytest.approx((80, 80, 80), abs=1)


def test_half_transparent_pixels_are_mixed_with_white(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGBA", (8, 8), (0, 100, 200, 51)).save(path)  # 51 / 255 = 0.2
    assert open_rgb(path).getpixel((0, 0)) == pytest.approx((204, 224, 244), abs=1)


def test_an_opaque_alpha_channel_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    gradient(mode="RGBA").save(path)
    assert not is_transparent(load_picture(path))
    assert open_rgb(path).tobytes() == gradient().tobytes()


def test_large_photos_are_read_up_to_the_stated_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_picture(tmp_path / "a.png", (100, 50))
    monkeypatch.setattr(pictures, "MAX_PIXELS", 5000)
    assert read_header(path).size == (100, 50)
    monkeypatch.setattr(pictures, "MAX_PIXELS", 4999)
    with pytest.raises(DatasetError, match="too large: 100 x 50"):
        read_header(path)


def test_a_photo_above_pillows_own_limit_is_read(tmp_path: Path) -> None:
    # 190 million pixels; Pillow refuses 179 million.
    path = tmp_path / "a.png"
    Image.new("1", (19_000, 10_000)).save(path)
    assert read_header(path).size == (19_000, 10_000)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", r"empty file \(0 bytes\)"),
        (b"<html>404 not found</html>", "not a picture of a known kind"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture of a known kind"),
        (b"BMW 2002, a car; 1968 to 1976, 114 hp.", r"a\.png cannot be read"),
    ],
)
def test_what_is_no_picture_is_refused_by_name(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    for read in (read_header, open_rgb):
        with pytest.raises(DatasetError, match=words) as caught:
            read(path)
        assert str(path) in str(caught.value)
        assert caught.value.hint is not None


def test_a_missing_file_is_named_with_the_systems_reason(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"gone\.png cannot be read: No such file"):
        read_header(tmp_path / "gone.png")


# Pillow warns of damaged EXIF and metadata; what counts here is that nothing else is raised.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.bmp", "a.gif", "a.tif", "a.avif"])
def test_damaged_files_raise_nothing_but_our_error(tmp_path: Path, name: str) -> None:
    path = (
        write_picture(tmp_path / name, exif=exif(6))
        if name != "a.bmp"
        else write_picture(tmp_path / name)
    )
    sound = path.read_bytes()
    rng = random.Random(name)
    refused = 0
    for _ in range(300):
        data = bytearray(sound)
        for _ in range(rng.randint(1, 8)):
            data[rng.randrange(min(len(data), 400))] = rng.randrange(256)
        path.write_bytes(data[: rng.choice((len(data), rng.randrange(len(data))))])
        for read in (read_header, open_rgb):
            try:
                read(path)
            except DatasetError:
                refused += 1
    assert refused > 0


@pytest.mark.parametrize("kept", [slice(20), slice(300), slice(-20)])
def test_a_jpeg_xl_without_boxes_that_is_cut_short_is_refused_by_its_decoder(
    tmp_path: Path, kept: slice
) -> None:
    pytest.importorskip("pillow_jxl")
    path = write_picture(tmp_path / "a.jxl", (256, 256))
    path.write_bytes(path.read_bytes()[kept])
    with pytest.raises(DatasetError, match=r"a\.jxl cannot be read"):
        open_rgb(path)


def test_a_jpeg_xl_is_upright_whatever_its_exif_says(tmp_path: Path) -> None:
    pytest.importorskip("pillow_jxl")
    path = tmp_path / "a.jxl"
    gradient(LYING).save(path, lossless=True, exif=exif(6).tobytes())
    assert read_header(path).size == LYING
    assert open_rgb(path).tobytes() == gradient(LYING).tobytes()


def test_a_jpeg_within_a_jpeg_xl_is_turned_as_the_jpeg_is(tmp_path: Path) -> None:
    pytest.importorskip("pillow_jxl")
    jpeg = write_picture(tmp_path / "a.jpg", LYING, quality=100)
    with Image.open(jpeg) as stored:
        stored.save(tmp_path / "a.jxl", lossless_jpeg=True)
    assert open_rgb(tmp_path / "a.jxl").size == read_header(tmp_path / "a.jxl").size == LYING


def test_an_animated_jpeg_xl_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jxl"
    # Small, 16 x 40; more: upright, no other size, no preview, animated (ISO/IEC 18181-1, D).
    path.write_bytes(b"\xff\x0a" + bytes((0b00000011, 0b10001000, 0b100001, 0, 0)))
    with pytest.raises(DatasetError, match=r"a\.jxl is an animated JPEG XL|pillow-jxl-plugin"):
        read_header(path)


@pytest.mark.parametrize(
    ("kind", "content", "package"),
    [
        ("JXL", b"\xff\x0a" + bytes(40), "pillow-jxl-plugin"),
        ("AVIF", b"\0\0\0\x10ftypavif" + bytes(4), "Pillow"),
    ],
)
def test_a_kind_that_this_python_cannot_read_names_what_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, content: bytes, package: str
) -> None:
    monkeypatch.setattr(pictures, "_can_read_jxl", lambda: False)
    monkeypatch.setattr(pictures.features, "check", lambda _: False)
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=rf"a {kind} picture.* without {package}"):
        read_header(path)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bit_colours_keep_their_upper_byte(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes((png_16_bit if name == "a.png" else tiff_16_bit)((0x12FF, 0x8000, 0xFFFF)))
    assert open_rgb(path).getpixel((0, 0)) == (0x12, 0x80, 0xFF)


def png_16_bit(colour: tuple[int, ...]) -> bytes:
    """Return one pixel of 16-bit colours (PNG 3rd edition, 11.2)."""
    row = b"\0" + struct.pack(">3H", *colour)
    header = struct.pack(">2I5B", 1, 1, 16, 2, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n"
    for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(row)), (b"IEND", b"")):
        content += struct.pack(">I", len(data)) + kind + data
        content += struct.pack(">I", zlib.crc32(kind + data))
    return content


def tiff_16_bit(colour: tuple[int, ...]) -> bytes:
    """Return one pixel of 16-bit colours (TIFF 6.0, section 6): the pixel, its bits, the table."""
    entries = [
        *((256, 3, 1, 1), (257, 3, 1, 1), (258, 3, 3, 14), (259, 3, 1, 1), (262, 3, 1, 2)),
        *((273, 4, 1, 8), (277, 3, 1, 3), (278, 3, 1, 1), (279, 4, 1, 6)),
    ]
    table = struct.pack("<H", len(entries)) + b"".join(
        struct.pack("<HHII", *each) for each in entries
    )
    pixel, depths = struct.pack("<3H", *colour), struct.pack("<3H", 16, 16, 16)
    return struct.pack("<2sHI", b"II", 42, 20) + pixel + depths + table + bytes(4)


@pytest.mark.parametrize("mode", ["F", "I"])
def test_pixels_of_32_bits_are_refused_by_their_header(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.tif"
    Image.new(mode, (4, 4)).save(path)
    for read in (read_header, open_rgb):
        with pytest.raises(DatasetError, match="32 bits per colour"):
            read(path)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_deflate", "jpeg"])
def test_every_usual_compression_of_tiff_is_read(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "a.tif"
    gradient().save(path, compression=compression)
    assert open_rgb(path).getpixel((60, 60)) == pytest.approx(
        gradient().getpixel((60, 60)), abs=0 if compression != "jpeg" else 8
    )


def test_the_header_tells_of_pages_transparency_and_profile(tmp_path: Path) -> None:
    gradient().save(tmp_path / "a.tif", save_all=True, append_images=[gradient()] * 2)
    gradient(mode="RGBA").save(tmp_path / "a.png")
    write_picture(tmp_path / "b.png", icc_profile=b"damaged")
    assert read_header(tmp_path / "a.tif").frames == 3
    assert read_header(tmp_path / "a.png").has_alpha
    plain = read_header(tmp_path / "b.png")
    assert (plain.frames, plain.has_alpha, plain.is_profiled) == (1, False, False)


def test_an_adobe_cmyk_jpeg_is_not_inverted(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.new("CMYK", (64, 64), (0, 255, 255, 0)).save(path, quality=100)  # red ink
    assert open_rgb(path).getpixel((32, 32)) == pytest.approx((255, 0, 0), abs=12)
