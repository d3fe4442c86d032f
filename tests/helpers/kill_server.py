"""A warm process that runs the trainer again and again, each run in a fork of its own.

Run as a script. Every line on stdin is a job, a JSON object; every line on stdout is the exit code
of one. A job has the trainer's ``words``, its ``log``, and says what happens before each file
operation below ``watched``: at number ``killed_at`` the process dies, as by kill -9; with
``copies``, the folder is copied there, named by the number of the operation that was to follow.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

KILLED = 137
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
#: Audit events with the positions of their paths and of the folders that those are relative to.
_OPERATIONS = {
    "os.mkdir": ((0, 2),),
    "os.rmdir": ((0, 1),),
    "os.remove": ((0, 1),),
    "os.rename": ((0, 2), (1, 3)),
    "os.link": ((0, 2), (1, 3)),
    "os.symlink": ((1, 2),),
    "os.truncate": ((0, None),),
}


class Watch:
    """Calls ``before`` with the number of each operation that changes something below a folder."""

    def __init__(self, folder: Path, before: Callable[[int], object]) -> None:
        self._folder = str(folder)
        self._before = before
        self._count = 0
        self._is_busy = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Look at an audit event of Python's."""
        if self._is_busy:
            return
        if event == "open":
            paths = [_whole(arguments[0], None)] if arguments[2] & _WRITES else []
        else:
            places = _OPERATIONS.get(event, ())
            paths = [
                _whole(arguments[path], None if at is None else arguments[at])
                for path, at in places
            ]
        if any(path is not None and path.startswith(self._folder) for path in paths):
            self.count()

    def count(self) -> None:
        """Count an operation that is about to happen."""
        self._is_busy = True
        self._before(self._count)
        self._count += 1
        self._is_busy = False


def _whole(path: object, folder: object) -> str | None:
    """Return an absolute path; descriptors stand for what they were opened on."""
    if isinstance(path, int):
        return str(Path(f"/proc/self/fd/{path}").readlink()) if path >= 0 else None
    if not isinstance(path, str | bytes | os.PathLike):
        return None
    root = _whole(folder, None) if isinstance(folder, int) else None
    return os.path.join(root or os.getcwd(), os.fsdecode(path))  # noqa: PTH109, PTH118


def watch(job: dict[str, Any]) -> None:
    """Watch the file operations of this process from now on."""
    folder = Path(job["watched"])

    def before(number: int) -> None:
        if number == job.get("killed_at"):
            os._exit(KILLED)
        if job.get("copies") is not None:
            copy = Path(job["copies"]) / str(number)
            if folder.exists():
                shutil.copytree(folder, copy, symlinks=True)
            else:
                copy.mkdir(parents=True)

    made = Watch(folder, before)
    sys.addaudithook(made)
    # A write has no audit event; events are written one by one, unbuffered.
    from trainer_core.events.emitter import Emitter

    write = Emitter._write_file

    def counted(self: Emitter, *arguments: Any) -> None:
        made.count()
        write(self, *arguments)

    Emitter._write_file = counted


def run(job: dict[str, Any]) -> int:
    """Run the trainer in a fork; return its exit code."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            log = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            for descriptor in (1, 2):
                os.dup2(log, descriptor)
            os.fsync = lambda descriptor: None  # it is for power cuts, and takes most of the time
            if "watched" in job:
                watch(job)
            from trainer_core.__main__ import main

            code = main(job["words"])
        except BaseException:  # noqa: BLE001 - whatever it is: it must not go on as the parent
            traceback.print_exc()
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def serve() -> None:
    """Do jobs until stdin ends; the first is done in this process, so that all is imported."""
    from trainer_core.__main__ import main

    jobs, answers = os.fdopen(os.dup(0)), os.dup(1)
    with open(os.devnull) as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), 0)  # a trainer would take the jobs for commands
    os.dup2(2, 1)
    for number, line in enumerate(jobs):
        job = json.loads(line)
        code = main(job["words"]) if number == 0 else run(job)
        os.write(answers, b"%d\n" % code)


if __name__ == "__main__":
    serve()
