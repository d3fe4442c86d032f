"""What is given to be written is written in order, and what fails is told where it was given."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from trainer_core.errors import OutputError
from trainer_core.pipeline.cache_writer import CacheWriter


def full() -> None:
    raise OutputError("The disk is full.")


def test_everything_is_done_in_order_by_another_thread() -> None:
    done: list[tuple[int, str]] = []

    def job(number: int) -> Callable[[], None]:
        return lambda: done.append((number, threading.current_thread().name))

    with CacheWriter(ahead=2) as writer:
        for number in range(20):
            writer.put(job(number))
    assert done == [(number, "cache-writer") for number in range(20)]


def test_no_more_wait_than_may() -> None:
    may_go_on, done = threading.Event(), []
    with CacheWriter(ahead=1) as writer:
        writer.put(may_go_on.wait)
        writer.put(lambda: done.append(1))
        late = threading.Thread(target=lambda: writer.put(lambda: done.append(2)))
        late.start()
        late.join(0.1)
        assert late.is_alive()  # one is at work, one waits: there is room for no third
        may_go_on.set()
        late.join(10)
    assert done == [1, 2]


def test_a_failure_is_raised_at_the_end_if_nothing_more_is_given() -> None:
    with pytest.raises(OutputError, match="full"), CacheWriter() as writer:
        writer.put(full)


def test_a_failure_is_raised_where_the_next_is_given_and_nothing_waits_for_room() -> None:
    done: list[int] = []

    def give_many() -> None:
        with CacheWriter(ahead=1) as writer:
            writer.put(full)
            for number in range(1000):
                writer.put(lambda number=number: done.append(number))  # type: ignore[misc]

    with pytest.raises(OutputError, match="full"):
        give_many()
    assert done == []


def test_what_went_wrong_elsewhere_is_not_hidden() -> None:
    def go_wrong() -> None:
        with CacheWriter() as writer:
            writer.put(full)
            raise KeyError("first")

    with pytest.raises(KeyError):
        go_wrong()
    assert not any(thread.name == "cache-writer" for thread in threading.enumerate())
