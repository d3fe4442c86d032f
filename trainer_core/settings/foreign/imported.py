"""What comes of a file of another program."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer_core.errors import SettingsError
from trainer_core.files.reading import read_limited
from trainer_core.texts import T, Text

_MAX_BYTES = 4 * 2**20


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file of another program says, as changes of a run's raw settings.

    Attributes:
        changes: Raw values by ``section.name``.
        notes: What of the file has no place here or means something else.
    """

    changes: Mapping[str, object]
    notes: tuple[Text, ...] = ()


def read_tables(path: Path) -> Mapping[str, Any]:
    """Return what a TOML or JSON file holds.

    Raises:
        SettingsError: It cannot be read, or is neither.
    """
    try:
        content = read_limited(path, _MAX_BYTES).decode("utf-8-sig")
        is_json = content.lstrip().startswith("{")
        found = json.loads(content) if is_json else tomllib.loads(content)
    except OSError as error:
        raise unusable(path, error.strerror or error) from error
    except (ValueError, RecursionError) as error:
        raise unusable(path, error) from error
    return found if isinstance(found, Mapping) else {}


def unusable(path: Path, reason: object) -> SettingsError:
    """Return the error of a file that cannot be imported at all."""
    return SettingsError(
        T("Errors", "{path} cannot be imported: {reason}"),
        T("Errors", "Choose another file, or correct it in a text editor."),
        path=path,
        reason=reason,
    )
