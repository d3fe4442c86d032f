"""Rules of the base model: what its files say of it, and what the settings say."""

from __future__ import annotations

from collections.abc import Iterator

from trainer_core.catalogue.entry import OFF, ON
from trainer_core.catalogue.families import FAMILIES
from trainer_core.catalogue.predictions import (
    PREDICTION_ASKED,
    PREDICTIONS,
    USUAL_PREDICTION,
)
from trainer_core.settings.model import ModelSettings
from trainer_core.settings.problems import Problem, Severity, Suggestion
from trainer_core.settings.schema import AUTO, Facts, Rules, TrainSettings
from trainer_core.texts import T, text

PREDICTION, PREDICTION_BY = "prediction", "prediction_by"
"""The facts of what the base model's files say that it predicts, and which part of them says so."""
ZERO_SNR, ZERO_SNR_BY = "zero_terminal_snr", "zero_terminal_snr_by"
"""The same of whether its last timestep is noise alone: ``on`` or ``off``."""

_MODEL = "model.pretrained_model_name_or_path"
_ASKED = "model.v_parameterization"
_ZERO = "model.zero_terminal_snr"


def used_prediction(model: ModelSettings, facts: Facts) -> str:
    """Return what the base model is trained to predict, as far as it is known."""
    asked = PREDICTION_ASKED[model.v_parameterization]
    return asked or str(facts.get(PREDICTION, USUAL_PREDICTION))


def prediction(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Ask what the base model predicts, or say that its files say otherwise than the settings."""
    family = FAMILIES.get(str(facts.get("family")))
    asked = PREDICTION_ASKED[settings.model.v_parameterization]
    stated = facts.get(PREDICTION)
    if family is None:
        return
    if stated is None:
        if asked is None and family.prediction_hint:
            yield _open_question(family.prediction_hint)
    elif asked is None:
        if stated not in family.predictions:
            template = T("Problems", "The base model predicts {found}, which cannot be trained.")
            yield Problem(_MODEL, Severity.ERROR, text(template, found=stated))
    elif asked != stated:
        yield _contradiction(asked, str(stated), facts)


def _open_question(how_to_tell: str) -> Problem:
    template = T(
        "Problems",
        "The base model's file does not say what it predicts; the noise is assumed. {hint}",
    )
    ways = [
        Suggestion(text(words), {_ASKED: value})
        for words, value in (
            (T("Problems", "It predicts the noise."), OFF),
            (T("Problems", "It predicts the velocity."), ON),
        )
    ]
    message = text(template, hint=how_to_tell)
    return Problem(_ASKED, Severity.NOTICE, message, ways[0], other_ways=tuple(ways[1:]))


def _contradiction(asked: str, stated: str, facts: Facts) -> Problem:
    template = T(
        "Problems",
        "The base model predicts {theirs}, as {by} says, but would be trained as if it predicted "
        "{asked}.",
    )
    known = PREDICTIONS.get(stated)
    message = text(
        template,
        theirs=stated if known is None else known.inline,
        by=facts.get(PREDICTION_BY, ""),
        asked=PREDICTIONS[asked].inline,
    )
    # Noise can be trained on into velocity, which takes long; the other way only ruins the model.
    severity = Severity.ERROR if asked == USUAL_PREDICTION else Severity.WARNING
    return Problem(_ASKED, severity, message, _as_it_says(_ASKED))


def _as_it_says(path: str) -> Suggestion:
    return Suggestion(text(T("Problems", "Do as the base model says.")), {path: AUTO})


def zero_terminal_snr(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Say that the noise is another than the base model's, or does not go with what it predicts."""
    asked, stated = settings.model.zero_terminal_snr, facts.get(ZERO_SNR)
    if asked != AUTO and stated is not None and asked != stated:
        template = T(
            "Problems", "The base model was trained without zero terminal SNR, as {by} says."
        )
        if stated == ON:
            template = T(
                "Problems", "The base model was trained with zero terminal SNR, as {by} says."
            )
        message = text(template, by=facts.get(ZERO_SNR_BY, ""))
        yield Problem(_ZERO, Severity.WARNING, message, _as_it_says(_ZERO))
    elif ON in (asked, stated) and used_prediction(settings.model, facts) == USUAL_PREDICTION:
        template = T(
            "Problems",
            "Zero terminal SNR goes with models that predict the velocity: of noise alone, a model "
            "that predicts the noise learns nothing.",
        )
        on = Suggestion(text(T("Problems", "It predicts the velocity.")), {_ASKED: ON})
        off = Suggestion(text(T("Problems", "Turn it off.")), {_ZERO: OFF})
        first, *others = (on,) if stated == ON else (off, on)
        yield Problem(_ZERO, Severity.WARNING, text(template), first, other_ways=tuple(others))


def clip_skip(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Say that a family leaves out the last layer already."""
    family, skip = FAMILIES.get(str(facts.get("family"))), settings.model.clip_skip
    if family is not None and family.is_v2 and skip > 1:
        template = T(
            "Problems",
            "{family} leaves out its last layer already; with clip skip {skip} it leaves out "
            "{more} more.",
        )
        message = text(template, family=family.label, skip=skip, more=skip - 1)
        hint = Suggestion(text(T("Problems", "Use {value}."), value=1), {"model.clip_skip": 1})
        yield Problem("model.clip_skip", Severity.WARNING, message, hint)


RULES: Rules = (prediction, zero_terminal_snr, clip_skip)
