"""One picture of the dataset with all that is known of it, as plain data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from trainer_core.dataset.audit import Audit
from trainer_core.dataset.buckets import Placement
from trainer_core.dataset.caption_files import CaptionFile
from trainer_core.dataset.findings import Finding
from trainer_core.dataset.index import DatasetIndex
from trainer_core.dataset.pictures import Size
from trainer_core.dataset.plan import Plan
from trainer_core.dataset.subsets import SampleKey
from trainer_core.errors import DatasetError
from trainer_core.settings.problems import Severity

WORST_FIRST = (Severity.ERROR, Severity.WARNING, Severity.NOTICE)


@dataclass(frozen=True, slots=True)
class PictureRow:
    """One picture.

    Attributes:
        folder: Of its concept.
        caption: The words that it is trained with; "" if they cannot be read.
        size: In pixels, upright; None if it cannot be read.
        placement: How it is scaled and cut for training; None if it is not trained.
        class_tokens: The words that it is trained with if it has no caption.
        extension: Of its caption file, with the dot; None while there are two kinds.
        findings: What is wrong with it, the worst first.
    """

    path: Path
    folder: Path
    repeats: int
    caption: str = ""
    size: Size | None = None
    placement: Placement | None = None
    class_tokens: str = ""
    extension: str | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def bucket(self) -> Size | None:
        """The size that it is trained at; None if it is not."""
        return None if self.placement is None else self.placement.bucket

    @property
    def severity(self) -> Severity | None:
        """Of the worst finding."""
        return self.findings[0].severity if self.findings else None


def picture_rows(index: DatasetIndex, audit: Audit, plan: Plan | None) -> tuple[PictureRow, ...]:
    """Return a row for every picture, in the order of the index."""
    found = _by_path(audit.findings)
    placements: Mapping[SampleKey, Placement] = plan.placements if plan else {}
    return tuple(
        PictureRow(
            path=picture.path,
            folder=concept.folder,
            repeats=picture.repeats,
            caption=audit.captions.get(picture.key, ""),
            size=audit.headers[picture.path].size if picture.path in audit.headers else None,
            placement=placements.get(picture.key),
            class_tokens=picture.class_tokens,
            extension=audit.extensions.get(SampleKey(concept.subset, concept.folder)),
            findings=found.get(picture.path, ()),
        )
        for concept in index.concepts
        for picture in concept.pictures
    )


def with_findings(
    rows: Sequence[PictureRow], findings: Iterable[Finding]
) -> tuple[PictureRow, ...]:
    """Return the rows with more findings in their places."""
    found = _by_path(findings)
    if not found:
        return tuple(rows)
    return tuple(
        replace(row, findings=_worst_first([*row.findings, *found[row.path]]))
        if row.path in found
        else row
        for row in rows
    )


def with_caption(
    rows: Sequence[PictureRow], picture: Path, file: CaptionFile
) -> tuple[PictureRow, ...]:
    """Return the rows with the caption of one picture as its file has it now."""
    name = str(picture)  # ten thousand paths compare slowly
    return tuple(
        replace(row, caption=_caption(row, file)) if str(row.path) == name else row for row in rows
    )


def _caption(row: PictureRow, file: CaptionFile) -> str:
    if file.data is None:
        return row.class_tokens
    try:
        return file.text.split("\n", 1)[0].strip()
    except DatasetError:  # undone to a file that was not UTF-8
        return ""


def _by_path(findings: Iterable[Finding]) -> dict[Path, tuple[Finding, ...]]:
    found: defaultdict[Path, list[Finding]] = defaultdict(list)
    for finding in findings:
        found[finding.path].append(finding)
    return {path: _worst_first(of_path) for path, of_path in found.items()}


def _worst_first(findings: list[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: WORST_FIRST.index(finding.severity)))
