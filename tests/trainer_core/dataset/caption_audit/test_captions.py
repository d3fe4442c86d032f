"""What is said of captions that are lost, or called otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.pictures import write_dataset

from trainer_core.dataset.audit import Audit, quick_audit
from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.findings import Finding
from trainer_core.dataset.index import build_index
from trainer_core.dataset.subsets import CaptionRules, SampleSettings
from trainer_core.settings.problems import Severity

FOLDER = "1_zxq toy"
WORDS = "zxq toy, blue"


def audit_of(
    root: Path,
    files: dict[str, str | bytes | None],
    folder: str = FOLDER,
) -> Audit:
    write_dataset(root, {folder: files})
    index = build_index(root, plain_repeats=1)
    settings = SampleSettings(rules=BucketRules((64, 64)))
    return quick_audit(index, {0: settings})


def only(audit: Audit) -> Finding:
    (finding,) = audit.findings
    return finding


@pytest.mark.parametrize("ending", [".png.txt", ".TXT", ".tags"])
def test_captions_of_another_ending_are_named_with_the_way_to_use_them(
    tmp_path: Path, ending: str
) -> None:
    if ending == ".TXT" and _ignores_case(tmp_path):
        pytest.skip("here it is the same ending")
    files = {"a.png": None, "b.png": None, f"a{ending}": WORDS, f"b{ending}": WORDS}
    finding = only(audit_of(tmp_path, files))
    assert (finding.path, finding.severity) == (tmp_path / FOLDER, Severity.WARNING)
    assert f"end in {ending}, not in .caption" in str(finding.message)
    assert f"Choose {ending} as caption extension" in str(finding.suggestion)

    index = build_index(tmp_path, plain_repeats=1)
    captions = CaptionRules(caption_extension=ending)
    settings = SampleSettings(rules=BucketRules((64, 64)), captions=captions)
    audit = quick_audit(index, {0: settings})
    assert audit.findings == ()
    assert set(audit.captions.values()) == {WORDS}


def test_captions_inside_other_files_are_named(tmp_path: Path) -> None:
    finding = only(audit_of(tmp_path, {"a.png": None, "a.json": '{"caption": "zxq toy"}'}))
    assert (finding.path, finding.severity) == (tmp_path / FOLDER, Severity.WARNING)
    assert "end in .json; they are not read" in str(finding.message)
    assert "write them into files ending in .caption" in str(finding.suggestion)


def test_a_picture_alone_with_another_ending_is_named_with_its_file(tmp_path: Path) -> None:
    files = {"a.png": None, "a.txt": WORDS, "b.png": None, "b.png.txt": WORDS}
    finding = only(audit_of(tmp_path, files))
    assert finding.path == tmp_path / FOLDER / "b.png"
    assert str(finding.suggestion) == "b.png.txt is not read. Put the caption into b.txt."


@pytest.mark.parametrize("name", ["a.npz", "README.txt", "a.xmp", "notes.txt", "._x.txt"])
def test_files_that_are_no_captions_are_not_named(tmp_path: Path, name: str) -> None:
    files = {"a.png": None, "a.txt": WORDS, name: "something"}
    assert audit_of(tmp_path, files).findings == ()


def test_a_caption_without_a_picture_is_a_warning(tmp_path: Path) -> None:
    finding = only(audit_of(tmp_path, {"a.png": None, "a.txt": WORDS, "lost.txt": WORDS}))
    assert (finding.path, finding.severity) == (tmp_path / FOLDER, Severity.WARNING)
    assert "lost.txt has no picture" in str(finding.message)


def test_many_captions_without_pictures_are_one_warning(tmp_path: Path) -> None:
    files = {"a.png": None, "a.txt": WORDS} | {f"lost{n}.txt": WORDS for n in range(3)}
    finding = only(audit_of(tmp_path, files))
    assert "3 caption files have no picture, such as" in str(finding.message)
    assert "lost0.txt" in str(finding.message)


def test_the_caption_of_a_cropped_face_or_of_another_kind_of_picture_is_not_lost(
    tmp_path: Path,
) -> None:
    files = {"a_1_2_3_4.png": None, "a.txt": WORDS, "b.heic": b"", "b.txt": WORDS}
    finding = only(audit_of(tmp_path, files))
    assert finding.path.name == "b.heic"


# ------------------------------------------------------------------ what is no text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\0" * 24, "a.txt holds null bytes"),
        ("zxq toy".encode("utf-16-le"), "a.txt holds null bytes"),
        (b"zxq\ntoy \x1b[31m", "Line 2 of the caption file"),
        ("zxq\u0085toy".encode(), "(U+0085)"),
        (b"zxq\x7f", "(U+007F)"),
    ],
)
def test_a_caption_with_control_characters_is_an_error_of_its_picture(
    tmp_path: Path, content: bytes, words: str
) -> None:
    audit = audit_of(tmp_path, {"a.png": None, "a.txt": content})
    finding = only(audit)
    assert (finding.path, finding.severity) == (tmp_path / FOLDER / "a.png", Severity.ERROR)
    assert words in str(finding.message)
    assert audit.captions == {}


@pytest.mark.parametrize(
    ("content", "is_of_encoding"),
    [
        ("ein Café".encode("cp1252"), True),
        ("zxq toy".encode("utf-16"), True),
        ("zxq toy".encode("utf-16-le"), True),
        (b"\0" * 24, False),
        (b"zxq\x7f", False),
    ],
)
def test_only_what_is_text_in_another_encoding_can_be_converted(
    tmp_path: Path, content: bytes, is_of_encoding: bool
) -> None:
    finding = only(audit_of(tmp_path, {"a.png": None, "a.txt": content}))
    assert finding.is_of_encoding is is_of_encoding


def test_tabs_and_line_ends_of_every_system_are_text(tmp_path: Path) -> None:
    audit = audit_of(tmp_path, {"a.png": None, "a.txt": b"zxq\ttoy\r\n"})
    assert audit.findings == ()
    assert list(audit.captions.values()) == ["zxq\ttoy"]


def _ignores_case(folder: Path) -> bool:
    (folder / "case").touch()
    return (folder / "CASE").exists()


def test_a_held_out_picture_alone_is_without_a_caption_not_its_folder(tmp_path: Path) -> None:
    files = {"a.png": None, "b.png": None, "b.txt": "a toy"}
    index = build_index(write_dataset(tmp_path, {"1_toy": files}), plain_repeats=1)
    first, second = index.pictures
    rest, apart = index.without({first.key}), index.without({second.key})

    settings = {0: SampleSettings(rules=BucketRules((64, 64)))}
    [finding] = quick_audit(apart, settings, beside=rest.pictures).findings
    message = f"{first.path} has no caption file; it is trained as “toy”."
    assert str(finding.message) == message
    assert str(finding.suggestion) == "Write a.txt."
