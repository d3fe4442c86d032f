import pytest

from desktop_app.process.event_file import EventFile, EventFollower
from trainer_core.protocol.codec import encode
from trainer_core.protocol.messages import Phase, StepDone


def step(number: int) -> StepDone:
    return StepDone(step=number, epoch=1, loss=0.5, learning_rates={"unet": 1e-4})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "events.jsonl"


def append(path, *messages) -> None:
    with path.open("ab") as file:
        for message in messages:
            file.write(message if isinstance(message, bytes) else encode(message))


def test_only_whole_lines_are_read(path):
    line = encode(step(2))
    append(path, step(1), line[:20])
    file = EventFile(path)
    assert file.read() == [step(1)]
    assert file.read() is None
    append(path, line[20:])
    assert file.read() == [step(2)]


def test_reading_can_begin_at_an_offset(path):
    append(path, step(1), step(2))
    assert EventFile(path, len(encode(step(1)))).read() == [step(2)]


def test_what_is_no_event_is_skipped(path):
    append(path, step(1), b"torn {\n", b'{"event": "from_the_future"}\n', Phase(phase="saving"))
    assert EventFile(path).read() == [step(1), Phase(phase="saving")]


def test_another_file_is_told_of_once_even_if_it_is_gone_at_the_next_look(path):
    append(path, step(1), step(2))
    file = EventFile(path)
    file.read()
    path.write_bytes(encode(step(7)))  # shorter than what was read
    assert file.read() == [step(7)]
    assert file.began_anew
    path.unlink()
    assert file.read() is None
    assert not file.began_anew


def test_a_line_without_end_does_not_stop_the_reading(path):
    append(path, b"x" * 500_000 + b"\n", step(1))
    file = EventFile(path)
    found = []
    while (events := file.read()) is not None:
        found += events
    assert found == [step(1)]


def test_a_file_that_is_not_there_yet_gives_nothing(path):
    assert EventFile(path).read() is None


def test_a_follower_delivers_all_and_then_what_is_added(path, qtbot):
    append(path, *(step(number) for number in range(1, 3000)))
    seen = []
    follower = EventFollower(path)
    follower.event_received.connect(lambda event: seen.append(event.step))
    with qtbot.waitSignal(follower.caught_up):
        pass
    assert seen == list(range(1, 3000))
    append(path, step(3000))
    follower.poke()
    qtbot.waitUntil(lambda: seen[-1] == 3000)
    follower.close()


def test_a_closed_follower_is_silent(path, qtbot):
    append(path, step(1))
    follower = EventFollower(path)
    follower.close()
    with qtbot.assertNotEmitted(follower.event_received, wait=50):
        pass
