"""Drawing in units of its own; smooth edges come from drawing large and scaling down."""

from __future__ import annotations

import math
from collections.abc import Iterable

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]


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

    def pixel(self, point: Point) -> tuple[int, int]:
        """Return where a point lies on the image."""
        ((x, y),) = self._pixels([point])
        return round(x), round(y)

    def _replace(self, image: Image.Image) -> None:
        self.image = image
        self._draw = ImageDraw.Draw(image)
