from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from desktop_app.process.outcome import Ending
from desktop_app.process.run_register import KnownRun, RunRegister, past_outcome
from trainer_core.files.run_folder import RunFolder
from trainer_core.files.run_lock import RunLock
from trainer_core.protocol.codec import encode
from trainer_core.protocol.messages import EventBase, Failed, Finished, Hello, StepDone, TextData
from trainer_core.version import __version__

HELLO = Hello(version=__version__, pid=1)
DONE = Finished(reason="completed", step=3, total_steps=3, seconds=1.0)


def step(number: int) -> StepDone:
    return StepDone(step=number, epoch=1, loss=0.5, learning_rates={})


@pytest.fixture
def register(tmp_path: Path) -> RunRegister:
    return RunRegister(tmp_path / "data" / "known-runs.json")


def make_run(folder: Path, name: str, *events: EventBase) -> RunFolder:
    made = RunFolder(folder, name)
    made.path.mkdir(parents=True)
    made.event_file.write_bytes(b"".join(encode(event) for event in events))
    return made


def test_what_is_noted_is_there_for_the_next_start(register: RunRegister, tmp_path: Path) -> None:
    register.note(tmp_path / "a.run", tmp_path / "a.toml")
    register.note(tmp_path / "b.run")
    again = RunRegister(tmp_path / "data" / "known-runs.json")
    assert again.runs() == [
        KnownRun(tmp_path / "b.run"),
        KnownRun(tmp_path / "a.run", tmp_path / "a.toml"),
    ]


def test_two_windows_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "known-runs.json"

    def note(window: str) -> None:
        for number in range(6):
            RunRegister(path).note(tmp_path / f"{window}{number}.run")

    with ThreadPoolExecutor(2) as windows:
        list(windows.map(note, "ab"))
    names = {run.folder.stem for run in RunRegister(path).runs()}
    assert names == {f"{window}{number}" for window in "ab" for number in range(6)}


def test_a_run_that_goes_on_is_noted_once_and_keeps_its_run_file(
    register: RunRegister, tmp_path: Path
) -> None:
    register.note(tmp_path / "a.run", tmp_path / "a.toml")
    register.mark_end_known(tmp_path / "a.run")
    register.note(tmp_path / "b.run")
    register.note(tmp_path / "a.run")
    assert register.runs() == [
        KnownRun(tmp_path / "a.run", tmp_path / "a.toml"),
        KnownRun(tmp_path / "b.run"),
    ]


def test_only_so_many_runs_are_kept(register: RunRegister, tmp_path: Path) -> None:
    for number in range(60):
        register.note(tmp_path / f"{number}.run")
    assert [run.folder.stem for run in register.runs()] == [str(n) for n in range(59, 9, -1)]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"runs": [{"folder": "a"}]}', b"\xff"])
def test_a_damaged_register_counts_as_empty(
    register: RunRegister, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "known-runs.json").write_bytes(content)
    assert register.runs() == []
    register.note(tmp_path / "a.run")
    assert len(register.runs()) == 1


def test_a_run_whose_lock_is_held_is_at_work(register: RunRegister, tmp_path: Path) -> None:
    folder = make_run(tmp_path, "a", HELLO, step(1))
    register.note(folder.path)
    with RunLock(folder.lock_file):
        [found] = register.find()
    assert found.holder is not None
    assert found.outcome is None
    assert found.folder == folder


def test_an_end_is_found_until_it_is_told(register: RunRegister, tmp_path: Path) -> None:
    folder = make_run(tmp_path, "a", HELLO, step(3), DONE)
    register.note(folder.path)
    [found] = register.find()
    assert found.holder is None
    assert found.outcome is not None
    assert found.outcome.ending is Ending.COMPLETED
    register.mark_end_known(folder.path)
    assert register.find() == []


def test_a_run_whose_folder_was_removed_is_not_found(register: RunRegister, tmp_path: Path) -> None:
    register.note(tmp_path / "gone.run")
    assert register.find() == []


def test_a_disk_that_is_away_hides_no_other_run(register: RunRegister, tmp_path: Path) -> None:
    away = tmp_path / ("n" * 300) / "cat.run"  # as there, the system refuses to tell what is there
    folder = make_run(tmp_path, "dog", HELLO, step(3), DONE)
    register.note(folder.path)
    register.note(away)
    assert [run.folder.name for run in register.find()] == ["dog"]


def test_a_failure_is_told_in_the_trainers_words(tmp_path: Path) -> None:
    failed = Failed(kind="numeric", message=TextData(template="The loss is not finite."))
    outcome = past_outcome(make_run(tmp_path, "a", HELLO, step(2), failed))
    assert outcome.ending is Ending.FAILED
    assert str(outcome.sentence) == "The loss is not finite."


def test_a_run_that_went_on_and_fell_silent_has_crashed(tmp_path: Path) -> None:
    outcome = past_outcome(make_run(tmp_path, "a", HELLO, step(3), DONE, HELLO, step(4)))
    assert outcome.crashed
    assert outcome.step == 4


def test_the_end_of_a_long_run_is_found_at_its_end(tmp_path: Path) -> None:
    steps = [step(number) for number in range(1, 5000)]
    assert past_outcome(make_run(tmp_path, "a", HELLO, *steps, DONE)).ending is Ending.COMPLETED


def test_a_run_without_events_has_crashed(tmp_path: Path) -> None:
    assert past_outcome(RunFolder(tmp_path, "a")).crashed
