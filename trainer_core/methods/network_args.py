"""The algorithm and the options of adapters, as their files tell them: ``ss_network_args``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from trainer_core.catalogue.adapters import AdapterEntry

_KEY = "ss_network_args"
_ALGORITHM = "algo"


class OtherOption(NamedTuple):
    """An option that a file was trained with, in the words of the file.

    ``now`` is what the settings say instead.
    """

    name: str
    before: str
    now: str


def network_args(entry: AdapterEntry, options: Mapping[str, object]) -> dict[str, str]:
    """Return the arguments under the names of the reference trainer, whose values are all text.

    Args:
        entry: The kind of adapter.
        options: The values of its options by their settings; unset ones are left out.
    """
    algorithm = {_ALGORITHM: entry.algo} if entry.algo else {}
    return algorithm | {
        entry.arguments.get(name, name): str(value)
        for name, value in options.items()
        if value is not None
    }


def unlike(
    metadata: Mapping[str, str], entry: AdapterEntry, options: Mapping[str, object]
) -> Iterator[OtherOption]:
    """Yield the options that a file says otherwise; what it does not say is taken to fit.

    Args:
        metadata: All the file says of itself; any program may have written it.
        entry: The kind of adapter.
        options: The values of its options by their settings.
    """
    written = _written(metadata)
    for name, value in network_args(entry, options).items():
        before = written.get(name)
        if before is not None and _plain(before) != _plain(value):
            yield OtherOption(name, str(before), value)


def _written(metadata: Mapping[str, str]) -> Mapping[str, object]:
    try:
        found = json.loads(metadata.get(_KEY, "{}"))
    except (ValueError, RecursionError):  # ValueError: of a number too long, too
        return {}
    return found if isinstance(found, dict) else {}


def _plain(value: object) -> str | float:
    """Return what two ways to write one value have in common: ``true`` and True, 8 and 8.0."""
    words = str(value).lower()
    try:
        return float(words)
    except ValueError:
        return words
