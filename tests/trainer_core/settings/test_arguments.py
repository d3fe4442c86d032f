import pytest

from trainer_core.errors import SettingsError
from trainer_core.settings.arguments import parse_arguments


def test_values_are_python_literals() -> None:
    entries = ("weight_decay=0.1", "betas=0.9,0.99", "amsgrad=True", "eps=1e-6", "rule='a=1:2'")

    assert parse_arguments(entries) == {
        "weight_decay": 0.1,
        "betas": (0.9, 0.99),
        "amsgrad": True,
        "eps": 1e-6,
        "rule": "a=1:2",
    }


def test_blanks_around_the_equals_sign_do_not_matter() -> None:
    assert parse_arguments([" weight_decay = 0.1 "]) == {"weight_decay": 0.1}


@pytest.mark.parametrize(
    "entry", ["weight_decay", "=0.1", "weight decay=0.1", "a=", "a=auto", "a=1=2", "a=open('x')"]
)
def test_an_entry_that_cannot_be_read_is_named(entry: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_arguments(["eps=1e-8", entry])

    assert entry in str(caught.value)
    assert caught.value.hint is not None


def test_an_argument_given_twice_is_refused() -> None:
    with pytest.raises(SettingsError, match="eps is given twice"):
        parse_arguments(["eps=1e-8", "eps=1e-6"])
