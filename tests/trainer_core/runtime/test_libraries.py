"""Importing without garbage collection leaves the process as it was, but for what was imported."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from trainer_core.runtime.libraries import quick_imports


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    """Give what was left out of garbage collection back to it."""
    yield
    gc.unfreeze()


def test_nothing_is_collected_inside_and_again_afterwards() -> None:
    with quick_imports():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_came_into_being_inside_is_left_out_of_collection() -> None:
    with quick_imports():
        kept = [[] for _ in range(1000)]
    assert gc.get_freeze_count() >= len(kept)


def test_an_import_that_fails_leaves_collection_on() -> None:
    with pytest.raises(ImportError), quick_imports():
        raise ImportError
    assert gc.isenabled()
