"""What the first bytes of JPEG XL files say is what their decoder says."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from trainer_core.dataset.decoding.jxl_header import read_jxl_header

SIDES = (1, 7, 8, 64, 96, 128, 256, 257, 300, 512, 513, 1000)


@pytest.mark.parametrize("use_container", [True, False])
def test_the_size_is_that_of_the_decoder(use_container: bool) -> None:
    pytest.importorskip("pillow_jxl")
    for width in SIDES:
        for height in SIDES:
            file = io.BytesIO()
            Image.new("RGB", (width, height)).save(
                file, "JXL", effort=1, use_container=use_container
            )
            file.seek(0)
            header = read_jxl_header(file)
            assert header is not None
            assert header[:2] == Image.open(file).size == (width, height)
            assert not header.is_animated


def bits(*fields: tuple[int, int]) -> bytes:
    """Return a bare file of fields: value and number of bits (ISO/IEC 18181-1, B.2)."""
    place, value = 0, 0
    for field, count in fields:
        value |= field << place
        place += count
    return b"\xff\x0a" + value.to_bytes(-(-place // 8) + 4, "little")


# A small one of 16 x 40: div8, height / 8 - 1, no ratio, width / 8 - 1; not all default, more.
SMALL = ((1, 1), (1, 5), (0, 3), (4, 5), (0, 1), (1, 1))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_is_that_of_the_upright_picture(orientation: int) -> None:
    file = io.BytesIO(bits(*SMALL, (orientation - 1, 3), (0, 3)))

    header = read_jxl_header(file)
    assert header is not None
    assert header[:2] == ((40, 16) if orientation < 5 else (16, 40))


def test_an_animation_is_told() -> None:
    still, moving = (read_jxl_header(io.BytesIO(bits(*SMALL, (0, 5), (n, 1)))) for n in (0, 1))

    assert still is not None
    assert moving is not None
    assert (still.is_animated, moving.is_animated) == (False, True)


def test_an_animation_with_a_preview_and_another_size_is_told() -> None:
    intrinsic = ((1, 1), (1, 1), (3, 5), (1, 3))  # 32 x 32
    preview = ((1, 1), (0, 1), (1, 2), (7, 8), (1, 3))
    header = read_jxl_header(io.BytesIO(bits(*SMALL, (0, 3), *intrinsic, *preview, (1, 1))))

    assert header is not None
    assert header.is_animated


@pytest.mark.parametrize("content", [b"", b"\xff\x0a", b"\x89PNG\r\n\x1a\n", b"\0\0\0\x0cJXL \r\n"])
def test_what_is_no_jpeg_xl_has_no_header(content: bytes) -> None:
    assert read_jxl_header(io.BytesIO(content)) is None
