"""One picture of the dataset with all that is known of it, as plain data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from trainer_core.dataset.audit import Audit
from trainer_core.dataset.buckets import Placement
from trainer_core.dataset.caption_files import CaptionFile
from trainer_core.dataset.captions import caption_of_lines
from trainer_core.dataset.findings import Finding
from trainer_core.dataset.index import Picture, Root
from trainer_core.dataset.listing import natural_key
from trainer_core.dataset.pictures import Size
from trainer_core.dataset.plan import Plan
from trainer_core.dataset.processing.captions import Moment
from trainer_core.dataset.subsets import CaptionRules, SampleKey, SampleSettings
from trainer_core.dataset.survey import Survey
from trainer_core.dataset.validation.split import HeldOut
from trainer_core.errors import DatasetError
from trainer_core.settings.problems import Severity

_MOMENTS = 3
_PLAIN = CaptionRules()
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
        is_left_out: The run does not train it, because the settings say so.
        rules: What is made of its caption.
        moments: When its caption is drawn, for some examples; none if it is left out.
        mask: The picture that says which parts of it are learnt, if there is one.
        has_alpha_mask: Whether its transparency says so.
        is_held_out: The run does not train it, but measures its validation loss.
        subset: The number of the subset that it is of.
        metadata: The file that its caption stands in, where no caption files are read.
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
    is_left_out: bool = False
    rules: CaptionRules = _PLAIN
    moments: tuple[Moment, ...] = ()
    mask: Path | None = None
    has_alpha_mask: bool = False
    is_held_out: bool = False
    subset: int = 0
    metadata: Path | None = None

    @property
    def bucket(self) -> Size | None:
        """The size that it is trained at; None if it is not."""
        return None if self.placement is None else self.placement.bucket

    @property
    def severity(self) -> Severity | None:
        """Of the worst finding."""
        return self.findings[0].severity if self.findings else None


def picture_rows(survey: Survey, audit: Audit) -> tuple[PictureRow, ...]:
    """Return a row for every picture: place by place, folders and names in natural order."""
    rows: list[PictureRow] = []
    found = _by_path(audit.findings)
    settings = survey.request.settings
    for root in survey.index.roots:
        acting = settings[root.subset]
        trained = _trained_rows(root, audit, survey.plan, found, acting)
        left_out = (_left_out_row(picture, audit, acting.captions) for picture in root.left_out)
        held_out = _held_out_rows(root, survey.held_out)
        rows += sorted((*trained, *left_out, *held_out), key=partial(_order, root.path))
    return tuple(rows)


def _held_out_rows(root: Root, held_out: HeldOut | None) -> Iterator[PictureRow]:
    """Yield the pictures of a place that are held out of it."""
    if held_out is None:
        return
    found = _by_path(held_out.audit.findings)
    for each in held_out.index.roots:
        if (each.subset, each.path) == (root.subset, root.path):
            acting = held_out.settings[each.subset]
            rows = _trained_rows(each, held_out.audit, held_out.plan, found, acting)
            yield from (replace(row, is_held_out=True) for row in rows)


def _trained_rows(
    root: Root,
    audit: Audit,
    plan: Plan | None,
    found: Mapping[Path, tuple[Finding, ...]],
    settings: SampleSettings,
) -> Iterator[PictureRow]:
    placements: Mapping[SampleKey, Placement] = plan.placements if plan else {}
    moments = moments_of(plan)
    for concept in root.concepts:
        for picture in concept.pictures:
            header, mask = audit.headers.get(picture.path), audit.masks.get(picture.key)
            yield PictureRow(
                path=picture.path,
                folder=concept.folder,
                repeats=picture.repeats,
                caption=audit.captions.get(picture.key, ""),
                size=None if header is None else header.size,
                placement=placements.get(picture.key),
                class_tokens=picture.class_tokens,
                extension=audit.extensions.get(SampleKey(concept.subset, concept.folder)),
                findings=found.get(picture.path, ()),
                rules=settings.captions,
                subset=picture.subset,
                metadata=root.metadata,
                moments=moments,
                mask=None if mask is None else mask.path,
                has_alpha_mask=mask is None
                and settings.pictures.alpha_mask
                and header is not None
                and header.has_alpha,
            )


def _left_out_row(picture: Picture, audit: Audit, rules: CaptionRules) -> PictureRow:
    folder = picture.path.parent
    return PictureRow(
        path=picture.path,
        folder=folder,
        repeats=picture.repeats,
        class_tokens=picture.class_tokens,
        extension=audit.extensions.get(SampleKey(picture.subset, folder)),
        is_left_out=True,
        rules=rules,
        subset=picture.subset,
    )


def moments_of(plan: Plan | None) -> tuple[Moment, ...]:
    """Return the beginnings of the first epochs; of few epochs, moments spread over the run."""
    if plan is None:
        return tuple(Moment(number) for number in range(1, _MOMENTS + 1))
    per_epoch, total = plan.steps_per_epoch, plan.total_steps
    if plan.epochs >= _MOMENTS:
        steps = [number * per_epoch for number in range(_MOMENTS)]
    else:
        steps = [number * total // _MOMENTS for number in range(_MOMENTS)]
    return tuple(Moment(step // per_epoch + 1, step, total) for step in steps)


def with_moments(rows: tuple[PictureRow, ...], plan: Plan | None) -> tuple[PictureRow, ...]:
    """Return the rows with the moments of a run of another length."""
    moments = moments_of(plan)
    if all(row.is_left_out or row.moments == moments for row in rows):
        return rows
    return tuple(row if row.is_left_out else replace(row, moments=moments) for row in rows)


def _order(root: Path, row: PictureRow) -> tuple[object, ...]:
    return row.folder != root, natural_key(row.folder.name), natural_key(row.path.name)


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


def with_captions(
    rows: Sequence[PictureRow], files: Mapping[Path, CaptionFile]
) -> tuple[PictureRow, ...]:
    """Return the rows with the captions of some pictures as their files have them now."""
    by_name = {str(path): file for path, file in files.items()}  # many paths compare slowly
    return tuple(
        replace(row, caption=_caption(row, by_name[name]))
        if (name := str(row.path)) in by_name
        else row
        for row in rows
    )


def _caption(row: PictureRow, file: CaptionFile) -> str:
    if file.data is None:
        return row.class_tokens
    try:
        return caption_of_text(file.text, row.rules)
    except DatasetError:  # undone to a file that was not UTF-8
        return ""


def caption_of_text(text: str, rules: CaptionRules) -> str:
    """Return the caption in the text of a file, as training reads it."""
    lines = [line.strip() for line in text.split("\n")]
    return caption_of_lines(lines, has_lines=rules.enable_wildcard)


def _by_path(findings: Iterable[Finding]) -> dict[Path, tuple[Finding, ...]]:
    found: defaultdict[Path, list[Finding]] = defaultdict(list)
    for finding in findings:
        found[finding.path].append(finding)
    return {path: _worst_first(of_path) for path, of_path in found.items()}


def _worst_first(findings: list[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: WORST_FIRST.index(finding.severity)))
