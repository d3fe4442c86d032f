"""Files of other programs, damaged in thousands of ways, are read or refused in words."""

from __future__ import annotations

import pytest
from helpers.model_parsers import model_parsers
from helpers.mutations import Parser, run

#: Mutations of a parser whose share is 1000; ``tests/benchmarks/mutations.py`` does more.
COUNT = 2000
PARSERS = {"model files": model_parsers}


@pytest.fixture(scope="module", params=PARSERS)
def parsers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    return PARSERS[request.param](tmp_path_factory.mktemp("foreign"))


def test_whatever_is_damaged_no_other_error_escapes(parsers: list[Parser]) -> None:
    failures: list[str] = []
    for parser in parsers:
        for sample in parser.samples:
            parser.parse(sample)  # else nothing would be shown by refusing its mutations
        outcome = run(parser, max(1, COUNT * parser.share // 1000))
        failures += outcome.failures
        assert outcome.refused, parser.name
    assert not failures, f"{len(failures)} failures\n" + "\n".join(failures[:20])
