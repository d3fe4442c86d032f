"""Every way to stop, pause and ask, with the real process."""

import signal
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from helpers.run_results import Result
from helpers.stories import STORIES, Stopped, Told, ask_to_stop
from helpers.tiny_model import TinySD1
from helpers.trainer_process import Ended, TinyProject, TrainerProcess
from PIL import Image

from trainer_core.checkpoints.state import read_state
from trainer_core.files.run_folder import RunFolder
from trainer_core.protocol.messages import (
    CheckpointSaved,
    Continue,
    Detach,
    Detached,
    EventBase,
    Finished,
    Hello,
    Pause,
    Phase,
    Progress,
    SampleNow,
    SampleReady,
    SaveNow,
    StepDone,
    Stop,
)

pytestmark = pytest.mark.timeout(600)  # the first test here waits for all the runs

NOW = Stop(save=False)
QUICK_PICTURE = "a robot --w 64 --h 64 --s 1"
SLOW_PICTURE = "a robot --w 64 --h 64 --s 1000"


@dataclass(frozen=True)
class Outcome:
    """A process that was asked things, and what it left."""

    ended: Ended
    left: Result

    @property
    def finished(self) -> Finished:
        (finished,) = self.ended.of(Finished)
        return finished

    @property
    def results(self) -> set[str]:
        """What lies beside the run's own folder."""
        folder = self.left.folder
        return {path.name for path in folder.output_dir.iterdir() if path != folder.path}


class Asking:
    """Projects of long runs, each in a folder of its own, and what happens when they are asked."""

    def __init__(self, folder: Path, model: Path) -> None:
        self._folder, self._model = folder, model

    def project(self, name: str, side: int = 64, count: int = 2) -> TinyProject:
        folder = self._folder / name
        (folder / "pictures").mkdir(parents=True)
        for number in range(count):  # no two alike: those would be encoded once
            picture = Image.new("RGB", (side, side), (number, 0, 0))
            picture.save(folder / "pictures" / f"{number}.png")
        changes = {
            "optimizer.max_train_steps": 100_000,
            "buckets.resolution": [side, side],
            "buckets.bucket_no_upscale": True,
            "sampling.sample_prompts": str(self._prompts(folder)),
        }
        return TinyProject(folder, self._model, folder / "pictures", changes)

    def _prompts(self, folder: Path) -> Path:
        path = folder / "prompts.txt"
        path.write_text(f"{QUICK_PICTURE}\n{SLOW_PICTURE}\n", encoding="utf-8")
        return path

    def everything(self) -> Outcome:
        """Pause, save, leave, go on, draw; stop by the control folder amid a picture."""
        project = self.project("everything")
        control = RunFolder(project.output, "tiny").control
        with TrainerProcess("train", project.run_file()) as process:
            process.wait_for(StepDone, lambda e: e.step >= 2)
            process.send(Pause())
            process.wait_for(Phase, lambda e: e.phase == "paused")
            process.send(SaveNow())
            process.wait_for(Phase, lambda e: e.phase == "paused")
            process.send(Detach())
            process.wait_for(Detached)
            process.send(Continue())
            process.wait_for(StepDone)
            process.send(SampleNow())
            process.wait_for(SampleReady)
            ask_to_stop(process, "folder", control)
            return Outcome(process.end(), Result.at(project.output, "tiny"))

    def while_training(self) -> Outcome:
        """Stop without saving after a step."""
        project = self.project("training")
        with TrainerProcess("train", project.run_file()) as process:
            process.wait_for(StepDone, lambda e: e.step >= 2)
            process.send(NOW)
            return Outcome(process.end(), Result.at(project.output, "tiny"))

    def while_sampling(self) -> Outcome:
        """Stop in the pictures before the first step."""
        project = self.project("sampling")
        changes = {"sampling.sample_at_first": True, "sampling.sample_every_n_steps": 1000}
        with TrainerProcess("train", project.run_file(changes)) as process:
            process.wait_for(SampleReady)
            process.send(Stop())
            return Outcome(process.end(), Result.at(project.output, "tiny"))

    def while_loading(self) -> Outcome:
        """Terminate while libraries and model are loaded."""
        project = self.project("loading")
        with TrainerProcess("train", project.run_file()) as process:
            process.wait_for(Hello, lambda e: e.run_id != "")
            process.signal(signal.SIGTERM)
            return Outcome(process.end(), Result.at(project.output, "tiny"))

    def while_resuming(self) -> Outcome:
        """Stop and save, go on, and terminate before the model is loaded again."""
        project = self.project("resuming")
        with TrainerProcess("train", project.run_file()) as process:
            process.wait_for(StepDone, lambda e: e.step >= 2)
            process.send(Stop())
            process.end()
        with TrainerProcess("train", project.run_file(), "--continue") as process:
            process.wait_for(Hello, lambda e: e.run_id != "")
            process.signal(signal.SIGTERM)
            return Outcome(process.end(), Result.at(project.output, "tiny"))

    def while_caching(self) -> Outcome:
        """Stop while pictures are encoded."""
        project = self.project("caching", side=512, count=40)
        with TrainerProcess("train", project.run_file()) as process:
            process.wait_for(Progress, lambda e: e.done > 0)
            process.send(Stop())
            return Outcome(process.end(), Result.at(project.output, "tiny"))


@pytest.fixture(scope="module")
def outcomes(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: TinySD1
) -> Mapping[str, Future[Outcome]]:
    asking = Asking(tmp_path_factory.mktemp("asking"), tiny_model.folder)
    with ThreadPoolExecutor(3) as pool:
        return {
            ask.__name__: pool.submit(ask)
            for ask in (
                asking.everything,
                asking.while_training,
                asking.while_sampling,
                asking.while_loading,
                asking.while_resuming,
                asking.while_caching,
            )
        }


@pytest.fixture
def everything(outcomes: Mapping[str, Future[Outcome]]) -> Outcome:
    return outcomes["everything"].result()


def kinds(events: list[EventBase], first: int, last: int) -> set[type[EventBase]]:
    return {type(event) for event in events[first:last]}


def phase_indices(ended: Ended, phase: str) -> list[int]:
    return [
        index
        for index, event in enumerate(ended.events)
        if isinstance(event, Phase) and event.phase == phase
    ]


def check_resumable(left: Result, step: int) -> None:
    """Check that weights and a complete state of ``step`` are there."""
    suffix = f"-step{step:08d}"
    assert read_state(left.state(suffix)).facts.position.step == step
    assert left.metadata(suffix)["ss_steps"] == str(step)
    assert all(tensor.isfinite().all() for tensor in left.weights(suffix).values())


STOPS = [(name, number) for name, story in STORIES.items() for number in range(len(story.stops))]


@pytest.fixture(params=STOPS, ids=lambda param: STORIES[param[0]].stops[param[1]])
def stopped(request: pytest.FixtureRequest, stories: Mapping[str, Told]) -> Stopped:
    name, number = request.param
    return stories[name].stops[number]


def test_stopping_saves_weights_and_a_state_of_the_last_step(stopped: Stopped) -> None:
    check_resumable(stopped.left, stopped.ended.steps[-1])


def test_a_stopped_run_says_what_it_saved(stopped: Stopped) -> None:
    (finished,) = stopped.ended.of(Finished)
    step = stopped.ended.steps[-1]
    assert (finished.reason, finished.step) == ("stopped", step)
    assert finished.weights is not None
    assert finished.state is not None
    assert Path(finished.weights).name == f"toy-step{step:08d}.safetensors"
    assert Path(finished.state).name == f"toy-step{step:08d}-state"


def test_the_exit_code_tells_a_signal_from_a_command(stopped: Stopped) -> None:
    assert stopped.ended.code == {"stdin": 0, "SIGINT": 130, "SIGTERM": 143}[stopped.way]


def test_a_stop_left_in_the_control_folder_is_obeyed(everything: Outcome) -> None:
    assert everything.ended.code == 0
    assert everything.finished.reason == "stopped"
    check_resumable(everything.left, everything.ended.steps[-1])
    assert not list(everything.left.folder.control.iterdir())


def test_no_step_is_done_while_paused(everything: Outcome) -> None:
    ended = everything.ended
    paused = phase_indices(ended, "paused")
    training = next(index for index in phase_indices(ended, "training") if index > paused[-1])
    assert StepDone not in kinds(list(ended.events), paused[0], training)
    assert StepDone in kinds(list(ended.events), training, len(ended.events))


def test_save_now_saves_at_once_also_while_paused(everything: Outcome) -> None:
    first, second, *_ = phase_indices(everything.ended, "paused")
    between = everything.ended.events[first:second]
    saves = [event for event in between if isinstance(event, CheckpointSaved)]
    step = [e.step for e in everything.ended.events[:first] if isinstance(e, StepDone)][-1]
    assert sorted((save.kind, save.step) for save in saves) == [("state", step), ("weights", step)]
    check_resumable(everything.left, step)


def test_detach_is_answered_and_nothing_ends(everything: Outcome) -> None:
    events = list(everything.ended.events)
    answer = next(index for index, event in enumerate(events) if isinstance(event, Detached))
    assert StepDone in kinds(events, answer, len(events))


def test_sample_now_draws(everything: Outcome) -> None:
    drawn = everything.ended.of(SampleReady)[0]
    assert drawn.prompt_index == 0
    assert Path(drawn.path).is_file()


def test_a_stop_breaks_off_the_picture_that_is_being_drawn(everything: Outcome) -> None:
    assert [drawn.prompt_index for drawn in everything.ended.of(SampleReady)] == [0]


def test_stop_without_saving_leaves_nothing_but_the_runs_folder(
    outcomes: Mapping[str, Future[Outcome]],
) -> None:
    outcome = outcomes["while_training"].result()
    assert (outcome.ended.code, outcome.finished.reason) == (0, "stopped")
    assert outcome.finished.step == outcome.ended.steps[-1] >= 2
    assert outcome.results == set()


@pytest.mark.parametrize(
    ("when", "code"), [("while_sampling", 0), ("while_loading", 143), ("while_caching", 0)]
)
def test_a_stop_before_the_first_step_ends_there(
    outcomes: Mapping[str, Future[Outcome]], when: str, code: int
) -> None:
    outcome = outcomes[when].result()
    assert (outcome.ended.code, outcome.finished.reason) == (code, "stopped")
    assert outcome.ended.steps == []
    assert outcome.results == set()


def test_a_stop_while_caching_does_not_wait_for_the_last_picture(
    outcomes: Mapping[str, Future[Outcome]],
) -> None:
    last = outcomes["while_caching"].result().ended.of(Progress)[-1]
    assert last.done < last.total


def test_a_stop_before_a_resumed_run_goes_on_tells_where_it_stands(
    outcomes: Mapping[str, Future[Outcome]],
) -> None:
    outcome = outcomes["while_resuming"].result()
    assert outcome.ended.steps == []
    state = read_state(outcome.left.folder.newest_state())
    assert state.facts.position.step >= 2
    assert outcome.finished.step == state.facts.position.step
    assert outcome.finished.state == str(state.folder)
