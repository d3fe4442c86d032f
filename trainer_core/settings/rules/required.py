"""What every run needs to be told."""

from __future__ import annotations

from collections.abc import Iterator

from trainer_core.errors import DatasetError, ModelFileError, OutputError
from trainer_core.settings.problems import Problem, Severity
from trainer_core.settings.schema import Facts, Rules, TrainSettings
from trainer_core.texts import T, text

_WANTED = (
    ("model.pretrained_model_name_or_path", ModelFileError, T("Problems", "Choose a base model.")),
    ("dataset.train_data_dir", DatasetError, T("Problems", "Choose a picture folder.")),
    ("output.output_dir", OutputError, T("Problems", "Choose an output folder.")),
)


def required_values(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Require a base model, pictures and a place for the result."""
    for path, kind, message in _WANTED:
        pictures = settings.dataset
        if path == "dataset.train_data_dir" and (
            pictures.more_pictures or pictures.subsets or pictures.in_json
        ):
            continue
        if settings.get(path) is None:
            yield Problem(path, Severity.ERROR, text(message), kind=kind, is_missing=True)


RULES: Rules = (required_values,)
