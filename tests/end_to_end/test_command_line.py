"""The trainer's command line as people type it: answers, exit codes, paths, run files, streams."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.folder_content import content_of
from helpers.pictures import write_picture
from helpers.tiny_model import TinySD1
from helpers.trainer_process import (
    Ended,
    TinyProject,
    TrainerProcess,
    run_trainer,
    trainer_command,
)

from trainer_core.catalogue.tools import TOOLS
from trainer_core.environment.launch import EVENTS_VARIABLE
from trainer_core.files.run_folder import RunFolder
from trainer_core.protocol.messages import EVENT_MARK, Finished, Hello, Phase, Plan, StepDone
from trainer_core.settings import files
from trainer_core.settings.schema import TRAIN
from trainer_core.version import __version__

# Whatever needs torch fails at once.
WITHOUT_TORCH = "import sys; sys.modules['torch'] = None"
NOBODY_ASKS = {EVENTS_VARIABLE: ""}  # for events: people read what is told


# ------------------------------------------------------------------ describe


def test_describe_names_every_setting_for_people() -> None:
    ended = run_trainer("describe", before=WITHOUT_TORCH)

    assert ended.code == 0
    for param in TRAIN.params().values():
        assert f"  {param.name}  (" in ended.out
        assert param.spec.help in ended.out


def test_describe_gives_every_setting_as_json() -> None:
    ended = run_trainer("describe", "--json", before=WITHOUT_TORCH)

    records = json.loads(ended.out)
    assert [f"{each['section']}.{each['name']}" for each in records] == list(TRAIN.params())
    [rank] = [each for each in records if each["name"] == "network_dim"]
    assert (rank["type"], rank["default"], rank["minimum"]) == ("int", 8, 1)


def test_a_reader_who_has_seen_enough_is_no_error() -> None:
    command = subprocess.Popen(
        trainer_command("describe"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    command.stdout.close()

    _, log = command.communicate(timeout=60)

    assert log == b""


def test_the_version_is_told() -> None:
    ended = run_trainer("--version")

    assert (ended.code, ended.out.strip()) == (0, __version__)


# ------------------------------------------------------------------ check


@pytest.mark.slow
def test_check_of_a_sound_run_tells_the_plan_and_exits_with_0(project: TinyProject) -> None:
    ended = run_trainer("check", project.run_file())

    assert (ended.code, ended.log) == (0, "")
    assert "1_robot: 5 pictures x 1 = 5 per epoch" in ended.out
    assert "bucket 128 x 64: 2 in 2 batches" in ended.out
    assert "optimizer steps: 5 per epoch, 4 in all" in ended.out
    assert not project.output.exists()


@pytest.mark.slow
def test_check_gives_problems_and_plan_as_json(project: TinyProject) -> None:
    changes = {"buckets.resolution": [512, 512]}
    ended = run_trainer("check", "--json", project.run_file(changes))

    answer = json.loads(ended.out)
    assert ended.code == 1, "small pictures are a warning"
    assert {problem["severity"] for problem in answer["problems"]} == {"warning"}
    plan = answer["plan"]
    assert (plan["pictures"], plan["batches_per_epoch"], plan["total_steps"]) == (5, 5, 4)
    assert {(b["width"], b["height"], b["count"]) for b in plan["buckets"]} == {
        (64, 64, 3),
        (128, 64, 2),
    }
    assert set(plan["trainable_parameters"]) == {"unet", "text_encoder"}


def test_check_names_every_problem_at_once_and_exits_with_2(project: TinyProject) -> None:
    (project.pictures / "1_robot" / "a.png").write_bytes(b"no picture")
    changes = {
        "model.pretrained_model_name_or_path": "gone",
        "output.output_name": "a/b",
        "sampling.sample_prompts": "gone.txt",
    }
    ended = run_trainer("check", "--json", project.run_file(changes))

    problems = json.loads(ended.out)["problems"]
    errors = {problem["path"] for problem in problems if problem["severity"] == "error"}
    assert (ended.code, errors) == (2, {*changes, "dataset.train_data_dir"})


@pytest.mark.slow
def test_check_tries_the_optimizer(project: TinyProject) -> None:
    ended = run_trainer("check", project.run_file(), "--optimizer_args", "momentum=0.9")

    assert ended.code == 2
    assert "error: optimizer.optimizer_args: AdamW has no argument momentum." in ended.out


# ------------------------------------------------------------------ flags


@pytest.mark.slow
def test_flags_go_before_the_run_file(project: TinyProject) -> None:
    flags = ("--max_train_steps", "unset", "--set", "optimizer.epoch=3", "--enable_bucket=false")
    ended = run_trainer("check", project.run_file(), "--json", *flags)

    plan = json.loads(ended.out)["plan"]
    assert (plan["total_steps"], len(plan["buckets"])) == (15, 1)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["train", "run.toml", "--lerning_rate", "1"], "Did you mean --learning_rate?"),
        (["check", "run.toml", "--jsn"], "Did you mean --json?"),
        (["check", "run.toml", "--continue"], "unrecognized arguments: --continue.\n"),
        (["train"], "RUN.toml"),
        (["trian", "run.toml"], "'train'"),
        ([], "COMMAND"),
    ],
)
def test_a_mistake_on_the_command_line_is_told_in_a_few_lines(
    words: list[str], answer: str
) -> None:
    ended = run_trainer(*words, before=WITHOUT_TORCH)

    assert (ended.code, ended.out) == (2, "")
    assert answer in ended.log
    assert len(ended.log.splitlines()) <= 3


@pytest.mark.parametrize(
    ("words", "kind", "answer"),
    [
        (["--set", "lerning_rate=1"], "settings", "Did you mean learning_rate?"),
        (["--set", "learning_rate"], "settings", "--set key=value"),
        (["--learning_rate", "fast"], "settings", "must be a number"),
        (["--optimizer_type", "adamw"], "settings", "Did you mean AdamW?"),
        (["--flip_aug", "maybe"], "settings", "true or false"),
        (["--resolution", "512x512"], "settings", "a list of 2 values"),
        (["--train_data_dir", "gone"], "dataset", "gone does not exist"),
        (["--pretrained_model_name_or_path", "gone"], "model_file", "gone does not exist"),
        (["--sample_prompts", "gone.txt"], "settings", "gone.txt does not exist"),
        (["--output_name", "NUL"], "settings", "NUL is the name of a device"),
    ],
)
def test_a_mistake_is_told_before_torch_is_loaded(
    project: TinyProject, words: list[str], kind: str, answer: str
) -> None:
    ended = run_trainer("train", project.run_file(), *words, before=WITHOUT_TORCH)

    assert (ended.code, ended.failed.kind) == (2, kind)
    assert answer in f"{ended.failed.message} {ended.failed.hint}"


# ------------------------------------------------------------------ run files and paths


@pytest.mark.slow
def test_paths_in_a_run_file_are_meant_from_its_folder(
    project: TinyProject, tmp_path: Path
) -> None:
    folder = tmp_path / "größe 大 & co"
    shutil.copytree(project.model, folder / "base")
    shutil.copytree(project.pictures, folder / "my pictures")
    changes = {
        "model.pretrained_model_name_or_path": "base",
        "dataset.train_data_dir": "my pictures",
        "output.output_dir": "results/new",
        "output.output_name": "名前 ü",
    }
    project.run_file(changes, f"{folder.name}/my run.toml")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    ended = run_trainer("train", folder / "my run.toml", cwd=elsewhere)

    assert ended.code == 0
    weights = folder / "results" / "new" / "名前 ü.safetensors"
    assert ended.of(Finished)[0].weights == str(weights)
    assert weights.is_file()
    assert list(elsewhere.iterdir()) == []


def test_paths_in_flags_are_meant_from_the_working_folder(
    project: TinyProject, tmp_path: Path
) -> None:
    here = tmp_path / "here"
    here.mkdir()

    ended = run_trainer(
        "train", project.run_file(), "--train_data_dir", "./gone ü", cwd=here, before=WITHOUT_TORCH
    )

    assert str(here / "gone ü") in str(ended.failed.message)


@pytest.mark.parametrize(
    ("before", "after"), [(b"\n", b"\r\n"), (b"format", b"\xef\xbb\xbfformat")]
)
def test_run_files_of_windows_editors_are_read(
    project: TinyProject, before: bytes, after: bytes
) -> None:
    run_file = project.run_file({"output.output_name": "größe?"})
    run_file.write_bytes(run_file.read_bytes().replace(before, after))

    ended = run_trainer("train", run_file, before=WITHOUT_TORCH)

    assert str(ended.failed.message).startswith("größe? contains ?")


KOHYA = b'pretrained_model_name_or_path = "x"\nnetwork_module = "networks.lora"\n'


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        (b'{"format": "loom/2"}', "is a JSON file, not a run file (TOML)", "Choose"),
        (KOHYA, "holds settings for sd-scripts", "enter its values in a new one"),
        (b'format = "loom/3"\n', "has format loom/3", "Update"),
        (b'format = "loom/2"\n[model]\npath = "C:\\Users\\me"\n', "not a valid TOML", "with /"),
        (b'format = "loom/2"\n[output]\noutput_dir = "\xfcber"\n', "not UTF-8", "Save it as UTF-8"),
        (b"", "is not a LoRA Loom run file", "Add that line"),
    ],
)
def test_what_is_no_run_file_is_told_apart(
    tmp_path: Path, content: bytes, message: str, hint: str
) -> None:
    path = tmp_path / "my run.toml"
    path.write_bytes(content)

    ended = run_trainer("train", path, before=WITHOUT_TORCH)

    assert (ended.code, ended.failed.kind) == (2, "settings")
    assert str(path) in str(ended.failed.message)
    assert message in str(ended.failed.message)
    assert hint in str(ended.failed.hint)


def test_a_folder_or_a_missing_file_is_no_run_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "gone.toml"):
        ended = run_trainer("train", path, before=WITHOUT_TORCH)

        assert (ended.code, ended.failed.kind) == (2, "settings")
        assert str(path) in str(ended.failed.message)
        assert "run file" in str(ended.failed.hint)


def test_a_demo_that_cannot_be_copied_is_an_error_in_words(tmp_path: Path) -> None:
    obstacle = tmp_path / "notes.txt"
    obstacle.write_text("mine", encoding="utf-8")

    ended = run_trainer("demo", "--folder", obstacle / "demo", before=WITHOUT_TORCH)

    assert ended.code == 2
    assert f"{obstacle} is a file, not a folder." in ended.log
    assert "Traceback" not in ended.log


# ------------------------------------------------------------------ one name, one run


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny_model: TinySD1) -> TinyProject:
    folder = tmp_path_factory.mktemp("trained")
    write_picture(folder / "pictures" / "a.png")
    return TinyProject(folder, tiny_model.folder, folder / "pictures")


@pytest.fixture(scope="module")
def first_run(trained: TinyProject) -> Ended:
    """What was said in the training that `trained` went through."""
    return run_trainer("train", trained.run_file())


@pytest.mark.slow
def test_stdout_carries_events_alone_and_stderr_the_log(first_run: Ended) -> None:
    assert first_run.code == 0
    log = first_run.log.splitlines()
    assert log[-1].partition(f"INFO {EVENT_MARK} ")[2].startswith("Done: 4 steps trained.")
    assert all(re.match(r"[-\d]+ [\d:,]+ (INFO|WARNING) ", line) for line in log)
    assert len(first_run.out.splitlines()) == len(first_run.events)
    assert [type(event) for event in first_run.events[:2]] == [Hello, Phase]
    assert len(first_run.of(Plan)) == 1
    assert first_run.steps == [1, 2, 3, 4]
    assert isinstance(first_run.events[-1], Finished)


@pytest.mark.parametrize("command", [["train"], ["tool", next(iter(TOOLS))]])
def test_programs_are_told_how_to_ask_for_events(command: list[str]) -> None:
    ended = run_trainer(*command, "--help", before=WITHOUT_TORCH)

    assert f"{EVENTS_VARIABLE}=1" in ended.out


@pytest.mark.slow
def test_people_behind_a_pipe_get_plain_lines(project: TinyProject) -> None:
    # As ``train run.toml | tee log`` does.
    ended = run_trainer("train", project.run_file(), env=NOBODY_ASKS)

    assert ended.code == 0, ended.log
    assert ended.events == []
    assert "\r" not in ended.out
    told = ended.out.splitlines()
    assert told[0] == "Starting ..."
    assert "caching: 2 of 2" in told
    assert any(re.fullmatch(r"Step 4 of 4, epoch \d, loss \d\.\d{4}", line) for line in told)
    assert told[-1].startswith("Done: 4 steps trained.")
    assert ended.log == "", "nothing went wrong"
    log = RunFolder(project.output, "tiny").log_file.read_text(encoding="utf-8")
    assert f"INFO {EVENT_MARK} Done: 4 steps trained." in log


def test_people_behind_a_pipe_are_told_what_is_wrong(project: TinyProject) -> None:
    run_file = project.run_file({"dataset.train_data_dir": "gone"})

    ended = run_trainer("train", run_file, env=NOBODY_ASKS, before=WITHOUT_TORCH)

    assert (ended.code, ended.out) == (2, "Starting ...\n")
    assert re.fullmatch(r"ERROR: \S*gone does not exist\. .*\n", ended.log)


@pytest.mark.slow
@pytest.mark.usefixtures("first_run")
def test_a_name_that_is_taken_is_refused(trained: TinyProject) -> None:
    lock = RunFolder(trained.output, "tiny").lock_file
    lock.unlink()
    before = content_of(trained.output)

    ended = run_trainer("train", trained.run_file(), before=WITHOUT_TORCH)

    assert (ended.code, ended.failed.kind) == (2, "output")
    assert f"{trained.output} already holds" in str(ended.failed.message)
    assert "--overwrite" in str(ended.failed.hint)
    lock.unlink()  # it tells of the process that held it last
    assert content_of(trained.output) == before


@pytest.mark.slow
@pytest.mark.usefixtures("first_run")
def test_a_name_that_is_taken_can_be_replaced(trained: TinyProject, tmp_path: Path) -> None:
    shutil.copytree(trained.folder, tmp_path / "copy")
    copy = TinyProject(tmp_path / "copy", trained.model, trained.pictures)
    folder = RunFolder(copy.output, "tiny")
    (copy.output / "tiny-step00000002.safetensors").write_bytes(b"of the old run")
    old_id = files.load(folder.run_file).run["id"]

    ended = run_trainer("train", copy.run_file(), "--overwrite")

    assert ended.code == 0, ended.log
    assert [path.name for path in folder.weights()] == ["tiny.safetensors"]
    assert files.load(folder.run_file).run["id"] != old_id
    assert folder.event_file.read_bytes().count(b'"step_done"') == 4


@pytest.mark.slow
@pytest.mark.usefixtures("first_run")
def test_a_run_that_has_no_state_cannot_be_continued(trained: TinyProject) -> None:
    longer = ("--max_train_steps", "8")
    ended = run_trainer("train", trained.run_file(), "--continue", *longer, before=WITHOUT_TORCH)

    assert (ended.code, ended.failed.kind) == (2, "state")
    assert "no complete state of tiny" in str(ended.failed.message)
    assert "Add --overwrite to begin it anew" in str(ended.failed.hint)


@pytest.mark.slow
@pytest.mark.usefixtures("first_run")
def test_a_run_that_is_done_says_so_without_loading_anything(trained: TinyProject) -> None:
    ended = run_trainer("train", trained.run_file(), "--continue", before=WITHOUT_TORCH)

    assert ended.code == 0, ended.log
    assert "All 4 steps of tiny are done, and its files are there." in ended.log


@pytest.mark.slow
def test_a_second_trainer_of_the_same_name_keeps_away(project: TinyProject) -> None:
    run_file = project.run_file({"optimizer.max_train_steps": 100_000})
    with TrainerProcess("train", run_file) as first:
        first.wait_for(Phase, lambda event: event.phase == "loading")
        for flags in ([], ["--overwrite"], ["--continue"]):
            second = run_trainer("train", run_file, *flags, before=WITHOUT_TORCH)

            assert (second.code, second.failed.kind) == (2, "output")
            assert "in use by another trainer" in str(second.failed.message)
        first.wait_for(StepDone, lambda event: event.step == 2)
        first.signal(signal.SIGTERM)
        ended = first.end()
    assert ended.code == 128 + signal.SIGTERM
    assert ended.of(Finished)[0].state is not None


# ------------------------------------------------------------------ terminals


@pytest.fixture
def train_in_terminal(project: TinyProject) -> Iterator[Callable[..., Any]]:
    """Start training on the tiny project in a terminal, with changes by ``section__name``."""
    if os.name == "nt":
        pytest.skip("Windows has no pseudo terminals")
    from helpers.terminal import Terminal

    with contextlib.ExitStack() as opened:

        def start(**changes: object) -> Terminal:
            values = {key.replace("__", "."): value for key, value in changes.items()}
            return opened.enter_context(
                Terminal(trainer_command("train", project.run_file(values)))
            )

        yield start


@pytest.mark.slow
def test_a_terminal_shows_progress_and_what_was_written(
    project: TinyProject, train_in_terminal: Callable[..., Any]
) -> None:
    terminal = train_in_terminal()

    assert terminal.end() == 0, terminal.shown
    assert "4/4" in terminal.shown
    assert "loss " in terminal.shown
    assert "Saved tiny.safetensors (" in terminal.shown
    # Terminals break long lines.
    shown = terminal.shown.replace("\r", "").replace("\n", "")
    assert f"The LoRA: {project.output / 'tiny.safetensors'}" in shown
    assert "Done: 4 steps trained." in terminal.shown
    assert '{"' not in terminal.shown, "events are for apps"


def test_an_error_is_told_in_a_terminal(train_in_terminal: Callable[..., Any]) -> None:
    terminal = train_in_terminal(dataset__train_data_dir="gone")

    assert terminal.end() == 2
    assert "gone does not exist. Choose another one" in terminal.shown
    assert "Traceback" not in terminal.shown


@pytest.mark.slow
def test_ctrl_c_in_training_saves_and_says_how_to_go_on(
    project: TinyProject, train_in_terminal: Callable[..., Any]
) -> None:
    terminal = train_in_terminal(optimizer__max_train_steps=100_000)
    terminal.wait_for("loss ")
    terminal.press_ctrl_c()

    assert terminal.end() == 128 + signal.SIGINT, terminal.shown
    assert "once more stops at once" in terminal.shown
    assert "--continue" in terminal.shown
    folder = RunFolder(project.output, "tiny")
    assert folder.newest_state() is not None
    assert len(folder.weights()) == 1


@pytest.mark.slow
def test_a_terminal_that_is_gone_saves_and_stops(
    project: TinyProject, train_in_terminal: Callable[..., Any]
) -> None:
    terminal = train_in_terminal(optimizer__max_train_steps=100_000)
    terminal.wait_for("loss ")
    terminal.hang_up()

    assert terminal.end() == 128 + signal.SIGHUP
    folder = RunFolder(project.output, "tiny")
    assert folder.newest_state() is not None
    assert len(folder.weights()) == 1


@pytest.mark.slow
def test_ctrl_c_while_loading_leaves_the_name_free(
    project: TinyProject, train_in_terminal: Callable[..., Any]
) -> None:
    terminal = train_in_terminal()
    terminal.wait_for("Loading")
    terminal.press_ctrl_c()

    assert terminal.end() == 128 + signal.SIGINT, terminal.shown
    assert "before the first step" in terminal.shown
    assert not RunFolder(project.output, "tiny").exists()


@pytest.mark.slow
def test_a_second_ctrl_c_ends_at_once(
    project: TinyProject, train_in_terminal: Callable[..., Any]
) -> None:
    terminal = train_in_terminal()
    # From here on torch is imported, which takes long enough for two key presses.
    terminal.wait_until(RunFolder(project.output, "tiny").run_file.exists)
    terminal.press_ctrl_c()
    terminal.wait_for("once more stops at once")
    terminal.press_ctrl_c()

    assert terminal.end() == 128 + signal.SIGINT, terminal.shown
    assert "Interrupted at once" in terminal.shown
    assert "Traceback" not in terminal.shown
