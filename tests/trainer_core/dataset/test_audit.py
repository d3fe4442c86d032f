"""What the audit says of damaged, odd and badly arranged picture folders."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from helpers.pictures import Folders, gradient, write_dataset, write_picture
from PIL import Image

from trainer_core.dataset.audit import Audit, decode_fully, quick_audit
from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.findings import Finding
from trainer_core.dataset.index import DatasetIndex, build_index
from trainer_core.dataset.subsets import CaptionRules, SampleKey, SampleSettings
from trainer_core.settings.problems import Severity

RULES = BucketRules((64, 64))
CAPTION = {"a.txt": "a cat"}


def audit_of(root: Path, rules: BucketRules = RULES, extension: str = "auto") -> Audit:
    return audit_by(build_index(root, plain_repeats=1), rules, extension)


def audit_by(index: DatasetIndex, rules: BucketRules = RULES, extension: str = "auto") -> Audit:
    return quick_audit(
        index, {0: SampleSettings(rules=rules, captions=CaptionRules(caption_extension=extension))}
    )


def only(audit: Audit) -> Finding:
    (finding,) = audit.findings
    return finding


def only_names(audit: Audit) -> list[str]:
    return [finding.path.name for finding in audit.findings]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A captioned picture that is alone in its folder and without fault."""
    write_dataset(tmp_path, {"1_cat": {"a.png": None, **CAPTION}})
    return tmp_path / "1_cat" / "a.png"


def root_of(picture: Path) -> Path:
    return picture.parents[1]


def test_a_sound_folder_has_no_findings(picture: Path) -> None:
    audit = audit_of(root_of(picture))
    assert audit.findings == ()
    assert audit.sizes == {picture: (64, 64)}
    assert audit.captions == {(0, picture): "a cat"}
    assert audit.unusable == frozenset()
    assert audit.extensions == {(0, picture.parent): ".txt"}


def test_captions_of_two_kinds_leave_the_extension_open(picture: Path) -> None:
    picture.with_name("b.png").write_bytes(picture.read_bytes())
    picture.with_name("b.caption").write_text("a cat")
    assert audit_of(root_of(picture)).extensions == {}
    assert audit_of(root_of(picture), extension=".txt").extensions == {(0, picture.parent): ".txt"}


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "0 bytes"), (b"no picture", "not a picture"), (b"\x89PNG\r\n\x1a\n\0", "a.png")],
)
def test_an_unreadable_picture_is_an_error(picture: Path, content: bytes, words: str) -> None:
    picture.write_bytes(content)
    audit = audit_of(root_of(picture))
    finding = only(audit)
    assert (finding.path, finding.severity) == (picture, Severity.ERROR)
    assert words in str(finding.message)
    assert str(picture) in str(finding.message)
    assert finding.suggestion is not None
    assert audit.unusable == {(0, picture)}
    assert audit.errors == (finding,)


def test_one_bad_picture_does_not_hide_another(tmp_path: Path) -> None:
    files = {"a.png": b"bad", "b.png": None, "c.png": b"", **CAPTION}
    write_dataset(tmp_path, {"1_cat": files})
    assert [f.path.name for f in audit_of(tmp_path).errors] == ["a.png", "c.png"]


def test_a_truncated_picture_is_an_error(picture: Path) -> None:
    os.truncate(picture, picture.stat().st_size - 20)
    finding = only(audit_of(root_of(picture)))
    assert (finding.path, finding.severity) == (picture, Severity.ERROR)
    assert "end of the picture" in str(finding.message)


def test_a_misnamed_picture_is_a_warning_and_used(picture: Path) -> None:
    write_picture(picture.with_name("b.bmp")).replace(picture)
    audit = audit_of(root_of(picture))
    finding = only(audit)
    assert (finding.path, finding.severity) == (picture, Severity.WARNING)
    assert "contains BMP" in str(finding.message)
    assert picture in audit.headers
    assert audit.unusable == frozenset()


def test_an_animation_is_a_warning(picture: Path) -> None:
    gradient().save(picture, save_all=True, append_images=[Image.new("RGB", (64, 64))])
    finding = only(audit_of(root_of(picture)))
    assert finding.severity is Severity.WARNING
    assert "first of 2 frames" in str(finding.message)


@pytest.mark.parametrize(
    ("rules", "trained_at"),
    [
        (BucketRules((512, 512)), "192 × 192"),
        (BucketRules((512, 512), bucket_no_upscale=False), "512 × 512"),
        (BucketRules((512, 640), enable_bucket=False), "512 × 640"),
    ],
)
def test_a_small_picture_is_a_warning(picture: Path, rules: BucketRules, trained_at: str) -> None:
    write_picture(picture, (200, 200))
    finding = only(audit_of(root_of(picture), rules))
    assert (finding.path, finding.severity) == (picture, Severity.WARNING)
    assert f"200 × 200 pixels, trained at {trained_at}" in str(finding.message)


def test_half_the_resolution_is_not_small(picture: Path) -> None:
    write_picture(picture, (256, 256))
    assert audit_of(root_of(picture), BucketRules((512, 512))).findings == ()


def test_a_picture_too_thin_for_a_bucket_is_an_error(picture: Path) -> None:
    write_picture(picture, (60, 500))
    audit = audit_of(root_of(picture), BucketRules((128, 128)))
    finding = only(audit)
    assert (finding.path, finding.severity) == (picture, Severity.ERROR)
    assert "too thin or too small: 60 x 500" in str(finding.message)
    assert audit.unusable == {(0, picture)}


def test_a_picture_of_which_a_sliver_is_left_is_a_warning_and_used(picture: Path) -> None:
    write_picture(picture, (20_000, 10))  # 51,200 x 256 for a bucket of 256 x 256: 1/200
    rules = BucketRules((256, 256), enable_bucket=False)
    audit = audit_of(root_of(picture), rules)
    finding = only(audit)
    assert (finding.path, finding.severity) == (picture, Severity.WARNING)
    assert "Less than 1/64" in str(finding.message)
    assert "20000 × 10 pixels, cut to 256 × 256" in str(finding.message)
    assert "leave it out" in str(finding.suggestion)
    assert audit.unusable == frozenset()


def test_sizes_are_upright(picture: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    write_picture(picture, (96, 64), exif=exif)
    assert audit_of(root_of(picture)).sizes == {picture: (64, 96)}


def test_pictures_that_share_a_caption_are_a_warning(picture: Path) -> None:
    twin = write_picture(picture.with_name("a.jpg"))
    finding = only(audit_of(root_of(picture)))
    assert (finding.path, finding.severity) == (picture, Severity.WARNING)
    assert f"{picture} and {twin.name}" in str(finding.message)


def test_equal_names_in_two_folders_share_nothing(tmp_path: Path) -> None:
    files = {"a.png": None, **CAPTION}
    write_dataset(tmp_path, {"1_cat": files, "1_dog": files})
    assert audit_of(tmp_path).findings == ()


def test_a_missing_caption_among_captions_is_a_warning(picture: Path) -> None:
    other = write_picture(picture.with_name("b.png"))
    audit = audit_of(root_of(picture))
    finding = only(audit)
    assert (finding.path, finding.severity) == (other, Severity.WARNING)
    assert "trained as “cat”" in str(finding.message)
    assert str(finding.suggestion) == "Write b.txt."
    assert audit.captions[SampleKey(0, other)] == "cat"


def test_a_missing_caption_without_words_in_the_folder_says_so(tmp_path: Path) -> None:
    write_dataset(tmp_path, {".": {"a.png": None, "a.txt": "cat", "b.png": None}})
    assert "b.png has no caption file; it is trained without words" in str(
        only(audit_of(tmp_path)).message
    )


@pytest.mark.parametrize(
    ("content", "words"), [(b"", "a.txt is empty"), (b"caf\xe9", "line 1, byte 4")]
)
def test_an_empty_or_wrongly_encoded_caption_is_an_error_of_its_picture(
    picture: Path, content: bytes, words: str
) -> None:
    picture.with_name("a.txt").write_bytes(content)
    finding = only(audit_of(root_of(picture)))
    assert (finding.path, finding.severity) == (picture, Severity.ERROR)
    assert words in str(finding.message)


@pytest.mark.parametrize(
    ("content", "severity", "words"),
    [
        ("\na cat", Severity.WARNING, "begins with an empty line"),
        ("a cat\na dog", Severity.NOTICE, "only the first is used"),
    ],
)
def test_lines_that_are_not_used_are_named(
    picture: Path, content: str, severity: Severity, words: str
) -> None:
    picture.with_name("a.txt").write_text(content)
    finding = only(audit_of(root_of(picture)))
    assert finding.severity is severity
    assert words in str(finding.message)


def test_captions_of_two_kinds_are_an_error(picture: Path) -> None:
    picture.with_name("a.caption").write_text("a dog")
    finding = only(audit_of(root_of(picture)))
    assert (finding.path, finding.severity) == (root_of(picture), Severity.ERROR)
    assert "two kinds" in str(finding.message)


def test_captions_of_the_kind_not_asked_for_are_a_warning(picture: Path) -> None:
    finding = only(audit_of(root_of(picture), extension=".caption"))
    assert (finding.path, finding.severity) == (picture.parent, Severity.WARNING)
    assert "end in .txt, not in .caption" in str(finding.message)


@pytest.mark.parametrize(
    ("folder", "severity", "words"),
    [
        ("1_zxq cat", Severity.NOTICE, "trained as “zxq cat”"),
        ("1_", Severity.WARNING, "trained without words"),
    ],
)
def test_a_folder_without_captions_is_named_once(
    tmp_path: Path, folder: str, severity: Severity, words: str
) -> None:
    write_dataset(tmp_path, {folder: {"a.png": None, "b.png": None}})
    finding = only(audit_of(tmp_path))
    assert (finding.path, finding.severity) == (tmp_path / folder, severity)
    assert words in str(finding.message)


@pytest.mark.parametrize(
    ("folders", "folder", "severity", "suggestion"),
    [
        ({"cat": {"b.png": None}}, "cat", Severity.WARNING, "Rename it to 1_cat"),
        ({"5 cat": {"b.png": None}}, "5 cat", Severity.WARNING, "Rename it to 5_cat"),
        ({"0_x": {"b.png": None}}, "0_x", Severity.WARNING, "Rename it to 1_x"),
        ({"img": {}, "img/2_x": {"b.png": None}}, "img", Severity.WARNING, "Choose it"),
        ({"1_cat/more": {"b.png": None}}, "1_cat/more", Severity.WARNING, "one level up"),
        ({"logs": {"a.log": ""}}, "logs", Severity.NOTICE, "None"),
        ({"3_empty": {}}, "3_empty", Severity.NOTICE, "None"),
    ],
)
def test_an_ignored_folder_is_named_with_the_way_to_use_it(
    picture: Path, folders: Folders, folder: str, severity: Severity, suggestion: str
) -> None:
    write_dataset(root_of(picture), folders)
    finding = only(audit_of(root_of(picture)))
    assert (finding.path, finding.severity) == (root_of(picture) / folder, severity)
    assert "is not used" in str(finding.message)
    assert suggestion in str(finding.suggestion)


def test_a_picture_of_another_kind_is_a_warning(picture: Path) -> None:
    picture.with_name("b.heic").touch()
    finding = only(audit_of(root_of(picture)))
    assert (finding.path, finding.severity) == (picture.with_name("b.heic"), Severity.WARNING)


def test_pictures_beside_concept_folders_are_a_warning(picture: Path) -> None:
    write_dataset(root_of(picture), {".": {"a.png": None, **CAPTION}})
    finding = only(audit_of(root_of(picture)))
    assert (finding.path, finding.severity) == (root_of(picture), Severity.WARNING)


@pytest.mark.parametrize(
    ("content", "name", "hint"),
    [
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "b.jpg_large", "Rename it to b.jpg"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "b.jpe", "Rename it to b.jpg"),
        (b"\x89PNG\r\n\x1a\n", "b", "Rename it to b.png"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "b.webp!d", "Rename it to b.webp"),
        (b"BM\0\0\0\0\0\0\0\0", "b.dib", "Rename it to b.bmp"),
        (b"II*\0", "b.CR2", "Save it as PNG"),
        (b"II*\0", "b.unheard", "Save it as PNG"),
        (b"\0\0\0\x1cftypheic", "b.x", "Save it as PNG"),
        (b"", "b.nef", "Save it as PNG"),
    ],
)
def test_a_picture_to_people_is_named_with_the_way_to_train_it(
    picture: Path, content: bytes, name: str, hint: str
) -> None:
    picture.with_name(name).write_bytes(content)
    finding = only(audit_of(root_of(picture)))
    assert (finding.path, finding.severity) == (picture.with_name(name), Severity.WARNING)
    assert "is not used" in str(finding.message)
    assert hint in str(finding.suggestion)


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.npz", b"PK\3\4"), ("BMW", b"BMW 3 series, 1999"), ("x.dat", b""), ("y.md", b"GIF89a")],
)
def test_what_is_no_picture_is_not_named(picture: Path, name: str, content: bytes) -> None:
    picture.with_name(name).write_bytes(content)
    assert audit_of(root_of(picture)).findings == ()


def test_a_link_to_a_pipe_is_not_opened(picture: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("there are no pipes in folders here")
    os.mkfifo(picture.parents[1] / "pipe")
    picture.with_name("link").symlink_to(picture.parents[1] / "pipe")
    assert only_names(audit_of(picture.parent)) == []


@pytest.mark.parametrize(
    ("repeats", "severity"),
    [(10_000, None), (10_001, Severity.WARNING), (1_000_000, Severity.WARNING)],
)
def test_very_many_repeats_are_a_warning(
    tmp_path: Path, repeats: int, severity: Severity | None
) -> None:
    write_dataset(tmp_path, {f"{repeats}_cat": {"a.png": None, **CAPTION}})
    found = audit_of(tmp_path).findings
    assert [finding.severity for finding in found] == ([severity] if severity else [])


def test_a_folder_named_by_a_date_is_an_error(tmp_path: Path) -> None:
    write_dataset(tmp_path, {"20240131_cat": {"a.png": None, **CAPTION}})
    finding = only(audit_of(tmp_path))
    assert (finding.path, finding.severity) == (tmp_path / "20240131_cat", Severity.ERROR)
    assert "20240131 repeats" in str(finding.message)


def test_no_pictures_is_an_error(tmp_path: Path) -> None:
    finding = only(audit_of(tmp_path))
    assert (finding.path, finding.severity) == (tmp_path, Severity.ERROR)
    assert "no pictures" in str(finding.message)


def test_sound_pixels_give_no_finding(picture: Path) -> None:
    assert decode_fully(picture) is None


def test_damage_in_the_pixels_is_found_by_decoding_alone(picture: Path) -> None:
    data = picture.read_bytes()
    at = data.index(b"IDAT") + 4
    picture.write_bytes(data[:at] + b"\xff" * 20 + data[at + 20 :])
    assert audit_of(root_of(picture)).findings == ()
    finding = decode_fully(picture)
    assert finding is not None
    assert (finding.path, finding.severity) == (picture, Severity.ERROR)


def test_transparency_is_found_by_decoding(picture: Path) -> None:
    Image.new("RGBA", (64, 64), (0, 0, 0, 128)).save(picture)
    finding = decode_fully(picture)
    assert finding is not None
    assert finding.severity is Severity.WARNING
    assert "become white" in str(finding.message)


def test_transparency_that_is_a_mask_is_no_finding(picture: Path) -> None:
    Image.new("RGBA", (64, 64), (0, 0, 0, 128)).save(picture)
    assert decode_fully(picture, alpha_mask=True) is None


def test_pages_are_no_animation(picture: Path) -> None:
    picture.unlink()
    gradient().save(picture.with_suffix(".tif"), save_all=True, append_images=[gradient()])
    assert "has 2 pages" in str(only(audit_of(root_of(picture))).message)


def test_a_raw_photo_is_not_to_be_renamed_though_it_begins_as_a_tiff(picture: Path) -> None:
    picture.with_name("b.dng").write_bytes(b"II*\0" + bytes(20))
    finding = only(audit_of(root_of(picture)))
    assert "its kind is not trained" in str(finding.message)


@pytest.mark.slow
def test_two_thousand_pictures_are_audited_in_a_few_seconds(tmp_path: Path) -> None:
    names = [f"{number:04}" for number in range(2000)]
    kinds = {name: (".png", ".jpg", ".webp", ".bmp")[int(name) % 4] for name in names}
    samples = {
        kind: write_picture(tmp_path / f"sample{kind}", (512, 512)).read_bytes()
        for kind in set(kinds.values())
    }
    files = {name + kind: samples[kind] for name, kind in kinds.items()}
    write_dataset(tmp_path / "set", {"1_cat": files | {f"{name}.txt": "a cat" for name in names}})
    began = time.process_time()
    audit = audit_of(tmp_path / "set")
    assert time.process_time() - began < 5
    assert audit.findings == ()
    assert len(audit.headers) == 2000


# ------------------------------------------------------------------ several places


def audited(root: Path, *more: Path) -> Audit:
    index = build_index(root, more, plain_repeats=1)
    return audit_by(index)


def test_what_is_listed_twice_is_a_warning_that_names_it(tmp_path: Path) -> None:
    write_dataset(tmp_path, {"1_a": {"x.png": None, "x.txt": "x", "y.png": None, "y.txt": "y"}})
    folder = tmp_path / "1_a"
    (whole,) = audited(folder, tmp_path).findings
    assert str(whole.message) == f"2 pictures of {tmp_path} are listed twice; they count once."
    (one,) = audited(folder, folder / "x.png").findings
    assert str(one.message) == f"{folder / 'x.png'} is listed twice; it counts once."
    assert {whole.severity, one.severity} == {Severity.WARNING}


def test_each_place_has_its_own_kind_of_captions(tmp_path: Path) -> None:
    write_dataset(tmp_path / "a", {".": {"x.png": None, "x.txt": "from txt"}})
    write_dataset(tmp_path / "b", {".": {"y.png": None, "y.caption": "from caption"}})
    audit = audited(tmp_path / "a", tmp_path / "b")
    assert sorted(audit.captions.values()) == ["from caption", "from txt"]
    assert audit.findings == ()


def test_an_empty_place_among_others_is_a_warning(tmp_path: Path) -> None:
    write_dataset(tmp_path, {"a": {"x.png": None, "x.txt": "x"}, "b": {}})
    (finding,) = audited(tmp_path / "a", tmp_path / "b").findings
    assert (finding.path, finding.severity) == (tmp_path / "b", Severity.WARNING)
    assert {f.severity for f in audited(tmp_path / "b", tmp_path / "b").findings} == {
        Severity.ERROR
    }


def test_each_place_has_caption_files_of_its_own_kind(tmp_path: Path) -> None:
    write_dataset(tmp_path / "one", {"1_cat": {"a.png": None, **CAPTION}})
    write_dataset(tmp_path / "two", {"1_dog": {"b.png": None, "b.caption": "a dog"}})
    index = build_index(tmp_path / "one", (tmp_path / "two",), plain_repeats=1)
    audit = audit_by(index)
    assert {folder.name: kind for (_, folder), kind in audit.extensions.items()} == {
        "1_cat": ".txt",
        "1_dog": ".caption",
    }
