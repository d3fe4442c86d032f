"""The entries of the list of folder repeats, as a run file has them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MAX_REPEATS = 1_000_000


@dataclass(frozen=True, slots=True)
class FolderRepeats:
    """One entry of the list: the end of a folder's path, and how often its pictures are shown."""

    folder: str
    repeats: int

    def fits(self, folder: Path) -> bool:
        """Tell whether the entry means this folder."""
        path = folder.as_posix()
        return path == self.folder or path.endswith(f"/{self.folder}")


def parse_entry(entry: str) -> FolderRepeats | None:
    """Return what ``10_cat=5`` or ``cats/10_cat=5`` asks for, None for anything else."""
    name, sign, number = entry.rpartition("=")
    folder = name.strip().replace("\\", "/").rstrip("/")
    words = number.strip()
    if not sign or not folder or not (words.isascii() and words.isdigit()):
        return None
    repeats = int(words)
    return FolderRepeats(folder, repeats) if 1 <= repeats <= MAX_REPEATS else None
