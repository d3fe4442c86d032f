from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers.fake_trainer import fake_command
from pytestqt.qtbot import QtBot

from desktop_app.models.runs.log_model import LogModel
from desktop_app.models.runs.metrics_model import MetricsModel
from desktop_app.process.environment import TrainerCommand
from desktop_app.process.outcome import Outcome
from desktop_app.process.run_control import RunControl


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    """A run file that names an output folder of its own."""
    path = tmp_path / "run.toml"
    output = (tmp_path / "out").as_posix()
    path.write_text(
        f'format = "loom/2"\n[output]\noutput_dir = "{output}"\noutput_name = "fake"\n',
        encoding="utf-8",
    )
    return path


@pytest.fixture
def log(qapp: object) -> LogModel:
    return LogModel()


@pytest.fixture
def metrics(qapp: object) -> MetricsModel:
    return MetricsModel()


@pytest.fixture
def run(metrics: MetricsModel, log: LogModel, qtbot: QtBot) -> Iterator[RunControl]:
    """A run control whose trainer is the fake one."""
    control = RunControl()
    control.forgotten.connect(metrics.clear)
    control.retold.connect(log.clear)
    control.past_event_received.connect(metrics.feed)
    control.lines_received.connect(log.add_lines)
    control.warned.connect(log.add_warning)
    control.event_received.connect(log.feed)
    control.event_received.connect(metrics.feed)
    control.ended.connect(log.add_outcome)
    control.recalled.connect(lambda outcome: log.add_outcome(outcome, control.heard_at))
    use_fake(control)
    yield control
    if control.is_running:
        with qtbot.waitSignal(control.ended, timeout=20_000):
            control.kill()


def use_fake(control: RunControl, **options: object) -> None:
    """Start the fake trainer with these options from now on."""
    program, *arguments = fake_command(**options)
    control.command = TrainerCommand(program, arguments)


@pytest.fixture
def play(run: RunControl, run_file: Path, qtbot: QtBot) -> Callable[..., Outcome]:
    """Run the fake trainer with options from start to end and return the outcome."""

    def play(continue_: bool = False, **options: object) -> Outcome:
        use_fake(run, **options)
        with qtbot.waitSignal(run.ended, timeout=20_000) as blocker:
            run.start(run_file, continue_=continue_)
        outcome = blocker.args[0]
        assert isinstance(outcome, Outcome)
        return outcome

    return play
