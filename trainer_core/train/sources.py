"""The pictures of a run as the loader takes them, and the fingerprint that tells their batches."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from trainer_core.pipeline.prepare import Source
from trainer_core.train.inputs import RunInputs


def sources_of(inputs: RunInputs) -> list[Source]:
    """Return every picture with its cut and caption, in the order of the index."""
    root = inputs.index.root
    return [
        Source(
            path=picture.path,
            name=picture.path.relative_to(root).as_posix(),
            repeats=picture.repeats,
            placement=inputs.plan.placements[picture.path],
            caption=inputs.captions[picture.path],
        )
        for picture in inputs.index.pictures
    ]


def fingerprint(sources: Sequence[Source], *, batch_size: int, accumulation: int) -> str:
    """Return a hash of everything that decides the batches of an epoch, the seed excepted."""
    facts = [[s.name, s.repeats, s.placement.bucket, s.caption] for s in sources]
    content = json.dumps([batch_size, accumulation, facts]).encode()
    return hashlib.blake2b(content, digest_size=16).hexdigest()
