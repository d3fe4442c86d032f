"""What a saved state says of itself: a manifest that proves its own content and that of its files.

The manifest's ``seal`` is the SHA-256 of everything else in it, as sorted JSON without spaces.
States of earlier versions have none: what they say is checked by its form alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import (
    Any,
    NotRequired,  # what pydantic asks for
)

from typing_extensions import TypedDict

from trainer_core.files.form import Count, Seed, Sha256, WrongForm, checked, plain_json
from trainer_core.files.reading import open_regular, read_limited

MANIFEST_NAME = "manifest.json"  # written last: a state with it is complete
_SEAL = "seal"
_LIMIT_BYTES = 16 * 2**20


class FileEntry(TypedDict):
    """What a manifest says of a file of its state; its size in bytes."""

    size: Count
    sha256: Sha256


class Manifest(TypedDict):
    """What every manifest says, of any format and version."""

    format: str
    run_id: str
    name: str
    seed: Seed
    step: Count
    epoch: Count
    batch: Count
    pictures: str
    settings: dict[str, dict[str, Any]]
    base: NotRequired[str]
    files: dict[str, FileEntry]


class DamagedManifest(ValueError):  # noqa: N818 - a condition of the file
    """The manifest is not as it was written, or never was one."""


def sealed(content: Mapping[str, Any]) -> bytes:
    """Return the manifest's bytes for what it is to say; ``content`` is plain JSON data."""
    plain = json.loads(json.dumps(content))  # tuples as the lists that will be read
    return json.dumps({**plain, _SEAL: _seal_of(plain)}, indent=1).encode()


def read_manifest(state: Path) -> dict[str, Any]:
    """Return what the state in the folder ``state`` says of itself, without the seal.

    Raises:
        FileNotFoundError: It has no manifest: it is not complete, or no state.
        OSError: It cannot be read.
        DamagedManifest: It is not as it was written.
    """
    content = _content(state / MANIFEST_NAME)
    seal = content.pop(_SEAL, None)
    if seal is not None and seal != _seal_of(content):
        raise DamagedManifest(f"{MANIFEST_NAME} is not as it was written")
    return content


def manifest_format(state: Path) -> str:
    """Return the format that a state says to be of, whatever else its manifest may be.

    Raises:
        FileNotFoundError: It has no manifest.
        OSError: It cannot be read.
        DamagedManifest: It is no manifest.
    """
    found = _content(state / MANIFEST_NAME).get("format")
    if not isinstance(found, str):
        raise DamagedManifest("format")
    return found


def check_form(manifest: Mapping[str, Any]) -> None:
    """Refuse a manifest, sealed or not, whose values are not of the types that a state has.

    Raises:
        DamagedManifest: A value is missing, of another type, negative, or at odds with another.
    """
    try:
        found = checked(Manifest, manifest)
    except WrongForm as error:
        raise DamagedManifest(str(error)) from error
    for name in found["files"]:
        if not _is_plain_name(name):  # one in another folder is none of a state's
            raise DamagedManifest("files")
    # An epoch takes a step at least; so does a batch.
    if found["epoch"] + (found["batch"] > 0) > found["step"]:
        raise DamagedManifest("step, epoch, batch")


def _is_plain_name(name: str) -> bool:
    return name not in ("", ".", "..") and not set(name) & set("/\\:\0")


def is_count(value: object) -> bool:
    """Tell whether a value from JSON is a whole number from 0 on, in 64 bits."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def check_file(state: Path, name: str, entry: Mapping[str, Any]) -> None:
    """Compare a file of a state with what the manifest says of it.

    Raises:
        DamagedManifest: It is not as it was written.
        OSError: It cannot be read.
    """
    with open_regular(state / name) as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != entry["sha256"]:
        raise DamagedManifest(f"{name} is not as it was written")


def is_sound(state: Path) -> bool:
    """Read a whole state and tell whether manifest and files are as they were written."""
    try:
        manifest = read_manifest(state)
        check_form(manifest)
        for name, entry in manifest["files"].items():
            check_file(state, name, entry)
    except (OSError, ValueError, KeyError):
        return False
    return True


def looks_damaged(state: Path) -> bool:
    """Tell whether a manifest or a file's size is not as written; reads no file but the manifest.

    A folder without a manifest is no damaged state: it was never complete, or is none.
    """
    try:
        entries = read_manifest(state).get("files")
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            if (state / name).stat().st_size != entry["size"]:
                return True
    except FileNotFoundError as error:
        return Path(error.filename).name != MANIFEST_NAME
    except (OSError, ValueError, KeyError, TypeError):
        return True
    return False


def state_step(state: Path) -> int:
    """Return the optimizer step of a state folder, -1 if its manifest is missing or damaged."""
    step = _value(state, "step")
    return step if isinstance(step, int) and is_count(step) else -1


def state_settings(state: Path) -> dict[str, Any]:
    """Return the raw settings that a state was saved with, empty if it does not say."""
    settings = _value(state, "settings")
    if not isinstance(settings, dict):
        return {}
    return {name: values for name, values in settings.items() if isinstance(values, dict)}


def state_run(state: Path) -> str | None:
    """Return the id of the run that a state belongs to, None if it does not say."""
    run_id = _value(state, "run_id")
    return run_id if isinstance(run_id, str) else None


def _value(state: Path, name: str) -> object:
    try:
        return read_manifest(state).get(name)
    except (OSError, ValueError):
        return None


def _content(path: Path) -> dict[str, Any]:
    if path.stat().st_size > _LIMIT_BYTES or not path.is_file():
        raise DamagedManifest(MANIFEST_NAME)
    try:
        content = plain_json(read_limited(path, _LIMIT_BYTES))
    except ValueError as error:
        raise DamagedManifest(str(error)) from error
    if not isinstance(content, dict):
        raise DamagedManifest(MANIFEST_NAME)
    return content


def _seal_of(content: Mapping[str, Any]) -> str:
    # Over the values, not the bytes: what is checked is what will be taken.
    try:
        plain = json.dumps(content, sort_keys=True, separators=(",", ":"))
    except RecursionError as error:
        raise DamagedManifest("nested too deep") from error
    return hashlib.sha256(plain.encode()).hexdigest()
