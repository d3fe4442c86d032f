"""The subsets that the settings describe."""

from __future__ import annotations

from collections.abc import Iterator

from trainer_core.dataset.subsets import REG_DATA_DIR, SUBSETS, Subset
from trainer_core.settings.dataset import DatasetSettings
from trainer_core.settings.subsets import SubsetSettings

_OF_TABLES = 1  # the first of them; the picture folder is number 0


def described_subsets(dataset: DatasetSettings, processes: int = 1) -> tuple[Subset, ...]:
    """Return the subsets of a run: of its folders, of its tables, of its regularisation folder.

    Args:
        dataset: The settings.
        processes: That share a batch.
    """
    return tuple(_described(dataset, processes))


def table_number(subset: int) -> int:
    """Return the place in the settings, from 0, of the table that describes a subset."""
    return subset - _OF_TABLES


def _described(dataset: DatasetSettings, processes: int) -> Iterator[Subset]:
    plain = Subset(
        folder=dataset.train_data_dir, more=dataset.more_pictures, metadata=dataset.in_json
    )
    if plain.places:
        yield plain
    weight = dataset.prior_loss_weight
    for number, table in enumerate(dataset.subsets, start=_OF_TABLES):
        if table.has_pictures:
            yield _of_table(number, table, weight, processes)
    if dataset.reg_data_dir is not None:
        yield Subset(
            number=_OF_TABLES + len(dataset.subsets),
            folder=dataset.reg_data_dir,
            own={"is_reg": True, "weight": weight},
            setting=REG_DATA_DIR,
        )


def _of_table(number: int, table: SubsetSettings, weight: float, processes: int) -> Subset:
    own = dict(table.own)
    if table.is_reg:
        own |= {"is_reg": True, "weight": weight}
    if table.train_batch_size is not None:
        own["train_batch_size"] = table.train_batch_size * processes
    return Subset(
        number=number,
        folder=table.image_dir,
        more=table.pictures,
        own=own,
        setting=SUBSETS,
        repeats=table.num_repeats,
        class_tokens=table.class_tokens,
        metadata=table.metadata_file,
    )
