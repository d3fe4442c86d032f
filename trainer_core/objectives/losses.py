"""How far each element of a prediction is from its target.

Shape suffixes: B samples, C channels, H and W rows and columns of the latent.
"""

from __future__ import annotations

from torch import Tensor


def squared_error(prediction_BCHW: Tensor, target_BCHW: Tensor, timesteps_B: Tensor) -> Tensor:
    """Return the squared difference of each element, BCHW, float32, under autocast too.

    Args:
        prediction_BCHW: What the denoiser says, in whichever type it computes.
        target_BCHW: What it should say, on the same device.
        timesteps_B: Other losses depend on them; this one does not.

    Source: Ho et al. 2020, arXiv:2006.11239, equation 14.
    """
    del timesteps_B
    return (prediction_BCHW.float() - target_BCHW.float()).square()
