"""The page shows what the caches take, and clears what is not used once that is agreed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from helpers.answers import Answers
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from desktop_app.preferences_view.caches_page import CachesPage
from trainer_core.files.own_folders import latent_folder, text_folder

DAY_S = 24 * 60 * 60


@pytest.fixture(autouse=True)
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two encoded pictures, one of them not used for 40 days, and one caption."""
    monkeypatch.setenv("LORA_LOOM_CACHE", str(tmp_path / "cache"))
    entries = {latent_folder() / "new": 1, latent_folder() / "old": 40, text_folder() / "new": 0}
    for place, days in entries.items():
        file = place.with_suffix(".safetensors")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bytes(2048))
        then = time.time() - days * DAY_S
        os.utime(file, (then, then))


@pytest.fixture
def page(answers: Answers, qtbot: QtBot) -> CachesPage:
    made = CachesPage(ask=answers)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: not made.is_busy)
    return made


def shown_words(page: CachesPage) -> str:
    return "\n".join(label.text() for label in page.findChildren(QLabel))


def test_place_and_sizes_are_shown(page: CachesPage, tmp_path: Path) -> None:
    words = shown_words(page).replace("\u200b", "")
    assert str(tmp_path / "cache") in words
    assert "2, 4 KiB" in words
    assert "1, 2 KiB" in words
    assert "used for so long: 1, 2 KiB" in words


def test_clearing_asks_first(page: CachesPage, answers: Answers) -> None:
    page.clear.click()
    assert [question.message for question in answers.questions] == [
        "Remove 1 entry that no run used for 30 days?"
    ]
    assert (latent_folder() / "old.safetensors").exists()


def test_what_is_not_used_goes_when_it_is_agreed(
    page: CachesPage, answers: Answers, qtbot: QtBot
) -> None:
    answers.agreed.append("clear")
    page.clear.click()
    qtbot.waitUntil(lambda: not page.is_busy)
    assert not (latent_folder() / "old.safetensors").exists()
    assert (latent_folder() / "new.safetensors").exists()
    assert (text_folder() / "new.safetensors").exists()
    assert not page.clear.isEnabled()


def test_fewer_days_are_more_entries(page: CachesPage) -> None:
    page.days.setValue(50)
    assert not page.clear.isEnabled()
    page.days.setValue(1)
    assert "used for so long: 2, 4 KiB" in shown_words(page)
