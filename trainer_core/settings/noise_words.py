"""What a base model predicts and how its noise ends, in the words of a summary before the start."""

from __future__ import annotations

from collections.abc import Iterator

from trainer_core.catalogue.entry import ON
from trainer_core.catalogue.predictions import PREDICTION_ASKED, PREDICTIONS
from trainer_core.settings.rules.model import (
    PREDICTION_BY,
    ZERO_SNR,
    ZERO_SNR_BY,
    used_prediction,
)
from trainer_core.settings.schema import AUTO, Facts, TrainSettings
from trainer_core.texts import T, Text, text


def noise_words(settings: TrainSettings, facts: Facts) -> Iterator[Text]:
    """Yield what is trained to be predicted and, if so, that the last timestep is noise alone.

    Args:
        settings: What is asked.
        facts: What the base model's files say; see `trainer_core.settings.rules.model`.
    """
    used = PREDICTIONS.get(used_prediction(settings.model, facts))
    if used is not None:
        template, by = T("Problems", "{prediction}: its file does not say"), ""
        if PREDICTION_ASKED[settings.model.v_parameterization] is not None:
            template = T("Problems", "{prediction}, as you set it")
        elif PREDICTION_BY in facts:
            template, by = T("Problems", "{prediction}, as {by} says"), str(facts[PREDICTION_BY])
        yield text(template, prediction=used.inline, by=by)
    asked = settings.model.zero_terminal_snr
    if asked == ON:
        yield text(T("Problems", "zero terminal SNR, as you set it"))
    elif asked == AUTO and facts.get(ZERO_SNR) == ON:
        template = T("Problems", "zero terminal SNR, as {by} says")
        yield text(template, by=facts.get(ZERO_SNR_BY, ""))
