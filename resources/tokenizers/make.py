"""Builds CLIP's two tokenizer files from the merge list that open_clip_torch ships.

``python resources/tokenizers/make.py bpe_simple_vocab_16e6.txt.gz`` writes ``clip/vocab.json``
and ``clip/merges.txt`` beside this script, in the layout that transformers reads.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

START, END = "<|startoftext|>", "<|endoftext|>"
NUM_TOKENS = 49408
PRINTABLE = (*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAC + 1), *range(0xAE, 0xFF + 1))


def byte_characters() -> list[str]:
    """Return the 256 characters that stand for bytes, printable ones for themselves first.

    Source: GPT-2's byte-level BPE (Radford et al. 2019), which CLIP took over.
    """
    others = 256 - len(PRINTABLE)
    return [chr(code) for code in PRINTABLE] + [chr(256 + index) for index in range(others)]


def read_merges(path: Path) -> list[str]:
    """Return the merge rules that CLIP uses, best first, as ``left right``."""
    lines = gzip.decompress(path.read_bytes()).decode("utf-8").split("\n")
    count = NUM_TOKENS - 2 * 256 - 2  # what characters, word ends and the two marks leave
    return lines[1 : count + 1]  # the first line names the version


def vocabulary(merges: list[str]) -> dict[str, int]:
    """Return every token with its id: characters, word ends, merged pieces, the two marks."""
    characters = byte_characters()
    tokens = characters + [character + "</w>" for character in characters]
    tokens += [merge.replace(" ", "") for merge in merges]
    return {token: index for index, token in enumerate([*tokens, START, END])}


def main(source: Path, folder: Path) -> None:
    """Write ``vocab.json`` and ``merges.txt`` into ``folder``."""
    merges = read_merges(source)
    folder.mkdir(parents=True, exist_ok=True)
    vocab = json.dumps(vocabulary(merges), ensure_ascii=False, separators=(", ", ": "))
    (folder / "vocab.json").write_bytes(vocab.encode("utf-8"))
    rules = "\n".join(["#version: 0.2", *merges, ""])
    (folder / "merges.txt").write_bytes(rules.encode("utf-8"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(__file__).parent / "clip")
