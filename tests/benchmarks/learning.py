"""Measures whether training teaches: LoRAs of held-out subjects on the demo's base.

``python tests/benchmarks/learning.py --work FOLDER [--font FILE]`` trains ten subjects with three
seeds each by the real trainer process, and judges base and LoRA as diffusers loads them: by the
loss on pictures that were not trained on, by the place at which a classifier names the subject,
and by how many of 20 known subjects are still recognised. Interrupted, the same command goes on.
Prints the tables of ``RESULTS.md`` and draws ``learning.png`` in the folder. The emoji font is
needed (Debian: fonts-noto-color-emoji).
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

# The judge comes first: it makes the demo's scripts importable.
from glyph_judge import CONCEPT_PROMPTS, CONTROL_PROMPTS, TRIGGER, Judge, Verdict
from making.concepts import HELD_OUT
from making.glyphs import FONT, GlyphFont
from making.pictures import compose, draw_lots, grid
from PIL import Image

CONCEPTS = list(HELD_OUT)[:10]
SEEDS = (1, 2, 3)
PICTURES, HELD_OUT_PICTURES = 15, 8
SHOWN = 5  # samples of a subject in the sheet, before and after
SHOWN_PX = 64
LARGEST_FALL = 0.1  # of the share of control prompts that are recognised

RUN_FILE = """\
format = "loom/2"
[model]
pretrained_model_name_or_path = {base}
[dataset]
train_data_dir = {pictures}
resolution = [128, 128]
min_bucket_reso = 128
train_batch_size = 4
[adapter]
network_dim = 8
network_alpha = 8.0
[optimizer]
max_train_steps = {steps}
optimizer_type = "AdamW"
unet_lr = {unet_rate}
text_encoder_lr = {text_rate}
[output]
output_dir = {output}
output_name = "lora"
[hardware]
mixed_precision = "no"
num_cpu_threads_per_process = 1
seed = {seed}
"""


@dataclass(frozen=True)
class Outcome:
    """One training: what was measured of it."""

    concept: str
    seed: int
    seconds: float
    verdict: Verdict


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--work", type=Path, required=True)
    add("--base", type=Path, default=Path(__file__).parents[2] / "resources" / "demo" / "base")
    add("--font", type=Path, default=FONT)
    add("--concepts", nargs="+", default=CONCEPTS)
    add("--seeds", nargs="+", type=int, default=SEEDS)
    add("--steps", type=int, default=300)
    add("--unet-rate", type=float, default=1e-3)
    add("--text-rate", type=float, default=5e-4)
    return parser.parse_args()


def main() -> None:
    """Train and judge what is not judged yet, then print the tables."""
    options = arguments()
    font = GlyphFont(options.font)
    judge = Judge(options.base)
    before, outcomes, rows = {}, [], []
    for concept in options.concepts:
        folder = options.work / concept
        held_out = write_pictures(folder, concept, font)
        before[concept], samples = judge.judge(concept, held_out)
        rows.append(samples[:SHOWN])
        for seed in options.seeds:
            outcome = trained_and_judged(options, judge, concept, seed, held_out)
            outcomes.append(outcome)
            report_line(before[concept], outcome)
        with Image.open(folder / f"{options.seeds[0]}.png") as sheet:
            rows[-1] += cut(sheet, SHOWN)
    shown = [sample.resize((SHOWN_PX, SHOWN_PX)) for row in rows for sample in row]
    overview = grid(shown, 2 * SHOWN).quantize(256)
    overview.save(options.work / "learning.png", optimize=True)
    sys.stdout.write(table(before, outcomes))


def write_pictures(folder: Path, concept: str, font: GlyphFont) -> list[tuple[Image.Image, str]]:
    """Write the training pictures with captions; return those that are kept from it."""
    lots = random.Random(concept)
    pictures = folder / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    glyph = font.glyph(HELD_OUT[concept])
    made = []
    for _ in range(PICTURES + HELD_OUT_PICTURES):
        plan = draw_lots(lots)
        made.append((compose(glyph, plan), plan.caption_for(f"{TRIGGER} {concept}")))
    for number, (picture, caption) in enumerate(made[:PICTURES]):
        picture.save(pictures / f"{number}.png")
        (pictures / f"{number}.txt").write_text(caption, encoding="utf-8")
    return made[PICTURES:]


def trained_and_judged(
    options: argparse.Namespace,
    judge: Judge,
    concept: str,
    seed: int,
    held_out: list[tuple[Image.Image, str]],
) -> Outcome:
    """Return the outcome of one training, from an earlier call if there is one."""
    folder = options.work / concept
    record = folder / f"{seed}.json"
    if record.exists():
        kept = json.loads(record.read_text(encoding="utf-8"))
        return Outcome(**(kept | {"verdict": Verdict(**kept["verdict"])}))
    started = time.perf_counter()
    lora = train(options, folder, seed)
    seconds = time.perf_counter() - started
    verdict, samples = judge.judge(concept, held_out, lora)
    grid(samples, len(samples)).save(folder / f"{seed}.png")
    outcome = Outcome(concept, seed, seconds, verdict)
    record.write_text(json.dumps(asdict(outcome)), encoding="utf-8")
    return outcome


def train(options: argparse.Namespace, folder: Path, seed: int) -> Path:
    """Train with the product; return the LoRA's file."""
    output, run_file = folder / f"output-{seed}", folder / f"{seed}.toml"
    text = RUN_FILE.format(
        base=json.dumps(str(options.base.resolve())),
        pictures=json.dumps(str((folder / "pictures").resolve())),
        output=json.dumps(str(output.resolve())),
        steps=options.steps, unet_rate=options.unet_rate, text_rate=options.text_rate, seed=seed,
    )  # fmt: skip
    run_file.write_text(text, encoding="utf-8")
    words = ["-m", "trainer_core", "train", str(run_file), "--overwrite"]
    command = [sys.executable, "-I", "-X", "utf8", *words]
    with (folder / f"{seed}.log").open("wb") as log:
        subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, check=True
        )
    return output / "lora.safetensors"


def cut(sheet: Image.Image, count: int) -> list[Image.Image]:
    """Return the first pictures of a sheet of one row."""
    side = sheet.height
    return [sheet.crop((side * n, 0, side * (n + 1), side)) for n in range(count)]


def report_line(before: Verdict, outcome: Outcome) -> None:
    """Say on stderr how a training went."""
    after = outcome.verdict
    sys.stderr.write(
        f"{outcome.concept} {outcome.seed}: loss {before.loss:.4f} to {after.loss:.4f}, "
        f"rank {before.rank:.1f} to {after.rank:.1f}, control {before.control:.2f} to "
        f"{after.control:.2f}, {outcome.seconds:.0f} s\n"
    )


def table(before: dict[str, Verdict], outcomes: list[Outcome]) -> str:
    """Return the results as a table, and the verdict on the whole."""
    lines = [
        f"Means over {len({outcome.seed for outcome in outcomes})} seeds, and what they spread "
        f"(one standard deviation); {CONCEPT_PROMPTS} samples a training, {CONTROL_PROMPTS} "
        "control prompts.\n",
        "| subject | loss before | after | rank before | after | control before | after | s | |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    learned = 0
    for concept, start in before.items():
        own = [outcome for outcome in outcomes if outcome.concept == concept]
        loss, loss_spread = spread_of([outcome.verdict.loss for outcome in own])
        rank, rank_spread = spread_of([outcome.verdict.rank for outcome in own])
        control, _ = spread_of([outcome.verdict.control for outcome in own])
        seconds, _ = spread_of([outcome.seconds for outcome in own])
        is_learned = (
            start.loss - loss > 2 * loss_spread
            and start.rank - rank > 2 * rank_spread
            and start.control - control <= LARGEST_FALL + 1e-9
        )
        learned += is_learned
        lines.append(
            f"| {concept} | {start.loss:.4f} | {loss:.4f} ± {loss_spread:.4f} "
            f"| {start.rank:.1f} | {rank:.1f} ± {rank_spread:.1f} "
            f"| {start.control:.0%} | {control:.0%} | {seconds:.0f} "
            f"| {'learned' if is_learned else ''} |"
        )
    lines.append(
        f"\nLearned (loss and rank better by more than twice the spread, control lower by "
        f"{100 * LARGEST_FALL:.0f} points at most): {learned} of {len(before)}.\n"
    )
    return "\n".join(lines)


def spread_of(values: list[float]) -> tuple[float, float]:
    """Return mean and standard deviation."""
    return statistics.mean(values), statistics.stdev(values) if len(values) > 1 else 0.0


if __name__ == "__main__":
    main()
