"""Models for the tests of the families: written once, read by many."""

from __future__ import annotations

import pytest
from helpers.tiny_model import TinySD1, loaded, make_tiny_sd1

from trainer_core.families.sd1 import SD1


@pytest.fixture(scope="session")
def tiny_files(tmp_path_factory: pytest.TempPathFactory) -> TinySD1:
    return make_tiny_sd1(tmp_path_factory.mktemp("tiny-sd1"))


@pytest.fixture
def tiny_sd1(tiny_files: TinySD1) -> SD1:
    return loaded(tiny_files.folder)
