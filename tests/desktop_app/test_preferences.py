from pathlib import Path

from PySide6.QtCore import QByteArray

from desktop_app.preferences import RECENT_LIMIT, Preferences


def reopened(path: Path, preferences: Preferences) -> Preferences:
    preferences.write()
    return Preferences(path)


def test_a_changed_setting_is_there_at_the_next_start(tmp_path: Path, qtbot):
    path = tmp_path / "kept.ini"
    preferences = Preferences(path)
    with qtbot.waitSignal(preferences.changed):
        preferences.change(theme="dark")
    assert reopened(path, preferences).settings.theme == "dark"


def test_a_value_that_no_longer_fits_gives_the_defaults(tmp_path: Path, qapp):
    path = tmp_path / "kept.ini"
    path.write_text("[app]\ntheme=plaid\n", encoding="utf-8")
    assert Preferences(path).settings.theme == "system"


def test_a_value_that_no_longer_fits_leaves_the_others(tmp_path: Path, qapp):
    path = tmp_path / "preferences.ini"
    path.write_text("[app]\ntheme=sepia\nstart_at_once=true\n", encoding="utf-8")
    settings = Preferences(path).settings
    assert (settings.theme, settings.start_at_once) == ("system", True)


def test_one_recent_file_comes_back_as_one(tmp_path: Path, qapp):
    path = tmp_path / "kept.ini"
    preferences = Preferences(path)
    preferences.remember_file(tmp_path / "a b.toml")
    assert reopened(path, preferences).recent_files == [tmp_path / "a b.toml"]


def test_a_file_opened_again_comes_first_and_only_once(preferences: Preferences, tmp_path: Path):
    for name in ("a", "b", "a"):
        preferences.remember_file(tmp_path / name)
    assert preferences.recent_files == [tmp_path / "a", tmp_path / "b"]


def test_only_so_many_recent_files_are_kept(preferences: Preferences, tmp_path: Path):
    for number in range(RECENT_LIMIT + 3):
        preferences.remember_file(tmp_path / str(number))
    assert len(preferences.recent_files) == RECENT_LIMIT


def test_layout_survives_a_restart(tmp_path: Path, qapp):
    path = tmp_path / "kept.ini"
    preferences = Preferences(path)
    preferences.keep_layout("docks", QByteArray(b"\x00\xff layout"))
    preferences.keep_open("adapter", True)
    again = reopened(path, preferences)
    assert again.layout("docks") == QByteArray(b"\x00\xff layout")
    assert again.is_open("adapter")
    assert not again.is_open("dataset")


def test_the_choice_of_charts_survives_a_restart(tmp_path: Path, qapp):
    path = tmp_path / "kept.ini"
    preferences = Preferences(path)
    preferences.keep_chart_shown("loss", False)
    preferences.keep_chart_shown("memory", True)
    again = reopened(path, preferences)
    assert not again.is_chart_shown("loss", at_first=True)
    assert again.is_chart_shown("memory", at_first=False)
    assert again.is_chart_shown("learning_rates", at_first=True)


def test_a_switch_is_read_from_a_file(tmp_path: Path, qapp):
    path = tmp_path / "kept.ini"
    path.write_text("[app]\nstart_at_once=true\ntheme=dark\n", encoding="utf-8")
    settings = Preferences(path).settings
    assert (settings.start_at_once, settings.theme) == (True, "dark")
