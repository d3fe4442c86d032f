"""Going on: from a kill before any file operation, at the end, from damage, without a state."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from helpers.folder_content import content_of
from helpers.kill_points import KillServer, Left, kinds_of
from helpers.kill_server import KILLED
from helpers.pictures import write_picture
from helpers.run_results import Result
from helpers.tiny_model import TinySD1
from helpers.trainer_process import TinyProject

from trainer_core.files.run_folder import RunFolder
from trainer_core.model_files.trained_weights import weights_written_by
from trainer_core.protocol.messages import Failed, Finished, StepDone, Warned

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="Windows has no fork"),
    pytest.mark.timeout(900),
]

ALL = os.environ.get("LOOM_EVERY_KILL_POINT") == "1"
GOING_ON = ("--continue", "--overwrite")
REALLY_KILLED = 2

RUNS: Mapping[str, Mapping[str, object]] = {
    "with states": {
        "output.save_every_n_steps": 1,
        "output.save_last_n_steps": 1,
        "output.save_every_n_epochs": 1,
        "output.save_state": True,
        "optimizer.max_train_steps": 3,
        "sampling.sample_every_n_steps": 2,
    },
    "without states": {
        "output.save_every_n_steps": 1,
        "optimizer.max_train_steps": 2,
        "sampling.sample_every_n_steps": 1,
    },
    "made longer": {
        "output.save_every_n_steps": 2,
        "output.save_state": True,
        "optimizer.max_train_steps": 4,
    },
}
BEFORE = {"made longer": {"optimizer.max_train_steps": 2}}


class Laboratory:
    """Runs of one story, each in an output folder of its own."""

    def __init__(self, project: TinyProject, server: KillServer, story: str) -> None:
        self.project, self.server = project, server
        self._values = RUNS[story]
        self.copies = project.folder / f"copies {story}"
        self._before: Path | None = None
        if story in BEFORE:
            first = self._folder(f"before {story}")
            assert server.run(self.words(first, changes=BEFORE[story])) == 0, server.log
            self._before = first.output_dir
        self.straight = self._begun(f"straight {story}")
        words = self.words(self.straight, *self._flags)
        watching = {"watched": self.straight.output_dir, "copies": self.copies}
        assert server.run(words, **watching) == 0, server.log

    def words(
        self, folder: RunFolder, *flags: str, changes: Mapping[str, object] | None = None
    ) -> list[object]:
        values = {**self._values, "output.output_dir": str(folder.output_dir), **(changes or {})}
        return ["train", self.project.run_file(values), *flags]

    def recovered(self, number: int) -> Left:
        """Go on from what was there before the operation of this number."""
        folder = self._folder("recovered")
        shutil.copytree(self.copies / str(number), folder.output_dir)
        return self.gone_on(folder)

    def gone_on(self, folder: RunFolder) -> Left:
        code = self.server.run(self.words(folder, *GOING_ON))
        assert code == 0, self.server.log
        return Left.by(folder)

    def killed(self, number: int) -> RunFolder:
        """Kill a run before the operation of this number."""
        folder = self._begun("killed")
        words = self.words(folder, *self._flags)
        assert self.server.run(words, watched=folder.output_dir, killed_at=number) == KILLED
        return folder

    @property
    def _flags(self) -> tuple[str, ...]:
        return ("--continue",) if self._before is not None else ()

    def _begun(self, name: str) -> RunFolder:
        folder = self._folder(name)
        if self._before is not None:
            shutil.copytree(self._before, folder.output_dir)
        return folder

    def _folder(self, name: str) -> RunFolder:
        output = self.project.folder / name
        shutil.rmtree(output, ignore_errors=True)
        return RunFolder(output, "tiny")


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: TinySD1
) -> Iterator[tuple[TinyProject, KillServer]]:
    folder = tmp_path_factory.mktemp("killed")
    for name in "ab":
        write_picture(folder / "pictures" / "1_robot" / f"{name}.png", (64, 64))
    prompts = folder / "prompts.txt"
    prompts.write_text("a robot --w 64 --h 64 --s 1\n", encoding="utf-8")
    project = TinyProject(folder, tiny_model.folder, folder / "pictures")
    project.values |= {"buckets.resolution": [64, 64], "sampling.sample_prompts": str(prompts)}
    warm_up = project.run_file({"sampling.sample_every_n_steps": 1}, "warm.toml")
    with KillServer(folder, ["train", warm_up]) as process:
        yield project, process


@pytest.fixture(scope="module", params=list(RUNS))
def laboratory(
    request: pytest.FixtureRequest, server: tuple[TinyProject, KillServer]
) -> Laboratory:
    return Laboratory(*server, request.param)


def test_whatever_was_on_the_disk_the_run_ends_as_a_straight_one(laboratory: Laboratory) -> None:
    expected = Left.by(laboratory.straight)
    numbers = kinds_of(laboratory.copies)
    found = {number: laboratory.recovered(number).differences(expected) for number in numbers}

    assert len(numbers) > 10
    assert not {number: names for number, names in found.items() if names}


def test_a_process_that_is_killed_leaves_no_more_and_no_less(laboratory: Laboratory) -> None:
    """Every point with ``LOOM_EVERY_KILL_POINT=1``, which takes some minutes."""
    count = len(list(laboratory.copies.iterdir()))
    numbers = range(count) if ALL else random.Random(1).sample(range(1, count), REALLY_KILLED)
    expected = Left.by(laboratory.straight)
    found = {
        number: laboratory.gone_on(laboratory.killed(number)).differences(expected)
        for number in numbers
    }

    assert not {number: names for number, names in found.items() if names}


# ------------------------------------------------------------------ the end, damage, no state

SAVES = {"output.save_every_n_steps": 2, "output.save_state": True}


class Finished4:
    """A run of four steps that is done, in a folder of its own."""

    def __init__(self, project: TinyProject, server: KillServer, output: Path) -> None:
        self.server, self.folder = server, RunFolder(output, "tiny")
        self._project = project

    def train(self, *flags: object, changes: Mapping[str, object] | None = None) -> int:
        values = {**SAVES, "output.output_dir": str(self.folder.output_dir), **(changes or {})}
        return self.server.run(["train", self._project.run_file(values, "four.toml"), *flags])

    def content(self) -> Mapping[str, bytes]:
        found = content_of(self.folder.output_dir)
        return {name: data for name, data in found.items() if not name.startswith("tiny.run/")}


@pytest.fixture
def done(server: tuple[TinyProject, KillServer], tmp_path: Path) -> Finished4:
    run = Finished4(*server, tmp_path / "output")
    assert run.train() == 0, run.server.log
    return run


def test_what_is_done_is_told_and_left_alone(done: Finished4) -> None:
    before = done.content()

    for flags in (["--continue"], ["--continue", "--overwrite"]):
        assert done.train(*flags) == 0
        assert "All 4 steps of tiny are done" in str(done.server.of(Warned)[-1].message)
        [end] = done.server.of(Finished)
        assert (end.reason, end.step, end.total_steps) == ("completed", 4, 4)
        assert end.weights == str(done.folder.final_weights)
        assert done.content() == before


def test_a_result_that_is_missing_is_written_from_the_end_state(done: Finished4) -> None:
    before = done.content()
    done.folder.final_weights.unlink()

    assert done.train("--resume", done.folder.newest_state()) == 0, done.server.log
    assert not done.server.of(StepDone)
    after = done.content()
    assert after.keys() == before.keys()
    assert Left.by(done.folder).told[2] == ("completed", 4, 4, "tiny.safetensors", "tiny-state")


def test_a_finished_run_goes_on_when_it_is_made_longer(done: Finished4) -> None:
    length = {"optimizer.max_train_steps": 6}

    assert done.train("--continue", changes=length) == 0, done.server.log
    assert [event.step for event in done.server.of(StepDone)] == [5, 6]
    steps = {path.name: weights_written_by(path).step for path in done.folder.weights()}
    assert steps == {
        "tiny-step00000002.safetensors": 2,
        "tiny-step00000004.safetensors": 4,
        "tiny.safetensors": 6,
    }


@pytest.mark.parametrize("name", ["optimizer.safetensors", "manifest.json"])
def test_a_damaged_newest_state_names_the_newest_sound_one(done: Finished4, name: str) -> None:
    expected = Left.by(done.folder)
    done.folder.final_weights.unlink()
    newest, sound = (done.folder.output_dir / f"tiny{each}-state" for each in ("", "-step00000002"))
    content = bytearray((newest / name).read_bytes())
    content[len(content) // 2] ^= 4
    (newest / name).write_bytes(content)

    assert done.train("--continue") == 2
    [failed] = done.server.of(Failed)
    assert (failed.kind, failed.state) == ("state", str(sound))
    assert "tiny-state is damaged" in str(failed.message)
    assert f"The newest sound state is {sound} (step 2)" in str(failed.hint)
    assert done.train("--resume", sound) == 0, done.server.log
    after = Left.by(done.folder)
    assert (after.weights, after.steps) == (expected.weights, expected.steps)
    assert after.names == expected.names


def test_without_a_state_one_flag_begins_anew(
    server: tuple[TinyProject, KillServer], tmp_path: Path
) -> None:
    run = Finished4(*server, tmp_path / "output")
    without = {"output.save_state": False}

    assert run.train("--continue", changes=without) == 2
    [failed] = run.server.of(Failed)
    assert "--overwrite" in str(failed.hint)
    assert run.train("--continue", "--overwrite", changes=without) == 0
    run.folder.final_weights.unlink()
    assert run.train("--continue", "--overwrite", changes=without) == 0
    assert len(Result(run.folder).steps) == 4


def test_another_base_model_is_told(done: Finished4, tiny_model: TinySD1, tmp_path: Path) -> None:
    copy = shutil.copytree(tiny_model.folder, tmp_path / "moved")
    longer = {"optimizer.max_train_steps": 5, "model.pretrained_model_name_or_path": str(copy)}

    assert done.train("--continue", changes=longer) == 0
    assert not [each for each in done.server.of(Warned) if "base model" in str(each.message)]
    weights = copy / "unet" / "diffusion_pytorch_model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-2] ^= 1
    weights.write_bytes(content)
    assert done.train("--continue", changes={**longer, "optimizer.max_train_steps": 6}) == 0
    assert [each for each in done.server.of(Warned) if "base model is not" in str(each.message)]
