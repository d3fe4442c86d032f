"""The kinds of pictures that are trained: the one table of their endings."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

FORMAT_OF_EXTENSION: Mapping[str, str] = MappingProxyType(
    {
        ".png": "PNG",
        ".jpg": "JPEG",
        ".jpeg": "JPEG",
        ".webp": "WEBP",
        ".bmp": "BMP",
        ".tif": "TIFF",
        ".tiff": "TIFF",
        ".avif": "AVIF",
        ".jxl": "JXL",
    }
)
"""The pictures that are trained, by extension in lower case, and what they should contain."""

PICTURE_FILTER = " ".join(f"*{extension}" for extension in FORMAT_OF_EXTENSION)
"""The same as file dialogs take it."""
