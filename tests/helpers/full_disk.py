"""A small disk that can be filled and emptied while a trainer runs."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: Where no file system may be mounted, what all results are written by fails as a full disk makes
#: it fail: after the first part of a file, for as long as the marker is there.
_LIKE_A_FULL_DISK = """
import errno, os, shutil
from trainer_core.files import writing as file_writing
def full_while_marked(fill):
    def fill_a_part(part, write):
        fill(part, write)
        room = int(open({marker!r}).read()) if os.path.exists({marker!r}) else 1 << 60
        if part.stat().st_size > room and part.is_relative_to({folder!r}):
            os.truncate(part, min(1000, room))
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return fill_a_part
file_writing._fill = full_while_marked(file_writing._fill)
file_writing._fill_unflushed = full_while_marked(file_writing._fill_unflushed)
usage = shutil.disk_usage
def usage_while_marked(path):
    found = usage(path)
    is_full = os.path.exists({marker!r}) and str(path).startswith({folder!r})
    return found._replace(free=0) if is_full else found
shutil.disk_usage = usage_while_marked
"""


@dataclass(frozen=True)
class SmallDisk:
    """A folder on a disk of its own, or one that seems to be.

    Attributes:
        folder: The folder.
        before: Python that a trainer must run first to take it for one.
        filling: The file that makes it full.
    """

    folder: Path
    before: str
    filling: Path

    @property
    def is_real(self) -> bool:
        return not self.before

    def fill(self, leave: int = 0) -> None:
        """Leave no more room than so many bytes."""
        if not self.is_real:
            self.filling.write_text(str(leave))
            return
        size = shutil.disk_usage(self.folder).free - leave
        with self.filling.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while size > 0:
                size -= file.write(bytes(min(size, 4096)))

    def empty(self) -> None:
        """Make room again."""
        self.filling.unlink()


@contextlib.contextmanager
def small_disk(folder: Path, size: str = "16m") -> Iterator[SmallDisk]:
    """Mount a file system in memory on a new ``folder``; where that may not be, pretend."""
    folder.mkdir(parents=True)
    mount = shutil.which("mount")
    command = [mount, "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        marker = folder.with_suffix(".full")
        before = _LIKE_A_FULL_DISK.format(marker=str(marker), folder=str(folder))
        yield SmallDisk(folder, before, marker)
        return
    try:
        yield SmallDisk(folder, "", folder / "filling")
    finally:
        subprocess.run(["umount", folder], check=True)
