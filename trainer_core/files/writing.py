"""The one way files are written: aside, flushed, verified, renamed; never half, never unasked."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from trainer_core.errors import DiskFull, OutputError
from trainer_core.files.links import is_link, is_taken
from trainer_core.texts import T

# Virus scanners and indexers hold a fresh file on Windows, mostly for a second or two.
RENAME_PATIENCE_S = 10.0
RENAME_PAUSE_S = 0.1
_OLD_S = 24 * 60 * 60.0

# ".<name>.<8 hex digits>.part" is not finished; ".old" is what a finished folder replaces.
_ASIDE = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{8}\.(?P<kind>part|old)", re.DOTALL)
ASIDE_EXTRA_BYTES = len("..12345678.part")  # what these names are longer than the final ones


def publish_file(
    path: Path,
    write: Callable[[BinaryIO], object],
    *,
    verify: Callable[[Path], object] | None = None,
    replace: bool = False,
    sync: bool = True,
) -> None:
    """Let ``write`` fill a file under another name, flush it to the disk, rename it to ``path``.

    Missing folders are made. Until the rename, ``path`` is as it was, whatever happens.

    Args:
        path: The final name.
        write: Writes everything into the binary file that it is given.
        verify: Reads the finished file under its temporary name and raises if it is not right;
            it must have closed the file, mappings included, when it returns.
        replace: Whether an existing ``path`` may be replaced.
        sync: Whether to wait until it is on the disk. Without it a power cut may leave a damaged
            file under its final name: only for what can be checked and made again.

    Raises:
        OutputError: The file cannot be written, or ``path`` exists and may not be replaced.
            What could not be renamed is kept under the name that the error gives.
    """
    with _output_errors(path):
        _refuse_existing(path, replace=replace)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = _aside(path, "part")
        try:
            if sync:
                _fill(part, write)
            else:
                _fill_unflushed(part, write)
            if verify is not None:
                verify(part)
        except BaseException:
            _remove_quietly(part)
            raise
        _put_in_place(part, path, replace=replace)
        if sync:
            _sync_folder(path.parent)


def publish_bytes(path: Path, data: bytes, *, replace: bool = False, sync: bool = True) -> None:
    """Write ``data`` as the file ``path``; see `publish_file`."""
    publish_file(path, lambda file: file.write(data), replace=replace, sync=sync)


def publish_text(path: Path, text: str, *, replace: bool = False) -> None:
    """Write ``text`` as UTF-8 with the line ends it has; see `publish_file`."""
    publish_bytes(path, text.encode("utf-8"), replace=replace)


def publish_folder(path: Path, fill: Callable[[Path], object], *, replace: bool = False) -> None:
    """Let ``fill`` write into a folder under another name, then rename it to ``path``.

    ``fill`` uses the functions of this module, so that each file is on the disk before the folder
    gets its name. A folder that is replaced keeps its name until the new one is complete;
    `remove_leftovers` brings it back after a kill between the two renames.

    Raises:
        OutputError: As for `publish_file`.
    """
    with _output_errors(path):
        _refuse_existing(path, replace=replace)
        part = _aside(path, "part")
        part.mkdir(parents=True)
        try:
            fill(part)
            _sync_folder(part)
        except DiskFull as error:  # which names a file that nobody knows
            _remove_quietly(part)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        except BaseException:
            _remove_quietly(part)
            raise
        _put_folder_in_place(part, path, replace=replace)
        _sync_folder(path.parent)


def discard(path: Path) -> None:
    """Remove a file, a whole folder, or a link; a half removed folder never bears its old name.

    Raises:
        OutputError: It cannot be removed.
    """
    try:
        if path.is_dir() and not is_link(path):
            aside = _aside(path, "part")
            _rename(path, aside, replace=False)
            shutil.rmtree(aside)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            T("Errors", "{path} cannot be removed: {reason}"),
            T("Errors", "Close the program that uses it, or remove it by hand."),
            path=path,
            reason=error.strerror,
        ) from error


def move(source: Path, target: Path) -> None:
    """Give a file, a folder or a link another name on the same disk; nothing is replaced.

    Missing folders are made.

    Raises:
        OutputError: It cannot be moved, or ``target`` exists.
    """
    with _output_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        _rename(source, target, replace=False)


def remove_leftovers(folder: Path, is_ours: Callable[[str], bool]) -> None:
    """Clear away what a killed process left in ``folder``.

    Call it only while nothing else writes these names (the run's lock is held).

    Args:
        folder: Where the files were being written.
        is_ours: Told the final name, tells whether it was ours to write.

    Raises:
        OutputError: The folder cannot be read, or a leftover cannot be removed.
    """
    with _output_errors(folder):
        entries = sorted(folder.iterdir())
    for entry in entries:
        match = _ASIDE.fullmatch(entry.name)
        if match is None or not is_ours(match["name"]):
            continue
        final = folder / match["name"]
        if match["kind"] == "old" and not is_taken(final):
            with _output_errors(final):
                _rename(entry, final, replace=False)
        else:
            discard(entry)


def remove_old_leftovers(folder: Path) -> None:
    """Clear away what killed processes left below a folder that several may be writing to.

    That is what nobody has written to for a day; what cannot be removed stays.
    """
    with contextlib.suppress(OSError):
        for entry in folder.rglob(".*.part"):
            age_s = time.time() - entry.lstat().st_mtime
            if _ASIDE.fullmatch(entry.name) and age_s > _OLD_S:
                _remove_quietly(entry)


def output_error(error: OSError, path: Path) -> OutputError:
    """Say in words why ``path`` cannot be written, and what to do about it."""
    message, hint = _WORDS.get(error.errno or 0, _OTHER_WORDS)
    files_above = (parent for parent in path.parents if parent.is_file())
    obstacle = next(files_above, None) if error.errno in _FILE_IN_THE_WAY else None
    if obstacle is not None:
        message = T("Errors", "{path} cannot be written: {obstacle} is a file, not a folder.")
        hint = T("Errors", "Choose another folder.")
    reason = error.strerror or error
    told = OutputError(
        message, hint, path=path, folder=path.parent, obstacle=obstacle, reason=reason
    )
    return DiskFull.at(path, told) if is_full(error) else told


def is_full(error: OSError) -> bool:
    """Tell whether a disk has no room, or a quota is used up."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


_FILE_IN_THE_WAY = {errno.ENOTDIR, errno.EEXIST, errno.ENOENT}  # the last is what Windows says
_NO_SPACE = (
    T("Errors", "The disk is full: there is no space left for {path}."),
    T("Errors", "Free some space or choose another folder. Earlier files are intact."),
)
_NO_PERMISSION = (
    T("Errors", "There is no permission to write {path}."),
    T("Errors", "Choose a folder of your own, or change the permissions of {folder}."),
)
_WORDS = {
    errno.ENOSPC: _NO_SPACE,
    errno.EDQUOT: _NO_SPACE,
    errno.EACCES: _NO_PERMISSION,
    errno.EPERM: _NO_PERMISSION,
    errno.EROFS: (
        T("Errors", "{path} cannot be written: its disk is read-only."),
        T("Errors", "Choose a folder on another disk, or mount this one for writing."),
    ),
    errno.ELOOP: (
        T("Errors", "{path} is a link, and nothing is written through one."),
        T("Errors", "Remove the link, or choose another output name or folder."),
    ),
    errno.EMLINK: (
        T("Errors", "{path} bears another name too, and nothing is written into both."),
        T("Errors", "Replace it by a copy of itself, or choose another output name or folder."),
    ),
    errno.ENAMETOOLONG: (
        T("Errors", "The name {path} is too long for its disk."),
        T("Errors", "Choose a shorter output name or output folder."),
    ),
}
_OTHER_WORDS = (
    T("Errors", "{path} cannot be written: {reason}"),
    T("Errors", "Check the disk, or choose another folder."),
)


@contextlib.contextmanager
def _output_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise output_error(error, path) from error


def _refuse_existing(path: Path, *, replace: bool) -> None:
    if not replace and is_taken(path):
        raise OutputError(
            T("Errors", "{path} exists already."),
            T("Errors", "Choose another output name, or allow existing files to be overwritten."),
            path=path,
        )


def _aside(path: Path, kind: str) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.{kind}")


def _fill(part: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write and flush to the disk: every byte of a result passes here."""
    with part.open("xb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())


def _fill_unflushed(part: Path, write: Callable[[BinaryIO], object]) -> None:
    with part.open("xb") as file:
        write(file)


def _put_in_place(part: Path, path: Path, *, replace: bool) -> None:
    try:
        _rename(part, path, replace=replace)
    except OSError as error:
        raise _kept_aside(part, path, error) from error


def _put_folder_in_place(part: Path, path: Path, *, replace: bool) -> None:
    old = _aside(path, "old")
    try:
        if replace and is_taken(path):
            _rename(path, old, replace=False)
        _rename(part, path, replace=False)
    except OSError as error:
        if is_taken(old) and not is_taken(path):
            old.rename(path)
        raise _kept_aside(part, path, error) from error
    _remove_quietly(old)


def _kept_aside(part: Path, path: Path, error: OSError) -> OutputError:
    """Give the finished work a plain name beside ``path``, and say which."""
    kept = path.with_name(f"{path.stem}.kept-{secrets.token_hex(4)}{path.suffix}")
    try:
        part.rename(kept)
    except OSError:
        kept = part
    return OutputError(
        T("Errors", "{path} could not be put in place ({reason}). What was written is {kept}."),
        T("Errors", "Close the program that uses {path}, then rename {kept}."),
        path=path,
        kept=kept,
        reason=error.strerror,
    )


def _rename(source: Path, target: Path, *, replace: bool) -> None:
    """Rename, and try again for a while where another program holds one of the two."""
    rename: Callable[[Path, Path], object] = Path.replace if replace else _rename_to_free_name
    deadline = time.monotonic() + RENAME_PATIENCE_S
    while True:
        try:
            rename(source, target)
            return
        except PermissionError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(RENAME_PAUSE_S)


def _rename_to_free_name(source: Path, target: Path) -> None:
    """Rename without replacing anything, not even what came into being a moment ago."""
    if (
        os.name != "nt" and source.is_file() and not is_link(source)
    ):  # on Windows a rename never replaces
        try:
            target.hardlink_to(source)
        except FileExistsError:
            raise
        except OSError:
            pass  # this file system has no hard links: look, then rename
        else:
            source.unlink()
            return
    if is_taken(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    source.rename(target)


def _sync_folder(folder: Path) -> None:
    """Put a rename on the disk, where folders can be flushed."""
    with contextlib.suppress(OSError):  # Windows and some networks cannot; the name is right
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove_quietly(path: Path) -> None:
    with contextlib.suppress(OSError):  # the error that led here, if any, matters more
        if path.is_dir() and not is_link(path):
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
