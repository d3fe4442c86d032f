"""What an overwritten run left is kept until its successor has completed, or comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from trainer_core.errors import OutputError
from trainer_core.files import replaced_run
from trainer_core.files.replaced_run import ReplacedRun
from trainer_core.files.run_folder import RunFolder

FINISHED: Mapping[str, bytes] = {
    "cat.safetensors": b"final",
    "cat-000001.safetensors": b"first epoch",
    "cat-state/manifest.json": b"{}",
    "cat-state/trained.safetensors": b"weights",
    "cat.run/run.toml": b"asked",
    "cat.run/effective.json": b"used",
    "cat.run/events.jsonl": b"events\n",
    "cat.run/trainer.log": b"old log\n",
    "cat.run/samples/00000004_00_7.png": b"picture",
}
FOREIGN: Mapping[str, bytes] = {
    "notes.txt": b"mine",
    "cat.replaced-2/mine.txt": b"mine",
    "cat.run/samples/holiday.png": b"mine",
    "cat.run/mine.md": b"mine",
    "cat.run/lock": b"held",
}


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture
def run(tmp_path: Path) -> ReplacedRun:
    write(tmp_path, {**FINISHED, **FOREIGN})
    return ReplacedRun(RunFolder(tmp_path, "cat"))


def attempt(folder: Path) -> None:
    """Write what a run leaves that ends before its first save."""
    records = {"run.toml": b"new", "events.jsonl": b"new\n", "trainer.log": b"new log\n"}
    write(folder / "cat.run", {**records, "samples/00000000_00_8.png": b"new"})


def test_everything_of_the_run_goes_into_one_folder_and_nothing_else(
    run: ReplacedRun, tmp_path: Path
) -> None:
    run.set_aside()

    moved = contents(tmp_path / "cat.replaced")
    assert {name: data for name, data in moved.items() if name != "replaced.json"} == FINISHED
    rest = contents(tmp_path)
    assert {name: d for name, d in rest.items() if not name.startswith("cat.replaced/")} == FOREIGN
    assert not run.folder.exists()


def test_what_comes_back_is_as_it_was_with_the_log_of_the_attempt(
    run: ReplacedRun, tmp_path: Path
) -> None:
    run.set_aside()
    attempt(tmp_path)

    assert run.put_back()
    log = {"cat.run/trainer.log": b"old log\nnew log\n"}
    assert contents(tmp_path) == {**FINISHED, **FOREIGN, **log}
    assert not run.is_any()


@pytest.mark.parametrize("saved", ["cat-step00000001.safetensors", "cat-state/manifest.json"])
def test_what_its_successor_has_saved_in_place_of_stays_aside(
    run: ReplacedRun, tmp_path: Path, saved: str
) -> None:
    run.set_aside()
    write(tmp_path, {saved: b"new"})

    assert not run.put_back()
    assert not run.recover()
    assert (tmp_path / "cat.replaced" / "cat.safetensors").read_bytes() == b"final"


def test_it_is_let_go_of_when_its_successor_has_completed(run: ReplacedRun, tmp_path: Path) -> None:
    run.set_aside()
    write(tmp_path, {"cat.safetensors": b"new"})
    run.set_aside()
    write(tmp_path, {"cat.safetensors": b"newer"})
    assert (tmp_path / "cat.replaced-3" / "cat.safetensors").read_bytes() == b"new"

    run.let_go()
    assert contents(tmp_path) == {**FOREIGN, "cat.safetensors": b"newer"}


class KilledError(BaseException):
    """Stands for the end of the process."""


MOVES = len(FINISHED)  # the two files of the state move as one, and the folder gets its last name


@pytest.mark.parametrize("survived", range(MOVES))
@pytest.mark.parametrize("act", [ReplacedRun.set_aside, ReplacedRun.put_back])
def test_killed_between_two_moves_everything_is_there_again_at_the_next_start(
    run: ReplacedRun,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    act: Callable[[ReplacedRun], object],
    survived: int,
) -> None:
    if act is ReplacedRun.put_back:
        run.set_aside()
    left, move, discard = [survived], replaced_run.move, replaced_run.discard

    def mortal(operation: Callable[..., None]) -> Callable[..., None]:
        def operate(*paths: Path) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise KilledError
            operation(*paths)

        return operate

    monkeypatch.setattr(replaced_run, "move", mortal(move))
    monkeypatch.setattr(replaced_run, "discard", mortal(discard))
    with pytest.raises(KilledError):
        act(run)
    monkeypatch.setattr(replaced_run, "move", move)
    monkeypatch.setattr(replaced_run, "discard", discard)

    run.recover()
    assert contents(tmp_path) == {**FINISHED, **FOREIGN}
    assert not run.recover()


def test_a_move_that_fails_leaves_everything_where_it_was(
    run: ReplacedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    move = replaced_run.move

    def refusing(source: Path, target: Path) -> None:
        if source.name == "effective.json" and target.parent.parent.name == "cat.replaced.part":
            raise OutputError("another program holds it")
        move(source, target)

    monkeypatch.setattr(replaced_run, "move", refusing)
    with pytest.raises(OutputError, match="holds it"):
        run.set_aside()
    assert contents(tmp_path) == {**FINISHED, **FOREIGN}


def test_links_move_as_links(tmp_path: Path) -> None:
    write(tmp_path, {"elsewhere/model.safetensors": b"mine"})
    (tmp_path / "cat.safetensors").symlink_to("elsewhere/model.safetensors")
    (tmp_path / "cat-state").symlink_to("elsewhere")
    run = ReplacedRun(RunFolder(tmp_path, "cat"))

    run.set_aside()
    assert not run.folder.exists()
    run.put_back()
    assert (tmp_path / "cat-state").is_symlink()
    run.set_aside()
    run.let_go()
    assert contents(tmp_path) == {"elsewhere/model.safetensors": b"mine"}


def test_a_folder_of_that_name_without_our_mark_is_the_user_s(tmp_path: Path) -> None:
    write(tmp_path, {"cat.replaced/cat.safetensors": b"mine"})
    run = ReplacedRun(RunFolder(tmp_path, "cat"))

    assert not run.is_any()
    assert not run.recover()
    run.let_go()
    assert contents(tmp_path) == {"cat.replaced/cat.safetensors": b"mine"}
