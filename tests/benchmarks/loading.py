"""Measures how much memory and time loading a full-size base model takes (Linux).

``python tests/benchmarks/loading.py --folder /somewhere/with/7/GB`` writes files of Stable
Diffusion 1.5, or with ``--family sdxl`` of Stable Diffusion XL, with random weights there, loads
each in a process of its own, prints one line of a table each, and deletes them. Memory is the
highest resident size during loading less that after the imports.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import torch

from trainer_core.families.layouts import sd1_architecture, sdxl_architecture
from trainer_core.families.layouts.networks import build_networks, original_state
from trainer_core.families.sd1 import SD1
from trainer_core.families.sdxl import SDXL

GB = 1e9
DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
FAMILIES = {"sd1": (SD1, sd1_architecture), "sdxl": (SDXL, sdxl_architecture)}
#: What is stored, and as what it is loaded.
CASES = {
    "sd1": [("F32", "F32"), ("F16", "F32"), ("F16", "F16")],
    "sdxl": [("BF16", "BF16")],
}


def write_model(path: Path, dtype: str, family: str) -> None:
    """Write a file in the original layout, tensor by tensor, with weights from N(0, 0.02)."""
    kind, architecture = FAMILIES[family]
    networks = build_networks(path, kind.layout, architecture.published_architecture())
    parts = [original_state(networks, part) for part in networks.modules]
    state = {name: tensor for part in parts for name, tensor in part.items()}
    header, end = {}, 0
    for name, tensor in state.items():
        begin, end = end, end + tensor.numel() * DTYPES[dtype].itemsize
        shape = list(tensor.shape)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    generator = torch.Generator().manual_seed(0)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for tensor in state.values():
            values = torch.randn(tensor.shape, generator=generator).mul_(0.02)
            stored = values.to(DTYPES[dtype]).view(-1).view(torch.uint8)
            file.write(stored.numpy().data)


def load(path: Path, dtype: str, family: str) -> dict[str, float]:
    """Load a whole model in this process; return seconds, and bytes of memory and of the weights.

    The last part is then released and loaded again, as the VAE is for samples.
    """
    kind, _ = FAMILIES[family]
    before = psutil.Process().memory_info().rss
    start = time.perf_counter()
    model = kind.open(path)
    parts = (model.entry.denoiser, *model.entry.text_encoders, model.image_part)
    for part in parts:
        model.load(part, dtype=DTYPES[dtype], device=torch.device("cpu"))
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    weights = sum(p.numel() * p.element_size() for n in parts for p in model.module(n).parameters())
    full = psutil.Process().memory_info().rss
    model.release(model.image_part)
    released = full - psutil.Process().memory_info().rss
    start = time.perf_counter()
    model.load(model.image_part, dtype=torch.float32, device=torch.device("cpu"))
    again = time.perf_counter() - start
    return {
        "seconds": seconds,
        "peak": peak,
        "imports": before,
        "weights": weights,
        "released": released,
        "again": again,
    }


@contextmanager
def model_file(folder: Path, dtype: str, family: str = "sd1") -> Iterator[Path]:
    """Give a full-size model file that is deleted afterwards."""
    with tempfile.TemporaryDirectory(dir=folder) as own:
        path = Path(own) / f"{dtype}.safetensors"
        write_model(path, dtype, family)
        yield path


def report(path: Path, stored: str, loaded: str, family: str) -> str:
    """Load a file in a fresh process and return its line of the table."""
    own = [sys.executable, __file__, "--family", family]
    command = [*own, "--load", str(path), "--as", loaded]
    figures = json.loads(subprocess.check_output(command))
    cells = [
        f"{stored}, {path.stat().st_size / GB:.2f} GB",
        loaded,
        f"{figures['peak'] / GB:.2f} GB",
        f"{figures['peak'] / figures['weights']:.2f}",
        f"{figures['imports'] / GB:.2f} GB",
        f"{figures['seconds']:.1f} s",
        f"{figures['released'] / GB:.2f} GB",
        f"{figures['again']:.1f} s",
    ]
    return "| " + " | ".join(cells) + " |\n"


def main() -> None:
    """Measure every case, or load one file if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--family", choices=FAMILIES, default="sd1")
    parser.add_argument("--load", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--as", dest="dtype", default="F32", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.load:
        sys.stdout.write(json.dumps(load(arguments.load, arguments.dtype, arguments.family)))
        return
    sys.stdout.write("| file | loaded as | peak | / weights | imports | time |")
    sys.stdout.write(" VAE released | loaded again |\n")
    sys.stdout.write("|---|---|---|---|---|---|---|---|\n")
    cases = CASES[arguments.family]
    for stored in dict.fromkeys(stored for stored, _ in cases):
        with model_file(arguments.folder, stored, arguments.family) as path:
            for loaded in (loaded for file, loaded in cases if file == stored):
                sys.stdout.write(report(path, stored, loaded, arguments.family))


if __name__ == "__main__":
    main()
