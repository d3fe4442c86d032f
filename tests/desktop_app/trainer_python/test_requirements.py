import importlib.metadata
import tomllib

import pytest
from helpers.source_tree import ROOT

from desktop_app.trainer_python import requirements
from desktop_app.trainer_python.requirements import (
    WINDOW_ONLY,
    Fit,
    Requirement,
    normalized,
    parsed,
    python_bounds,
    wanted_packages,
)

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
METADATA = [
    "PySide6-Essentials==6.11.3",
    "Pillow>=11.3",
    "ftfy<7,>=6.3 ; extra == 'trainer'",
    'torch<3,>=2.6; extra == "trainer"',
    'pytest>=8.4; extra == "dev"',
]


def test_what_is_wanted_is_what_the_project_declares_for_the_trainer():
    declared = {normalized(parsed(words).name) for words in PROJECT["dependencies"]}
    declared |= {
        normalized(parsed(words).name) for words in PROJECT["optional-dependencies"]["trainer"]
    }
    assert {item.key for item in wanted_packages()} == declared - WINDOW_ONLY
    assert declared >= WINDOW_ONLY
    assert wanted_packages()[0] == Requirement("torch", ">=2.6,<3")
    assert python_bounds().bounds == PROJECT["requires-python"]


@pytest.fixture
def installed(monkeypatch):
    """The app as installed from its wheel: no checkout around it."""
    monkeypatch.setattr(requirements, "checkout", lambda: None)
    return monkeypatch


def test_an_installed_app_asks_its_own_metadata(installed):
    installed.setattr(importlib.metadata, "requires", lambda name: METADATA)
    assert [str(item) for item in wanted_packages()] == ["torch<3,>=2.6", "ftfy<7,>=6.3",
                                                          "Pillow>=11.3"]  # fmt: skip


def test_an_app_without_metadata_knows_nothing_wrong(installed):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    installed.setattr(importlib.metadata, "requires", missing)
    installed.setattr(importlib.metadata, "metadata", missing)
    assert wanted_packages() == ()
    assert python_bounds().fit("3.11.7") is Fit.OK


@pytest.mark.parametrize(
    ("bounds", "version", "fit"),
    [
        (">=2.6,<3", "2.13.0+cpu", Fit.OK),
        (">=2.6,<3", "2.6", Fit.OK),
        (">=2.6,<3", "2.6.0", Fit.OK),
        (">=2.6,<3", "2.5.1+cu124", Fit.TOO_OLD),
        (">=2.6,<3", "3.0.0", Fit.TOO_NEW),
        (">=2.6,<3", "2.6.0rc1", Fit.TOO_OLD),
        (">=2.6,<3", "2.6.0.dev20250101", Fit.TOO_OLD),
        (">=2.6,<3", "2.6.0.post1", Fit.OK),
        (">=2.6,<3", None, Fit.MISSING),
        ("==0.1.0", "0.1.0", Fit.OK),
        ("==0.1.0", "0.0.9", Fit.TOO_OLD),
        ("==0.1.0", "0.2", Fit.TOO_NEW),
        (">=11.3", "9.5.0", Fit.TOO_OLD),
        ("", "1", Fit.OK),
    ],
)
def test_a_version_is_compared_with_what_is_wanted(bounds, version, fit):
    assert Requirement("x", bounds).fit(version) is fit


@pytest.mark.parametrize("name", ["PySide6_Essentials", "pyside6-essentials", "PySide6.Essentials"])
def test_names_are_compared_in_one_spelling(name):
    assert Requirement(name).key == "pyside6-essentials"
