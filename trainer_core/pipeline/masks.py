"""Masks of samples at the size of their latents.

Shape suffixes: B samples, H and W rows and columns.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from PIL import Image
from torch import Tensor

from trainer_core.dataset.buckets import Placement
from trainer_core.dataset.decoding.colours import first_channel, opacity
from trainer_core.dataset.pictures import load_picture
from trainer_core.dataset.subsets import SampleKey
from trainer_core.pipeline.decode import check_size, room_for
from trainer_core.pipeline.resampling import scaled_cut
from trainer_core.pipeline.sources import Source


def averaged(mask_B1HW: Tensor, rows: int, columns: int) -> Tensor:
    """Return masks at another size: each place is the mean of the area that it covers.

    Source: sd-scripts, ``custom_train_functions.apply_masked_loss``.
    """
    return F.interpolate(mask_B1HW, size=(rows, columns), mode="area")


def batch_of_masks(masks: Sequence[Tensor | None], rows: int, columns: int) -> Tensor | None:
    """Return the masks of samples, 1HW each, as B1HW; None if no sample has one.

    A sample without a mask counts in full everywhere.
    """
    if all(mask is None for mask in masks):
        return None
    whole = torch.ones(1, rows, columns)
    return torch.stack([whole if mask is None else mask for mask in masks])


class LatentMasks:
    """Gives the masks of samples; those of planned cuts are read once. May be asked in threads."""

    def __init__(self) -> None:
        self._known: dict[SampleKey, Tensor | None] = {}
        self._lock = threading.Lock()

    def of(
        self, source: Source, placement: Placement, *, flip: bool, pixels_per_latent: int
    ) -> Tensor | None:
        """Return a sample's mask at the size of its latents: 1HW, float32, 0 to 1, on the CPU.

        None: all of it counts alike.

        Args:
            source: The picture; it says whether it has a mask.
            placement: Where this showing is cut.
            flip: Whether it is mirrored.
            pixels_per_latent: Rows and columns of pixels that one of latents stands for.

        Raises:
            DatasetError: The mask, or the picture whose transparency it is, cannot be read.
        """
        if source.mask is None and not source.settings.pictures.alpha_mask:
            return None
        if placement != source.placement:  # it will hardly ever come again
            mask = _loaded(source, placement, pixels_per_latent)
        else:
            mask = self._remembered(source, pixels_per_latent)
        return mask.flip(-1) if flip and mask is not None else mask

    def _remembered(self, source: Source, pixels_per_latent: int) -> Tensor | None:
        with self._lock:
            if source.key in self._known:
                return self._known[source.key]
        mask = _loaded(source, source.placement, pixels_per_latent)
        with self._lock:
            self._known[source.key] = mask
        return mask


def _loaded(source: Source, placement: Placement, pixels_per_latent: int) -> Tensor | None:
    """Return the mask, not mirrored; None if it is white all over."""
    with room_for(source.size):
        grey = _grey(source)
        if grey.getextrema() == (255, 255):
            return None
        interpolation = source.settings.pictures.resize_interpolation
        cut_HWC = scaled_cut(grey.convert("RGB"), placement, interpolation)
    mask_HW = torch.from_numpy(cut_HWC[..., 0].copy()).float() / 255
    width, height = placement.bucket
    rows, columns = height // pixels_per_latent, width // pixels_per_latent
    return averaged(mask_HW[None, None], rows, columns)[0]


def _grey(source: Source) -> Image.Image:
    if source.mask is not None:
        image = load_picture(source.mask.path)
        check_size(source.mask.path, image.size, source.mask.size)
        return first_channel(image)
    image = load_picture(source.path)
    check_size(source.path, image.size, source.size)
    return opacity(image)
