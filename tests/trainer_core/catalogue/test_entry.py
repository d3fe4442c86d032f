"""What an entry names, and what it needs to be installed."""

from __future__ import annotations

from collections import OrderedDict
from importlib import metadata

import pytest

from trainer_core.catalogue.entry import Entry, implementation, missing_packages


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python that has nothing but soap 1.10."""

    def version(name: str) -> str:
        if name != "soap":
            raise metadata.PackageNotFoundError(name)
        return "1.10.0+cu128"

    monkeypatch.setattr(metadata, "version", version)


def test_a_name_stands_for_what_is_in_its_module() -> None:
    assert implementation("collections:OrderedDict") is OrderedDict


def test_a_module_that_cannot_be_imported_is_an_import_error() -> None:
    with pytest.raises(ImportError, match="no_such_module"):
        implementation("no_such_module:Thing")


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("package", "missing"),
    [
        ("", ()),
        ("soap", ()),
        ("soap>=1.9", ()),  # as versions, not as text
        ("soap>=1.9,<2", ()),
        ("soap>=1.11", ("soap>=1.11",)),
        ("soap>=0.1,<1", ("soap>=0.1,<1",)),
        ("lycoris-lora>=3", ("lycoris-lora>=3",)),
        ("soap>=1 lycoris-lora>=3 soap<1", ("lycoris-lora>=3", "soap<1")),
    ],
)
def test_what_is_absent_or_too_old_is_missing(package: str, missing: tuple[str, ...]) -> None:
    assert missing_packages(Entry(label="Soap", package=package)) == missing
