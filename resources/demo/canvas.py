"""Drawing with smooth edges: everything is drawn large and scaled down at the end."""

from __future__ import annotations

import math
from collections.abc import Iterable

from PIL import Image, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
Point = tuple[float, float]

OVERSAMPLING = 4


class Canvas:
    """A transparent picture, drawn in units of ``scale`` pixels; ``origin`` is its top left."""

    def __init__(self, size: Point, scale: float, *, origin: Point = (0, 0)) -> None:
        self.size, self.scale, self.origin = size, scale, origin
        self._replace(Image.new("RGBA", (round(size[0] * scale), round(size[1] * scale))))

    def _pixels(self, points: Iterable[Point]) -> list[Point]:
        left, top = self.origin
        return [((x - left) * self.scale, (y - top) * self.scale) for x, y in points]

    def polygon(self, points: Iterable[Point], colour: Colour) -> None:
        """Fill a polygon."""
        self._draw.polygon(self._pixels(points), colour)

    def ellipse(self, centre: Point, radius_x: float, radius_y: float, colour: Colour) -> None:
        """Fill an ellipse."""
        x, y = centre
        box = self._pixels([(x - radius_x, y - radius_y), (x + radius_x, y + radius_y)])
        self._draw.ellipse([*box[0], *box[1]], colour)

    def disc(self, centre: Point, radius: float, colour: Colour) -> None:
        """Fill a circle."""
        self.ellipse(centre, radius, radius, colour)

    def box(self, corner: Point, size: Point, colour: Colour, *, radius: float = 0) -> None:
        """Fill a rectangle with round corners."""
        x, y = corner
        (left, top), (right, bottom) = self._pixels([corner, (x + size[0], y + size[1])])
        self._draw.rounded_rectangle([left, top, right, bottom], radius * self.scale, colour)

    def line(self, points: Iterable[Point], width: float, colour: Colour) -> None:
        """Draw a line with round ends and joints."""
        path = list(points)
        self._draw.line(self._pixels(path), colour, round(width * self.scale))
        for point in path:
            self.disc(point, width / 2, colour)

    def arc(
        self,
        centre: Point,
        radii: Point,
        degrees: tuple[float, float],
        width: float,
        colour: Colour,
    ) -> None:
        """Draw part of an ellipse, clockwise from the right, with round ends."""
        first, last = (math.radians(angle) for angle in degrees)
        angles = [first + (last - first) * part / 24 for part in range(25)]
        points = [
            (centre[0] + radii[0] * math.cos(a), centre[1] + radii[1] * math.sin(a)) for a in angles
        ]
        self.line(points, width, colour)

    def gradient(self, top: Colour, bottom: Colour, corner: Point, size: Point) -> None:
        """Fill a rectangle with a vertical gradient."""
        width, height = (max(1, round(side * self.scale)) for side in size)
        mask = Image.linear_gradient("L").resize((width, height), Image.Resampling.BICUBIC)
        filled = Image.composite(
            Image.new("RGB", mask.size, bottom), Image.new("RGB", mask.size, top), mask
        )
        self.image.paste(filled, self.pixel(corner))

    def glow(self, centre: Point, radius: float, colour: Colour, strength: float) -> None:
        """Lay a soft round light over what is there; ``strength`` 0 to 1."""
        side = max(2, round(2 * radius * self.scale))
        rings = Image.radial_gradient("L").resize((side, side), Image.Resampling.BICUBIC)
        mask = rings.point([round(255 * strength * max(0, 1 - v / 181) ** 1.6) for v in range(256)])
        light = Image.new("RGBA", mask.size, (*colour, 255))
        light.putalpha(mask)
        corner = self.pixel((centre[0] - radius, centre[1] - radius))
        layer = Image.new("RGBA", self.image.size)
        layer.paste(light, corner)
        self._replace(Image.alpha_composite(self.image, layer))

    def shade(self, centre: Point, radius_x: float, radius_y: float, strength: float) -> None:
        """Darken a soft ellipse, as a shadow on the ground."""
        layer = Canvas(self.size, self.scale, origin=self.origin)
        layer.ellipse(centre, radius_x, radius_y, (20, 20, 50))
        alpha = layer.image.getchannel("A").point([round(v * strength) for v in range(256)])
        layer.image.putalpha(alpha)
        blurred = layer.image.filter(ImageFilter.GaussianBlur(radius_y * self.scale / 2))
        self._replace(Image.alpha_composite(self.image, blurred))

    def stamp(self, other: Canvas, anchor: Point, at: Point, *, tilt: float = 0) -> None:
        """Lay ``other`` on top so that its ``anchor`` lies ``at``, turned by ``tilt`` degrees."""
        pivot = other.pixel(anchor)
        turned = other.image.rotate(tilt, Image.Resampling.BICUBIC, center=pivot)
        layer = Image.new("RGBA", self.image.size)
        x, y = self.pixel(at)
        layer.paste(turned, (x - pivot[0], y - pivot[1]))
        self._replace(Image.alpha_composite(self.image, layer))

    def picture(self, width_px: int, height_px: int) -> Image.Image:
        """Return the finished picture at its final size."""
        return self.image.convert("RGB").resize((width_px, height_px), Image.Resampling.LANCZOS)

    def pixel(self, point: Point) -> tuple[int, int]:
        """Return where a point lies on the image."""
        ((x, y),) = self._pixels([point])
        return round(x), round(y)

    def _replace(self, image: Image.Image) -> None:
        self.image = image
        self._draw = ImageDraw.Draw(image)
