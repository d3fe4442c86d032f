"""The count is that of transformers' tokenizer, whatever the text."""

from __future__ import annotations

import random
import subprocess
import sys
import time
import unicodedata
from collections.abc import Sequence

import ftfy
import pytest
from transformers import CLIPTokenizer

from trainer_core.files.resources import resource_path
from trainer_core.tokens.clip import CHUNK_TOKENS, count_tokens


@pytest.fixture(scope="module")
def library() -> CLIPTokenizer:
    return CLIPTokenizer.from_pretrained(resource_path("tokenizers", "clip"))


def counts_of(library: CLIPTokenizer, texts: Sequence[str]) -> list[int]:
    """Return the library's counts of texts that are cleaned as the trainer cleans them."""
    cleaned = [ftfy.fix_text(text) for text in texts]
    return [len(row) - 2 for row in library(cleaned, verbose=False).input_ids]


def assert_equal_counts(library: CLIPTokenizer, texts: Sequence[str]) -> None:
    expected = counts_of(library, texts)
    wrong = {t: (n, count_tokens(t)) for t, n in zip(texts, expected, strict=True)}
    assert {t: pair for t, pair in wrong.items() if pair[0] != pair[1]} == {}


@pytest.mark.parametrize(
    ("text", "count"), [("", 0), (" \n", 0), ("a cat", 2), ("a cat, 2 dogs", 5), ("cat " * 80, 80)]
)
def test_words_and_marks_between_them_count(text: str, count: int) -> None:
    assert count_tokens(text) == count


def test_the_limit_is_the_tokenizer_s_length_less_both_marks(library: CLIPTokenizer) -> None:
    assert library.model_max_length - 2 == CHUNK_TOKENS


WORDS = (
    "cat Photo zxq 1girl masterpiece (best:1.2) \\(series\\) [a|b] -- ... __ _a_ a_b &amp; &lt;3 "
    "it's they'll 'super ''s !'s don't DON'T <|endoftext|> <|ENDOFTEXT|> “quoted” ﬁne ＡＢ１ naïve "
    "e\u0301 ß ΟΔΟΣ İstanbul ǅ 猫 東京タワー 한국어 ไทย हिन्दी عربي ½ ² Ⅷ 五 ٣ ① 𝟘 𝒜 🎉 😀😀😀 ❤️ "
    "👩\u200d👩\u200d👧 antidisestablishmentarianism"
)
PARTS = [*WORDS.split(), *"\u200b\u00a0\u3000\u2028\ufeff\x1c", "x" * 200, "é" * 60]


def test_odd_words_count_alone_and_together(library: CLIPTokenizer) -> None:
    draw = random.Random(0)
    gaps = ("", " ", ", ", "\t", "  ")
    mixed = [
        "".join(draw.choice(PARTS) + draw.choice(gaps) for _ in range(draw.randrange(1, 9)))
        for _ in range(1500)
    ]
    assert_equal_counts(library, [*PARTS, *mixed])


def test_characters_of_every_script_count(library: CLIPTokenizer) -> None:
    # Unassigned ones differ with the version of Unicode; private ones nobody types.
    known = [
        c for c in map(chr, range(0x110000)) if unicodedata.category(c) not in ("Cn", "Co", "Cs")
    ]
    draw = random.Random(1)
    texts = [f"a{c}b2{c}{c}" for c in draw.sample(known, 1500)]
    texts += ["".join(draw.choices(known[:12_000], k=20)) for _ in range(500)]
    assert_equal_counts(library, texts)


def test_a_text_without_end_is_soon_known_to_be_too_long() -> None:
    began = time.process_time()
    assert count_tokens("a" * 10**6) > CHUNK_TOKENS
    assert count_tokens("猫 " * 10**6) > CHUNK_TOKENS
    assert time.process_time() - began < 5


def test_ten_thousand_captions_take_a_second_or_two() -> None:
    words = [f"{first}{second}" for first in "abcdefghij" for second in "klmnopqrst"]
    draw = random.Random(2)
    captions = [", ".join(draw.choices(words, k=30)) for _ in range(10_000)]
    began = time.process_time()
    assert min(map(count_tokens, captions)) >= 59
    assert time.process_time() - began < 4


def test_counting_needs_no_model_library() -> None:
    code = (
        "import sys; from trainer_core.tokens.clip import count_tokens;"
        "assert count_tokens('é') == 1;"
        "assert not {'torch', 'transformers', 'tokenizers', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
