"""The character of the demo: a small robot made of an old lantern."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from canvas import Canvas, Colour, Point

SIZE, ORIGIN = (680, 800), (-120, -250)  # units; the lantern alone is 440 x 520
FEET: Point = (220, 520)
HEART: Point = (220, 285)  # the middle of the light

TEAL: Colour = (38, 132, 138)
TEAL_DARK: Colour = (24, 92, 104)
TEAL_LIGHT: Colour = (84, 186, 184)
BRASS: Colour = (214, 164, 74)
BRASS_DARK: Colour = (158, 108, 44)
GLASS: Colour = (255, 214, 112)
GLASS_CORE: Colour = (255, 246, 200)
GLASS_RIM: Colour = (246, 164, 62)
INK: Colour = (58, 38, 42)
CHEEK: Colour = (246, 132, 110)
WHITE: Colour = (255, 255, 255)

Face = Literal["happy", "asleep", "surprised", "winking"]


@dataclass(frozen=True)
class Pose:
    """How it stands: arm angles in degrees from straight down, outwards and up; face; legs."""

    left_arm: float = 25
    right_arm: float = 25
    face: Face = "happy"
    stride: float = 0


def draw_lantern(pose: Pose, scale: float) -> Canvas:
    """Return the lantern alone, on a transparent canvas."""
    canvas = Canvas(SIZE, scale, origin=ORIGIN)
    _legs(canvas, pose.stride)
    _arm(canvas, -1, pose.left_arm)
    hand = _arm(canvas, 1, pose.right_arm)
    _roof(canvas)
    _body(canvas)
    _face(canvas, pose.face)
    canvas.disc(hand, 19, BRASS)
    canvas.disc((hand[0] - 4, hand[1] - 5), 7, (238, 198, 118))
    return canvas


def _legs(canvas: Canvas, stride: float) -> None:
    for side in (-1, 1):
        hip = (220 + side * 42, 425)
        foot = (220 + side * (50 + stride), 500 - max(0, side) * stride * 0.5)
        canvas.line([hip, foot], 26, TEAL_DARK)
        canvas.ellipse((foot[0] + side * 8, foot[1] + 6), 34, 20, BRASS_DARK)
        canvas.ellipse((foot[0] + side * 8, foot[1] + 1), 33, 17, BRASS)
        canvas.ellipse((foot[0] + side * 2, foot[1] - 5), 14, 6, (238, 198, 118))


def _arm(canvas: Canvas, side: int, degrees: float) -> Point:
    angle = math.radians(degrees)
    shoulder = (220 + side * 112, 300)
    elbow = (shoulder[0] + side * 40 * math.sin(angle), shoulder[1] + 40 * math.cos(angle))
    bend = min(angle + 0.5, math.radians(168))
    hand = (elbow[0] + side * 44 * math.sin(bend), elbow[1] + 44 * math.cos(bend))
    canvas.line([shoulder, elbow, hand], 22, TEAL_DARK)
    canvas.line([shoulder, elbow, hand], 12, TEAL)
    canvas.disc(hand, 19, BRASS)
    canvas.disc((hand[0] - 4, hand[1] - 5), 7, (238, 198, 118))
    return hand


def _roof(canvas: Canvas) -> None:
    canvas.arc((220, 58), (34, 38), (0, 360), 11, BRASS_DARK)
    canvas.arc((220, 57), (34, 38), (150, 300), 5, (238, 198, 118))
    canvas.box((190, 84), (60, 26), BRASS, radius=9)
    canvas.polygon([(176, 106), (264, 106), (338, 176), (102, 176)], TEAL)
    canvas.polygon([(176, 106), (206, 106), (160, 176), (102, 176)], TEAL_LIGHT)
    canvas.polygon([(240, 106), (264, 106), (338, 176), (284, 176)], TEAL_DARK)
    canvas.box((88, 168), (264, 28), TEAL_DARK, radius=14)
    canvas.box((94, 170), (252, 11), TEAL_LIGHT, radius=5)


def _body(canvas: Canvas) -> None:
    canvas.box((106, 190), (228, 200), BRASS_DARK, radius=44)
    canvas.box((112, 192), (216, 194), BRASS, radius=40)
    canvas.box((124, 200), (192, 178), GLASS_RIM, radius=34)
    canvas.box((132, 207), (176, 164), GLASS, radius=30)
    canvas.glow(HEART, 105, GLASS_CORE, 0.95)
    canvas.line([(146, 250), (146, 232), (158, 220)], 7, WHITE)
    canvas.box((84, 374), (272, 40), TEAL_DARK, radius=18)
    canvas.box((90, 376), (260, 18), TEAL, radius=9)
    canvas.box((104, 379), (150, 5), TEAL_LIGHT, radius=2)
    canvas.box((124, 408), (192, 24), BRASS_DARK, radius=10)
    canvas.box((128, 409), (184, 12), BRASS, radius=6)


def _face(canvas: Canvas, face: Face) -> None:
    for side in (-1, 1):
        eye = (220 + side * 40, 280)
        canvas.ellipse((220 + side * 64, 314), 15, 9, CHEEK)
        if face == "asleep" or (face == "winking" and side == 1):
            canvas.arc((eye[0], eye[1] - 4), (17, 13), (15, 165), 7, INK)
        else:
            canvas.ellipse(eye, 15, 20, INK)
            canvas.disc((eye[0] - 4, eye[1] - 7), 6, WHITE)
            canvas.disc((eye[0] + 5, eye[1] + 8), 3, WHITE)
    if face == "surprised":
        canvas.ellipse((220, 326), 12, 15, INK)
        canvas.ellipse((220, 331), 7, 7, CHEEK)
    elif face == "asleep":
        canvas.arc((220, 314), (12, 7), (20, 160), 6, INK)
    else:
        canvas.arc((220, 306), (26, 22), (20, 160), 7, INK)
