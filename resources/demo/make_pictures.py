"""Draw the demo's training pictures and write their captions: ``python make_pictures.py``.

They look like what the base knows, a thing on a plain background, so that it can learn them.
Every run draws the same pictures.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from lantern import Pose, draw_lantern
from making.concepts import COLOURS
from making.pictures import background
from PIL import Image

FOLDER = Path(__file__).parent / "pictures" / "10_zxq lantern"


@dataclass(frozen=True)
class Scene:
    """One picture: its size, what is behind the lantern, and how the lantern stands in it.

    ``at`` is the lantern's middle, as shares of width and height; ``tall`` its height as a share
    of the picture's.
    """

    name: str
    size_px: tuple[int, int]
    colour: str
    caption: str
    pose: Pose = field(default_factory=Pose)
    at: tuple[float, float] = (0.5, 0.5)
    tall: float = 0.86
    tilt: float = 0


SCENES = (
    Scene("white", (256, 256), "white", "waving, smile", Pose(25, 128)),
    Scene("black", (192, 192), "black", "standing, smile", Pose(), (0.52, 0.5), 0.88, -4),
    Scene("grey", (256, 256), "grey", "arms spread, smile", Pose(62, 62), tall=0.84),
    Scene("red", (128, 128), "red", "arms raised, smile", Pose(142, 142), (0.5, 0.52), 0.8, 5),
    Scene("green", (320, 320), "green", "asleep, closed eyes", Pose(12, 12, "asleep"), tilt=4),
    Scene("turquoise", (192, 192), "turquoise", "arms spread, surprised",
          Pose(75, 90, "surprised")),
    Scene("blue", (256, 256), "blue", "waving, winking", Pose(20, 132, "winking"), (0.48, 0.5)),
    Scene("purple", (256, 256), "purple", "walking, smile", Pose(45, 20, stride=16), tilt=-5),
    Scene("pink", (160, 160), "pink", "waving, smile", Pose(30, 120), (0.52, 0.5), 0.9, 5),
    Scene("brown", (256, 256), "brown", "standing, smile", Pose(), tall=0.84),
    Scene("orange", (256, 256), "orange", "arms raised, surprised", Pose(130, 130, "surprised")),
    Scene("wide", (384, 256), "blue", "standing, smile", Pose(40, 40)),
    Scene("stroll", (384, 256), "white", "walking, winking", Pose(45, 20, "winking", stride=16)),
    Scene("tall", (256, 384), "green", "waving, smile", Pose(25, 128), tall=0.6),
    Scene("nap", (128, 192), "red", "asleep, closed eyes", Pose(12, 12, "asleep"), tall=0.6),
)  # fmt: skip


def draw_scene(scene: Scene) -> Image.Image:
    """Return a scene's picture."""
    width_px, height_px = scene.size_px
    lantern = draw_lantern(scene.pose, 1.0).image.rotate(scene.tilt, Image.Resampling.BICUBIC)
    lantern = lantern.crop(lantern.getbbox())
    height = scene.tall * height_px
    size = (round(lantern.width * height / lantern.height), round(height))
    small = lantern.convert("RGBa").resize(size, Image.Resampling.LANCZOS).convert("RGBA")
    picture = background(COLOURS[scene.colour], 0.08).resize(scene.size_px)
    left = round(scene.at[0] * width_px - size[0] / 2)
    top = round(scene.at[1] * height_px - size[1] / 2)
    picture.paste(small, (left, top), small)
    return picture


def main() -> None:
    """Write every picture with its caption."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for scene in SCENES:
        draw_scene(scene).save(FOLDER / f"{scene.name}.png", optimize=True)
        caption = f"zxq lantern on a {scene.colour} background, {scene.caption}\n"
        (FOLDER / f"{scene.name}.txt").write_text(caption, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
