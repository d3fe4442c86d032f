import pytest

from desktop_app.words.numbers import next_linear, next_log, number_text, parse_number


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1e-4, "1e-4"),
        (5e-05, "5e-5"),
        (0.000125, "1.25e-4"),
        (3e-08, "3e-8"),
        (0.001, "0.001"),
        (0.1, "0.1"),
        (0.0, "0"),
        (1.0, "1"),
        (10.5, "10.5"),
        (2**32 - 1, "4294967295"),
        (1e7, "1e7"),
        (float("inf"), "inf"),
        (-float("inf"), "-inf"),
    ],
)
def test_a_number_is_written_as_people_write_it(value, words):
    assert number_text(value) == words
    assert float(words) == value


@pytest.mark.parametrize(
    ("words", "value"),
    [("1e-4", 1e-4), ("1E-4", 1e-4), ("0,5", 0.5), (" 3 ", 3.0), (".5", 0.5), ("-1", -1.0)],
)
def test_typed_numbers_are_understood(words, value):
    assert parse_number(words, is_whole=False) == value


@pytest.mark.parametrize("words", ["abc", "1e", "1 2", "nan", "inf", "1e999"])
def test_what_is_no_number_stays_text(words):
    assert parse_number(words, is_whole=False) == words


def test_a_whole_number_stays_one():
    value = parse_number("1e3", is_whole=True)
    assert value == 1000
    assert isinstance(value, int)


def test_a_fraction_is_not_rounded_to_a_whole_number():
    assert parse_number("2.5", is_whole=True) == 2.5


@pytest.mark.parametrize(
    ("value", "up", "down"),
    [
        (1e-4, 2e-4, 9e-5),
        (9e-5, 1e-4, 8e-5),
        (2.5e-4, 3e-4, 2e-4),
        (1.0, 2.0, 0.9),
        (0.0, 1e-6, 0.0),
        (1e-8, 2e-8, 0.0),
    ],
)
def test_log_steps_change_the_first_digit(value, up, down):
    assert next_log(value, 1) == pytest.approx(up, rel=1e-12)
    assert next_log(value, -1) == pytest.approx(down, rel=1e-12)


@pytest.mark.parametrize(
    ("value", "step", "up", "down"),
    [(512, 64, 576, 448), (500, 64, 512, 448), (0.3, 0.1, 0.4, 0.2), (1, 100, 100, 0)],
)
def test_linear_steps_go_to_multiples(value, step, up, down):
    assert next_linear(value, step, 1) == up
    assert next_linear(value, step, -1) == down
