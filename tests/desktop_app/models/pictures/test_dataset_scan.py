from pathlib import Path

import pytest

from desktop_app.models.pictures.dataset_scan import silence_problems
from trainer_core.dataset.survey import SurveyRequest
from trainer_core.settings.schema import TRAIN


@pytest.mark.parametrize(
    ("path", "setting"),
    [
        ("/pictures/10_cat/a.png", "dataset.train_data_dir"),
        ("/more/a.png", "dataset.more_pictures"),
        ("/masks/10_cat/a.png", "augmentation.conditioning_data_dir"),
    ],
)
def test_what_hangs_is_told_beside_the_setting_that_named_it(path: str, setting: str) -> None:
    settings, _ = TRAIN.parse(
        {
            "dataset": {"train_data_dir": "/pictures", "more_pictures": ["/more"]},
            "augmentation": {"masked_loss": True, "conditioning_data_dir": "/masks"},
        }
    )
    request = SurveyRequest.of(settings)

    assert [problem.path for problem in silence_problems(request, Path(path))] == [setting]
