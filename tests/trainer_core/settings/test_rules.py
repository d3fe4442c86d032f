"""Each rule in both directions, and whether its way out leads out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from helpers.setting_values import after_suggestion

from trainer_core.settings import rules
from trainer_core.settings.param import Param
from trainer_core.settings.problems import Problem, Severity
from trainer_core.settings.schema import TrainSettings, params
from trainer_core.texts import Text, text

SettingsOf = Callable[[Mapping[str, object]], TrainSettings]

UNET_ONLY = "adapter.network_train_unet_only"
TEXT_ENCODER_ONLY = "adapter.network_train_text_encoder_only"
RATES = ("optimizer.learning_rate", "optimizer.unet_lr", "optimizer.text_encoder_lr")
WITH_UPSCALING: Mapping[str, object] = {"dataset.bucket_no_upscale": False}


def check(settings: TrainSettings) -> list[Problem]:
    return [*rules.check(settings), *rules.check_places(settings)]


# ------------------------------------------------------------------ what must be there


@pytest.fixture
def complete(tmp_path: Path) -> dict[str, object]:
    """Values with which a run could start."""
    model = tmp_path / "base.safetensors"
    model.touch()
    return {
        "model.pretrained_model_name_or_path": str(model),
        "dataset.train_data_dir": str(tmp_path),
        "output.output_dir": str(tmp_path / "new"),
    }


def test_complete_settings_have_no_problem(
    settings_of: SettingsOf, complete: dict[str, object]
) -> None:
    assert check(settings_of(complete)) == []


@pytest.mark.parametrize(
    "path",
    ["model.pretrained_model_name_or_path", "dataset.train_data_dir", "output.output_dir"],
)
def test_what_is_required_is_asked_for(
    settings_of: SettingsOf, complete: dict[str, object], path: str
) -> None:
    del complete[path]

    (problem,) = check(settings_of(complete))
    assert (problem.path, problem.severity) == (path, Severity.ERROR)
    assert str(problem.message).startswith("Choose ")


def test_further_pictures_do_without_a_picture_folder(
    settings_of: SettingsOf, complete: dict[str, object], tmp_path: Path
) -> None:
    complete["dataset.more_pictures"] = [complete.pop("dataset.train_data_dir")]

    assert check(settings_of(complete)) == []


def test_each_further_picture_that_is_not_there_is_named_and_can_be_removed(
    settings_of: SettingsOf, complete: dict[str, object], tmp_path: Path
) -> None:
    there, gone = str(tmp_path), [str(tmp_path / "gone"), str(tmp_path / "gone.png")]
    settings = settings_of({**complete, "dataset.more_pictures": [gone[0], there, gone[1]]})

    problems = check(settings)
    assert [str(problem.message) for problem in problems] == [f"{g} does not exist." for g in gone]
    assert {problem.path for problem in problems} == {"dataset.more_pictures"}
    mended = after_suggestion(settings, problems[0])
    assert mended.dataset.more_pictures == (tmp_path, tmp_path / "gone.png")


def test_a_drive_that_is_gone_makes_one_problem(
    settings_of: SettingsOf, complete: dict[str, object], tmp_path: Path
) -> None:
    gone = [str(tmp_path / "gone" / f"{number}.png") for number in range(40)]
    settings = settings_of({**complete, "dataset.more_pictures": [str(tmp_path), *gone]})

    (problem,) = check(settings)
    assert "40 of these cannot be read" in str(problem.message)
    assert after_suggestion(settings, problem).dataset.more_pictures == (tmp_path,)


def test_what_does_not_answer_is_named_once_beside_what_is_gone(
    settings_of: SettingsOf, tmp_path: Path
) -> None:
    def look(param: Param, path: Path) -> Text | None:
        template = "{path} does not exist." if path.name == "gone" else rules.NOT_ANSWERING
        return None if path == tmp_path else text(template, path=path)

    names = [str(tmp_path), "/net/a", "/net/b", str(tmp_path / "gone")]
    settings = settings_of({"dataset.more_pictures": names, "output.resume": "/net/c"})
    problems = rules.check_places(settings, look)
    told = [(problem.path, str(problem.message)) for problem in problems]
    assert told == [
        ("output.resume", f"{Path('/net/c')} is not answering."),
        ("dataset.more_pictures", f"{Path('/net/a')} is not answering."),
        ("dataset.more_pictures", f"{tmp_path / 'gone'} does not exist."),
    ]
    hints = [str(problem.suggestion.message) for problem in problems if problem.suggestion]
    assert [hint.startswith("Check the network or the drive") for hint in hints] == [
        True,
        True,
        False,
    ]


READ_PATHS = [
    param
    for param in params().values()
    if param.is_path and param.path not in ("output.output_dir", "output.logging_dir")
]


@pytest.mark.parametrize("param", READ_PATHS, ids=lambda param: param.path)
def test_a_path_that_is_not_there_is_named(
    settings_of: SettingsOf, param: Param, tmp_path: Path
) -> None:
    settings = settings_of({param.path: str(tmp_path / "gone")})

    (problem,) = rules.existing_paths(settings)
    assert (problem.path, problem.severity) == (param.path, Severity.ERROR)
    assert str(problem.message) == f"{tmp_path / 'gone'} does not exist."
    assert problem.suggestion is not None


@pytest.mark.parametrize("param", READ_PATHS, ids=lambda param: param.path)
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_path_must_be_of_its_kind(
    settings_of: SettingsOf, param: Param, kind: str, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.touch()
    settings = settings_of({param.path: str(tmp_path if kind == "folder" else file)})

    messages = [str(problem.message) for problem in rules.existing_paths(settings)]
    if param.spec.path_kind in (kind, "file_or_folder"):
        assert messages == []
    else:
        assert [message.split(" is no ")[1] for message in messages] == [f"{param.spec.path_kind}."]


def test_a_path_below_a_file_is_not_there(settings_of: SettingsOf, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings = settings_of({"dataset.train_data_dir": str(tmp_path / "file" / "cat")})

    (problem,) = rules.existing_paths(settings)
    assert "does not exist" in str(problem.message)


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b"])
def test_a_path_that_no_system_takes_is_a_problem_not_a_crash(
    settings_of: SettingsOf, name: str
) -> None:
    settings = settings_of({"dataset.train_data_dir": name})

    (problem,) = rules.existing_paths(settings)
    assert "cannot be read" in str(problem.message)


def test_output_folders_need_not_exist(settings_of: SettingsOf, tmp_path: Path) -> None:
    gone = str(tmp_path / "gone")
    settings = settings_of({"output.output_dir": gone, "output.logging_dir": gone})

    assert list(rules.existing_paths(settings)) == []


@pytest.mark.parametrize("path", ["output.output_dir", "output.logging_dir"])
def test_an_output_folder_below_a_file_is_named(
    settings_of: SettingsOf, path: str, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").touch()
    settings = settings_of({path: str(tmp_path / "notes.txt" / "a" / "b")})

    (problem,) = rules.existing_paths(settings)
    assert (problem.path, problem.severity) == (path, Severity.ERROR)
    assert str(problem.message) == f"{tmp_path / 'notes.txt'} is a file, not a folder."


def test_an_output_folder_without_permission_is_named(
    settings_of: SettingsOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda place, mode: place != tmp_path)
    settings = settings_of({"output.output_dir": str(tmp_path / "new")})

    (problem,) = rules.existing_paths(settings)
    assert str(problem.message) == f"There is no permission to write to {tmp_path}."


@pytest.mark.parametrize(
    ("extension", "is_usable"), [(".txt", True), ("/notes.txt", False), ("..\\a.txt", False)]
)
def test_a_caption_extension_is_no_path(
    settings_of: SettingsOf, extension: str, is_usable: bool
) -> None:
    settings = settings_of({"dataset.caption_extension": extension})

    problems = list(rules.caption_extension(settings))
    assert [str(problem.message) for problem in problems] == (
        [] if is_usable else [f"The caption extension {extension} is a path."]
    )
    for problem in problems:
        assert list(rules.caption_extension(after_suggestion(settings, problem))) == []


@pytest.mark.parametrize(("name", "is_usable"), [("my cat", True), ("a/b", False), ("NUL", False)])
def test_the_output_name_must_be_a_file_name_everywhere(
    settings_of: SettingsOf, name: str, is_usable: bool
) -> None:
    problems = list(rules.output_name(settings_of({"output.output_name": name})))

    assert [problem.path for problem in problems] == ([] if is_usable else ["output.output_name"])


# ------------------------------------------------------------------ buckets


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset.min_bucket_reso": 512},
        {"dataset.min_bucket_reso": 575},  # rounded down to 512
        {"dataset.max_bucket_reso": 512},
        {"dataset.max_bucket_reso": 449},  # rounded up to 512
        {"dataset.min_bucket_reso": 64, "dataset.max_bucket_reso": 8192},
    ],
)
def test_bucket_limits_around_the_resolution_are_fine(
    settings_of: SettingsOf, changes: dict[str, object]
) -> None:
    assert list(rules.bucket_limits(settings_of({**WITH_UPSCALING, **changes}))) == []


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("dataset.min_bucket_reso", {"dataset.min_bucket_reso": 576}),
        ("dataset.min_bucket_reso", {"dataset.resolution": [192, 512]}),
        (
            "dataset.min_bucket_reso",
            {"dataset.min_bucket_reso": 64, "dataset.bucket_reso_steps": 128},
        ),
        ("dataset.max_bucket_reso", {"dataset.max_bucket_reso": 448}),
        (
            "dataset.max_bucket_reso",
            {"dataset.resolution": [512, 1000], "dataset.max_bucket_reso": 960},
        ),
    ],
)
def test_bucket_limits_that_leave_no_room_are_refused_with_what_to_use(
    settings_of: SettingsOf, path: str, changes: dict[str, object]
) -> None:
    settings = settings_of({**WITH_UPSCALING, **changes})

    (problem,) = rules.bucket_limits(settings)
    assert (problem.path, problem.severity) == (path, Severity.ERROR)
    assert list(rules.bucket_limits(after_suggestion(settings, problem))) == []


@pytest.mark.parametrize(
    "idle", [{"dataset.bucket_no_upscale": True}, {"dataset.enable_bucket": False}]
)
def test_limits_that_are_not_used_are_not_checked(
    settings_of: SettingsOf, idle: dict[str, object]
) -> None:
    changes = {**WITH_UPSCALING, "dataset.min_bucket_reso": 4096, **idle}

    assert list(rules.bucket_limits(settings_of(changes))) == []


@pytest.mark.parametrize(
    ("step", "resolution", "is_usable"),
    [
        (64, [512, 512], True),
        (128, [512, 512], True),
        (32, [512, 512], False),
        (96, [512, 512], False),
        (256, [192, 512], False),
    ],
)
def test_the_bucket_step_must_suit_the_model_and_the_resolution(
    settings_of: SettingsOf, step: int, resolution: list[int], is_usable: bool
) -> None:
    settings = settings_of({"dataset.bucket_reso_steps": step, "dataset.resolution": resolution})

    problems = list(rules.bucket_step(settings))
    assert [p.path for p in problems] == ([] if is_usable else ["dataset.bucket_reso_steps"])
    for problem in problems:
        assert list(rules.bucket_step(after_suggestion(settings, problem))) == []


@pytest.mark.parametrize(
    ("resolution", "instead"),
    [([512, 768], None), ([500, 71], [496, 64]), ([64, 8191], [64, 8184])],
)
def test_without_buckets_both_sides_must_be_multiples_of_8(
    settings_of: SettingsOf, resolution: list[int], instead: list[int] | None
) -> None:
    settings = settings_of({"dataset.enable_bucket": False, "dataset.resolution": resolution})

    problems = list(rules.bucket_step(settings))
    if instead is None:
        assert problems == []
    else:
        (problem,) = problems
        assert after_suggestion(settings, problem).dataset.resolution == tuple(instead)


def test_with_buckets_the_resolution_need_not_be_a_multiple(settings_of: SettingsOf) -> None:
    assert list(rules.bucket_step(settings_of({"dataset.resolution": [500, 700]}))) == []


# ------------------------------------------------------------------ training


def test_both_parts_alone_exclude_each_other(settings_of: SettingsOf) -> None:
    settings = settings_of({UNET_ONLY: True, TEXT_ENCODER_ONLY: True})

    (problem,) = rules.something_to_train(settings)
    assert (problem.path, problem.severity) == (UNET_ONLY, Severity.ERROR)
    assert list(rules.something_to_train(after_suggestion(settings, problem))) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer.unet_lr": 0.0},
        {"optimizer.text_encoder_lr": 0.0},
        {"optimizer.unet_lr": "unset", "optimizer.text_encoder_lr": 0.0},
        {"optimizer.text_encoder_lr": 0.0, UNET_ONLY: True},
        {"optimizer.unet_lr": 0.0, TEXT_ENCODER_ONLY: True},
    ],
)
def test_one_part_with_a_rate_is_enough(
    settings_of: SettingsOf, changes: dict[str, object]
) -> None:
    assert list(rules.something_to_train(settings_of(changes))) == []


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("optimizer.unet_lr", dict.fromkeys(RATES, 0.0)),
        (
            "optimizer.unet_lr",
            {
                "optimizer.learning_rate": 0.0,
                "optimizer.unet_lr": "unset",
                "optimizer.text_encoder_lr": "unset",
            },
        ),
        ("optimizer.unet_lr", {"optimizer.unet_lr": 0.0, UNET_ONLY: True}),
        (
            "optimizer.text_encoder_lr",
            {"optimizer.text_encoder_lr": 0.0, TEXT_ENCODER_ONLY: True},
        ),
    ],
)
def test_a_run_without_any_rate_is_refused_with_one_that_acts(
    settings_of: SettingsOf, path: str, changes: dict[str, object]
) -> None:
    settings = settings_of(changes)

    (problem,) = rules.something_to_train(settings)
    assert (problem.path, problem.severity) == (path, Severity.ERROR)
    assert list(rules.something_to_train(after_suggestion(settings, problem))) == []


@pytest.mark.parametrize(
    ("arguments", "is_usable"),
    [([], True), (["weight_decay=0.1"], True), (["weight_decay"], False)],
)
def test_optimizer_arguments_must_be_named_values(
    settings_of: SettingsOf, arguments: list[str], is_usable: bool
) -> None:
    settings = settings_of({"optimizer.optimizer_args": arguments})

    problems = list(rules.optimizer_arguments(settings))
    assert [p.path for p in problems] == ([] if is_usable else ["optimizer.optimizer_args"])


@pytest.mark.parametrize(
    "when",
    [
        {"sampling.sample_every_n_steps": 10},
        {"sampling.sample_every_n_epochs": 1},
        {"sampling.sample_at_first": True},
    ],
)
def test_prompts_with_a_time_to_draw_them_are_fine(
    settings_of: SettingsOf, when: dict[str, object]
) -> None:
    settings = settings_of({"sampling.sample_prompts": "prompts.txt", **when})

    assert list(rules.samples_are_drawn(settings)) == []


def test_prompts_that_are_never_drawn_are_a_warning(settings_of: SettingsOf) -> None:
    settings = settings_of({"sampling.sample_prompts": "prompts.txt"})

    (problem,) = rules.samples_are_drawn(settings)
    assert (problem.path, problem.severity) == ("sampling.sample_prompts", Severity.WARNING)
    assert list(rules.samples_are_drawn(after_suggestion(settings, problem))) == []
