"""How much is about to be written to the disk, counted from what is there to be written."""

from __future__ import annotations

from collections.abc import Sequence

from torch.optim import Optimizer

from trainer_core.catalogue.precisions import SAVE_PRECISIONS
from trainer_core.disk_space.sizes import latent_bytes, state_bytes, weights_bytes
from trainer_core.families.base import Family
from trainer_core.methods.base import Method
from trainer_core.optim.running_state import running_state
from trainer_core.pipeline.filling import EncodingJob


def bytes_of_weights(method: Method, precision: str) -> int:
    """Return about how many bytes the weights take in a save precision."""
    shapes = [tuple(tensor.shape) for tensor in method.state().values()]
    return weights_bytes(shapes, SAVE_PRECISIONS[precision].item_bytes, 0)


def bytes_of_state(method: Method, optimizer: Optimizer) -> int:
    """Return about how many bytes a state takes: float32 weights and the optimizer's tensors."""
    shapes = [tuple(tensor.shape) for tensor in method.state().values()]
    remembered = running_state(optimizer).tensors.values()
    kept = sum(tensor.numel() * tensor.element_size() for tensor in remembered)
    return state_bytes(shapes, lambda shape: 0) + kept


def bytes_of_latents(groups: Sequence[Sequence[EncodingJob]], family: Family) -> int:
    """Return about how many bytes the latents of all groups take in the cache."""
    channels, pixels = family.latent_channels, family.pixels_per_latent
    buckets = (job.source.placement.bucket for group in groups for job in group)
    return sum(
        latent_bytes(*bucket, channels=channels, pixels_per_latent=pixels) for bucket in buckets
    )
