from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from trainer_core.texts import Text
from trainer_core.tools.base import Stopped


@dataclass
class Listener:
    """Hears what a tool says, and stops it at the ``stop_at``-th time that it asks."""

    stop_at: int | None = None
    asked: int = 0
    said: list[tuple[int, int]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def progress(self, done: int, total: int, work: Text) -> None:
        assert str(work)
        self.said.append((done, total))

    def warn(self, message: Text, hint: Text | None = None) -> None:
        self.warnings.append(str(message))

    def stop_if_asked(self) -> None:
        self.asked += 1
        if self.asked == self.stop_at:
            raise Stopped


@pytest.fixture
def listener() -> Listener:
    """Hears what a tool says."""
    return Listener()
