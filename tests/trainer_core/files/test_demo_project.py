"""The demo project is copied whole, once, and never over what somebody changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer_core.files import demo_project
from trainer_core.files.demo_project import DEMO_FOLDER, DEMO_RUN_FILE, copy_demo

SHIPPED = {
    DEMO_RUN_FILE: 'format = "loom/2"\n',
    "pictures/20_zxq cat/a.png": "a picture",
    "pictures/20_zxq cat/a.txt": "a caption",
    "base/unet/config.json": "{}",
}
FOR_MAKERS = {
    "make_base.py": "code",
    "making/glyphs.py": "code",
    "__pycache__/make_base.cpython-311.pyc": "compiled",
}


@pytest.fixture(autouse=True)
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A demo project of a few small files in place of the real one."""
    root = tmp_path / "resources"
    for name, content in (SHIPPED | FOR_MAKERS).items():
        path = root / "demo" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    monkeypatch.setattr(demo_project, "resource_path", root.joinpath)
    return root / "demo"


def files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_everything_but_the_scripts_is_copied(tmp_path: Path) -> None:
    run_file = copy_demo(tmp_path / "new" / "demo")

    assert run_file == tmp_path / "new" / "demo" / DEMO_RUN_FILE
    assert files(run_file.parent) == SHIPPED
    assert {path.name for path in run_file.parent.iterdir()} == {"base", "pictures", DEMO_RUN_FILE}


def test_what_somebody_changed_stays(tmp_path: Path) -> None:
    run_file = copy_demo(tmp_path / "demo")
    run_file.write_text("mine")
    (run_file.parent / "output").mkdir()

    assert copy_demo(tmp_path / "demo") == run_file
    assert files(run_file.parent) == SHIPPED | {DEMO_RUN_FILE: "mine"}
    assert (run_file.parent / "output").is_dir()


def test_what_somebody_removed_comes_back(tmp_path: Path) -> None:
    run_file = copy_demo(tmp_path / "demo")
    (run_file.parent / "base" / "unet" / "config.json").unlink()

    copy_demo(tmp_path / "demo")
    assert files(run_file.parent) == SHIPPED


def test_an_interrupted_copy_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(source: Path, target: Path) -> None:
        target.write_text(source.read_text()[:1])
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr(demo_project.shutil, "copyfile", half)
        with pytest.raises(KeyboardInterrupt):
            copy_demo(tmp_path / "demo")

    copy_demo(tmp_path / "demo")
    assert files(tmp_path / "demo") == SHIPPED


def test_the_demo_goes_to_the_program_s_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LORA_LOOM_HOME", str(tmp_path / "home"))

    assert copy_demo() == tmp_path / "home" / DEMO_FOLDER / DEMO_RUN_FILE
