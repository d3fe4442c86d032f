"""The pictures of a run as the loader takes them, and the fingerprint that tells their batches."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence

from trainer_core.dataset.index import DatasetIndex, distinct_names
from trainer_core.pipeline.loader import Source
from trainer_core.train.inputs import RunInputs


def sources_of(inputs: RunInputs) -> list[Source]:
    """Return every picture with its cut and caption, in the order of the index."""
    return [
        Source(
            path=picture.path,
            name=name,
            repeats=picture.repeats,
            placement=inputs.plan.placements[picture.key],
            caption=inputs.captions[picture.key],
        )
        for name, picture in zip(_names(inputs.index), inputs.index.pictures, strict=True)
    ]


def _names(index: DatasetIndex) -> Iterator[str]:
    """Yield what each picture is called: its place in its folder, so that folders may move."""
    labels = distinct_names([root.path for root in index.roots])
    for root, label in zip(index.roots, labels, strict=True):
        for picture in root.pictures:
            name = picture.path.relative_to(root.path).as_posix()
            yield name if len(labels) == 1 else f"{label}/{name}"


def fingerprint(sources: Sequence[Source], *, batch_size: int, accumulation: int) -> str:
    """Return a hash of everything that decides the batches of an epoch, the seed excepted."""
    facts = [[s.name, s.repeats, s.placement.bucket, s.caption] for s in sources]
    content = json.dumps([batch_size, accumulation, facts]).encode()
    return hashlib.blake2b(content, digest_size=16).hexdigest()
