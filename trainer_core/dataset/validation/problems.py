"""What is wrong with the pictures for validation, and with how many are left for training."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from trainer_core.dataset.findings import Finding
from trainer_core.dataset.index import DatasetIndex
from trainer_core.dataset.validation.split import FOLDER, SPLIT, HeldOut
from trainer_core.errors import DatasetError
from trainer_core.settings.document import UNSET
from trainer_core.settings.problems import Problem, Severity, Suggestion
from trainer_core.texts import T, text


def leaves_nothing(index: DatasetIndex, held_out: HeldOut | None) -> bool:
    """Tell whether there are pictures, but all of them are for validation."""
    return held_out is not None and not index.concepts and bool(held_out.index.concepts)


def split_problems(index: DatasetIndex, held_out: HeldOut) -> Iterator[Problem]:
    """Yield what is wrong with the split as a whole, and with the folder for validation.

    Args:
        index: What is left for training.
        held_out: What is not.
    """
    for root in held_out.index.roots:
        if root.failure is not None:
            yield Problem.of(root.failure, setting=FOLDER)
    if leaves_nothing(index, held_out):
        message = text(T("Problems", "All pictures are for validation; none is left to train."))
        hint = Suggestion(text(T("Problems", "Choose another folder for validation.")))
        yield Problem(FOLDER, Severity.ERROR, message, hint, kind=DatasetError)
    if held_out.is_short:
        message = text(T("Problems", "There are too few pictures to hold any out."))
        hint = Suggestion(text(T("Problems", "Hold out none.")), {SPLIT: UNSET})
        yield Problem(SPLIT, Severity.ERROR, message, hint, kind=DatasetError)


def empty_folder(held_out: HeldOut, folder: Path | None) -> Iterator[Finding]:
    """Yield that there is no picture in the folder for validation, if that is so."""
    for found in held_out.audit.errors:
        if found.path == folder:
            yield found
