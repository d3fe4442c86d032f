"""Measures the quick audit: headers and captions of many pictures, before the first step.

``python tests/benchmarks/audit.py`` makes 2,000 and 20,000 mixed JPEG and PNG files of 1024 px with
captions in a folder for temporary files, and prints the seconds that a look at them takes, the
processor's seconds, and the memory that a process of its own grew by. The pictures are a few files
under many names, so that they take little room and are in the system's file cache: an audit decodes
none of them.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.plan import Pace
from trainer_core.dataset.subsets import SampleSettings, Subset
from trainer_core.dataset.survey import SurveyRequest, take_survey

SIDE_PX, DISTINCT = 1024, 8
COUNTS = (2_000, 20_000)


def write_pictures(folder: Path, count: int) -> None:
    """Write so many files with captions; every other one is a PNG, an eighth have EXIF."""
    concept = folder / "1_cat"
    concept.mkdir(parents=True)
    for number in range(DISTINCT):
        content, ending = _content(number)
        (folder / f"{number}{ending}").write_bytes(content)
    firsts = sorted(folder.glob("?.*"))
    for number in range(count):
        first = firsts[number % DISTINCT]
        (concept / f"p{number:05}{first.suffix}").hardlink_to(first)
        caption = f"a cat, number {number}, sitting, sofa, window, daylight, looking at viewer"
        (concept / f"p{number:05}.txt").write_text(caption, encoding="utf-8")


def _content(number: int) -> tuple[bytes, str]:
    noise = np.random.default_rng(number).integers(0, 256, (64, 64, 3), np.uint8)
    image = Image.fromarray(noise).resize((SIDE_PX, SIDE_PX))
    ending = ".png" if number % 2 else ".jpg"
    exif = Image.Exif()
    if number == 0:
        exif[0x0112] = 6  # lying
    with tempfile.NamedTemporaryFile(suffix=ending) as file:
        image.save(file.name, quality=92, exif=exif)
        return Path(file.name).read_bytes(), ending


def take_audit(folder: Path) -> None:
    """Take a survey of the folder and print what it took."""
    request = SurveyRequest(
        subsets=(Subset(folder=folder / "1_cat"),),
        run=SampleSettings(rules=BucketRules((1024, 1024))),
        pace=Pace(train_batch_size=4),
    )
    before = resource.getrusage(resource.RUSAGE_SELF)
    started = time.perf_counter()
    survey = take_survey(request)
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert survey.plan is not None
    processor_s = sum(after[:2]) - sum(before[:2])  # for itself and for the system
    facts = {
        "pictures": survey.plan.pictures,
        "findings": len(survey.problems),
        "seconds": round(seconds, 2),
        "processor_s": round(processor_s, 2),
        "grown_mib": (after.ru_maxrss - before.ru_maxrss) // 1024,
    }
    sys.stdout.write(json.dumps(facts) + "\n")


def main() -> None:
    """Make the pictures and measure, each number in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where to make them")
    parser.add_argument("--only", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only is not None:
        take_audit(arguments.only)
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as place:
        for count in COUNTS:
            folder = Path(place) / str(count)
            write_pictures(folder, count)
            command = [sys.executable, __file__, "--only", str(folder)]
            subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(Path.cwd())})


if __name__ == "__main__":
    main()
