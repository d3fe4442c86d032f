import pytest

from desktop_app.models.runs.pace import Pace, duration_words
from trainer_core.protocol.messages import Phase, Resumed, StepDone


def step(number: int, time_s: float) -> StepDone:
    return StepDone(time=time_s, step=number, epoch=1, loss=1.0, learning_rates={})


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.6, "1 min 00 s"), (270, "4 min 30 s"), (3900, "1 h 05 min")],
)
def test_durations_are_short(seconds, words):
    assert duration_words(seconds) == words


def test_nobody_can_tell_the_time_left_from_one_step():
    pace = Pace()
    pace.add(1, 100.0)
    assert pace.seconds_left(10) is None


def test_the_time_left_counts_what_lies_between_steps():
    pace = Pace()
    for step, time_s in ((1, 100.0), (2, 101.0), (3, 104.0)):  # a save took two seconds
        pace.add(step, time_s)
    assert pace.seconds_left(13) == 10 * 4.0 / 2


def test_only_newer_steps_count():
    pace = Pace()
    for step in range(100):
        pace.add(step, step * 10.0)
    for step in range(100, 200):
        pace.add(step, 1000.0 + step)
    assert pace.seconds_left(299) == pytest.approx(100.0)


def test_a_pause_counts_for_nothing():
    pace = Pace()
    for event in (step(1, 0.0), step(2, 2.0), Phase(phase="paused"), step(3, 3600.0)):
        pace.feed(event)
    assert pace.seconds_left(13) == 10 * 2.0


def test_nobody_can_tell_the_time_left_of_a_pause():
    pace = Pace()
    for event in (step(1, 0.0), step(2, 2.0), Phase(phase="paused")):
        pace.feed(event)
    assert pace.seconds_left(13) is None


def test_a_single_sample_says_nothing_about_the_rest():
    pace = Pace()
    for event in (step(1, 0.0), step(2, 1.0), Phase(phase="sampling"), step(3, 62.0)):
        pace.feed(event)
    assert pace.seconds_left(13) == 10 * 1.0


def test_what_comes_back_counts_by_how_often_it_does():
    """Two seconds a step, and ten seconds of samples before every fifth step."""
    pace, time_s = Pace(), 0.0
    for number in range(1, 21):
        time_s += 2.0
        if number % 5 == 0:
            pace.feed(Phase(phase="sampling"))
            time_s += 10.0
        pace.feed(step(number, time_s))
    assert pace.seconds_left(120) == pytest.approx(100 * 2.0 + 100 / 5 * 10.0)


def test_a_resumed_run_is_timed_from_where_it_goes_on():
    pace = Pace()
    for event in (step(1, 0.0), step(2, 100.0), Resumed(from_step=1, state="")):
        pace.feed(event)
    assert pace.seconds_left(10) is None
    for event in (step(2, 1000.0), step(3, 1003.0)):
        pace.feed(event)
    assert pace.seconds_left(10) == 7 * 3.0
