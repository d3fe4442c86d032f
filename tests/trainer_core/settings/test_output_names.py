"""Output names that some system would refuse are refused before the run."""

from __future__ import annotations

import pytest

from trainer_core.settings.output_names import MAX_NAME_BYTES, check_output_name


@pytest.mark.parametrize(
    "name",
    [
        "last",
        "my cat",
        "cat-v1.5",
        "貓 ねこ",
        ".hidden",
        "console",
        "COM",
        "COM10",
        "nullify",
        "con-v1",
    ],
)
def test_usual_names_are_accepted(name: str) -> None:
    assert check_output_name(name) is None


@pytest.mark.parametrize("name", ["", " ", "\t"])
def test_an_empty_name_is_refused(name: str) -> None:
    assert "empty" in str(check_output_name(name))


@pytest.mark.parametrize("name", ["a/b", "/a", "a\\b", "../a", "C:\\a"])
def test_a_path_is_refused_with_the_setting_that_takes_it(name: str) -> None:
    assert "Output folder" in str(check_output_name(name))


@pytest.mark.parametrize("character", list('<>:"|?*'))
def test_characters_forbidden_on_windows_are_named(character: str) -> None:
    assert f"contains {character}," in str(check_output_name(f"a{character}b"))


@pytest.mark.parametrize("character", ["\x00", "\n", "\x1f", "\x7f", "\udc80"])
def test_unprintable_characters_are_refused(character: str) -> None:
    assert "unprintable" in str(check_output_name(f"a{character}b"))


@pytest.mark.parametrize("name", ["a.", "a ", "...", ".."])
def test_a_last_dot_or_blank_is_refused(name: str) -> None:
    assert "ends in a dot or a blank" in str(check_output_name(name))


@pytest.mark.parametrize(
    "name", ["CON", "prn", "Aux", "nul", "com1", "LPT9", "COM²", "con.v1", "NUL.tar.gz", "aux .x"]
)
def test_names_of_devices_are_refused_with_any_ending_and_case(name: str) -> None:
    assert "device" in str(check_output_name(name))


def test_length_counts_in_bytes() -> None:
    longest = "貓" * (MAX_NAME_BYTES // 3)

    assert check_output_name(longest) is None
    assert f"{MAX_NAME_BYTES} bytes" in str(check_output_name(longest + "貓"))
