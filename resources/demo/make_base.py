"""Make the demo's base model: ``python resources/demo/make_base.py --work FOLDER``.

Draws the pictures, trains the autoencoder's core, then denoiser and text encoder together, then the
autoencoder's decoder, and writes the base in Stable Diffusion 1's layout. Interrupted anywhere, the
same command goes on.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import torch
from making import export
from making.autoencoder_training import Place, train_core, train_decoder
from making.concepts import KNOWN
from making.denoiser import DenoiserCourse
from making.glyphs import FONT, GlyphFont
from making.latents import captioned_latents
from making.pictures import grid
from making.samples import draw_samples, prompts_for

FOLDER = Path(__file__).parent / "base"
GRID_COLUMNS = 16


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--work", type=Path, required=True, help="folder for states and cached latents")
    add("--to", type=Path, default=FOLDER, help="where the base is written")
    add("--font", type=Path, default=FONT, help="NotoColorEmoji.ttf")
    add("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    add("--threads", type=int, default=1, help="of the processor")
    add("--core-steps", type=int, default=1000, help="of the autoencoder at half resolution")
    add("--decoder-steps", type=int, default=1000, help="of its decoder at full resolution")
    add("--denoiser-steps", type=int, default=6000, help="of denoiser and text encoder")
    return parser.parse_args()


def make(options: argparse.Namespace) -> None:
    """Take every step that is left, then write the base and a sheet of its samples."""
    font = GlyphFont(options.font)
    glyphs = font.others()
    place = Place(options.work, torch.device(options.device))
    vae = train_core(place, glyphs, options.core_steps).add_outer_level()
    data = captioned_latents(place, vae, font)
    denoiser = DenoiserCourse(place, options.denoiser_steps).run(data)
    vae = train_decoder(place, vae, glyphs, options.decoder_steps)
    export.write_base(denoiser, vae, options.to)
    denoiser.modules().cpu()
    samples = draw_samples(denoiser, vae.cpu(), prompts_for(list(KNOWN)))
    grid(samples, GRID_COLUMNS).save(options.work / "samples.png")


def main() -> None:
    """Make the base."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    options = arguments()
    torch.set_num_threads(options.threads)
    make(options)


if __name__ == "__main__":
    main()
