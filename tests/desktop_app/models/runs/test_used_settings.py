import json
from pathlib import Path

import pytest

from desktop_app.models.runs.used_settings import Records, UsedSettings, read_records
from desktop_app.words.used import differences, everything
from trainer_core.files.run_folder import RunFolder
from trainer_core.settings import files
from trainer_core.settings.schema import TRAIN, TrainSettings

USED = {
    "hardware.mixed_precision": "no",
    "hardware.seed": 1234,
    "captions.caption_extension": ".txt",
    "optimizer.unet_lr": 1e-4,
    "optimizer.lr_warmup_steps": 38,
    "of_a_newer.version": 1,
}


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """The records of a run with default settings, as the trainer writes them."""
    folder = RunFolder(tmp_path, "cat")
    folder.path.mkdir()
    run_file = files.RunFile(TRAIN.as_raw(TrainSettings()), run={"id": "mine", "seed": 1234})
    folder.run_file.write_text(files.dumps(run_file), encoding="utf-8")
    facts = {"run_id": "mine", "device": "CPU, 2 threads", "attention": "sdpa", "used": USED}
    folder.effective_file.write_text(json.dumps(facts), encoding="utf-8")
    return folder


def lines(records: Records) -> dict[str, str]:
    return {row.name: row.value for row in differences(records)}


def test_what_differs_is_told_with_its_reason(qapp, folder: RunFolder):
    records = read_records(folder, "mine")
    assert records is not None
    assert lines(records) == {
        "Device": "the GPU, if there is one → CPU, 2 threads",
        "Mixed precision": "Automatic → 32 bit (no GPU was found)",
        "Seed": "drawn at the start → 1234 (drawn; set it to get the same run again)",
        "Caption extension": "auto → .txt (found beside the pictures)",
        "Warm-up steps": "use the percentage → 38 steps (from the percentage)",
    }


def test_everything_holds_used_values_in_place_of_asked_ones(qapp, folder: RunFolder):
    records = read_records(folder, "mine")
    assert records is not None
    rows = {row.name: row.value for row in everything(records)}
    assert rows["Seed"] == "1234"
    assert rows["Attention"] == "PyTorch's own (SDPA)"
    assert rows["Max resolution"] == "512 × 512 px"
    assert rows["U-Net rate"] == "1e-4"


def test_records_of_another_run_are_not_taken_for_this_one(folder: RunFolder):
    assert read_records(folder, "other") is None


@pytest.mark.parametrize("content", ["", "[]", "{"])
def test_damaged_records_are_no_records(folder: RunFolder, content: str):
    folder.effective_file.write_text(content, encoding="utf-8")
    assert read_records(folder, "mine") is None


def test_records_are_read_once_for_a_session(qapp, folder: RunFolder, qtbot):
    used = UsedSettings()
    with qtbot.waitSignal(used.changed):
        used.read(folder, "mine", session=1)
    folder.effective_file.unlink()
    used.read(folder, "mine", session=1)
    assert used.records.used["hardware.seed"] == 1234
    used.close()
