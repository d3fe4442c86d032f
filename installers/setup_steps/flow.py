"""From the command line to the app, the demo or the tests: the steps in their order."""

from __future__ import annotations

import argparse
import errno
import os
import sys
import time
from pathlib import Path

from setup_steps import display, qt_libraries
from setup_steps.console import SetupProblem, say
from setup_steps.environment import Environment
from setup_steps.handover import hand_over
from setup_steps.packages import Torch, find_torch, install_project, install_torch, update_pip
from trainer_core.environment.torch_choice import choose_build

CHECKOUT = Path(__file__).resolve().parents[2]
EXTRAS = {"run": ["trainer"], "test": ["trainer", "dev"], "prepare": ["trainer", "dev"]}


def main(arguments: list[str]) -> int:
    """Set up what is missing, then start what was asked for; return its exit code."""
    options, passed_on = _parse(arguments)
    environment = Environment(CHECKOUT)
    try:
        _prepare(environment, options)
        program = _program(environment, options)
        if not program:
            return 0
        os.chdir(CHECKOUT)
        return hand_over([str(environment.python), *program, *passed_on])
    except OSError as error:
        raise explain_os_error(error) from error


def _parse(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        prog="bootstrap.py",
        description="Set LoRA Loom up in .venv, and start it or its tests.",
        epilog="Other arguments are passed on to what is started.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "command",
        choices=list(EXTRAS),
        help="run: open the app with its demo (without a display: train the demo here); "
        "test: run the tests; prepare: only set up",
    )
    parser.add_argument("--cpu", action="store_true", help="take torch's build for the CPU")
    parser.add_argument(
        "--system", action="store_true", help="install missing system packages too (apt-get)"
    )
    parser.add_argument("--fresh", action="store_true", help="make .venv anew")
    return parser.parse_known_args(arguments)


def _prepare(environment: Environment, options: argparse.Namespace) -> None:
    """Make the environment complete; returns at once where it is."""
    extras = EXTRAS[options.command]
    if options.fresh:
        environment.remove()
    if environment.is_complete(extras, is_cpu_forced=options.cpu):
        return
    started_s = time.monotonic()
    environment.make(is_system_allowed=options.system)
    update_pip(environment.python)
    torch = _ensure_torch(environment, is_cpu_forced=options.cpu)
    say(f"Installing LoRA Loom and what it needs ({', '.join(extras)}).")
    install_project(environment.python, CHECKOUT, extras, torch)
    environment.finish(extras, torch.backend)
    say(f"Everything is in place after {time.monotonic() - started_s:.0f} s.\n")


def _ensure_torch(environment: Environment, *, is_cpu_forced: bool) -> Torch:
    torch = find_torch(environment.python)
    if torch is None:
        build = choose_build(is_cpu_forced=is_cpu_forced)
        say(f"Installing torch, the {build.backend.upper()} build: {build.reason}.")
        if build.misses_card:
            say("After mending that, use --fresh to get the build for the card.")
        install_torch(environment.python, build)
        torch = find_torch(environment.python)
        if torch is None:
            raise SetupProblem("torch was installed and cannot be found. Try again with --fresh.")
        if build.backend != "cpu" and not torch.sees_gpu:
            say(
                f"Note: torch {torch.version} does not see the graphics card, so training will "
                "run on the CPU. A newer graphics driver and --fresh may mend that."
            )
    elif is_cpu_forced and torch.backend != "cpu":
        raise SetupProblem(
            f"torch {torch.version} is here, a build for {torch.backend}. Add --fresh to your "
            "command to have the environment made anew with the CPU build."
        )
    say(f"torch {torch.version} is in place.")
    return torch


def _program(environment: Environment, options: argparse.Namespace) -> list[str]:
    """Return the module to start, if any, after checking that Qt can load what it needs."""
    if options.command == "prepare":
        _require_qt(environment, "qxcb", options)
        return []
    if options.command == "test":
        _require_qt(environment, "qoffscreen", options)
        return ["-m", "pytest"]
    if not display.is_expected():
        say("There is no display, so the demo is trained here in the terminal.")
        return ["-m", "trainer_core", "demo"]
    _require_qt(environment, "qxcb", options)
    if not display.is_reachable(environment.python):
        say(
            f"No display answers ({display.names()}), so the demo is trained here in the terminal. "
            "To open the app, run the same command where windows can be shown."
        )
        return ["-m", "trainer_core", "demo"]
    return ["-m", "desktop_app", "--demo"]


def _require_qt(environment: Environment, plugin: str, options: argparse.Namespace) -> None:
    if sys.platform == "linux":
        qt_libraries.require(environment.folder, plugin, is_system_allowed=options.system)


def explain_os_error(error: OSError) -> SetupProblem:
    """Return what a failed access to the file system means and how to go on."""
    where = error.filename or CHECKOUT
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return SetupProblem(
            f"{where} cannot be written: {error.strerror}. LoRA Loom keeps its environment in the "
            f"project's folder; copy {CHECKOUT} to a folder of your own and run it there."
        )
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return SetupProblem(
            f"The disk that holds {where} is full. Make room and run the same command again; it "
            "goes on from here."
        )
    return SetupProblem(f"{where}: {error.strerror or error}.")
