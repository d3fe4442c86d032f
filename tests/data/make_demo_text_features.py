"""Record what transformers 4 makes of the demo's text encoder: ``demo_text_features.json``.

``pip install --target FOLDER "transformers==4.57.6"``, then
``PYTHONPATH=FOLDER python tests/data/make_demo_text_features.py``.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
import transformers

BASE = Path(__file__).parents[2] / "resources" / "demo" / "base"
PROMPT = "a zxq lantern on a blue background, waving"


def main() -> None:
    """Write the record beside this script."""
    tokenizer = transformers.CLIPTokenizer.from_pretrained(BASE / "tokenizer")
    encoder, found = transformers.CLIPTextModel.from_pretrained(
        BASE / "text_encoder", output_loading_info=True, torch_dtype=torch.float32
    )
    if not transformers.__version__.startswith("4.") or any(found.values()):
        raise SystemExit(f"transformers {transformers.__version__}: {found}")
    ids = tokenizer(PROMPT, padding="max_length", max_length=77, return_tensors="pt").input_ids
    with torch.no_grad():
        features_BLD = encoder(ids).last_hidden_state
    record = {
        "transformers": transformers.__version__,
        "prompt": PROMPT,
        "ids": ids[0].tolist(),
        "features": [[round(value, 5) for value in row] for row in features_BLD[0].tolist()],
    }
    file = Path(__file__).with_name("demo_text_features.json")
    file.write_text(json.dumps(record) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
