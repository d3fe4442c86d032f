"""Run files keep what people wrote: comments, order, unknown keys, line ends."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from trainer_core.errors import OutputError, SettingsError
from trainer_core.settings.document import Raw, replaced
from trainer_core.settings.files import FORMAT, RunFile, dumps, load, loads, save
from trainer_core.settings.schema import TRAIN, TrainSettings

WRITTEN = """\
# My lantern, third attempt.

format = "loom/2"  # keep this line

# Output comes first here.
[output]
output_name = "lantern"   # shown in the web UI
save_every_n_epochs = "unset"

[model]  # the usual one
# clip_skip = 1 was worse
clip_skip = 2             # anime

[my_notes]
seen = ["a", "b"]  # not a setting
"""


def dumped(content: str, changes: dict[str, object]) -> str:
    """Return a run file's text after changes."""
    run_file = loads(content, "run.toml")
    run_file.raw = replaced(run_file.raw, changes)
    return dumps(run_file)


def named_error(content: str) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        loads(content, "my run.toml")
    assert "my run.toml" in str(caught.value)
    assert caught.value.hint is not None
    return caught.value


# ------------------------------------------------------------------ reading


def test_a_run_file_is_read_as_raw_sections() -> None:
    assert loads(WRITTEN, "run.toml").raw == {
        "output": {"output_name": "lantern", "save_every_n_epochs": "unset"},
        "model": {"clip_skip": 2},
        "my_notes": {"seen": ["a", "b"]},
    }


def test_the_table_of_a_run_is_no_section() -> None:
    run_file = loads(f'format = "{FORMAT}"\n[run]\nid = "ab"\nseed = 7\n', "run.toml")

    assert (run_file.raw, dict(run_file.run)) == ({}, {"id": "ab", "seed": 7})


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text(WRITTEN, encoding="utf-8-sig")

    assert load(path).raw == loads(WRITTEN, "run.toml").raw


@pytest.mark.parametrize("content", ["", "[model]\nclip_skip = 2\n"])
def test_a_file_without_a_format_line_is_not_taken(content: str) -> None:
    assert f'format = "{FORMAT}"' in str(named_error(content))


@pytest.mark.parametrize(
    "value", ['"loom"', '"loom/x"', '"kohya/1"', '"loom/2 "', "1", "true", '["loom/2"]', '"1"']
)
def test_a_format_of_something_else_is_not_taken(value: str) -> None:
    assert f'format = "{FORMAT}"' in str(named_error(f"format = {value}\n"))


@pytest.mark.parametrize("value", ["loom/0", "loom/3", "loom/99"])
def test_a_format_of_another_version_is_named(value: str) -> None:
    error = named_error(f'format = "{value}"\n')

    assert value in str(error)
    assert FORMAT in str(error)


def test_a_mistake_in_the_toml_is_named_with_line_and_column() -> None:
    line = "clip_skip = = 2"
    error = named_error(f'format = "{FORMAT}"\n[model]\n{line}\n')

    column = line.rindex("=") + 1  # text editors count from 1
    assert str(error.hint) == f"Correct line 3, column {column} in a text editor."


def test_a_setting_given_twice_is_named_with_its_line() -> None:
    error = named_error(f'format = "{FORMAT}"\n[model]\nclip_skip = 1\nclip_skip = 2\n')

    assert '"clip_skip"' in str(error)
    assert "line 4" in str(error.hint)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("[model]\nclip_skip = ", "the file ends in the middle"),
        ('[model]\nvae = "abc\n', "a text in quotes does not end on its line"),
    ],
)
def test_a_mistake_is_explained_in_plain_words(content: str, reason: str) -> None:
    assert str(named_error(content)).endswith(f"is not a valid TOML file: {reason}")


def test_a_windows_path_in_double_quotes_is_explained() -> None:
    error = named_error(f'format = "{FORMAT}"\n[dataset]\ntrain_data_dir = "C:\\pics\\cat"\n')

    assert str(error.hint) == "In line 3, write the path with / or in single quotes."


@pytest.mark.parametrize(
    "content",
    ["a", 'a = "', "a = [", "[a", 'a = """', "a = 1\n\n\n[", "\u2028 = ", "a = 1 # \x0b\n= 2"],
)
def test_a_mistake_is_named_wherever_it_is(content: str) -> None:
    assert "is not a valid TOML file" in str(named_error(content))


@pytest.mark.parametrize("twice", ["[model]\na = 1\na = 2\n", "[model]\n[model]\n"])
def test_a_key_given_twice_is_named(twice: str) -> None:
    assert "already exists" in str(named_error(f'format = "{FORMAT}"\n{twice}'))


def test_a_file_that_is_no_utf8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_bytes(WRITTEN.encode("utf-16"))

    with pytest.raises(SettingsError, match=r"run\.toml is not UTF-8 text"):
        load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"There is no file .*gone\.toml"):
        load(tmp_path / "gone.toml")


def test_a_folder_is_no_run_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is a folder, not a run file"):
        load(tmp_path)


def test_a_file_that_cannot_be_looked_for_is_an_error_in_words(tmp_path: Path) -> None:
    # Like a folder that may not be entered: the system refuses to tell what is there.
    with pytest.raises(SettingsError, match="cannot be read"):
        load(tmp_path / ("n" * 300) / "run.toml")


# ------------------------------------------------------------------ writing


def test_nothing_a_user_wrote_is_lost_when_a_value_changes() -> None:
    lines = dumped(WRITTEN, {"model.clip_skip": 1}).splitlines()
    expected = WRITTEN.replace("clip_skip = 2 ", "clip_skip = 1 ").splitlines()

    # Every line is there and in its place; only new settings come between.
    assert [line for line in lines if line in expected] == expected


def test_every_setting_of_the_touched_sections_is_written() -> None:
    raw = loads(dumped(WRITTEN, {}), "run.toml").raw

    assert raw == TRAIN.completed(loads(WRITTEN, "run.toml").raw)
    assert set(raw["model"]) == set(TRAIN.sections["model"].model_fields)
    assert "dataset" not in raw


def test_what_is_written_validates_to_the_same_settings() -> None:
    raw = loads(WRITTEN, "run.toml").raw
    del raw["my_notes"]

    assert TRAIN.parse(loads(dumps(RunFile(raw)), "run.toml").raw) == TRAIN.parse(raw)


def test_writing_twice_changes_nothing() -> None:
    once = dumped(WRITTEN, {})

    assert dumped(once, {}) == once


def test_a_new_document_begins_with_its_format() -> None:
    written = dumps(RunFile({"model": {"clip_skip": 2}}))

    assert written.splitlines()[0] == f'format = "{FORMAT}"'
    assert loads(written, "run.toml").raw["model"]["clip_skip"] == 2


def test_all_settings_survive_a_new_document() -> None:
    raw: Raw = {name: {} for name in TRAIN.sections}

    assert TRAIN.parse(loads(dumps(RunFile(raw)), "run.toml").raw) == (TrainSettings(), [])


def test_the_run_s_id_and_seed_are_written_beside_the_settings() -> None:
    written = dumps(RunFile({"model": {}}, run={"id": "ab", "seed": 7}))

    assert dict(loads(written, "run.toml").run) == {"id": "ab", "seed": 7}


def test_removed_sections_and_keys_are_gone() -> None:
    written = dumped(WRITTEN + "\n[dataset]\nodd = 1\n", {"my_notes": None, "dataset.odd": None})

    assert "my_notes" not in written
    assert "odd" not in written


@pytest.mark.parametrize(
    ("before", "after"),
    [("1", True), ("true", 1), ("4.0", 4), ("4", 4.0), ("[512.0, 512]", [512, 512]), ('"4"', 4)],
)
def test_a_value_of_another_type_replaces_an_equal_one(before: str, after: object) -> None:
    content = f'format = "{FORMAT}"\n[model]\nclip_skip = {before}  # why\n'
    written = dumped(content, {"model.clip_skip": after})

    assert repr(loads(written, "run.toml").raw["model"]["clip_skip"]) == repr(after)
    assert "  # why" in written


@pytest.mark.parametrize(
    "content",
    [
        "model.clip_skip = 2 # dotted\n[output]\noutput_name = 'a'\n",
        "model = {clip_skip = 2} # inline\n",
        "[model]\nclip_skip = 2\n[my.own]\na = 1\n[output]\n[my.other]\nb = 2\n",
        "[[model]]\nclip_skip = 2\n",
        "model = 3\n[output]\n",
        "[output]\ntraining_comment = '''two\nlines'''\n",
        "[my_notes]\nsince = 2026-11-22T07:00:00Z\n",
    ],
)
def test_any_way_of_writing_toml_survives(content: str) -> None:
    content = f'format = "{FORMAT}"\n{content}'

    assert loads(dumped(content, {}), "run.toml").raw == TRAIN.completed(loads(content, "x").raw)


def test_a_section_that_is_no_table_can_be_mended() -> None:
    content = f'format = "{FORMAT}"\nmodel = 3\nmy_note = 1\n[output]\n'
    written = dumped(content, {"model.clip_skip": 2})

    raw = loads(written, "run.toml").raw
    assert (raw["model"]["clip_skip"], raw["my_note"]) == (2, 1)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_line_ends_stay_as_they_were(newline: str, tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_bytes(WRITTEN.replace("\n", newline).encode())
    save(path, load(path), replace=True)

    content = path.read_bytes()
    assert content.count(b"\r\n") == (content.count(b"\n") if newline == "\r\n" else 0)
    assert load(path).raw == TRAIN.completed(loads(WRITTEN, "run.toml").raw)


def test_line_ends_of_the_file_do_not_become_part_of_a_value(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_bytes(b'format = "loom/2"\r\n[output]\r\ntraining_comment = """a\r\nb"""\r\n')

    assert load(path).raw["output"]["training_comment"] == "a\nb"


def test_saving_is_exact_to_the_byte(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    run_file = loads(WRITTEN, "run.toml")
    save(path, run_file, replace=False)

    assert path.read_bytes() == dumps(run_file).encode()
    assert list(tmp_path.iterdir()) == [path]


def test_an_existing_file_is_not_replaced_unasked(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("mine")

    with pytest.raises(OutputError, match="exists already"):
        save(path, RunFile(), replace=False)
    assert path.read_text() == "mine"


def test_settings_of_every_kind_are_written_as_toml_has_them() -> None:
    written = dumps(RunFile({section: {} for section in TRAIN.sections}))

    assert "resolution = [512, 512]\n" in written
    assert "enable_bucket = true\n" in written
    assert 'train_data_dir = "unset"\n' in written
    assert "learning_rate = 0.0001\n" in written
    plain = [param for param in TRAIN.params().values() if not param.columns]
    assert sum(written.count(f"{param.name} = ") for param in plain) >= len(plain)


@pytest.mark.parametrize(
    "content", ["a = " + "[" * 20_000, "a" + ".a" * 20_000 + " = 1", "[" + "a." * 20_000 + "a]"]
)
def test_toml_that_is_nested_without_end_is_named(content: str) -> None:
    assert "nested" in str(named_error(f'format = "{FORMAT}"\n{content}'))


def test_a_file_of_more_than_4_mib_is_no_run_file(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_bytes(b"#" * (4 * 2**20 + 1))

    with pytest.raises(SettingsError, match=r"run\.toml cannot be read: it is larger than 4 MiB"):
        load(tmp_path / "run.toml")


def test_a_name_that_is_no_text_is_refused_and_what_was_there_stays(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("before")
    folder = os.fsdecode(b"/pictures/\x93\xfa")

    with pytest.raises(OutputError, match=r"not valid text: /pictures/\?\?"):
        save(path, RunFile({"dataset": {"train_data_dir": folder}}), replace=True)
    assert path.read_text() == "before"


@pytest.mark.parametrize(
    "number", ["9" * 101, "-" + "9" * 101, "0x" + "f" * 6000, "[[9e9, 0b1" + "0" * 400 + "]]"]
)
def test_a_number_of_hundreds_of_digits_is_refused(number: str) -> None:
    error = named_error(f'format = "loom/2"\n[adapter]\nnetwork_dim = {number}\n')

    assert "holds a number of more than 100 digits" in str(error)


def test_a_file_of_format_1_is_led_to_today_s_with_its_comments() -> None:
    earlier = """format = "loom/1"
# above
[dataset]
# of pictures
train_data_dir = "pictures"
resolution = [768, 512]  # wide
shuffle_caption = true
flip_aug = true
cache_latents = false
"""
    found = loads(earlier, "earlier.toml")

    assert found.raw == {
        "dataset": {"train_data_dir": "pictures"},
        "buckets": {"resolution": [768, 512]},
        "captions": {"shuffle_caption": True},
        "augmentation": {"flip_aug": True},
        "cache": {"cache_latents": False},
    }
    written = dumps(found)
    assert loads(written, "written.toml").raw == TRAIN.completed(found.raw)
    assert all(comment in written for comment in ("# above", "# of pictures", "# wide"))


def test_a_damaged_file_of_format_1_is_not_led_anywhere() -> None:
    assert loads('format = "loom/1"\ndataset = 3\n', "earlier.toml").raw == {"dataset": 3}
