"""Masks are found by name; what is wrong with them is told before the start."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.pictures import gradient, write_dataset, write_picture

from trainer_core.dataset.audit import Audit, quick_audit
from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.index import build_index
from trainer_core.dataset.masks.folder import Mask
from trainer_core.dataset.subsets import SampleKey, SampleSettings
from trainer_core.settings.problems import Severity

RUN = SampleSettings(rules=BucketRules((64, 64)))
CAPTIONS = {"a.txt": "a cat", "b.txt": "a cat"}


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of two pictures, 64 x 64 each."""
    return write_dataset(
        tmp_path / "pictures", {"1_cat": {"a.png": None, "b.jpg": None, **CAPTIONS}}
    )


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    """A folder with a mask for each, of other kinds than the pictures."""
    return write_dataset(tmp_path / "masks", {".": {"a.jpg": None, "b.bmp": None}})


def audit_of(pictures: Path, masks: Path | None, **own: object) -> Audit:
    settings = RUN.having(masked_loss=masks is not None, conditioning_data_dir=masks, **own)
    return quick_audit(build_index(pictures, plain_repeats=1), {0: settings})


def told(audit: Audit) -> list[tuple[Severity, str]]:
    return [(finding.severity, str(finding.message)) for finding in audit.findings]


def test_masks_are_found_by_the_names_of_the_pictures(pictures: Path, masks: Path) -> None:
    audit = audit_of(pictures, masks)

    assert audit.findings == ()
    assert audit.masks == {
        SampleKey(0, pictures / "1_cat" / "a.png"): Mask(masks / "a.jpg", (64, 64)),
        SampleKey(0, pictures / "1_cat" / "b.jpg"): Mask(masks / "b.bmp", (64, 64)),
    }


def test_masks_in_a_folder_named_as_the_pictures_folder_come_first(
    pictures: Path, masks: Path
) -> None:
    nearer = write_picture(masks / "1_cat" / "a.png")

    audit = audit_of(pictures, masks)
    assert audit.masks[SampleKey(0, pictures / "1_cat" / "a.png")].path == nearer
    assert audit.masks[SampleKey(0, pictures / "1_cat" / "b.jpg")].path == masks / "b.bmp"


def test_without_masked_loss_the_folder_is_not_looked_at(pictures: Path, masks: Path) -> None:
    settings = RUN.having(conditioning_data_dir=masks)

    assert quick_audit(build_index(pictures, plain_repeats=1), {0: settings}).masks == {}


def test_a_picture_without_a_mask_counts_whole_and_is_told(pictures: Path, masks: Path) -> None:
    (masks / "b.bmp").unlink()

    [(severity, message)] = told(audit_of(pictures, masks))
    assert severity is Severity.WARNING
    assert "b.jpg has no mask in" in message
    assert "all of it is learnt" in message


def test_a_folder_of_no_picture_s_masks_is_an_error(pictures: Path, masks: Path) -> None:
    for mask in masks.iterdir():
        mask.rename(mask.with_stem(f"mask_{mask.stem}"))

    message = f"None of the pictures in {pictures} has a mask in {masks}."
    assert (Severity.ERROR, message) in told(audit_of(pictures, masks))
    # Their transparency may be masks; the folder is a mistake even so.
    assert (Severity.WARNING, message) in told(audit_of(pictures, masks, alpha_mask=True))


def test_pictures_of_one_place_may_be_without_masks(
    pictures: Path, masks: Path, tmp_path: Path
) -> None:
    others = write_dataset(tmp_path / "others", {"1_dog": {"c.png": None, "d.png": None}})
    for name in ("c.txt", "d.txt"):
        (others / "1_dog" / name).write_text("a dog")
    settings = RUN.having(masked_loss=True, conditioning_data_dir=masks)

    audit = quick_audit(build_index(pictures, [others], plain_repeats=1), {0: settings})
    assert told(audit) == [
        (
            Severity.WARNING,
            f"No picture in {others / '1_dog'} has a mask in {masks}; all of them is learnt.",
        )
    ]


def test_pictures_that_are_audited_elsewhere_may_have_masks_there(
    pictures: Path, masks: Path
) -> None:
    index = build_index(pictures, plain_repeats=1)
    settings = {0: RUN.having(masked_loss=True, conditioning_data_dir=masks)}
    first, second = index.pictures
    rest, apart = index.without({first.key}), index.without({second.key})

    assert quick_audit(rest, settings, beside=apart.pictures).findings == ()
    (masks / "b.bmp").unlink()
    [(severity, message)] = told(quick_audit(rest, settings, beside=apart.pictures))
    assert severity is Severity.WARNING
    assert "b.jpg has no mask in" in message


def test_a_missing_folder_is_an_error(pictures: Path, tmp_path: Path) -> None:
    [(severity, message)] = told(audit_of(pictures, tmp_path / "nowhere"))

    assert severity is Severity.ERROR
    assert message == f"There is no mask folder {tmp_path / 'nowhere'}."


@pytest.mark.parametrize(
    ("size", "severity", "words"),
    [
        ((128, 128), Severity.WARNING, "is scaled: 128 × 128 pixels, its picture 64 × 64"),
        ((64, 96), Severity.ERROR, "another shape than its picture: 64 × 96 pixels"),
        ((65, 64), Severity.WARNING, "is scaled"),  # rounded when it was scaled
    ],
)
def test_a_mask_of_another_size_is_scaled_and_of_another_shape_refused(
    pictures: Path, masks: Path, size: tuple[int, int], severity: Severity, words: str
) -> None:
    write_picture(masks / "a.jpg", size)

    [(found, message)] = told(audit_of(pictures, masks))
    assert found is severity
    assert words in message


def test_a_mask_that_cannot_be_read_is_named(pictures: Path, masks: Path) -> None:
    (masks / "a.jpg").write_bytes(b"no picture")

    [(severity, message)] = told(audit_of(pictures, masks))
    assert severity is Severity.ERROR
    assert str(masks / "a.jpg") in message


def test_of_several_masks_the_first_is_used_and_told(pictures: Path, masks: Path) -> None:
    write_picture(masks / "a.webp")

    [(severity, message)] = told(audit_of(pictures, masks))
    assert severity is Severity.WARNING
    assert "a.png has several masks" in message
    assert "a.jpg is used" in message


def test_masks_of_no_picture_are_told(pictures: Path, masks: Path) -> None:
    write_picture(masks / "c.png")

    assert told(audit_of(pictures, masks)) == [
        (Severity.NOTICE, f"1 mask in {masks} is of no picture.")
    ]


def test_pictures_without_transparency_have_no_alpha_masks(pictures: Path) -> None:
    [(severity, message)] = told(audit_of(pictures, None, alpha_mask=True))
    assert severity is Severity.WARNING
    assert message == f"No picture in {pictures} has transparency to take as its mask."

    gradient(mode="RGBA").save(pictures / "1_cat" / "a.png")
    assert audit_of(pictures, None, alpha_mask=True).findings == ()


def test_a_picture_without_a_mask_may_have_its_transparency(pictures: Path, masks: Path) -> None:
    (masks / "b.bmp").unlink()

    assert audit_of(pictures, masks, alpha_mask=True).findings == ()
