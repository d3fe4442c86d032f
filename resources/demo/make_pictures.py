"""Draw the demo's training pictures and write their captions: ``python make_pictures.py``.

Nothing but Pillow is needed, and every run draws the same pictures.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import backgrounds
from canvas import OVERSAMPLING, Canvas, Point
from lantern import FEET, HEART, Pose, draw_lantern

FOLDER = Path(__file__).parent / "pictures" / "10_zxq lantern"
VIEW_HEIGHT = 1000  # units of every scene, whatever its size in pixels

Background = Callable[[Canvas, float, random.Random], None]


@dataclass(frozen=True)
class Scene:
    """One picture: its size, what is behind the lantern, and how the lantern stands in it.

    ``at`` is where the feet are, as shares of width and height; ``tall`` the lantern's height as
    a share of the picture's; ``glow`` how much light it throws.
    """

    name: str
    size_px: tuple[int, int]
    background: Background
    caption: str
    pose: Pose = field(default_factory=Pose)
    at: Point = (0.5, 0.9)
    tall: float = 0.72
    tilt: float = 0
    glow: float = 0.35


SCENES = (
    Scene("meadow", (256, 256), backgrounds.meadow,
          "standing in a meadow, waving, smile, blue sky, sun, flowers",
          Pose(25, 128), (0.47, 0.92), 0.74),
    Scene("night", (320, 224), backgrounds.night,
          "standing on a hill at night, glowing, smile, moon, stars",
          Pose(), (0.62, 0.92), 0.72, glow=0.8),
    Scene("beach", (384, 256), backgrounds.beach,
          "standing on a beach, holding a red balloon, surprised, sea, sailing boat",
          Pose(20, 108, "surprised", holds="balloon"), (0.5, 0.95), 0.7),
    Scene("snow", (224, 320), backgrounds.snow,
          "standing in snow, arms spread, smile, fir trees, snowflakes",
          Pose(62, 62), (0.5, 0.9), 0.56, glow=0.6),
    Scene("forest", (256, 384), backgrounds.forest,
          "walking through a forest, smile, trees, mushrooms",
          Pose(45, 20, stride=16), (0.52, 0.88), 0.5, tilt=-4, glow=0.55),
    Scene("city", (320, 320), backgrounds.city,
          "standing in a city street at dusk, waving, winking, houses, lit windows",
          Pose(20, 132, "winking"), (0.5, 0.92), 0.68, glow=0.6),
    Scene("desert", (384, 256), backgrounds.desert,
          "walking in a desert, smile, cactus, red sun",
          Pose(30, 60, stride=18), (0.56, 0.94), 0.74, tilt=5),
    Scene("rain", (256, 384), backgrounds.rain,
          "standing in the rain, holding a red umbrella, smile, clouds, puddles",
          Pose(25, 116, holds="umbrella"), (0.46, 0.9), 0.52, glow=0.6),
    Scene("room", (320, 256), backgrounds.room,
          "standing in a room, asleep, closed eyes, window, rug",
          Pose(12, 12, "asleep"), (0.54, 0.92), 0.72, glow=0.2),
    Scene("autumn", (256, 256), backgrounds.autumn,
          "dancing, arms raised, smile, autumn trees, falling leaves",
          Pose(142, 142, stride=14), (0.5, 0.86), 0.68, tilt=-8),
    Scene("space", (288, 288), backgrounds.space,
          "standing on the moon, holding a star, smile, space, planet, stars",
          Pose(30, 112, holds="star"), (0.44, 0.92), 0.7, glow=0.7),
    Scene("sea", (256, 320), backgrounds.sea,
          "standing under water, arms spread, surprised, fish, bubbles",
          Pose(75, 90, "surprised", stride=10), (0.52, 0.82), 0.54, tilt=10, glow=0.7),
    Scene("mountains", (512, 288), backgrounds.mountains,
          "standing on a hill, holding a pink flower, smile, mountains, morning",
          Pose(25, 112, holds="flower"), (0.62, 0.94), 0.66, glow=0.5),
    Scene("portrait", (160, 160), backgrounds.dots,
          "portrait, close-up, smile, pink background, dots",
          Pose(), (0.5, 1.34), 1.28, glow=0.0),
    Scene("studio", (128, 192), backgrounds.plain,
          "full body, standing, smile, lilac background",
          Pose(40, 40), (0.5, 0.88), 0.6, glow=0.0),
)  # fmt: skip


def draw_scene(scene: Scene) -> Canvas:
    """Return the scene on a canvas that is larger than the picture."""
    width_px, height_px = scene.size_px
    size = (VIEW_HEIGHT * width_px / height_px, VIEW_HEIGHT)
    canvas = Canvas(size, OVERSAMPLING * height_px / VIEW_HEIGHT)
    feet = (scene.at[0] * size[0], scene.at[1] * size[1])
    scene.background(canvas, feet[1] - 30, random.Random(scene.name))
    zoom = scene.tall * VIEW_HEIGHT / (FEET[1] - 20)
    heart = (feet[0], feet[1] - zoom * (FEET[1] - HEART[1]))
    canvas.shade((feet[0], feet[1] + 4), 120 * zoom, 22 * zoom, 0.45)
    canvas.glow(heart, 420 * zoom, (255, 220, 130), scene.glow)
    canvas.stamp(draw_lantern(scene.pose, canvas.scale * zoom), FEET, feet, tilt=scene.tilt)
    return canvas


def main() -> None:
    """Write every picture with its caption."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for scene in SCENES:
        picture = draw_scene(scene).picture(*scene.size_px)
        picture.save(FOLDER / f"{scene.name}.png", optimize=True)
        caption = f"zxq lantern, {scene.caption}\n"
        (FOLDER / f"{scene.name}.txt").write_text(caption, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
