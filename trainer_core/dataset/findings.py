"""What is wrong with a picture or a folder, and the way out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trainer_core.errors import CaptionEncodingError, DatasetError
from trainer_core.settings.problems import Severity
from trainer_core.texts import Text


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a picture or folder that people should know before the start.

    Attributes:
        path: The picture or folder that it stands beside.
        severity: Whether a run can start nevertheless.
        message: What is wrong.
        suggestion: The way out, if there is one.
        is_of_encoding: It is of a caption that is not UTF-8 and could be converted.
        changes: Raw values, by ``section.name``, that do what is suggested; none where only people
            can.
    """

    path: Path
    severity: Severity
    message: Text
    suggestion: Text | None = None
    is_of_encoding: bool = False
    changes: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, path: Path, error: DatasetError) -> Finding:
        """Return what an error says of a picture or folder."""
        is_of_encoding = isinstance(error, CaptionEncodingError)
        return cls(path, Severity.ERROR, error.message, error.hint, is_of_encoding)
