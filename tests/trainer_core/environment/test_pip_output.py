import pytest

from trainer_core.environment.pip_output import (
    Bytes,
    Collecting,
    Downloading,
    Installed,
    Installing,
    Retrying,
    failure_cause,
    last_error,
    read_line,
)


@pytest.mark.parametrize(
    ("line", "news"),
    [
        # As pip 26.3 writes them with --progress-bar raw.
        ("Collecting torch==2.13.0", Collecting("torch")),
        ("Collecting filelock (from torch==2.13.0)", Collecting("filelock")),
        (
            "  Downloading torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl (182.3 MB)",
            Downloading("torch-2.13.0", "182.3 MB"),
        ),
        ("Progress 91150000 of 182300000", Bytes(91150000, 182300000)),
        ("Installing collected packages: filelock, torch", Installing(("filelock", "torch"))),
        ("Successfully installed torch-2.13.0", Installed(("torch-2.13.0",))),
        ("WARNING: Retrying (Retry(total=4)) after connection broken", Retrying()),
        ("Requirement already satisfied: numpy in /x", None),
        ("", None),
    ],
)
def test_a_line_of_pip_is_read(line, news):
    assert read_line(line) == news


@pytest.mark.parametrize(
    ("output", "cause"),
    [
        ("'NewConnectionError('...')': /\nERROR: No matching distribution found", "network"),
        ("ERROR: Could not install: [Errno 28] No space left on device", "disk"),
        ("ERROR: Could not install: [Errno 13] Permission denied: '/x'", "permission"),
        ("error: externally-managed-environment", "managed"),
        ("ERROR: No matching distribution found for torch", "no_match"),
        ("Killed", "other"),
    ],
)  # fmt: skip
def test_the_cause_of_a_failure_is_told(output, cause):
    assert failure_cause(output) == cause


def test_the_last_error_is_given_in_pips_words():
    assert last_error("ERROR: first\nnoise\nERROR: second one\n") == "second one"
    assert last_error("Killed\n") == ""
