"""What a denoiser may be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trainer_core.catalogue.entry import LEFT_OPEN, OFF, ON, Entry, position
from trainer_core.texts import T


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionEntry(Entry):
    """A prediction; ``implementation`` returns the target of a loss.

    Attributes:
        inline: Its label inside a sentence.
        modelspec: Its name in ``modelspec.prediction_type``.
        parameterization: Its name in CompVis' configs.
        marker: A tensor that marks the files of models that predict it; empty if none does.
    """

    inline: str
    modelspec: str
    parameterization: str
    marker: str = ""


USUAL_PREDICTION = "epsilon"

#: By the names of diffusers' ``prediction_type``.
PREDICTIONS: Mapping[str, PredictionEntry] = {
    USUAL_PREDICTION: PredictionEntry(
        label=T("Settings", "Noise"),
        inline=T("Problems", "the noise"),
        implementation="trainer_core.objectives.diffusion:noise_asked",
        modelspec="epsilon",
        parameterization="eps",
        source="Ho et al. 2020, arXiv:2006.11239",
    ),
    "v_prediction": PredictionEntry(
        label=T("Settings", "Velocity"),
        inline=T("Problems", "the velocity"),
        implementation="trainer_core.objectives.diffusion:velocity_asked",
        modelspec="v",
        parameterization="v",
        marker="v_pred",
        source="Salimans and Ho 2022, arXiv:2202.00512, appendix D",
    ),
}


#: A tensor that marks the files of models whose last timestep is noise alone.
ZERO_SNR_MARKER = "ztsnr"


def prediction_called(word: str) -> str | None:
    """Return the prediction that a file means by a word, whoever wrote it; None if it is none."""
    plain = word.strip().lower().replace("-", "_")
    for name, entry in PREDICTIONS.items():
        if plain and plain in (name, entry.modelspec, entry.parameterization, entry.marker):
            return name
    return None


#: The predictions by the values of ``v_parameterization``; None is for the model's files to say.
PREDICTION_ASKED: Mapping[str, str | None] = {
    LEFT_OPEN: None,
    ON: "v_prediction",
    OFF: USUAL_PREDICTION,
}
PREDICTION_CHOICES: Mapping[str, Entry] = {
    LEFT_OPEN: Entry(
        label=T("Settings", "Detect"),
        help=T("Settings", "As the base model's files say; the noise where they are silent."),
    ),
    ON: Entry(label=PREDICTIONS["v_prediction"].label),
    OFF: Entry(label=PREDICTIONS[USUAL_PREDICTION].label),
}


def switch_of(prediction: str) -> str:
    """Return the value of ``v_parameterization`` that asks for a prediction."""
    return position(prediction != USUAL_PREDICTION)
