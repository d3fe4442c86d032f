"""Pixels are where the placement puts them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image
from torch import Tensor

from trainer_core.dataset.buckets import BucketRules, Placement
from trainer_core.errors import DatasetError
from trainer_core.pipeline import decode
from trainer_core.pipeline.decode import load_pixels

Size = tuple[int, int]


def ramp(path: Path, size: Size, **options: object) -> Path:
    """Write a picture whose red is the column and whose green is the row, from 0."""
    width, height = size
    picture = np.zeros((height, width, 3), dtype=np.uint8)
    picture[..., 0] = np.arange(width)[None, :]
    picture[..., 1] = np.arange(height)[:, None]
    Image.fromarray(picture).save(path, **options)
    return path


def levels(pixels_CHW: Tensor) -> Tensor:
    """Return pixels in [-1, 1] as levels from 0 to 255."""
    return (pixels_CHW + 1) * 127.5


def uncut(size: Size) -> Placement:
    return Placement(size, size, (0, 0), 0.0)


def test_a_picture_of_the_bucket_s_size_keeps_every_pixel(tmp_path: Path) -> None:
    path = ramp(tmp_path / "a.png", (64, 48))

    pixels = load_pixels(path, uncut((64, 48)), interpolation="auto", flip=False)
    assert (pixels.shape, pixels.dtype) == ((3, 48, 64), torch.float32)
    red, green, blue = levels(pixels).round()
    assert torch.equal(red, torch.arange(64.0).expand(48, 64))
    assert torch.equal(green, torch.arange(48.0)[:, None].expand(48, 64))
    assert not blue.any()


def test_black_is_minus_one_and_white_is_one(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    picture = Image.new("RGB", (2, 1), "black")
    picture.putpixel((1, 0), (255, 255, 255))
    picture.save(path)

    pixels = load_pixels(path, uncut((2, 1)), interpolation="auto", flip=False)
    assert pixels[:, 0, 0].tolist() == [-1.0, -1.0, -1.0]
    assert pixels[:, 0, 1].tolist() == [1.0, 1.0, 1.0]


def test_the_cut_begins_at_the_offset(tmp_path: Path) -> None:
    path = ramp(tmp_path / "a.png", (100, 60))

    pixels = load_pixels(
        path, Placement((64, 32), (100, 60), (17, 5), 0.0), interpolation="auto", flip=False
    )
    red, green, _ = levels(pixels).round()
    assert pixels.shape == (3, 32, 64)
    assert (red[0, 0], red[0, -1]) == (17, 17 + 63)
    assert (green[0, 0], green[-1, 0]) == (5, 5 + 31)


@pytest.mark.parametrize(
    ("size", "rules"),
    [
        ((200, 100), BucketRules((64, 64), min_bucket_reso=64, bucket_no_upscale=False)),
        ((100, 240), BucketRules((64, 64), min_bucket_reso=64, bucket_no_upscale=False)),
        ((50, 40), BucketRules((128, 128), min_bucket_reso=64, bucket_no_upscale=False)),
        ((250, 130), BucketRules((128, 128))),
        ((200, 120), BucketRules((64, 64), enable_bucket=False)),
    ],
)
def test_scaling_and_cut_follow_the_placement(
    tmp_path: Path, size: Size, rules: BucketRules
) -> None:
    path = ramp(tmp_path / "a.png", size)
    placement = rules.place(size)
    assert placement is not None
    red, green, _ = levels(load_pixels(path, placement, interpolation="auto", flip=False))

    # The middle of an output pixel lies in the scaled picture, and by its scale in the original.
    def expected(axis: int) -> Tensor:
        places = torch.arange(placement.bucket[axis]) + placement.crop_offset[axis] + 0.5
        return places * size[axis] / placement.resized[axis] - 0.5

    # Near the edges the filter reaches beyond the picture; within, half a level is rounding.
    inner = slice(6, -6)
    torch.testing.assert_close(red[20, inner], expected(0)[inner], rtol=0, atol=1.0)
    torch.testing.assert_close(green[inner, 20], expected(1)[inner], rtol=0, atol=1.0)


def test_a_flip_mirrors_what_was_cut(tmp_path: Path) -> None:
    path = ramp(tmp_path / "a.png", (101, 60))
    placement = Placement((64, 32), (101, 60), (18, 14), 0.0)

    plain = load_pixels(path, placement, interpolation="auto", flip=False)
    assert torch.equal(
        load_pixels(path, placement, interpolation="auto", flip=True), plain.flip(-1)
    )
    assert not torch.equal(plain, plain.flip(-1))


def test_the_placement_is_that_of_the_upright_picture(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # the camera was turned: rotate by 90 degrees clockwise
    path = ramp(tmp_path / "a.png", (60, 40), exif=exif)

    red, green, _ = levels(
        load_pixels(path, uncut((40, 60)), interpolation="auto", flip=False)
    ).round()
    # Upright, columns run from the stored bottom row to the top, rows along the stored columns.
    assert green[0].tolist() == list(range(39, -1, -1))
    assert red[:, 0].tolist() == list(range(60))


def test_a_picture_without_colour_has_three_equal_channels(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.linear_gradient("L").save(path)

    red, green, blue = load_pixels(path, uncut((256, 256)), interpolation="auto", flip=False)
    assert torch.equal(red, green)
    assert torch.equal(red, blue)


def test_a_picture_that_cannot_be_decoded_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(b"no picture")

    with pytest.raises(DatasetError, match=r"broken\.png"):
        load_pixels(path, uncut((64, 64)), interpolation="auto", flip=False)


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("enable_bucket", [True, False])
@pytest.mark.parametrize("size", [(250, 200), (130, 230), (200, 60)])
def test_what_the_placement_says_is_kept_is_what_the_crop_keeps(
    tmp_path: Path, size: Size, enable_bucket: bool, orientation: int
) -> None:
    # Each pixel says where it lies in the upright picture.
    picture = Image.open(ramp(tmp_path / "upright.png", size))
    if orientation == 6:  # stored a quarter turn back
        picture = picture.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    picture.save(tmp_path / "a.png", exif=exif)
    rules = BucketRules((128, 128), enable_bucket, min_bucket_reso=64, bucket_reso_steps=32)
    placement = rules.place(size)
    assert placement is not None

    red, green, _ = levels(
        load_pixels(tmp_path / "a.png", placement, interpolation="auto", flip=False)
    )
    left, top, width, height = placement.kept
    for line, start, length, whole in (
        (red.mean(0), left, width, size[0]),
        (green.mean(1), top, height, size[1]),
    ):
        step = length * whole / len(line)  # pixels of the picture per pixel of the bucket
        middles = torch.arange(len(line)) + 0.5
        expected = start * whole + middles * step - 0.5
        # The filter has no neighbours to weigh beyond the picture's own edge.
        torch.testing.assert_close(line[3:-3].float(), expected[3:-3], atol=0.6, rtol=0)


def test_a_picture_of_another_size_than_planned_is_refused(tmp_path: Path) -> None:
    path = ramp(tmp_path / "a.png", (64, 48))

    with pytest.raises(DatasetError, match=r"a\.png has changed since the start: it is 64 x 48"):
        load_pixels(path, uncut((64, 64)), interpolation="auto", flip=False, size=(64, 64))


def test_transparent_parts_are_white_or_keep_their_colours(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(path)
    how = {"interpolation": "auto", "flip": False}

    white = load_pixels(path, uncut((8, 8)), **how)
    kept = load_pixels(path, uncut((8, 8)), keeps_transparent=True, **how)
    assert white[:, 0, 0].tolist() == [1.0, 1.0, 1.0]
    assert kept[:, 0, 0].tolist() == [1.0, -1.0, -1.0]


def test_huge_pictures_are_decoded_one_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = ramp(tmp_path / "a.png", (64, 48))
    at_once, most = 0, 0
    open_rgb = decode.open_rgb

    def slowly(path: Path, **options: bool) -> Image.Image:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        time.sleep(0.02)
        at_once -= 1
        return open_rgb(path, **options)

    monkeypatch.setattr(decode, "open_rgb", slowly)
    monkeypatch.setattr(decode, "HUGE_PIXELS", 64 * 48 - 1)
    with ThreadPoolExecutor(4) as pool:
        how = {"interpolation": "auto", "flip": False, "size": (64, 48)}
        list(pool.map(lambda _: load_pixels(path, uncut((64, 48)), **how), range(4)))
    assert most == 1
