"""Rules of what is written."""

from __future__ import annotations

from collections.abc import Iterator

from trainer_core.settings.output_names import check_output_name
from trainer_core.settings.problems import Problem, Severity, Suggestion
from trainer_core.settings.schema import Facts, Rules, TrainSettings
from trainer_core.texts import T, text


def output_name(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Refuse output names that are no file name on Windows or Linux."""
    message = check_output_name(settings.output.output_name)
    if message is not None:
        hint = Suggestion(text(T("Problems", "Choose another name of letters, digits, - and _.")))
        yield Problem("output.output_name", Severity.ERROR, message, hint)


RULES: Rules = (output_name,)
