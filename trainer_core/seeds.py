"""One seed for everything random: each purpose at each place of a run has a seed of its own.

Apart from `runtime.draws`, which needs torch: the order of pictures is drawn without it.
"""

from __future__ import annotations

import hashlib


def derived_seed(seed: int, purpose: str, *place: int) -> int:
    """Return a 63-bit seed for one purpose at one place of a run (epoch, step, position)."""
    words = ":".join([str(seed), purpose, *map(str, place)])
    return int.from_bytes(hashlib.blake2b(words.encode(), digest_size=8).digest(), "big") >> 1
