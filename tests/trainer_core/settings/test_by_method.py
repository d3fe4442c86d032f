"""What a method has no use for does not act, and it alone says which parts are trained."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.another_method import another_method, leave_the_usual_one, settings_of

from trainer_core.catalogue.methods import METHODS, USUAL_METHOD, MethodEntry
from trainer_core.settings.adapter import AdapterSettings
from trainer_core.settings.reference import describe
from trainer_core.settings.rules.effects import values_without_effect
from trainer_core.settings.rules.optimizer import common_rate, something_to_train
from trainer_core.settings.schema import TRAIN, TrainSettings

__all__ = ["another_method"]  # a fixture

EVERY_METHOD = pytest.mark.parametrize("entry", METHODS.values(), ids=list(METHODS))


def idle_paths(settings: TrainSettings) -> set[str]:
    """Return the settings that only the choice of a method keeps from acting."""
    found = {path: TRAIN.idle(param, settings.get, {}) for path, param in TRAIN.params().items()}
    return {path for path, idle in found.items() if idle and idle.name == "training_method"}


@EVERY_METHOD
def test_everything_that_a_method_names_is_a_setting(entry: MethodEntry) -> None:
    switches = {entry.no_denoiser, entry.no_text_encoders}
    paths = {*switches, *entry.shaping, *entry.shaping.values()} - {""}

    assert set(entry.sections) <= set(TRAIN.sections)
    assert all(TRAIN.path_of(name) for name in entry.options)
    assert paths <= set(TRAIN.params())


@EVERY_METHOD
def test_the_sentence_of_a_result_says_where_it_is(entry: MethodEntry) -> None:
    assert "{path}" in entry.result
    assert entry.outputs[0] == "safetensors"  # names of results and run folders know no other


def test_sections_rates_and_options_of_others_do_not_act(another_method: str) -> None:
    adapter = {path for path in TRAIN.params() if path.startswith("adapter.")}

    found = idle_paths(settings_of(another_method))
    assert found == {*adapter, "optimizer.text_encoder_lr", "optimizer.learning_rate_te2"}
    assert idle_paths(settings_of(USUAL_METHOD)) == {"model.clip_skip"}


def test_a_single_method_makes_no_conditions(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_the_usual_one(monkeypatch)
    assert idle_paths(TrainSettings()) == set()


def test_a_changed_value_of_another_method_is_named(another_method: str) -> None:
    settings = settings_of(another_method).model_copy(
        update={"adapter": AdapterSettings(network_dim=4)}
    )

    (problem,) = values_without_effect(settings, {})
    assert problem.path == "adapter.network_dim"
    assert str(problem.message) == (
        "network_dim has no effect: it acts only if training_method is adapter."
    )


def test_what_another_method_left_out_is_trained(another_method: str) -> None:
    left_out = AdapterSettings(network_train_text_encoder_only=True)
    settings = settings_of(another_method).model_copy(update={"adapter": left_out})

    assert [part.rate for part in settings.trained_parts()] == ["unet_lr"]
    assert "optimizer.unet_lr" not in idle_paths(settings)
    assert TRAIN.idle(TRAIN.params()["optimizer.unet_lr"], settings.get, {}) is None


@pytest.mark.parametrize(
    ("rates", "is_refused"),
    [
        ({"unet_lr": 0.0}, True),
        ({"unet_lr": 0.0, "text_encoder_lr": 1e-4}, True),  # it does not train that part
        ({"unet_lr": None, "learning_rate": 0.0}, True),
        ({"unet_lr": None}, False),
        ({"text_encoder_lr": 0.0}, False),
    ],
)
def test_a_method_needs_a_rate_of_the_parts_that_it_trains(
    another_method: str, rates: dict[str, Any], is_refused: bool
) -> None:
    problems = list(something_to_train(settings_of(another_method, **rates), {}))

    assert [problem.path for problem in problems] == ["optimizer.unet_lr"] * is_refused


def test_a_common_rate_that_the_only_part_does_not_use_is_named(another_method: str) -> None:
    (problem,) = common_rate(settings_of(another_method, learning_rate=0.5), {})

    assert str(problem.message) == "learning_rate has no effect because unet_lr is set."


def test_the_description_says_with_which_method_a_setting_acts(another_method: str) -> None:
    conditions = {record["name"]: record["when"] for record in describe(TRAIN)}

    assert conditions["network_weights"] == ["training_method is adapter"]
    assert conditions["clip_skip"][0] == f"training_method is {another_method}"
    assert conditions["learning_rate"] == []
