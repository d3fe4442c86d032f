import pytest

from desktop_app.models.runs.log_model import Level, LogLine, LogModel, level_of
from trainer_core.texts import text


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("12:00:00 INFO trainer_core.train: step 3", Level.INFO),
        ("2026-11-22 12:00:00,123 [WARNING] x: odd", Level.WARNING),
        ("ERROR: no such file", Level.ERROR),
        ("12:00:00 CRITICAL x", Level.ERROR),
        ("DEBUG x", Level.DEBUG),
        ("/lib/x.py:12: UserWarning: deprecated", Level.WARNING),
        ("Traceback (most recent call last):", Level.ERROR),
        ("torch.cuda.OutOfMemoryError: no memory", Level.ERROR),
        ("ValueError", Level.ERROR),
        ("loading the model", Level.INFO),
        ("there were no errors", Level.INFO),
        ("a long line that is about something else and then says ERROR", Level.INFO),
    ],
)
def test_the_level_is_read_from_the_line(line, level):
    assert level_of(line) is level


def test_indented_lines_belong_to_the_line_before(qapp):
    log = LogModel()
    log.add_lines(["Traceback (most recent call last):", '  File "a.py", line 1'])
    log.add_lines(["    raise ValueError", "12:00 INFO going on", "  and on"])
    assert [line.level for line in log.lines] == [Level.ERROR] * 3 + [Level.INFO] * 2


def test_only_the_newest_lines_are_kept(qapp):
    log = LogModel(max_lines=3)
    log.add_lines(str(number) for number in range(5))
    assert [line.message for line in log.lines] == ["2", "3", "4"]


def test_what_is_added_is_told_once_for_all_lines(qapp):
    log, told = LogModel(), []
    log.added.connect(told.append)
    log.add_lines(["a", "b"])
    assert told == [[LogLine(Level.INFO, "a"), LogLine(Level.INFO, "b")]]


def test_our_own_lines_stay_translatable(qapp):
    log = LogModel()
    log.add(Level.WARNING, text("Only {count} left.", count=3), 1e9)
    assert log.lines == (LogLine(Level.WARNING, text("Only {count} left.", count=3), 1e9),)


def test_lines_that_tell_of_an_event_are_left_out_as_the_event_itself_is_shown(qapp):
    log = LogModel()
    log.add_lines(["2026-11-22 12:00:00 INFO [event] Saved x.safetensors", "INFO something else"])
    assert [line.message for line in log.lines] == ["INFO something else"]
