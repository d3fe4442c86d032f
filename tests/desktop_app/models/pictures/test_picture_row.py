"""Rows of pictures that are not trained, but held out."""

from __future__ import annotations

from pathlib import Path

from helpers.pictures import write_picture

from desktop_app.dataset_view.summary import missing_words
from desktop_app.models.pictures.dataset_scan import look
from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.plan import Pace
from trainer_core.dataset.subsets import SampleSettings, Subset
from trainer_core.dataset.survey import SurveyRequest
from trainer_core.dataset.validation.split import HoldOut


def test_held_out_pictures_stay_in_sight_and_are_marked(tmp_path: Path, qapp: object) -> None:
    for number in range(10):
        write_picture(tmp_path / "1_cat" / f"{number}.png", (64, 64))
    scan = look(
        SurveyRequest(
            subsets=(Subset(folder=tmp_path),),
            run=SampleSettings(rules=BucketRules((64, 64))),
            pace=Pace(train_batch_size=1),
            hold_out=HoldOut(share=0.3),
        )
    )
    assert [row.path.name for row in scan.rows] == [f"{number}.png" for number in range(10)]
    held_out = [row for row in scan.rows if row.is_held_out]
    assert len(held_out) == 3
    assert all((row.bucket, row.caption) == ((64, 64), "cat") for row in held_out)
    assert missing_words(scan) == "Held out for validation: 3"
