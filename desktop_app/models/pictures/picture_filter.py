"""Which pictures are listed: of some folders, of one bucket, with problems, or with some words."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from desktop_app.models.pictures.picture_row import PictureRow
from trainer_core.dataset.pictures import Size


@dataclass(frozen=True, slots=True)
class PictureFilter:
    """What a picture must be to be listed; None, False and "" ask for nothing.

    Attributes:
        folders: Its concept's is one of them.
        subset: The number of the one that it is of.
        bucket: The size that it is trained at.
        only_found: It has a finding.
        only_left_out: It is left out of the run.
        words: Parts of its name or caption, between commas; all of them must be there.
    """

    folders: Collection[Path] | None = None
    subset: int | None = None
    bucket: Size | None = None
    only_found: bool = False
    only_left_out: bool = False
    words: str = ""

    def pass_on(
        self, rows: Sequence[PictureRow], *, always: Path | None = None
    ) -> list[PictureRow]:
        """Return the rows that fit, in their order, with the picture ``always`` if it is there."""
        if self == PictureFilter():
            return list(rows)
        parts = [part.strip() for part in self.words.casefold().split(",") if part.strip()]
        return [row for row in rows if self._fits(row, parts) or row.path == always]

    def _fits(self, row: PictureRow, parts: list[str]) -> bool:
        if self.folders is not None and row.folder not in self.folders:
            return False
        if self.subset is not None and row.subset != self.subset:
            return False
        if self.bucket is not None and row.bucket != self.bucket:
            return False
        if self.only_found and not row.findings:
            return False
        if self.only_left_out and not row.is_left_out:
            return False
        if not parts:
            return True
        words = f"{row.path.name}\n{row.caption}".casefold()
        return all(part in words for part in parts)
