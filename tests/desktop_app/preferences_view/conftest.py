from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.scripted_python import ScriptedPython
from pytestqt.qtbot import QtBot

from desktop_app.preferences import Preferences
from desktop_app.workspace import Workspace


@pytest.fixture
def scripted(preferences: Preferences, tmp_path: Path) -> ScriptedPython:
    """The Python that trains; complete at first."""
    made = ScriptedPython(tmp_path / "scripted")
    preferences.change(trainer_python=made.path)
    return made


@pytest.fixture(autouse=True)
def without_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which no graphics card is found, whatever it has."""
    monkeypatch.setattr("trainer_core.environment.torch_choice.shutil.which", lambda *_, **__: None)
    monkeypatch.setattr("trainer_core.environment.torch_choice.has_amd_card", lambda: False)


@pytest.fixture
def looked(qtbot: QtBot) -> Callable[[Workspace], None]:
    """Wait until everything is known."""

    def wait(workspace: Workspace) -> None:
        python = workspace.python
        qtbot.waitUntil(
            lambda: (
                python.facts is not None
                and python.facts.is_complete
                and not python.is_looking
                and python.surroundings is not None
            ),
            timeout=20_000,
        )

    return wait
