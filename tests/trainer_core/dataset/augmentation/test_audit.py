"""Names that tell of no face are told of where faces are asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.pictures import write_dataset

from trainer_core.dataset.augmentation.audit import face_findings
from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.index import build_index
from trainer_core.dataset.subsets import PictureRules, SampleSettings
from trainer_core.settings.problems import Severity

FACES = PictureRules(face_crop_aug_range=(2.0, 4.0))
WITH, WITHOUT = "a_9_9_4_4.png", "b.png"


@pytest.mark.parametrize(
    ("names", "has_buckets", "severities"),
    [
        ([WITH], False, []),
        ([WITH, WITHOUT], False, [Severity.WARNING]),
        ([WITHOUT], False, [Severity.ERROR]),
        ([WITHOUT], True, []),
    ],
)
def test_names_without_a_face_are_told_of(
    tmp_path: Path, names: list[str], has_buckets: bool, severities: list[Severity]
) -> None:
    write_dataset(tmp_path, {"1_cat": dict.fromkeys(names)})
    rules = BucketRules((64, 64), enable_bucket=has_buckets)
    settings = {0: SampleSettings(rules=rules, pictures=FACES)}

    findings = list(face_findings(build_index(tmp_path, plain_repeats=1), settings))
    assert [finding.severity for finding in findings] == severities
    assert [finding.path for finding in findings] == [tmp_path] * len(severities)
