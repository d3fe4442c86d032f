from desktop_app.process.lines import LineSplitter


def test_lines_are_whole_however_the_bytes_come():
    splitter = LineSplitter(100)
    data = "eins\nzwei ü\r\n\ndrei\n".encode()
    lines = [line for number in range(len(data)) for line in splitter.feed(data[number:][:1])]
    assert [line.decode() for line in lines] == ["eins", "zwei ü", "drei"]


def test_the_last_line_is_given_at_the_end():
    splitter = LineSplitter(100)
    assert splitter.feed(b"a\nb") == [b"a"]
    assert splitter.close() == [b"b"]
    assert splitter.close() == []


def test_of_a_progress_bar_only_its_last_state_is_kept():
    assert LineSplitter(100).feed(b"10%\r50%\r100%\n") == [b"100%"]


def test_an_endless_line_takes_no_more_memory_than_the_limit():
    splitter = LineSplitter(10)
    for _ in range(100):
        assert splitter.feed(b"x" * 1000) == []
    [line] = splitter.feed(b"y\nnext\n")[:1]
    assert line == b"x" * 11 + b"y"
