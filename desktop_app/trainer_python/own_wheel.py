"""LoRA Loom itself as a wheel, made from what is running: no index has it, no build tool is needed.

From a checkout the wheel holds only a pointer to the checkout, as an editable installation does:
what is changed there acts at once in the trainer too.
"""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path

from desktop_app.trainer_python.requirements import DISTRIBUTION, checkout, python_bounds
from trainer_core.errors import OutputError
from trainer_core.files.resources import resource_path
from trainer_core.texts import T
from trainer_core.version import __version__

_PACKAGES = ("trainer_core", "desktop_app")
_RESOURCES = "lora_loom_resources"
_STEM = DISTRIBUTION.replace("-", "_")
_INFO = f"{_STEM}-{__version__}.dist-info"
_WHEEL = "Wheel-Version: 1.0\nGenerator: lora-loom\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_ENTRY_POINTS = (
    "[console_scripts]\n"
    "lora-loom = desktop_app.__main__:main\n"
    "lora-loom-trainer = trainer_core.__main__:main\n"
)


def write_wheel(folder: Path) -> Path:
    """Write the wheel of the running version into a folder and return its path.

    Raises:
        OutputError: This app's own files are not there to be packed, or nothing can be written.
    """
    path = folder / f"{_STEM}-{__version__}-py3-none-any.whl"
    records = []
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
            for name, data in _content():
                wheel.writestr(name, data)
                digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=")
                records.append(f"{name},sha256={digest.decode()},{len(data)}\n")
            wheel.writestr(f"{_INFO}/RECORD", "".join([*records, f"{_INFO}/RECORD,,\n"]))
    except OSError as error:
        raise OutputError(
            T("App", "LoRA Loom's own trainer cannot be packed for the other Python: {reason}"),
            T("App", "Make room, or install LoRA Loom anew."),
            reason=error,
        ) from error
    return path


def _content() -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every file in the wheel."""
    source = checkout()
    if source is not None:
        yield f"_{_STEM}_checkout.pth", f"{source}\n".encode()
    else:
        yield from _installed_files()
    yield f"{_INFO}/METADATA", _metadata().encode()
    yield f"{_INFO}/WHEEL", _WHEEL.encode()
    yield f"{_INFO}/entry_points.txt", _ENTRY_POINTS.encode()


def _installed_files() -> Iterator[tuple[str, bytes]]:
    root = Path(__file__).resolve().parents[2]
    folders = {name: root / name for name in _PACKAGES} | {_RESOURCES: resource_path()}
    for name, folder in folders.items():
        if not folder.is_dir():
            raise FileNotFoundError(folder)
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield f"{name}/{path.relative_to(folder).as_posix()}", path.read_bytes()


def _metadata() -> str:
    """Return what describes us; the trainer's packages are installed by name, before it."""
    return (
        f"Metadata-Version: 2.4\nName: {DISTRIBUTION}\nVersion: {__version__}\n"
        f"License-Expression: Apache-2.0\nRequires-Python: {python_bounds().bounds}\n"
    )
