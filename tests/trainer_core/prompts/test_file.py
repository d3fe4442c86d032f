from pathlib import Path
from typing import Any

import pytest
from helpers import vectors

from trainer_core.errors import SettingsError
from trainer_core.prompts.file import (
    PromptFile,
    SamplePrompt,
    load_prompts,
    prompts_of_lines,
    read_prompts,
    side_to_draw,
)

CASES = vectors.load("sampling_prompts.json")["files"]


def _load(folder: Path, name: str, content: str) -> PromptFile:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return load_prompts(path)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["extension"])
def test_values_equal_the_recorded_ones(case: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / f"prompts.{case['extension']}"
    path.write_text(case["content"], encoding="utf-8")

    values, _ = read_prompts(path)

    assert values == case["result"]


def test_a_prompt_carries_what_its_line_says(tmp_path: Path) -> None:
    line = "a cat --n bad --w 512 --h 768 --d 1 --l 5 --s 28 --ss k_euler_a"

    assert _load(tmp_path, "p.txt", line) == PromptFile(
        (SamplePrompt("a cat", "bad", 512, 768, 1, 28, 5.0, "euler_a"),), ()
    )


def test_a_bare_prompt_has_the_reference_defaults(tmp_path: Path) -> None:
    (prompt,) = _load(tmp_path, "p.txt", "a cat").prompts

    assert prompt == SamplePrompt("a cat", "", None, None, None, 30, 7.5, None)


def test_lines_of_a_run_file_are_read_like_those_of_a_prompt_file(tmp_path: Path) -> None:
    lines = ["a cat --n bad --w 512 --h 700 --d 1", "a dog --zz 3"]
    listed = prompts_of_lines(lines)

    read = _load(tmp_path, "p.txt", "\n".join(lines))

    assert listed.prompts == read.prompts
    assert set(map(str, listed.problems)) == set(map(str, read.problems))
    assert [str(problem).partition(":")[0] for problem in listed.problems] == [
        "Prompt 1",
        "Prompt 2",
    ]


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "p.txt"
    path.write_bytes(b"\xef\xbb\xbf# comment\r\na cat\r\n")

    assert load_prompts(path).prompts == (SamplePrompt("a cat"),)


def test_the_ending_counts_in_any_case(tmp_path: Path) -> None:
    assert _load(tmp_path, "P.TXT", "a cat").prompts == (SamplePrompt("a cat"),)


def test_a_toml_table_without_subsets_is_one_prompt(tmp_path: Path) -> None:
    loaded = _load(tmp_path, "p.toml", '[prompt]\nprompt = "a"\nwidth = 64\nscale = 7\n')

    assert loaded.prompts == (SamplePrompt("a", width_px=64, scale=7.0),)


def test_an_unset_json_value_is_as_if_it_was_not_there(tmp_path: Path) -> None:
    loaded = _load(tmp_path, "p.json", '[{"prompt": "a", "seed": null, "sample_steps": null}]')

    assert loaded.prompts == (SamplePrompt("a"),)


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("x --w 500", "500 px is drawn as 496 px"),
        ("x --h 32", "32 px is drawn as 64 px"),
        ("x --d 99999999999999999999", "the seed 99999999999999999999"),
        ("x --ss magic", "the sampler magic is not one of ddim, "),
        ("x --g 3.5", "guidance_scale has no effect"),
        ("x --ctr 0.5", "cfg_trunc_ratio has no effect"),
        ("x --rcfg 1.5", "renorm_cfg has no effect"),
        ("x --fs 3", "flow_shift has no effect"),
        ("x --cn a.png", "controlnet_image has no effect"),
        ("x --q 1", "--q 1 is not understood"),
    ],
)
def test_what_does_not_act_as_written_is_reported(line: str, part: str, tmp_path: Path) -> None:
    loaded = _load(tmp_path, "p.txt", f"a cat\n{line}")

    assert len(loaded.prompts) == 2
    assert [str(problem).startswith("Prompt 2: ") for problem in loaded.problems] == [True]
    assert part in str(loaded.problems[0])


def test_an_unknown_json_key_is_reported(tmp_path: Path) -> None:
    loaded = _load(tmp_path, "p.json", '[{"prompt": "a", "hight": 64}]')

    assert [str(problem) for problem in loaded.problems] == ["Prompt 1: hight is not understood."]


def test_steps_are_clamped_in_every_kind_of_file(tmp_path: Path) -> None:
    loaded = _load(tmp_path, "p.json", '["a --s 0", {"prompt": "b", "sample_steps": 5000}]')

    assert [prompt.steps for prompt in loaded.prompts] == [1, 1000]


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("p.txt", "\n# only a comment\n\n", "holds no prompt"),
        ("p.toml", "[prompt]\n", "holds no prompt"),
        ("p.csv", "a cat", "neither .txt, .toml nor .json"),
        ("p.json", "[", "no valid JSON"),
        ("p.json", '{"prompt": "a"}', "no list of texts and objects"),
        ("p.json", '[{"width": 64}]', "Prompt 1 of"),
        ("p.json", '["a", {"prompt": "b", "width": "64"}]', "width of prompt 2 of"),
        ("p.json", '[{"prompt": "b", "seed": true}]', "seed of prompt 1 of"),
        ("p.json", '["a", "b\\u0000c"]', "Prompt 2 of"),
        ("p.json", '[{"prompt": "a", "negative_prompt": "\\u001b[0m"}]', "character (U+001B)"),
        ("p.txt", "z\0x\0q\0", "character (U+0000)"),
        ("p.toml", "[prompt", "no valid TOML"),
        ("p.toml", "width = 64\n", "no table [prompt]"),
        ("p.toml", "[prompt]\nsubset = ['a']\n", "[[prompt.subset]] is no list of tables"),
        ("p.toml", "[prompt]\nseed = 1\n[[prompt.subset]]\nseed = 2\n", "sets seed in [prompt]"),
    ],
)
def test_a_file_without_usable_prompts_is_named(
    name: str, content: str, part: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError) as caught:
        _load(tmp_path, name, content)

    assert part in str(caught.value)
    assert str(tmp_path / name) in str(caught.value)
    assert caught.value.hint is not None


def test_an_empty_list_asks_for_no_samples(tmp_path: Path) -> None:
    assert _load(tmp_path, "p.json", "[]") == PromptFile((), ())


def test_the_key_subset_of_a_json_prompt_is_dropped(tmp_path: Path) -> None:
    loaded = _load(tmp_path, "p.json", '[{"prompt": "a", "seed": 3, "subset": [{"seed": 4}]}]')

    assert loaded == PromptFile((SamplePrompt("a", seed=3),), ())


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "p.txt"
    path.write_bytes("schöne Katze".encode("latin-1"))

    with pytest.raises(SettingsError, match="is not UTF-8 text") as caught:
        load_prompts(path)

    assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"absent\.txt cannot be read: No such file"):
        load_prompts(tmp_path / "absent.txt")


def test_a_folder_is_no_prompt_file(tmp_path: Path) -> None:
    folder = tmp_path / "folder.txt"
    folder.mkdir()

    with pytest.raises(SettingsError, match="cannot be read"):
        load_prompts(folder)


@pytest.mark.parametrize(
    ("asked_px", "drawn_px"), [(512, 512), (519, 512), (500, 496), (0, 64), (10**9, 4096)]
)
def test_sides_are_multiples_of_8_within_bounds(asked_px: int, drawn_px: int) -> None:
    assert side_to_draw(asked_px) == drawn_px


@pytest.mark.parametrize(("limit_px", "drawn_px"), [(512, 512), (515, 512), (8192, 5000)])
def test_a_limit_can_be_set_for_the_sides(limit_px: int, drawn_px: int, tmp_path: Path) -> None:
    path = tmp_path / "p.txt"
    path.write_text("a cat --w 5000", encoding="utf-8")

    told = [str(problem) for problem in load_prompts(path, max_side_px=limit_px).problems]

    assert side_to_draw(5000, limit_px) == drawn_px
    limited = f"Prompt 1: 5000 px is drawn as {drawn_px} px, the limit that sample_max_side sets."
    assert told == ([] if drawn_px == 5000 else [limited])
    of_line = prompts_of_lines(["a cat --w 5000"], max_side_px=limit_px)
    assert list(map(str, of_line.problems)) == told


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("a = " + "[" * 20_000, "is no valid TOML"),
        ('prompt.prompt = "a"\nprompt.width' + ".a" * 20_000 + " = 1", "width of prompt 1 of"),
    ],
)
def test_toml_that_is_nested_without_end_is_named(content: str, part: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=part):
        _load(tmp_path, "p.toml", content)


def test_a_prompt_file_of_more_than_4_mib_is_refused_with_the_limit(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"p\.txt cannot be read: it is larger than 4 MiB"):
        _load(tmp_path, "p.txt", "a" * (4 * 2**20 + 1))


def test_only_line_ends_of_editors_end_a_prompt(tmp_path: Path) -> None:
    content = "a\u2028b\x0bc\u2029d --n f\r\nsecond\rthird\n"

    prompts = _load(tmp_path, "p.txt", content).prompts

    assert [prompt.prompt for prompt in prompts] == ["a\u2028b\x0bc\u2029d", "second", "third"]


@pytest.mark.parametrize("scale", ["NaN", "Infinity", "-1e999", "1e25", "1" + "0" * 400])
def test_a_scale_that_is_no_number_is_refused(scale: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"scale of prompt 1 of .* cannot be"):
        _load(tmp_path, "p.json", f'[{{"prompt": "a", "scale": {scale}}}]')


@pytest.mark.parametrize(("scale", "drawn"), [("1000", 1000.0), ("1001", 7.5), ("9" * 400, 7.5)])
def test_a_scale_beyond_all_use_is_told(scale: str, drawn: float) -> None:
    found = prompts_of_lines([f"a --l {scale}"])

    assert found.prompts[0].scale == drawn
    assert bool(found.problems) == (drawn == 7.5)


@pytest.mark.parametrize("name", ["p.json", "p.toml"])
@pytest.mark.parametrize("seed", ["9" * 5000, "[" + "1, " * 3 + "9" * 5000 + "]"])
def test_a_number_too_long_for_python_is_an_error_in_words(
    name: str, seed: str, tmp_path: Path
) -> None:
    content = f'[{{"prompt": "a", "seed": {seed}}}]'
    if name == "p.toml":
        content = f'[prompt]\nprompt = "a"\nseed = {seed}\n'

    with pytest.raises(SettingsError, match="prompt file"):
        _load(tmp_path, name, content)


@pytest.mark.parametrize("seed", ["0x" + "f" * 6000, "[0x" + "f" * 6000 + "]"])
def test_a_number_that_cannot_be_written_is_refused(seed: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"seed of prompt 1 of .* cannot be …"):
        _load(tmp_path, "p.toml", f'[prompt]\nprompt = "a"\nseed = {seed}\n')


def test_half_an_emoji_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"half a character \(U\+D83D\)"):
        _load(tmp_path, "p.json", r'[{"prompt": "a \ud83d b"}]')
