"""How far a prediction is from its target, per sample.

Shape suffixes: B samples, C channels, H and W rows and columns of the latent.
"""

from __future__ import annotations

from torch import Tensor


def squared_error(
    prediction_BCHW: Tensor, target_BCHW: Tensor, mask_B1HW: Tensor | None = None
) -> Tensor:
    """Return the mean squared difference of each sample, shape B, in float32.

    Args:
        prediction_BCHW: What the denoiser says.
        target_BCHW: What it should say.
        mask_B1HW: What each place counts for, 0 to 1; the mean is still over all places (as in
            sd-scripts, ``custom_train_functions.apply_masked_loss``). None: all count in full.

    Source: Ho et al. 2020, arXiv:2006.11239, equation 14.
    """
    error_BCHW = (prediction_BCHW.float() - target_BCHW.float()).square()
    if mask_B1HW is not None:
        error_BCHW = error_BCHW * mask_B1HW
    return error_BCHW.mean(dim=(1, 2, 3))
