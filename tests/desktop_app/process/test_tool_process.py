import sys

from desktop_app.process.tool_process import ToolEnd, ToolProcess

# About as much as pip tells of a download of gigabytes that takes an hour.
DOWNLOAD = "for done in range(15_000): print(f'Progress {done} of 3000000000')"


def run(script: str, qtbot) -> ToolEnd:
    process = ToolProcess()
    with qtbot.waitSignal(process.ended, timeout=30_000) as blocker:
        process.start(sys.executable, ["-I", "-c", script])
    process.close()
    end = blocker.args[0]
    assert isinstance(end, ToolEnd)
    return end


def test_the_last_word_is_kept_after_very_much_output(qtbot):
    end = run(f"{DOWNLOAD}\nprint('Successfully installed torch-2.6.0')", qtbot)
    assert end.ok
    assert end.output.splitlines()[-1] == "Successfully installed torch-2.6.0"


def test_very_much_output_does_not_fill_the_memory(qtbot):
    end = run(DOWNLOAD, qtbot)
    assert len(end.output) < 300_000
