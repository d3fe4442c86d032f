"""The subsets that the settings describe."""

from __future__ import annotations

from collections.abc import Iterator

from trainer_core.dataset.subsets import REG_DATA_DIR, Subset
from trainer_core.settings.dataset import DatasetSettings

_OF_REG_FOLDER = 1  # after the picture folder, which is number 0


def described_subsets(dataset: DatasetSettings, processes: int = 1) -> tuple[Subset, ...]:
    """Return the subsets of a run: of its folders, then of its regularisation folder.

    Args:
        dataset: The settings.
        processes: That share a batch.
    """
    return tuple(_described(dataset, processes))


def _described(dataset: DatasetSettings, processes: int) -> Iterator[Subset]:
    if dataset.train_data_dir is not None or dataset.more_pictures:
        yield Subset(folder=dataset.train_data_dir, more=dataset.more_pictures)
    if dataset.reg_data_dir is not None:
        yield Subset(
            number=_OF_REG_FOLDER,
            folder=dataset.reg_data_dir,
            own={"is_reg": True, "weight": dataset.prior_loss_weight},
            setting=REG_DATA_DIR,
        )
