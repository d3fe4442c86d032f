"""Caption files as people edit them: the whole text, written back in the file's own way."""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from trainer_core.dataset.captions import MAX_CAPTION_BYTES, caption_path
from trainer_core.errors import DatasetError, OutputError
from trainer_core.files.reading import read_limited
from trainer_core.files.writing import discard, output_error, publish_bytes
from trainer_core.texts import T

_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class CaptionFile:
    """A caption file as it was seen, or the place where one would be.

    Attributes:
        path: Where it is, or would be written.
        data: Its bytes; None if there is no file.
    """

    path: Path
    data: bytes | None = None

    @property
    def text(self) -> str:
        r"""All of it, with ``\n`` between lines and none at the end; "" if there is no file.

        Raises:
            DatasetError: It is not UTF-8.
        """
        if self.data is None:
            return ""
        try:
            words = self.data.removeprefix(_BOM).decode("utf-8")
        except UnicodeDecodeError as error:
            raise DatasetError(
                T("Errors", "The caption file {path} is not UTF-8: it cannot be edited here."),
                T("Errors", "Open it in a text editor and save it with the encoding UTF-8."),
                path=self.path,
            ) from error
        return _LINE_END.sub("\n", words).removesuffix("\n")

    def with_text(self, text: str) -> CaptionFile:
        """Return the file as it would be with another text; without a word there is no file.

        Line ends, and one at the end or none, stay what they are. A byte order mark goes: other
        programs take it for a part of the first tag.
        """
        if not text.strip():
            return replace(self, data=None)
        before = (self.data or b"").decode("utf-8", "replace")
        line_ends = _LINE_END.findall(before)
        usual = max(line_ends, key=line_ends.count) if line_ends else "\n"
        words = text.replace("\n", usual)
        if before.endswith(("\n", "\r")):
            words += usual
        return replace(self, data=words.encode("utf-8"))


class CaptionChangedError(OutputError):
    """A caption file is not what it was when it was read.

    Attributes:
        now: What it is.
    """

    def __init__(self, now: CaptionFile) -> None:
        message = T("Errors", "Another program changed {path} meanwhile; nothing was overwritten.")
        if now.data is None:
            message = T("Errors", "Another program removed {path} meanwhile.")
        hint = T("Errors", "Look at what it holds now, then write it again if it is to be changed.")
        super().__init__(message, hint, path=now.path)
        self.now = now


def read_caption_file(picture: Path, extension: str) -> CaptionFile:
    """Return the picture's caption file, or the place of the one that it has not.

    Raises:
        DatasetError: It cannot be read.
    """
    found = caption_path(picture, extension)
    return seen(found or picture.with_name(picture.stem + extension))


def seen(path: Path) -> CaptionFile:
    """Return the file as it is now.

    Raises:
        DatasetError: It cannot be read.
    """
    try:
        return CaptionFile(path, read_limited(path, MAX_CAPTION_BYTES))
    except FileNotFoundError:
        return CaptionFile(path)
    except OSError as error:
        raise DatasetError(
            T("Errors", "The caption file {path} cannot be read: {reason}"),
            T("Errors", "Make it readable, or remove it."),
            path=path,
            reason=error.strerror or error,
        ) from error


def put(wanted: CaptionFile, instead_of: CaptionFile) -> None:
    """Write or remove a caption file, unless it is no longer what it was seen to be.

    Raises:
        DatasetError: It cannot be read.
        CaptionChangedError: Another program wrote or removed it.
        OutputError: It cannot be written or removed; it is as it was.
    """
    now = seen(wanted.path)
    if now != instead_of:
        raise CaptionChangedError(now)
    # Renaming would replace a file that is protected, and make a folder that is gone.
    if not os.access(wanted.path.parent if now.data is None else wanted.path, os.W_OK):
        code = errno.EACCES if wanted.path.parent.is_dir() else errno.ENOENT
        raise output_error(OSError(code, os.strerror(code)), wanted.path)
    if wanted.data is None:
        discard(wanted.path)
    else:
        publish_bytes(wanted.path, wanted.data, replace=now.data is not None)
