"""Whether what a record holds is of the form that it was written in, before any of it is used.

A form is a ``TypedDict`` (that of ``typing_extensions``, as pydantic asks). Types are exact:
``true`` is no number and ``"7"`` none either. Entries that a form does not name are left out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from trainer_core.files.reading import read_limited

Count = Annotated[int, Field(ge=0, lt=2**63)]
Seed = Annotated[int, Field(ge=0, lt=2**64)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

F = TypeVar("F")

_adapters: dict[Any, TypeAdapter[Any]] = {}  # made when needed: the app's start is not the time


class WrongForm(ValueError):  # noqa: N818 - a condition of the file
    """What was read is not of the form; says which entry is not."""


def checked(form: type[F], value: object) -> F:
    """Return what was read if it is of the form.

    Raises:
        WrongForm: An entry is missing, of another type, or beyond its bounds.
    """
    try:
        found: F = _adapter(form).validate_python(value, strict=True)
    except ValidationError as error:
        place = error.errors(include_url=False, include_input=False)[0]["loc"]
        raise WrongForm(".".join(map(str, place)) or "no table") from error
    return found


def read_record(path: Path, form: type[F], limit_bytes: int) -> F:
    """Read a record that is a JSON file.

    Args:
        path: The file.
        form: What it must hold.
        limit_bytes: The most that it may hold.

    Raises:
        OSError: It cannot be read, or is larger.
        ValueError: It is no JSON, or of another form.
    """
    return checked(form, plain_json(read_limited(path, limit_bytes)))


def plain_json(data: bytes) -> Any:
    """Return what JSON says.

    Raises:
        ValueError: It is none, is no UTF-8, or is nested without end.
    """
    try:
        return json.loads(data)
    except RecursionError as error:
        raise WrongForm("nested too deep") from error


def _adapter(form: Any) -> TypeAdapter[Any]:
    if form not in _adapters:
        _adapters[form] = TypeAdapter(form)
    return _adapters[form]
