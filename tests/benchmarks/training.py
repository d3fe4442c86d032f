"""Measures memory and speed of training on a full-size Stable Diffusion 1.5 (Linux, CPU).

``python tests/benchmarks/training.py --folder /somewhere/with/5/GB`` writes a 32-bit model with
random weights there, trains a LoRA of rank 8 on it for three steps at 128 px with the real trainer
process, prints one line of a table for each case, and deletes everything. Memory is the process's
highest resident size, imports and all. ``--formats`` measures the steps of each number format and
memory format at 128, 256 and 512 px instead, and ``--xl`` a Stable Diffusion XL in bf16 at 256 px
(7 GB).
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
from typing import Any

from loading import GB, model_file
from PIL import Image

from trainer_core.environment.launch import EVENTS_VARIABLE

STEPS = 3
SIDE_PX = 128
SIDES_PX = (128, 256, 512)
CASES = (
    {},
    {"gradient_checkpointing": "true"},
    {"gradient_checkpointing": "true", "network_train_unet_only": "true"},
)

XL_SIDE_PX = 256
XL_CASES = (
    {
        "mixed_precision": "bf16",
        "gradient_checkpointing": "true",
        "network_train_unet_only": "true",
        "cache_text_encoder_outputs": "true",
    },
)

FORMATS = [
    {"mixed_precision": precision, "memory_format": memory_format}
    for precision in ("no", "bf16")
    for memory_format in ("contiguous", "channels_last")
]

RUN_FILE = """\
format = "loom/2"
[model]
pretrained_model_name_or_path = "{model}"
[dataset]
train_data_dir = "pictures"
[buckets]
resolution = [{side}, {side}]
[adapter]
network_dim = 8
[optimizer]
optimizer_type = "AdamW"
max_train_steps = {steps}
[output]
output_dir = "output"
[hardware]
mixed_precision = "no"
"""


def main() -> None:
    """Measure every case, or one in this process if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--python", default=sys.executable, help="of the trainer to measure")
    parser.add_argument("--formats", action="store_true", help="compare formats")
    parser.add_argument("--xl", action="store_true", help="measure Stable Diffusion XL")
    parser.add_argument("--train", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.train:
        sys.stdout.write(json.dumps(train(arguments.python, arguments.train)))
        return
    kind = ("BF16", "sdxl") if arguments.xl else ("F32", "sd1")
    with model_file(arguments.folder, *kind) as model:
        if arguments.formats:
            compare_formats(arguments.python, model)
            return
        sys.stdout.write("| gradient checkpointing | text encoder | peak | to the first step |")
        sys.stdout.write(" per step |\n|---|---|---|---|---|\n")
        run_file = write_project(model, XL_SIDE_PX if arguments.xl else SIDE_PX)
        for case in XL_CASES if arguments.xl else CASES:
            sys.stdout.write(report(arguments.python, run_file, case))


def compare_formats(python: str, model: Path) -> None:
    """Print the time per step of each format as a share of the first one's, for each size."""
    sys.stdout.write("| px | " + " | ".join(" ".join(case.values()) for case in FORMATS) + " |\n")
    sys.stdout.write("|---" * (len(FORMATS) + 1) + "|\n")
    for side in SIDES_PX:
        run_file = write_project(model, side)
        frozen = {"network_train_unet_only": "true"}
        seconds = [measured(python, run_file, case | frozen)["step"] for case in FORMATS]
        cells = [f"{each:.2f} s ({each / seconds[0]:.2f})" for each in seconds]
        sys.stdout.write(f"| {side} | " + " | ".join(cells) + " |\n")


def write_project(model: Path, side: int) -> Path:
    """Write two square pictures and a run file beside the model."""
    pictures = model.parent / "pictures"
    pictures.mkdir(exist_ok=True)
    for number, colour in enumerate(("red", "blue")):
        Image.new("RGB", (side, side), colour).save(pictures / f"{number}.png")
    run_file = model.parent / "run.toml"
    text = RUN_FILE.format(model=model, side=side, steps=STEPS)
    run_file.write_text(text, encoding="utf-8")
    return run_file


def report(python: str, run_file: Path, case: dict[str, str]) -> str:
    """Train one case and return its line of the table."""
    figures = measured(python, run_file, case)
    cells = [
        "on" if "gradient_checkpointing" in case else "off",
        "frozen" if "network_train_unet_only" in case else "trained",
        f"{figures['peak'] / GB:.2f} GB",
        f"{figures['first']:.1f} s",
        f"{figures['step']:.1f} s",
    ]
    return "| " + " | ".join(cells) + " |\n"


def measured(python: str, run_file: Path, case: dict[str, str]) -> dict[str, float]:
    """Train one case in a process of its own, whose highest memory of its children is this one's.

    Returns:
        As `train` does.
    """
    flags = [f"--{name}={value}" for name, value in case.items()]
    own = [sys.executable, __file__, "--python", python]
    command = [*own, "--train", str(run_file), "--overwrite", *flags]
    figures: dict[str, float] = json.loads(subprocess.check_output(command))
    return figures


def train(python: str, words: list[str]) -> dict[str, float]:
    """Run the trainer; return its memory in bytes, and seconds to the first and per step."""
    command = [python, "-I", "-u", "-X", "utf8", "-m", "trainer_core", "train", *words]
    env = os.environ | {EVENTS_VARIABLE: "1"}
    started = time.time()
    done = subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True
    )
    events: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    steps = [event for event in events if event["event"] == "step_done"]
    assert len(steps) == STEPS, events[-1]
    return {
        "peak": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024,
        "first": steps[0]["time"] - steps[0]["seconds"] - started,
        "step": sum(step["seconds"] for step in steps[1:]) / (STEPS - 1),
    }


if __name__ == "__main__":
    main()
