"""Files of our own are written by their very name, never through a link."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from trainer_core.files.links import is_link, is_taken, open_appending, open_own


def test_what_is_not_there_is_made_and_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "log"
    for words in (b"one ", b"two"):
        with open_appending(path) as file:
            file.write(words)

    assert path.read_bytes() == b"one two"


@pytest.mark.parametrize("target", ["mine", "nowhere"])
def test_a_link_is_refused_and_its_target_stays_as_it_was(target: str, tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"mine")
    (tmp_path / "log").symlink_to(tmp_path / target)

    with pytest.raises(OSError, match="link") as caught:
        open_appending(tmp_path / "log")

    assert caught.value.errno == errno.ELOOP
    assert (tmp_path / "mine").read_bytes() == b"mine"
    assert not (tmp_path / "nowhere").exists()


def test_a_file_with_two_names_is_refused_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"mine")
    (tmp_path / "log").hardlink_to(tmp_path / "mine")

    with pytest.raises(OSError, match="another name") as caught:
        open_own(tmp_path / "log", os.O_RDWR | os.O_CREAT)

    assert caught.value.errno == errno.EMLINK
    assert (tmp_path / "mine").read_bytes() == b"mine"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
@pytest.mark.timeout(20)
def test_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "log")

    with pytest.raises(OSError, match="pipe"):
        open_appending(tmp_path / "log")


def test_a_link_is_told_from_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")

    assert is_link(tmp_path / "link")
    assert is_taken(tmp_path / "link")
    assert not is_link(tmp_path)
    assert not is_link(tmp_path / "nowhere")
    assert not is_taken(tmp_path / "nowhere")
