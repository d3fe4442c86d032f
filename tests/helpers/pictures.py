"""Makes small real pictures and picture folders."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PIL import Image

Folders = Mapping[str, Mapping[str, str | bytes | None]]


def gradient(size: tuple[int, int] = (64, 64), mode: str = "RGB") -> Image.Image:
    """Return a picture whose four corners differ: red grows rightwards, green downwards."""
    red = Image.linear_gradient("L").transpose(Image.Transpose.ROTATE_90).resize(size)
    green = Image.linear_gradient("L").resize(size)
    blue = Image.new("L", size, 128)
    return Image.merge("RGB", (red, green, blue)).convert(mode)


def write_picture(path: Path, size: tuple[int, int] = (64, 64), **options: object) -> Path:
    """Write a picture in the format of its extension; ``options`` are Pillow's for saving."""
    path.parent.mkdir(parents=True, exist_ok=True)
    gradient(size).save(path, **options)
    return path


def write_dataset(root: Path, folders: Folders, size: tuple[int, int] = (64, 64)) -> Path:
    """Write folders of files: a picture where the content is None, else that text or those bytes.

    ``{"10_cat": {"a.png": None, "a.txt": "a cat"}}``; the folder ``.`` is the root itself.
    """
    root.mkdir(parents=True, exist_ok=True)
    for folder, files in folders.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            path = root / folder / name
            if content is None:
                write_picture(path, size)
            else:
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def write_sizes(root: Path, folders: Mapping[str, list[list[int]]]) -> Path:
    """Write folders of pictures ``img000.png``, ``img001.png``, ... of the given sizes."""
    for folder, sizes in folders.items():
        for number, (width, height) in enumerate(sizes):
            write_picture(root / folder / f"img{number:03}.png", (width, height))
    return root
