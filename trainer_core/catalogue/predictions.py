"""What a denoiser may be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trainer_core.catalogue.entry import Entry
from trainer_core.texts import T


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionEntry(Entry):
    """A prediction; ``implementation`` returns the target of a loss.

    Attributes:
        modelspec: Its name in ``modelspec.prediction_type``.
        parameterization: Its name in CompVis' configs.
        marker: A tensor that marks the files of models that predict it; empty if none does.
    """

    modelspec: str
    parameterization: str
    marker: str = ""


USUAL_PREDICTION = "epsilon"

#: By the names of diffusers' ``prediction_type``.
PREDICTIONS: Mapping[str, PredictionEntry] = {
    USUAL_PREDICTION: PredictionEntry(
        label=T("Settings", "Noise"),
        implementation="trainer_core.objectives.diffusion:noise_asked",
        modelspec="epsilon",
        parameterization="eps",
        source="Ho et al. 2020, arXiv:2006.11239",
    ),
    "v_prediction": PredictionEntry(
        label=T("Settings", "Velocity"),
        implementation="trainer_core.objectives.diffusion:velocity_asked",
        modelspec="v",
        parameterization="v",
        marker="v_pred",
        source="Salimans and Ho 2022, arXiv:2202.00512, appendix D",
    ),
}


def prediction_of_modelspec(word: str) -> str | None:
    """Return the prediction that ``modelspec.prediction_type`` means by ``word``, if it is one."""
    return next((name for name, entry in PREDICTIONS.items() if entry.modelspec == word), None)


def prediction_of_config(word: str) -> str:
    """Return the prediction that ``parameterization`` means by ``word``; ``word`` if it is none."""
    names = {entry.parameterization: name for name, entry in PREDICTIONS.items()}
    return names.get(word, word)
