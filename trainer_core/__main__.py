"""The trainer's command line; the only place with exit codes.

0: finished, or stopped as told. 1: failed while running (``check``: warnings). 2: could not start.
A signal that saved and stopped: 128 and its number.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from trainer_core.catalogue.tools import TOOLS
from trainer_core.environment.launch import EVENTS_VARIABLE
from trainer_core.errors import InternalError, TrainerError
from trainer_core.files.demo_project import copy_demo
from trainer_core.files.run_folder import free_name
from trainer_core.runtime.libraries import quiet_libraries
from trainer_core.settings import files
from trainer_core.settings.cli import add_setting_flags, changes_from_flags, setting_names
from trainer_core.settings.document import Raw, closest, replaced
from trainer_core.settings.foreign.dataset_toml import import_dataset_config
from trainer_core.settings.reference import describe, describe_lines
from trainer_core.settings.schema import TRAIN, AnySchema
from trainer_core.settings.tools.schema import tool_schema
from trainer_core.tools import run as tools
from trainer_core.train.ahead.fill import fill_caches
from trainer_core.train.check import as_json, as_lines, exit_code, report
from trainer_core.train.run import Request, train
from trainer_core.version import __version__

_FOR_PROGRAMS = (
    f"Programs set {EVENTS_VARIABLE}=1 in the environment: standard output then is a line of JSON "
    "for each event, and standard input takes commands."
)
_FULL_DISK = (
    "Where a disk is full a run waits for room, as long as a program takes its events or a "
    "terminal is there, else for a minute; Ctrl+C ends the wait. Everything is saved elsewhere "
    "then, and it ends."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the trainer's command line and return the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # names of files go into any encoding
        sys.stdout.reconfigure(errors="backslashreplace")
    arguments = _parser().parse_args(argv)
    try:
        code = int(arguments.command(arguments))
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader has seen enough, as with `describe | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except TrainerError as error:
        _say(f"{error.message}")
        if error.hint:
            _say(f"{error.hint}")
        return 2
    except Exception as error:  # noqa: BLE001 - 1, Python's own exit code, means warnings
        _say(InternalError.with_place(error).sentences)
        return 2


class _Parser(argparse.ArgumentParser):
    """Says "did you mean" for a flag that does not exist."""

    schema: AnySchema = TRAIN  # whose settings are flags

    def error(self, message: str) -> NoReturn:
        unknown = message.rpartition("unrecognized arguments: ")[2].split(" ")[0]
        name = unknown.lstrip("-").partition("=")[0]
        own = ["overwrite", "continue", "json", "folder"] if self.schema is TRAIN else []
        known = [*setting_names(self.schema), "set", *own]
        guess = closest(name, known) if unknown.startswith("--") else None
        hint = f" Did you mean --{guess}?" if guess and guess != name else ""
        super().error(message + "." * (not message.endswith((".", ")"))) + hint)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="lora-loom-trainer", description="Trains LoRA adapters.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, parser_class=_Parser, metavar="COMMAND")
    train = commands.add_parser(
        "train",
        help="train what a run file says",
        usage="%(prog)s [--continue] [--overwrite] [--SETTING VALUE ...] RUN.toml",
        epilog=f"{_FULL_DISK} {_FOR_PROGRAMS}",
        allow_abbrev=False,
    )
    _add_run_file(train)
    train.add_argument(
        "--overwrite",
        action="store_true",
        help="replace a run of the same name; with --continue, only one without a state",
    )
    train.add_argument(
        "--continue",
        dest="go_on",
        action="store_true",
        help="go on from the newest complete state of this name",
    )
    train.set_defaults(command=_train)
    check = commands.add_parser(
        "check",
        help="name every problem and the plan",
        usage="%(prog)s [--json] [--SETTING VALUE ...] RUN.toml",
        allow_abbrev=False,
    )
    _add_run_file(check)
    check.add_argument("--json", action="store_true", help="print JSON")
    check.set_defaults(command=_check)
    cache = commands.add_parser(
        "cache",
        help="fill the caches of a run file, and end",
        description="Encodes the pictures and captions of a run whose caches are on the disk, as "
        "the start of the run would. What is there already stays.",
        usage="%(prog)s [--SETTING VALUE ...] RUN.toml",
        epilog=_FOR_PROGRAMS,
        allow_abbrev=False,
    )
    _add_run_file(cache)
    cache.set_defaults(command=_cache)
    every = commands.add_parser("describe", help="describe every setting", allow_abbrev=False)
    every.add_argument("--json", action="store_true", help="print JSON")
    every.add_argument("--tool", metavar="NAME", help="those of a tool instead of a run's")
    every.set_defaults(command=_describe)
    importing = commands.add_parser(
        "import",
        help="write a run file of a dataset configuration of sd-scripts",
        allow_abbrev=False,
    )
    importing.add_argument("config", type=Path, metavar="CONFIG", help="TOML or JSON")
    importing.add_argument("run_file", type=Path, metavar="RUN.toml", help="a new file")
    importing.set_defaults(command=_import)
    demo = commands.add_parser("demo", help="train the demo project", allow_abbrev=False)
    demo.add_argument("--folder", type=Path, help="where to copy it (default: your data folder)")
    demo.set_defaults(command=_demo)
    tool = commands.add_parser(
        "tool",
        help="use a tool; without a name, list them",
        usage="%(prog)s [NAME [--SETTING VALUE ...] [SETTINGS.toml]]",
        epilog="tool NAME --help describes the settings of one.",
        allow_abbrev=False,
    )
    tool.add_argument("name", metavar="NAME", nargs="?", help="of the tool")
    tool.add_argument("words", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    tool.set_defaults(command=_tool)
    return parser


def _tool_parser(name: str) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=f"lora-loom-trainer tool {name}",
        description=TOOLS[name].help,
        usage="%(prog)s [--SETTING VALUE ...] [SETTINGS.toml]",
        epilog=_FOR_PROGRAMS,
        allow_abbrev=False,
    )
    parser.schema = schema = tool_schema(name)
    parser.add_argument("run_file", type=Path, metavar="SETTINGS.toml", nargs="?")
    add_setting_flags(parser, schema)
    return parser


def _add_run_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_file", type=Path, metavar="RUN.toml")
    add_setting_flags(parser, TRAIN)


def _raw(arguments: argparse.Namespace, schema: AnySchema = TRAIN) -> Raw:
    """Return the file's values with the flags over them, all paths absolute.

    Paths in the file are meant from its folder, those of flags from the working folder.
    """
    path: Path | None = arguments.run_file
    from_file: Raw = {}
    if path is not None:  # a tool needs none
        from_file = schema.with_absolute_paths(files.load(path).raw, path.absolute().parent)
    from_flags = replaced({}, changes_from_flags(arguments, schema))
    flags = schema.with_absolute_paths(from_flags, Path.cwd())
    changes = {f"{s}.{name}": v for s, values in flags.items() for name, v in values.items()}
    return replaced(from_file, changes)


def _train(arguments: argparse.Namespace) -> int:
    return train(lambda: Request(_raw(arguments), arguments.overwrite, arguments.go_on))


def _demo(arguments: argparse.Namespace) -> int:
    """Train the demo project under a name that is still free: nothing earlier is replaced."""
    run_file = copy_demo(arguments.folder)
    output = run_file.parent / "output"
    name = free_name(output, "lantern")
    _say(f"The demo project is {run_file.parent}")
    flags = ["--output_dir", str(output), "--output_name", name]
    return _train(_parser().parse_args(["train", str(run_file), *flags]))


def _import(arguments: argparse.Namespace) -> int:
    """Write a run file, and say what of the other file has no place in it."""
    found = import_dataset_config(arguments.config.absolute(), is_alone=True)
    run_file = files.RunFile(replaced({section: {} for section in TRAIN.sections}, found.changes))
    files.save(arguments.run_file, run_file, replace=False)
    for note in found.notes:
        _say(str(note))
    _say(f"Written: {arguments.run_file}")
    return 1 if found.notes else 0


def _check(arguments: argparse.Namespace) -> int:
    quiet_libraries()
    found = report(_raw(arguments))
    if arguments.json:
        sys.stdout.write(json.dumps(as_json(found), indent=1, ensure_ascii=False) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in as_lines(found))
    return exit_code(found)


def _cache(arguments: argparse.Namespace) -> int:
    return fill_caches(lambda: _raw(arguments))


def _tool(arguments: argparse.Namespace) -> int:
    """Use a tool, or list them all: those are words for people, whatever stdout is."""
    name, words = arguments.name, arguments.words
    if name is None:
        width = max(map(len, TOOLS))
        sys.stdout.writelines(f"{each:<{width}}  {entry.help}\n" for each, entry in TOOLS.items())
        return 0
    parser = _tool_parser(name) if name in TOOLS else None
    parsed = None if parser is None else parser.parse_args(words)

    def ask() -> tools.Request:
        schema = tool_schema(name)  # in words if there is no such tool
        assert parsed is not None, "its parser was made"
        return tools.Request(name, _raw(parsed, schema))

    return tools.use_tool(ask)


def _describe(arguments: argparse.Namespace) -> int:
    schema = TRAIN if arguments.tool is None else tool_schema(arguments.tool)
    if arguments.json:
        sys.stdout.write(json.dumps(describe(schema), indent=1, ensure_ascii=False) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in describe_lines(schema))
    return 0


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")


if __name__ == "__main__":
    sys.exit(main())
