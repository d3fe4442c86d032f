"""How far a prediction is from its target, per sample."""

from __future__ import annotations

from torch import Tensor


def squared_error(prediction_BCHW: Tensor, target_BCHW: Tensor) -> Tensor:
    """Return the mean squared difference of each sample, shape B, in float32.

    Source: Ho et al. 2020, arXiv:2006.11239, equation 14.
    """
    return (prediction_BCHW.float() - target_BCHW.float()).square().mean(dim=(1, 2, 3))
