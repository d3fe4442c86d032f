"""What is to blame for a loss, a gradient or weights that are not finite, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from trainer_core.errors import NumericError
from trainer_core.pipeline.batch import Batch
from trainer_core.pipeline.filling import OTHER_VAE
from trainer_core.texts import T

_SHOWN = 8
_MODEL = "model.pretrained_model_name_or_path"
_VAE = "model.vae"
_RATE = "optimizer.learning_rate"
_LOWER_RATE = T("Errors", "Lower the learning rate. The weights before that update are kept.")


class Suspect(NamedTuple):
    """A sample of a step that failed; it travels between processes.

    Attributes:
        name: Of its picture.
        path: Of the picture's file.
        timestep: That it was trained at.
        is_finite: Whether its loss is.
        has_finite_latent: Whether what the VAE made of its picture is.
        has_finite_text: Whether what the text encoders made of its caption is; True while they
            are trained.
    """

    name: str
    path: str
    timestep: int
    is_finite: bool
    has_finite_latent: bool
    has_finite_text: bool

    def __str__(self) -> str:
        """Return the words for people."""
        return f"{self.name} (timestep {self.timestep})"


def are_weights_useless(suspects: Sequence[Suspect], number: int) -> bool:
    """Tell whether the weights before step ``number`` are to blame: nothing else is left."""
    inputs_are_finite = all(each.has_finite_latent and each.has_finite_text for each in suspects)
    return number > 1 and inputs_are_finite and not any(each.is_finite for each in suspects)


def suspects_of(batch: Batch, losses_B: Tensor) -> list[Suspect]:
    """Return the samples of a batch with the losses that they gave, wherever these are."""
    everywhere = torch.ones(len(batch), dtype=torch.bool)
    latents_B = text_B = everywhere
    for tensor in batch.posterior or ():
        latents_B = latents_B & _finite(tensor)
    if batch.condition is not None:
        for tensor in batch.condition.tensors.values():
            text_B = text_B & _finite(tensor)
    facts = zip(
        batch.names,
        batch.paths,
        batch.draw.timesteps_B.tolist(),
        _finite(losses_B.detach()).tolist(),
        latents_B.tolist(),
        text_B.tolist(),
        strict=True,
    )
    return [Suspect(*each) for each in facts]


def _finite(tensor: Tensor) -> Tensor:
    """Return for each sample of a tensor, the batch first, whether it is finite; on the CPU."""
    return torch.isfinite(tensor.reshape(len(tensor), -1)).all(dim=1).cpu()


def loss_fault(
    suspects: Sequence[Suspect], number: int, rates: Mapping[str, float]
) -> NumericError:
    """Return the error for a loss that is not finite.

    Args:
        suspects: The samples of the step, of every process.
        number: Of the step, from 1.
        rates: The learning rates by their groups.
    """
    guilty = [each for each in suspects if not each.is_finite]
    if any(not each.has_finite_latent for each in guilty):
        guilty = [each for each in guilty if not each.has_finite_latent]
        message = T(
            "Errors",
            "The VAE made no finite numbers of these pictures: {pictures}. Nothing was updated in "
            "step {step}.",
        )
        return _fault(message, OTHER_VAE, guilty, number, rates, setting=_VAE)
    if any(not each.has_finite_text for each in guilty):
        guilty = [each for each in guilty if not each.has_finite_text]
        message = T(
            "Errors",
            "The text encoder made no finite numbers of the captions of {pictures}. Nothing was "
            "updated in step {step}.",
        )
        hint = T("Errors", "Use bf16 or 32 bit, or choose another base model.")
        return _fault(message, hint, guilty, number, rates, setting=_MODEL)
    if number == 1:
        message = T(
            "Errors",
            "The loss of step {step} is not finite, before anything was trained. The base model or "
            "the starting weights are to blame. Pictures: {pictures}.",
        )
        hint = T("Errors", "Use bf16 or 32 bit, or choose another base model.")
        return _fault(message, hint, guilty, number, rates, setting=_MODEL)
    if len(guilty) == len(suspects):
        message = T(
            "Errors",
            "The loss of step {step} is not finite for any picture: the update before it made "
            "useless weights. Learning rates {rates}. Pictures: {pictures}.",
        )
        return _fault(message, _LOWER_RATE, guilty, number, rates)
    message = T(
        "Errors",
        "The loss of step {step} is not finite; nothing was updated. Learning rates {rates}. "
        "Pictures: {pictures}.",
    )
    hint = T(
        "Errors",
        "Look at these pictures, lower the learning rate or use 32 bit, then resume from the "
        "newest state.",
    )
    return _fault(message, hint, guilty, number, rates)


def gradient_fault(
    suspects: Sequence[Suspect], number: int, rates: Mapping[str, float]
) -> NumericError:
    """Return the error for a gradient that is not finite although the losses are."""
    message = T(
        "Errors",
        "The gradient of step {step} is not finite; nothing was updated. Learning rates {rates}. "
        "Pictures: {pictures}.",
    )
    hint = T("Errors", "Lower the learning rate, then resume from the newest state.")
    return _fault(message, hint, suspects, number, rates)


def update_fault(number: int, rates: Mapping[str, float]) -> NumericError:
    """Return the error for an update whose weights are not finite; nobody is to blame but it."""
    message = T(
        "Errors",
        "The update of step {step} made weights that are not finite. Learning rates {rates}.",
    )
    return _fault(message, _LOWER_RATE, (), number, rates)


def _fault(
    message: str,
    hint: str,
    suspects: Sequence[Suspect],
    number: int,
    rates: Mapping[str, float],
    *,
    setting: str = _RATE,
) -> NumericError:
    shown = [str(each) for each in suspects[:_SHOWN]]
    return NumericError(
        message,
        hint,
        setting=setting,
        picture=suspects[0].path if suspects else "",
        step=number,
        rates=", ".join(f"{name} {rate:g}" for name, rate in rates.items()),
        pictures=", ".join(shown + ["…"] * (len(suspects) > _SHOWN)),
        param="no_half_vae",  # of `OTHER_VAE`
    )
