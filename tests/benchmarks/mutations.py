"""Damages what is read in many more ways than the tests have time for.

Files of other programs, records of earlier runs, and the app's own.

``python tests/benchmarks/mutations.py --count 100000`` gives every parser that many mutations
(slow ones their share of it) and prints a line for each. Exit code 1 if anything escaped: a failure
names its parser and number, of which `helpers.mutations.mutated` makes the same bytes again.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from helpers.app_parsers import app_parsers
from helpers.model_parsers import model_parsers
from helpers.mutations import Parser, run
from helpers.record_parsers import record_parsers

TABLES = (model_parsers, record_parsers, app_parsers)


def damage(parser: Parser, count: int, first: int) -> bool:
    """Run a parser's share of the mutations; tell whether all of them were read or refused."""
    start = time.process_time()
    outcome = run(parser, max(1, count * parser.share // 1000), first=first)
    seconds = time.process_time() - start
    sys.stdout.write(
        f"{parser.name:32}{outcome.refused:9} refused{outcome.accepted:9} read"
        f"{len(outcome.failures):6} failed{seconds:9.1f} s\n"
    )
    sys.stdout.writelines(f"    {failure}\n" for failure in outcome.failures[:10])
    sys.stdout.flush()
    return not outcome.failures


def main() -> int:
    """Damage everything; return the exit code."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--count", type=int, default=20_000, help="mutations of each parser")
    arguments.add_argument("--first", type=int, default=0, help="number of the first one")
    arguments.add_argument("--only", default="", help="part of a parser's name")
    given = arguments.parse_args()
    logging.disable()
    with tempfile.TemporaryDirectory() as folder:
        parsers = [parser for table in TABLES for parser in table(Path(folder))]
        chosen = [parser for parser in parsers if given.only in parser.name]
        sound = [damage(each, given.count, given.first) for each in chosen]
    return 0 if all(sound) else 1


if __name__ == "__main__":
    sys.exit(main())
