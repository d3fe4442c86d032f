"""What is needed is held against what is free, disk by disk."""

from __future__ import annotations

from pathlib import Path

from trainer_core.disk_space.needs import CACHE, OUTPUT, Need
from trainer_core.disk_space.room import (
    Disk,
    demands,
    disk_of,
    space_problems,
    without_present,
)
from trainer_core.files.run_folder import RunFolder
from trainer_core.settings.problems import Severity

OUT, CACHED = Path("/out"), Path("/cache")
NEEDS = [Need(CACHE, CACHED, 300), Need(OUTPUT, OUT, 700)]


def test_needs_on_one_disk_are_held_against_its_room_together() -> None:
    (demand,) = demands(NEEDS, lambda folder: Disk(1, 999))

    assert (demand.num_bytes, demand.is_met) == (1000, False)
    (problem,) = space_problems([demand])
    assert (problem.path, problem.severity) == (OUTPUT, Severity.WARNING)
    assert str(problem.message) == "This run needs up to 1 KiB in /out, and 1 KiB are free."


def test_each_disk_is_told_by_what_needs_it() -> None:
    rooms = {OUT: Disk(1, 699), CACHED: Disk(2, 299)}

    problems = space_problems(demands(NEEDS, lambda folder: rooms[folder]))
    assert [problem.path for problem in problems] == [CACHE, OUTPUT]
    assert "turn off cache_latents_to_disk" in str(problems[0].ways_out[0].message)


def test_nothing_is_said_where_there_is_room_or_nobody_knows() -> None:
    assert space_problems(demands(NEEDS, lambda folder: Disk(1, 1000))) == []
    assert demands(NEEDS, lambda folder: None) == ()


def test_a_folder_that_is_to_be_made_is_on_the_disk_of_the_one_above(tmp_path: Path) -> None:
    disk = disk_of(tmp_path / "new" / "folder")

    assert disk is not None
    assert disk.number == tmp_path.stat().st_dev
    assert disk.free_bytes > 0


def test_what_a_run_wrote_before_needs_no_room_again(tmp_path: Path) -> None:
    (tmp_path / "cat.safetensors").write_bytes(bytes(100))
    (tmp_path / "cat-state").mkdir()
    (tmp_path / "cat-state" / "manifest.json").write_bytes(bytes(20))
    (tmp_path / "dog.safetensors").write_bytes(bytes(1000))
    wanted = [Need(OUTPUT, tmp_path, 200), Need(CACHE, CACHED, 300)]

    left = without_present(wanted, RunFolder(tmp_path, "cat"))
    assert [need.num_bytes for need in left] == [80, 300]
