"""A loop of stand-ins."""

from __future__ import annotations

import pytest
from helpers.stubs import LoopParts


@pytest.fixture
def parts() -> LoopParts:
    return LoopParts()
