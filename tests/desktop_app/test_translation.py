from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QTranslator

from desktop_app.translation import choice_label, place, shown, shown_offer, shown_problem
from trainer_core.settings.problems import Problem, Severity
from trainer_core.settings.rules.effects import values_without_effect
from trainer_core.settings.schema import TRAIN
from trainer_core.texts import text

KNOWN = {
    ("Errors", "{path} is bad"): "{path} : illisible",
    ("Problems", "{name} must be {wanted}."): "{name} doit être {wanted}.",
    ("Problems", "a whole number"): "un nombre entier",
}


class French(QTranslator):
    """Knows a few templates, each under one context."""

    def translate(self, context, source, disambiguation=None, n=-1):
        return KNOWN.get((context, source))


@pytest.fixture
def french(qapp: object) -> Iterator[None]:
    translator = French()
    QCoreApplication.installTranslator(translator)
    yield
    QCoreApplication.removeTranslator(translator)


def test_a_template_gets_its_values():
    assert shown("{count} of {total}", count=2, total=3) == "2 of 3"


@pytest.mark.usefixtures("french")
def test_a_template_is_translated_before_it_is_filled():
    assert shown(text("{path} is bad", path="/a")) == "/a : illisible"


@pytest.mark.usefixtures("french")
def test_a_value_that_is_a_template_is_translated_too():
    message = text("{name} must be {wanted}.", name="epoch", wanted="a whole number")
    assert shown(message) == "epoch doit être un nombre entier."


def test_a_problem_calls_settings_by_their_labels():
    message = text("{name} is {value}.", name="network_dim", value="0")
    problem = Problem("adapter.network_dim", Severity.ERROR, message)
    assert shown_problem(problem, TRAIN) == "“Network rank” is 0."


def test_a_name_that_is_no_setting_stays_as_it_is():
    message = text("There is no setting {name}.", name="netwrok_dim")
    problem = Problem("adapter.netwrok_dim", Severity.ERROR, message)
    assert shown_problem(problem, TRAIN) == "There is no setting netwrok_dim."


def test_an_unset_value_is_called_what_the_form_calls_it():
    assert choice_label(TRAIN.params()["output.save_every_n_steps"], None) == "off"


def test_a_place_is_a_label_if_there_is_one():
    assert place("adapter.network_dim", TRAIN) == "Network rank"
    assert place("adapter.unheard_of", TRAIN) == "adapter.unheard_of"


def test_a_condition_is_told_in_the_words_of_the_form():
    settings, _ = TRAIN.parse({"buckets": {"min_bucket_reso": 128, "enable_bucket": False}})
    assert settings is not None
    [problem] = values_without_effect(settings, {})
    words = "“Smallest bucket side” has no effect: it acts only if “Enable buckets” is on."
    assert shown_problem(problem, TRAIN) == words


def test_several_settings_of_a_condition_are_called_as_in_the_form():
    settings, _ = TRAIN.parse({"captions": {"keep_tokens": 2}})
    assert settings is not None
    [problem] = values_without_effect(settings, {})
    assert shown_problem(problem, TRAIN) == (
        "“Keep tokens” has no effect because none of these is set: “Shuffle caption”, "
        "“Tag dropout”, “Tag warm-up”."
    )


def test_an_offer_ends_like_a_button():
    assert shown_offer(text("Reset it.")) == "Reset it"


def test_small_numbers_are_written_as_in_the_fields():
    assert shown("Use {value}.", value=0.0001) == "Use 1e-4."
    assert shown("Use {value}.", value=5.0) == "Use 5."
