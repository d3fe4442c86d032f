"""Where the lantern stands: each function fills a canvas, the ground at the given height."""

from __future__ import annotations

import math
import random

from canvas import Canvas, Colour, Point

WHITE: Colour = (255, 255, 255)


def meadow(canvas: Canvas, ground: float, draws: random.Random) -> None:
    """Green hills, flowers, sun."""
    width, height = canvas.size
    _sky(canvas, (116, 190, 240), (214, 240, 250))
    canvas.glow((width * 0.82, height * 0.16), height * 0.3, (255, 250, 210), 0.9)
    canvas.disc((width * 0.82, height * 0.16), height * 0.07, (255, 236, 130))
    _cloud(canvas, (width * 0.2, height * 0.18), height * 0.06, WHITE)
    _cloud(canvas, (width * 0.6, height * 0.3), height * 0.04, (244, 250, 255))
    _hills(canvas, ground - height * 0.16, height * 0.05, (142, 204, 116), draws)
    _hills(canvas, ground - height * 0.06, height * 0.03, (108, 182, 88), draws)
    for x, y in _scattered(canvas, ground, height, 46, draws):
        size = height * 0.008 * (1 + 2 * (y - ground) / (height - ground + 1))
        colour = draws.choice([WHITE, (255, 214, 90), (246, 130, 160)])
        canvas.line([(x, y), (x, y + 3 * size)], size / 2, (74, 140, 66))
        canvas.disc((x, y), size, colour)


def night(canvas: Canvas, ground: float, draws: random.Random) -> None:
    """Dark hills under the moon and stars."""
    width, height = canvas.size
    _sky(canvas, (14, 20, 58), (62, 64, 128))
    _stars(canvas, ground, 70, draws)
    moon = (width * 0.2, height * 0.2)
    canvas.glow(moon, height * 0.28, (220, 226, 255), 0.7)
    canvas.disc(moon, height * 0.085, (246, 244, 220))
    canvas.disc((moon[0] - height * 0.03, moon[1] - height * 0.02), height * 0.018, (222, 218, 190))
    canvas.disc((moon[0] + height * 0.03, moon[1] + height * 0.03), height * 0.013, (222, 218, 190))
    _hills(canvas, ground - height * 0.12, height * 0.05, (36, 44, 92), draws)
    _hills(canvas, ground - height * 0.05, height * 0.02, (26, 34, 70), draws)


def beach(canvas: Canvas, ground: float, draws: random.Random) -> None:
    """Sand, sea, a sail and a low sun."""
    width, height = canvas.size
    _sky(canvas, (120, 200, 236), (255, 236, 200))
    horizon = ground - height * 0.22
    canvas.glow((width * 0.75, horizon), height * 0.35, (255, 240, 190), 0.9)
    canvas.gradient((60, 158, 196), (126, 214, 214), (0, horizon), (width, height))
    for x, y in _scattered(canvas, horizon + 10, ground - height * 0.08, 22, draws):
        canvas.line([(x, y), (x + height * 0.05, y)], height * 0.006, (190, 236, 236))
    sail = (width * 0.16, horizon)
    canvas.polygon(
        [sail, (sail[0], sail[1] - height * 0.16), (sail[0] + height * 0.1, sail[1])], WHITE
    )
    canvas.polygon(
        [
            (sail[0] - 30, sail[1] + 4),
            (sail[0] + 66, sail[1] + 4),
            (sail[0] + 48, sail[1] + 22),
            (sail[0] - 14, sail[1] + 22),
        ],
        (190, 84, 70),
    )
    _hills(canvas, ground - height * 0.06, height * 0.012, (244, 222, 166), draws)
    for x, y in _scattered(canvas, ground, height, 26, draws):
        canvas.ellipse((x, y), height * 0.012, height * 0.007, (226, 198, 140))


def snow(canvas: Canvas, ground: float, draws: random.Random) -> None:
    """Fir trees in falling snow."""
    width, height = canvas.size
    _sky(canvas, (170, 198, 226), (232, 240, 248))
    _hills(canvas, ground - height * 0.14, height * 0.04, (214, 226, 240), draws)
    for place in (0.06, 0.17, 0.8, 0.94):
        size = height * draws.uniform(0.24, 0.36)
        _fir(canvas, (width * place, ground - height * 0.04), size, is_snowy=True)
    _hills(canvas, ground - height * 0.04, height * 0.015, (246, 250, 255), draws)
    for x, y in _scattered(canvas, 0, height, 90, draws):
        canvas.disc((x, y), height * draws.uniform(0.004, 0.011), WHITE)


def forest(canvas: Canvas, ground: float, draws: random.Random) -> None:
    """Deep green wood with mushrooms."""
    width, height = canvas.size
    _sky(canvas, (40, 88, 70), (150, 196, 132))
    canvas.glow((width * 0.5, height * 0.3), height * 0.6, (236, 246, 180), 0.6)
    for place in (0.1, 0.3, 0.72, 0.9):
        colour: Colour = (52, 86, 59) if 0.2 < place < 0.8 else (44, 72, 50)
        canvas.box((width * place - 22, 0), (44, ground), colour)
    for place in (0.02, 0.2, 0.81, 0.98):
        canvas.box((width * place - 34, 0), (68, ground + 8), (74, 54, 46), radius=8)
        canvas.box((width * place - 28, 0), (16, ground), (98, 72, 58), radius=6)
    for x, y in _scattered(canvas, -height * 0.05, height * 0.16, 34, draws):
        canvas.disc(
            (x, y), height * 0.08, draws.choice([(34, 78, 58), (46, 98, 66), (60, 118, 74)])
        )
    _hills(canvas, ground - height * 0.04, height * 0.02, (66, 112, 62), draws)
    for place, size in ((0.12, 1.0), (0.2, 0.6), (0.86, 0.9)):
        _mushroom(canvas, (width * place, ground + height * 0.08), height * 0.06 * size)


def city(canvas: Canvas, ground: float, draws: random.Random) -> None:
    """A street at dusk, windows lit."""
    width, height = canvas.size
    _sky(canvas, (64, 50, 108), (250, 160, 120))
    x = -20.0
    while x < width:
        wide, high = draws.uniform(60, 120), draws.uniform(0.25, 0.66) * height
        colour = draws.choice([(52, 44, 84), (66, 52, 96), (44, 38, 74)])
        canvas.box((x, ground - high), (wide, high), colour, radius=4)
        for row in range(int(high / 46)):
            for column in range(int((wide - 18) / 26)):
                if draws.random() < 0.6:
                    corner = (x + 14 + column * 26, ground - high + 18 + row * 46)
                    canvas.box(corner, (13, 22), (255, 212, 118), radius=2)
        x += wide + 6
    canvas.box((0, ground - 8), (width, height), (88, 78, 106))
    canvas.box((0, ground - 8), (width, 14), (124, 110, 136))


def desert(canvas: Canvas, ground: float, draws: random.Random) -> None:
    """Dunes and cacti under a red sun."""
    width, height = canvas.size
    _sky(canvas, (250, 170, 96), (255, 226, 160))
    canvas.disc((width * 0.24, height * 0.3), height * 0.12, (250, 110, 80))
    _hills(canvas, ground - height * 0.18, height * 0.05, (230, 156, 88), draws)
    for place, size in ((0.1, 1.0), (0.88, 1.25)):
        _cactus(canvas, (width * place, ground - height * 0.02), height * 0.2 * size)
    _hills(canvas, ground - height * 0.06, height * 0.025, (240, 188, 110), draws)


def rain(canvas: Canvas, ground: float, draws: random.Random) -> None:
    """Grey rain and puddles."""
    width, height = canvas.size
    _sky(canvas, (98, 116, 140), (170, 186, 200))
    _cloud(canvas, (width * 0.2, height * 0.08), height * 0.1, (126, 142, 162))
    _cloud(canvas, (width * 0.8, height * 0.05), height * 0.12, (134, 150, 170))
    for x, y in _scattered(canvas, 0, ground, 80, draws):
        end = (x - height * 0.014, y + height * 0.05)
        canvas.line([(x, y), end], height * 0.005, (206, 222, 236))
    canvas.box((0, ground - 24), (width, height), (112, 128, 140))
    for x, y in _scattered(canvas, ground, height, 9, draws):
        canvas.ellipse((x, y), height * 0.07, height * 0.016, (160, 180, 198))


def room(canvas: Canvas, ground: float, draws: random.Random) -> None:
    """A cosy room with a window and a rug."""
    width, height = canvas.size
    canvas.box((0, 0), canvas.size, (236, 214, 190))
    for stripe in range(0, int(width), 56):
        canvas.box((stripe, 0), (22, height), (230, 204, 178))
    floor = ground - height * 0.08
    left, top = width * 0.08, height * 0.1
    canvas.box((left, top), (height * 0.34, height * 0.38), WHITE, radius=8)
    pane: Point = (height * 0.34 - 28, height * 0.38 - 28)
    canvas.gradient((132, 196, 236), (216, 238, 246), (left + 14, top + 14), pane)
    canvas.box((left + height * 0.17 - 5, top), (10, height * 0.38), WHITE)
    canvas.box((left, top + height * 0.19 - 5), (height * 0.34, 10), WHITE)
    canvas.box((0, floor), (width, height), (176, 120, 78))
    for plank in range(5):
        y = floor + plank * (height - floor) / 5
        canvas.box((0, y), (width, 4), (150, 98, 62))
    canvas.box((0, floor - 14), (width, 16), (250, 240, 226))
    canvas.ellipse((width * 0.5, ground + 6), width * 0.4, height * 0.07, (190, 82, 84))
    canvas.ellipse((width * 0.5, ground + 6), width * 0.35, height * 0.055, (226, 132, 112))
    book: Point = (width * draws.uniform(0.8, 0.82), height * 0.2)
    canvas.box(book, (width * 0.15, 12), (140, 90, 60), radius=4)
    for place, colour in enumerate([(84, 130, 170), (210, 90, 80), (120, 160, 96), (230, 180, 90)]):
        tall = draws.uniform(40, 62)
        canvas.box((book[0] + 8 + place * 18, book[1] - tall), (15, tall), colour, radius=2)


def autumn(canvas: Canvas, ground: float, draws: random.Random) -> None:
    """Falling leaves between orange trees."""
    width, height = canvas.size
    _sky(canvas, (190, 214, 226), (252, 232, 200))
    _hills(canvas, ground - height * 0.12, height * 0.04, (214, 170, 96), draws)
    colours: list[Colour] = [(226, 118, 52), (240, 160, 64), (200, 84, 50), (246, 190, 84)]
    for place in (0.08, 0.88):
        trunk = width * place
        canvas.box(
            (trunk - 13, ground - height * 0.4), (26, height * 0.38), (110, 74, 56), radius=6
        )
        for _ in range(16):
            offset = draws.uniform(-0.12, 0.12), draws.uniform(-0.16, 0.1)
            spot = (trunk + offset[0] * height, ground - height * 0.48 + offset[1] * height)
            canvas.disc(spot, height * 0.07, draws.choice(colours))
    _hills(canvas, ground - height * 0.04, height * 0.015, (190, 142, 80), draws)
    for x, y in _scattered(canvas, height * 0.1, height, 60, draws):
        canvas.ellipse((x, y), height * 0.013, height * 0.008, draws.choice(colours))


def space(canvas: Canvas, ground: float, draws: random.Random) -> None:
    """A grey moon, a ringed planet, stars."""
    width, height = canvas.size
    _sky(canvas, (10, 8, 32), (48, 22, 74))
    _stars(canvas, height, 120, draws)
    planet = (width * 0.8, height * 0.22)
    canvas.glow(planet, height * 0.24, (240, 150, 120), 0.6)
    canvas.disc(planet, height * 0.1, (232, 146, 110))
    canvas.ellipse((planet[0] - 12, planet[1] - 14), height * 0.06, height * 0.035, (244, 176, 132))
    canvas.arc(planet, (height * 0.17, height * 0.04), (-25, 205), 9, (248, 214, 160))
    _hills(canvas, ground - height * 0.05, height * 0.02, (150, 146, 164), draws)
    for x, y in _scattered(canvas, ground, height, 9, draws):
        canvas.ellipse((x, y), height * 0.035, height * 0.014, (126, 122, 142))


def sea(canvas: Canvas, ground: float, draws: random.Random) -> None:
    """Under water: bubbles, weed, fish."""
    width, height = canvas.size
    _sky(canvas, (66, 184, 206), (18, 78, 130))
    for place in (0.15, 0.45, 0.8):
        canvas.glow((width * place, -height * 0.1), height * 0.55, (190, 246, 246), 0.45)
    _hills(canvas, ground - height * 0.05, height * 0.02, (206, 190, 140), draws)
    for place in (0.07, 0.13, 0.86, 0.93):
        x, tall = width * place, height * draws.uniform(0.2, 0.34)
        stem = [(x + 14 * math.sin(k * 0.9), ground - tall * k / 10) for k in range(11)]
        canvas.line(stem, height * 0.022, draws.choice([(46, 140, 110), (36, 116, 96)]))
    for x, y in _scattered(canvas, 0, ground, 30, draws):
        size = height * draws.uniform(0.008, 0.02)
        canvas.disc((x, y), size, (170, 228, 236))
        canvas.disc((x, y), size * 0.75, (92, 186, 208))
    for place, y in ((0.17, 0.3), (0.82, 0.42)):
        _fish(canvas, (width * place, height * y), height * 0.04)


def mountains(canvas: Canvas, ground: float, draws: random.Random) -> None:
    """A wide view of peaks in the morning."""
    width, height = canvas.size
    _sky(canvas, (130, 150, 214), (255, 212, 190))
    canvas.glow((width * 0.34, ground - height * 0.25), height * 0.6, (255, 240, 200), 0.9)
    for colour, peak, count in (((150, 146, 196), 0.62, 6), ((108, 112, 168), 0.46, 8)):
        for part in range(count):
            x = width * (part + draws.uniform(0.2, 0.8)) / count
            top = ground - height * peak * draws.uniform(0.75, 1)
            half = (ground - top) * 0.8
            canvas.polygon([(x, top), (x + half, ground), (x - half, ground)], colour)
            cap = (ground - top) * 0.24
            canvas.polygon(
                [
                    (x, top),
                    (x + cap * 0.8, top + cap),
                    (x + cap * 0.2, top + cap * 0.8),
                    (x - cap * 0.2, top + cap * 1.1),
                    (x - cap * 0.8, top + cap),
                ],
                (240, 240, 250),
            )
    _hills(canvas, ground - height * 0.05, height * 0.025, (92, 132, 110), draws)
    for _ in range(12):
        place = (width * draws.random(), ground - height * 0.01)
        _fir(canvas, place, height * draws.uniform(0.1, 0.16), is_snowy=False)


def dots(canvas: Canvas, ground: float, draws: random.Random) -> None:
    """Plain pink with dots."""
    del ground, draws
    width, height = canvas.size
    canvas.box((0, 0), canvas.size, (250, 196, 204))
    step = height / 8
    for row in range(10):
        for column in range(int(width / step) + 2):
            centre = ((column + row % 2 / 2) * step, row * step)
            canvas.disc(centre, step * 0.16, (255, 226, 230))


def plain(canvas: Canvas, ground: float, draws: random.Random) -> None:
    """A studio: a lilac wall that runs into the floor."""
    del draws
    width, height = canvas.size
    _sky(canvas, (176, 160, 220), (214, 204, 240))
    canvas.gradient((206, 194, 236), (182, 166, 224), (0, ground - height * 0.1), (width, height))


def _sky(canvas: Canvas, top: Colour, bottom: Colour) -> None:
    canvas.gradient(top, bottom, (0, 0), canvas.size)


def _scattered(
    canvas: Canvas, top: float, bottom: float, count: int, draws: random.Random
) -> list[Point]:
    return [(draws.uniform(0, canvas.size[0]), draws.uniform(top, bottom)) for _ in range(count)]


def _hills(
    canvas: Canvas, level: float, swing: float, colour: Colour, draws: random.Random
) -> None:
    width, height = canvas.size
    phase, waves = draws.uniform(0, 6), draws.uniform(1, 2)
    steps = 80
    rim = [
        (width * k / steps, level + swing * math.sin(phase + waves * k / steps * 2 * math.pi))
        for k in range(steps + 1)
    ]
    canvas.polygon([(0, height), *rim, (width, height)], colour)


def _stars(canvas: Canvas, bottom: float, count: int, draws: random.Random) -> None:
    for x, y in _scattered(canvas, 0, bottom, count, draws):
        size = canvas.size[1] * draws.choice([0.002, 0.003, 0.005])
        canvas.disc((x, y), size, (255, 250, 224))


def _cloud(canvas: Canvas, centre: Point, size: float, colour: Colour) -> None:
    x, y = centre
    for offset, reach in ((-1.5, 0.8), (-0.6, 1.15), (0.5, 1.3), (1.5, 0.9)):
        canvas.disc((x + offset * size, y - reach * size * 0.3), size * reach, colour)
    canvas.box((x - 2.2 * size, y), (4.5 * size, size * 0.85), colour, radius=size * 0.4)


def _fir(canvas: Canvas, foot: Point, size: float, *, is_snowy: bool) -> None:
    x, y = foot
    canvas.box((x - size * 0.05, y - size * 0.14), (size * 0.1, size * 0.16), (96, 70, 58))
    for level in range(3):
        top, half = y - size * (0.46 + 0.27 * level), size * (0.32 - 0.07 * level)
        corners = [(x, top), (x + half, top + size * 0.36), (x - half, top + size * 0.36)]
        canvas.polygon(corners, (64, 112, 100))
        if is_snowy:
            cap = [
                (x, top),
                (x + half * 0.5, top + size * 0.18),
                (x - half * 0.5, top + size * 0.18),
            ]
            canvas.polygon(cap, (248, 252, 255))


def _mushroom(canvas: Canvas, foot: Point, size: float) -> None:
    x, y = foot
    canvas.box((x - size * 0.3, y - size), (size * 0.6, size), (244, 232, 210), radius=size * 0.2)
    cap = [
        (x + size * math.cos(k / 20 * math.pi), y - size * (0.8 + 0.8 * math.sin(k / 20 * math.pi)))
        for k in range(21)
    ]
    canvas.polygon(cap, (214, 66, 58))
    for offset in (-0.5, 0.05, 0.5):
        canvas.disc((x + offset * size, y - size * 1.15), size * 0.15, WHITE)


def _cactus(canvas: Canvas, foot: Point, size: float) -> None:
    x, y = foot
    green: Colour = (84, 142, 92)
    canvas.line([(x, y), (x, y - size)], size * 0.26, green)
    canvas.line(
        [(x, y - size * 0.4), (x - size * 0.38, y - size * 0.4), (x - size * 0.38, y - size * 0.7)],
        size * 0.17,
        green,
    )
    canvas.line(
        [
            (x, y - size * 0.3),
            (x + size * 0.36, y - size * 0.3),
            (x + size * 0.36, y - size * 0.55),
        ],
        size * 0.17,
        green,
    )


def _fish(canvas: Canvas, centre: Point, size: float) -> None:
    x, y = centre
    canvas.polygon(
        [(x + size, y), (x + size * 1.9, y - size * 0.6), (x + size * 1.9, y + size * 0.6)],
        (240, 140, 60),
    )
    canvas.ellipse(centre, size * 1.25, size * 0.75, (250, 164, 76))
    canvas.disc((x - size * 0.6, y - size * 0.12), size * 0.16, (50, 40, 50))
