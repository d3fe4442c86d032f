"""Files of other programs and of earlier runs, damaged in thousands of ways, are read or refused
in words.
"""

from __future__ import annotations

import pytest
from helpers.dataset_parsers import dataset_parsers
from helpers.model_parsers import model_parsers
from helpers.mutations import Parser, failures_of
from helpers.record_parsers import record_parsers

PARSERS = {
    "model files": model_parsers,
    "text and records": record_parsers,
    "data sets": dataset_parsers,
}


@pytest.fixture(scope="module", params=PARSERS)
def parsers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    return PARSERS[request.param](tmp_path_factory.mktemp("foreign"))


def test_whatever_is_damaged_no_other_error_escapes(parsers: list[Parser]) -> None:
    failures = failures_of(parsers)

    assert not failures, f"{len(failures)} failures\n" + "\n".join(failures[:20])
