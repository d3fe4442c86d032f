"""Which signals ask to stop, and which of them come from a person who cannot wait."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from trainer_core.runtime.stop_signals import StopSignals

if not hasattr(signal, "SIGHUP"):
    pytest.skip("Windows has no SIGHUP", allow_module_level=True)

HUP, INT, TERM = signal.SIGHUP, signal.SIGINT, signal.SIGTERM


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (HUP, INT, TERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("came", "hurries", "asked"),
    [
        ([INT], [False], INT),
        ([HUP], [False], HUP),
        ([INT, INT], [False, True], INT),
        ([TERM, INT], [False, True], TERM),
        # The kernel and the shell both tell of a terminal that is gone.
        ([HUP, HUP, HUP], [False, False, False], HUP),
        # A session's end sends both, and the lower number is delivered first.
        ([HUP, TERM], [False, False], TERM),
        ([TERM, HUP], [False, False], TERM),
        ([HUP, TERM, INT], [False, False, True], TERM),
    ],
)
def test_only_a_person_who_asks_again_hurries(
    came: list[int], hurries: list[bool], asked: signal.Signals
) -> None:
    signals = StopSignals()

    assert [signals.take(number) for number in came] == hurries
    assert signals.number is asked


def test_each_of_them_is_heard() -> None:
    heard: list[int] = []
    StopSignals().watch(lambda number, frame: heard.append(number))

    for number in (INT, TERM, HUP):
        signal.raise_signal(number)

    assert heard == [INT, TERM, HUP]


def test_nohup_still_keeps_a_closed_terminal_from_stopping_anything() -> None:
    signal.signal(HUP, signal.SIG_IGN)

    StopSignals().watch(lambda number, frame: pytest.fail("heard"))

    assert signal.getsignal(HUP) is signal.SIG_IGN
