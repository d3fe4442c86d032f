from pathlib import Path

import pytest

from desktop_app.models.pictures.picture_filter import PictureFilter
from desktop_app.models.pictures.picture_row import PictureRow
from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.findings import Finding
from trainer_core.settings.problems import Severity
from trainer_core.texts import text

CATS, DOGS = Path("/p/1_cat"), Path("/p/1_dog")
ODD = Finding(CATS / "b.png", Severity.NOTICE, text("odd"))


def row(path: Path, caption: str, size: tuple[int, int], *findings: Finding) -> PictureRow:
    placement = BucketRules((512, 512)).place(size)
    return PictureRow(path, path.parent, 1, caption, size, placement, "", None, findings)


ROWS = (
    row(CATS / "a.png", "A Cat, long hair", (512, 512)),
    row(CATS / "b.png", "a cat, short hair", (512, 384), ODD),
    row(DOGS / "c.png", "a dog, Long Hair, Straße", (512, 384)),
    PictureRow(DOGS / "broken.png", DOGS, 1),
)


def names(chosen: PictureFilter, **options: Path) -> str:
    return " ".join(row.path.stem for row in chosen.pass_on(ROWS, **options))


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (PictureFilter(), "a b c broken"),
        (PictureFilter(folders={DOGS}), "c broken"),
        (PictureFilter(bucket=(512, 384)), "b c"),
        (PictureFilter(only_found=True), "b"),
        (PictureFilter(words="long hair"), "a c"),
        (PictureFilter(words="LONG HAIR, cat"), "a"),
        (PictureFilter(words="strasse"), "c"),
        (PictureFilter(words="broken.p"), "broken"),
        (PictureFilter(words=" , "), "a b c broken"),
        (PictureFilter(folders={CATS}, bucket=(512, 384), words="hair"), "b"),
    ],
)
def test_pictures_must_be_all_that_is_asked(chosen, expected):
    assert names(chosen) == expected


def test_one_picture_can_be_let_through_always():
    assert names(PictureFilter(words="dog"), always=CATS / "a.png") == "a c"
