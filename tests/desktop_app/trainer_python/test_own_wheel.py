import subprocess
from pathlib import Path

import pytest

from desktop_app.trainer_python import own_wheel
from desktop_app.trainer_python.own_wheel import write_wheel
from trainer_core.errors import OutputError
from trainer_core.version import __version__

ASK = (
    "from importlib.metadata import version; import trainer_core.files.resources as r;"
    "import trainer_core.version as v;"
    "print(version('lora-loom'), v.__version__, r.resource_path('styles').is_dir(), v.__file__)"
)


def install(environment: Path, wheel: Path) -> list[str]:
    """Install a wheel as the app does, and return what the trainer there says of itself."""
    python = str(environment / "bin" / "python")
    pip = [python, "-I", "-m", "pip", "install", "-q", "--no-index", "--no-deps"]
    subprocess.run([*pip, "--force-reinstall", str(wheel)], check=True, capture_output=True)
    answer = subprocess.run([python, "-I", "-c", ASK], check=True, capture_output=True, text=True)
    return answer.stdout.strip().split(" ", 3)


def test_an_installed_app_hands_itself_on_whole(environment, tmp_path, monkeypatch):
    monkeypatch.setattr(own_wheel, "checkout", lambda: None)
    *facts, place = install(environment, write_wheel(tmp_path))
    assert facts == [__version__, __version__, "True"]
    assert Path(place).is_relative_to(environment)


def test_a_checkout_is_pointed_at(environment, tmp_path):
    *facts, place = install(environment, write_wheel(tmp_path))
    assert facts == [__version__, __version__, "True"]
    assert Path(place) == Path(own_wheel.__file__).parents[2] / "trainer_core" / "version.py"


def test_the_second_of_two_installations_takes_the_firsts_place(environment, tmp_path, monkeypatch):
    first = tmp_path / "first"
    first.mkdir()
    install(environment, write_wheel(first))
    monkeypatch.setattr(own_wheel, "checkout", lambda: None)
    *_, place = install(environment, write_wheel(tmp_path))
    assert Path(place).is_relative_to(environment)
    [packages] = environment.glob("lib/python*/site-packages")
    assert not list(packages.glob("*lora_loom*.pth"))


def test_an_app_that_has_not_its_own_files_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(own_wheel, "checkout", lambda: None)
    monkeypatch.setattr(own_wheel, "_PACKAGES", ("not_there",))
    with pytest.raises(OutputError):
        write_wheel(tmp_path)
