from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.package_index import trainer_package
from pytestqt.qtbot import QtBot

from desktop_app.preferences import Preferences
from desktop_app.process.environment import own_python
from desktop_app.trainer_python.facts import PythonFacts, Torch
from desktop_app.trainer_python.requirements import Fit
from desktop_app.trainer_python.trainer_python import Surroundings, TrainerPython
from trainer_core.environment.torch_choice import TorchBuild
from trainer_core.texts import text

MakePython = Callable[..., Path]


def choose(python: TrainerPython, path: Path, qtbot: QtBot) -> None:
    python.choose(path)
    qtbot.waitUntil(lambda: not python.is_looking, timeout=30_000)


def test_at_first_the_apps_own_python_trains(python: TrainerPython) -> None:
    assert python.is_own
    assert python.path == own_python()
    assert python.command is not None
    assert python.command.program == str(own_python())


def test_a_chosen_environment_trains_and_is_kept(
    python: TrainerPython, preferences: Preferences, environment: Path, qtbot: QtBot, tmp_path: Path
) -> None:
    with qtbot.waitSignal(python.chosen, timeout=30_000):
        python.choose(environment)
    program = environment / "bin" / "python"
    assert python.command is not None
    assert python.command.program == str(program)
    qtbot.waitUntil(lambda: not python.is_looking, timeout=30_000)
    preferences.write()
    assert TrainerPython(Preferences(tmp_path / "preferences.ini"), tmp_path).path == program


def test_the_apps_own_comes_back_on_demand(
    python: TrainerPython, environment: Path, qtbot: QtBot
) -> None:
    choose(python, environment, qtbot)
    python.use_own()
    assert python.is_own
    assert python.path == own_python()
    qtbot.waitUntil(lambda: not python.is_looking, timeout=30_000)
    assert python.facts is not None
    assert python.facts.path == own_python()


def test_what_cannot_train_is_not_taken(
    python: TrainerPython, fake_python: MakePython, qtbot: QtBot
) -> None:
    python.look()
    qtbot.waitUntil(lambda: not python.is_looking, timeout=30_000)
    before = python.facts
    choose(python, fake_python("echo no", "python3"), qtbot)
    assert python.is_own
    assert python.facts == before
    assert python.refusal is not None
    assert "does not answer like a Python" in str(python.refusal.sentence)


def test_a_path_that_is_not_there_is_refused_at_once(python: TrainerPython, tmp_path: Path) -> None:
    python.choose(tmp_path / "gone")
    assert python.refusal is not None
    assert not python.is_looking


def test_another_choice_takes_the_refusal_back(
    python: TrainerPython, tmp_path: Path, environment: Path, qtbot: QtBot
) -> None:
    python.choose(tmp_path / "gone")
    choose(python, environment, qtbot)
    assert python.refusal is None


def test_a_trainer_of_another_version_is_to_be_replaced(
    python: TrainerPython, environment: Path, qtbot: QtBot
) -> None:
    trainer_package(environment, "0.0.1")
    choose(python, environment, qtbot)
    trainer = python.states[-1]
    assert (trainer.found, trainer.fit) == ("0.0.1", Fit.TOO_OLD)
    with qtbot.waitSignal(python.install_ready, timeout=20_000) as blocker:
        python.prepare_install()
    assert blocker.args[0].wheel is not None


def test_a_change_of_the_theme_asks_nothing(
    python: TrainerPython, preferences: Preferences, qtbot: QtBot
) -> None:
    with qtbot.assertNotEmitted(python.chosen):
        preferences.change(theme="dark")
    assert not python.is_looking


@pytest.mark.parametrize(
    ("torch", "build", "misses"), [("cpu", "cuda", True), ("cuda", "cuda", False),
                                   ("cpu", "cpu", False)]
)  # fmt: skip
def test_a_card_that_torch_does_not_use_is_noticed(
    python: TrainerPython, torch: str, build: str, misses: bool
) -> None:
    python.facts = PythonFacts(Path("p"), torch=Torch("2.13.0", torch))  # type: ignore[arg-type]
    python.surroundings = Surroundings((), TorchBuild(build, text("a card")))  # type: ignore[arg-type]
    assert python.misses_card is misses
