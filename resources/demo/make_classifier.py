"""Make the judge of samples: ``python resources/demo/make_classifier.py --work FOLDER``.

A few minutes on one core. It is trained apart from the base, and the last line says how often it
is right about pictures that it was not trained on.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import torch
from making.autoencoder_training import Place
from making.classifier import accuracy, load_classifier, save_classifier, train_classifier
from making.glyphs import FONT, GlyphFont

FILE = Path(__file__).parents[2] / "tests" / "benchmarks" / "glyph_classifier.safetensors"
STEPS = 1000

logger = logging.getLogger(__name__)


def main() -> None:
    """Train the classifier, write it and say how good it is."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="folder for the state")
    parser.add_argument("--to", type=Path, default=FILE, help="where the classifier is written")
    parser.add_argument("--font", type=Path, default=FONT, help="NotoColorEmoji.ttf")
    options = parser.parse_args()
    torch.set_num_threads(1)
    font = GlyphFont(options.font)
    network = train_classifier(Place(options.work, torch.device("cpu")), font, STEPS)
    save_classifier(network, options.to)
    share = accuracy(load_classifier(options.to), font)
    logger.info("Right about %.1f%% of pictures it never saw.", 100 * share)


if __name__ == "__main__":
    main()
