import io

import pytest
from setup_steps.progress import PipProgress

# As pip 26.3 writes them with --progress-bar raw.
LINES = [
    "Collecting torch==2.13.0",
    "  Downloading torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl (182.3 MB)",
    "Progress 0 of 182300000",
    "Progress 91150000 of 182300000",
    "Collecting filelock (from torch==2.13.0)",
    "  Downloading filelock-4.2.11-py3-none-any.whl (20 kB)",
    "Installing collected packages: filelock, torch",
]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def followed(request):
    output = request.param()
    progress = PipProgress(output)
    for line in LINES:
        progress.follow(line)
    progress.close()
    return output.getvalue()


@pytest.mark.parametrize("followed", [io.StringIO], indirect=True)
def test_a_log_gets_one_line_for_each_large_download(followed):
    assert followed == "  Downloading torch-2.13.0 (182.3 MB).\n  Installing 2 packages.\n"


@pytest.mark.parametrize("followed", [Terminal], indirect=True)
def test_a_terminal_gets_one_line_that_moves(followed):
    assert "\n" not in followed
    shown = [step.strip() for step in followed.split("\r")]
    assert "Downloading torch-2.13.0 (182.3 MB): 50 % ..." in shown
    assert "Looking for filelock ..." in shown
    assert shown[-1] == ""
