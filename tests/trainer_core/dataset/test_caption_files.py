from pathlib import Path

import pytest

from trainer_core.dataset.caption_files import (
    CaptionChangedError,
    CaptionFile,
    put,
    read_caption_file,
    seen,
)
from trainer_core.errors import DatasetError, OutputError

FILE = Path("/pictures/a.txt")


def edited(data: bytes | None, text: str) -> bytes | None:
    """Return the bytes that a file becomes when its text is replaced."""
    return CaptionFile(FILE, data).with_text(text).data


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (None, ""),
        (b"a cat", "a cat"),
        (b"a cat\n", "a cat"),
        (b"a cat\r\nasleep\r\n", "a cat\nasleep"),
        (b"a cat\rasleep", "a cat\nasleep"),
        (b"\xef\xbb\xbfa cat", "a cat"),
        ("貓 🐈".encode(), "貓 🐈"),
        (b"a cat\n\n", "a cat\n"),
    ],
)
def test_the_whole_text_is_read_without_its_last_line_end(data, text):
    assert CaptionFile(FILE, data).text == text


@pytest.mark.parametrize(
    "data", [b"a", b"a\n", b"a\r\n", b"a\nb", b"a\r\nb\r\n", b"a\rb\r", b"a\n\n", "é\r\n".encode()]
)
def test_a_text_that_was_not_changed_gives_the_same_bytes(data):
    file = CaptionFile(FILE, data)
    assert file.with_text(file.text) == file


@pytest.mark.parametrize(
    ("data", "after"),
    [
        (None, b"a dog\nasleep"),
        (b"a cat", b"a dog\nasleep"),
        (b"a cat\n", b"a dog\nasleep\n"),
        (b"a cat\r\n", b"a dog\r\nasleep\r\n"),
        (b"a cat\r\nbig\r\nred", b"a dog\r\nasleep"),
        (b"a cat\rbig", b"a dog\rasleep"),
        (b"\xef\xbb\xbfa cat\r\n", b"a dog\r\nasleep\r\n"),
    ],
)
def test_a_new_text_keeps_the_file_s_line_ends_and_drops_a_byte_order_mark(data, after):
    assert edited(data, "a dog\nasleep") == after


@pytest.mark.parametrize("text", ["", "  ", "\n\n", "\u3000"])
def test_a_text_without_a_word_leaves_no_file(text):
    assert edited(b"a cat", text) is None


def test_a_file_that_is_not_utf_8_is_named():
    with pytest.raises(DatasetError, match=r"a\.txt is not UTF-8"):
        _ = CaptionFile(FILE, b"caf\xe9").text


def test_a_picture_without_a_file_gets_the_place_where_one_would_be(tmp_path):
    picture = tmp_path / "a.b.png"
    assert read_caption_file(picture, ".txt") == CaptionFile(tmp_path / "a.b.txt")


def test_a_cropped_face_is_edited_in_the_file_that_is_trained(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"a face")
    picture = tmp_path / "a_1_2_30_40.png"
    assert read_caption_file(picture, ".txt") == CaptionFile(tmp_path / "a.txt", b"a face")


@pytest.mark.parametrize("before", [None, b"old"])
@pytest.mark.parametrize("after", [None, b"new"])
def test_a_file_is_put_in_place_of_what_was_seen(tmp_path, before, after):
    path = tmp_path / "a.txt"
    if before is not None:
        path.write_bytes(before)
    put(CaptionFile(path, after), instead_of=CaptionFile(path, before))
    assert seen(path).data == after
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"] * (after is not None)


@pytest.mark.parametrize("now", [None, b"another's"])
@pytest.mark.parametrize("after", [None, b"new"])
def test_what_another_program_did_meanwhile_is_not_overwritten(tmp_path, now, after):
    path = tmp_path / "a.txt"
    if now is not None:
        path.write_bytes(now)
    with pytest.raises(CaptionChangedError) as raised:
        put(CaptionFile(path, after), instead_of=CaptionFile(path, b"old"))
    assert raised.value.now == seen(path) == CaptionFile(path, now)


def test_a_folder_that_is_gone_is_not_made_again(tmp_path):
    path = tmp_path / "gone" / "a.txt"
    with pytest.raises(OutputError, match=r"a\.txt cannot be written"):
        put(CaptionFile(path, b"new"), instead_of=CaptionFile(path))
    assert not path.parent.exists()
