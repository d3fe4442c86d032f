"""A package index on this machine, with wheels made up for the tests."""

from __future__ import annotations

import importlib.metadata
import threading
import zipfile
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

# What the probe asks of torch.
TORCH = """
__version__ = "{version}"
class version:
    cuda = {cuda!r}
    hip = None
class cuda:
    @staticmethod
    def is_available():
        return False
"""


def write_wheel(
    folder: Path,
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    files: Mapping[str, str] | None = None,
    padding_bytes: int = 0,
) -> Path:
    """Write a wheel and return its path."""
    stem = f"{name.replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    path = folder / f"{stem}-py3-none-any.whl"
    lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"]
    lines += [f"Requires-Dist: {requirement}\n" for requirement in requires]
    content = {
        **(files or {f"{name.replace('-', '_')}.py": ""}),
        f"{info}/METADATA": "".join(lines),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [f"{file},,\n" for file in (*content, f"{info}/RECORD")]
    with zipfile.ZipFile(path, "w") as wheel:
        for file, words in content.items():
            wheel.writestr(file, words)
        if padding_bytes:
            wheel.writestr(f"{info}/padding", bytes(padding_bytes))
            record.append(f"{info}/padding,,\n")
        wheel.writestr(f"{info}/RECORD", "".join(record))
    return path


def write_torch(folder: Path, version: str = "2.13.0", *, cuda: str | None = None) -> Path:
    """Write a torch that can be imported and has no card."""
    source = TORCH.format(version=version, cuda=cuda)
    return write_wheel(folder, "torch", version, files={"torch/__init__.py": source})


def trainer_package(environment: Path, version: str) -> None:
    """Put a trainer that only tells its version into an environment."""
    [packages] = environment.glob("lib/python*/site-packages")
    (packages / "trainer_core").mkdir()
    (packages / "trainer_core" / "__init__.py").write_text("")
    (packages / "trainer_core" / "version.py").write_text(f'__version__ = "{version}"\n')


def repack(folder: Path, name: str) -> Path:
    """Write the wheel of a package that is installed here."""
    distribution = importlib.metadata.distribution(name)
    files = [file for file in distribution.files or [] if ".." not in file.parts]
    path = folder / f"{name}-{distribution.version}-py3-none-any.whl"
    info = f"{name}-{distribution.version}.dist-info"
    kept = [file for file in files if file.suffix != ".pyc" and file.name != "RECORD"]
    with zipfile.ZipFile(path, "w") as wheel:
        for file in kept:
            wheel.write(str(file.locate()), file.as_posix())
        record = [f"{file.as_posix()},,\n" for file in kept]
        wheel.writestr(f"{info}/RECORD", "".join([*record, f"{info}/RECORD,,\n"]))
    return path


class PackageIndex:
    """Serves a folder of wheels like PyPI does (PEP 503).

    Attributes:
        url: What pip takes as ``--index-url``.
        folder: The wheels.
        held: Half of a file whose name contains this is sent, then nothing until `release`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.held = ""
        self.is_held = threading.Event()
        self._released = threading.Event()
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                index._answer(self)

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/simple/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def release(self) -> None:
        """Let what is held go on."""
        self.held = ""
        self._released.set()

    def close(self) -> None:
        """Answer nothing any more."""
        self.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        last = request.path.rstrip("/").rsplit("/", 1)[-1]
        wheel = self.folder / last
        if last.endswith(".whl") and wheel.is_file():
            self._send(request, wheel.read_bytes(), "application/octet-stream", last)
            return
        names = [path.name for path in sorted(self.folder.glob("*.whl"))]
        own = [name for name in names if name.split("-")[0].replace("_", "-").lower() == last]
        if not own:
            request.send_error(404)
            return
        links = "".join(f'<a href="/files/{name}">{name}</a>' for name in own)
        self._send(request, f"<!DOCTYPE html><html>{links}</html>".encode(), "text/html", "")

    def _send(self, request: BaseHTTPRequestHandler, data: bytes, kind: str, name: str) -> None:
        request.send_response(200)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        half = len(data) // 2
        try:
            request.wfile.write(data[:half])
            request.wfile.flush()
            if self.held and self.held in name:
                self.is_held.set()
                self._released.wait(30)
            request.wfile.write(data[half:])
        except (BrokenPipeError, ConnectionResetError):
            pass  # pip was ended
