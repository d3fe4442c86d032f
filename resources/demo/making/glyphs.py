"""Reads colour glyphs from the emoji font as pictures with transparency."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from making.concepts import HELD_OUT, LOOK_ALIKES

# Where Debian's and Ubuntu's package fonts-noto-color-emoji puts it.
FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
SIZE = 109  # the only size that the font's bitmaps have
SHEET_PX = (160, 160)

# Blocks of single code points with a colour glyph: symbols, dingbats, pictographs.
BLOCKS = (range(0x231A, 0x23FB), range(0x2600, 0x27C0), range(0x1F300, 0x1FB00))
SKIN_TONES = range(0x1F3FB, 0x1F400)


class GlyphFont:
    """The emoji font, opened once."""

    def __init__(self, path: Path = FONT) -> None:
        self._font = ImageFont.truetype(path, SIZE)

    def glyph(self, text: str) -> Image.Image | None:
        """Return one glyph as RGBA, cut to what is seen; None if the font lacks it."""
        sheet = Image.new("RGBA", SHEET_PX)
        ImageDraw.Draw(sheet).text((8, 8), text, font=self._font, embedded_color=True)
        box = sheet.getbbox()
        return sheet.crop(box) if box else None

    def others(self) -> list[Image.Image]:
        """Return every glyph of one code point that shows no held-out subject."""
        hidden = set("".join(HELD_OUT.values()) + LOOK_ALIKES)
        points = [point for block in BLOCKS for point in block if point not in SKIN_TONES]
        glyphs = [self.glyph(chr(point)) for point in points if chr(point) not in hidden]
        return [glyph for glyph in glyphs if glyph is not None]
