"""What the setup says in the terminal; read by old Pythons too."""

import sys
import textwrap

WIDTH = 88


class SetupProblem(Exception):  # noqa: N818 - said to people, not a fault of the program
    """Something is missing or failed: a paragraph for people and the command that mends it.

    ``is_for_system``: the command is one that ``--system`` runs for the user.
    """

    def __init__(self, message: str, command: str = "", is_for_system: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.command = command
        self.is_for_system = is_for_system


def say(*words: str) -> None:
    """Write one line for people, at once."""
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


def explain(problem: SetupProblem) -> None:
    """Write a problem as one paragraph, with the command that mends it."""
    sys.stdout.flush()
    lines = textwrap.fill(problem.message, WIDTH, break_long_words=False, break_on_hyphens=False)
    sys.stderr.write("\n" + lines + "\n")
    if problem.command:
        sys.stderr.write("\n    " + problem.command + "\n")
    if problem.is_for_system:
        sys.stderr.write("\nOr add --system to your command, and this is done for you.\n")
