import pytest
from helpers.pictures import write_dataset, write_picture
from PIL import Image

from desktop_app.models.pictures import dataset_model
from desktop_app.models.pictures.dataset_model import DatasetModel
from trainer_core.settings.problems import Severity
from trainer_core.settings.schema import TRAIN


@pytest.fixture
def model(qapp):
    model = DatasetModel()
    yield model
    model.close()


@pytest.fixture
def folder(tmp_path):
    """Two concepts: two captioned pictures ten times, one picture three times."""
    folders = {
        "10_zxq cat": {"a.png": None, "a.txt": "zxq cat, sitting", "b.png": None, "b.txt": "zxq"},
        "3_style": {"c.png": None},
    }
    return write_dataset(tmp_path / "pictures", folders, size=(512, 512))


def follow(model, folder, **values):
    raw = {"dataset": {"train_data_dir": str(folder)}}
    for name, value in values.items():
        section, _, _ = TRAIN.path_of(name).partition(".")
        raw.setdefault(section, {})[name] = value
    model.follow(raw, folder.parent)


def wait_for_scan(model, qtbot):
    """Wait until the newest look has been taken, and every pixel checked."""
    qtbot.waitUntil(lambda: model.scan is not None and not model.is_busy)
    qtbot.waitUntil(lambda: not model._checking.is_running)


def names(model):
    return [row.path.name for row in model.rows]


def test_without_a_folder_there_is_nothing(model):
    model.follow({}, "/nowhere")
    assert model.places == ()
    assert model.scan is None
    assert not model.is_busy
    assert model.rows == ()


def test_pictures_come_with_captions_sizes_and_buckets(model, folder, qtbot):
    follow(model, folder)
    wait_for_scan(model, qtbot)
    assert names(model) == ["c.png", "a.png", "b.png"]
    first = model.rows[1]
    assert first.caption == "zxq cat, sitting"
    assert first.size == first.bucket == (512, 512)
    assert first.repeats == 10
    assert first.folder == folder / "10_zxq cat"


def test_people_see_names_by_their_numbers_and_training_keeps_its_order(model, tmp_path, qtbot):
    pictures = {f"p{number}.png": None for number in (1, 2, 10)} | {"p1.txt": "words"}
    folder = write_dataset(tmp_path / "pictures", {"2_b": pictures, "10_a": {"x.png": None}})
    follow(model, folder)
    wait_for_scan(model, qtbot)
    assert names(model) == ["p1.png", "p2.png", "p10.png", "x.png"]
    found = [f.path.name for f in model.findings if "no caption file" in str(f.message)]
    assert found == ["p2.png", "p10.png"]
    in_training = [picture.path.name for picture in model.scan.index.pictures]
    assert in_training == ["x.png", "p1.png", "p10.png", "p2.png"], "by code points"


def test_the_plan_follows_the_settings(model, folder, qtbot):
    follow(model, folder, epoch=2)
    wait_for_scan(model, qtbot)
    assert model.scan.plan.samples == 2 * 10 + 3
    assert model.scan.plan.total_steps == 2 * 23
    follow(model, folder, epoch=2, train_batch_size=4)
    wait_for_scan(model, qtbot)
    assert model.scan.plan.total_steps == 2 * 6  # one bucket: 23 samples in batches of 4


def test_another_pace_needs_no_other_look_at_the_files(model, folder, qtbot):
    follow(model, folder)
    wait_for_scan(model, qtbot)
    before = model.scan
    follow(model, folder, train_batch_size=2)
    wait_for_scan(model, qtbot)
    assert model.scan is not before
    assert model.scan.index is before.index


def test_relative_folders_are_meant_from_the_document(model, folder, qtbot):
    model.follow({"dataset": {"train_data_dir": folder.name}}, folder.parent)
    wait_for_scan(model, qtbot)
    assert len(model.rows) == 3


def test_settings_that_cannot_be_used_do_not_hide_the_pictures(model, folder, qtbot):
    raw = {
        "dataset": {"train_data_dir": str(folder), "train_batch_size": "many", "x": 1},
        "nonsense.here": {"a": 1},
        "adapter": 3,
    }
    model.follow(raw, folder)
    wait_for_scan(model, qtbot)
    assert len(model.rows) == 3
    assert model.scan.plan is not None


def test_contradicting_bucket_limits_hide_only_the_plan(model, folder, qtbot):
    follow(model, folder, bucket_no_upscale=False, max_bucket_reso=256)
    wait_for_scan(model, qtbot)
    assert model.scan.plan is None
    assert [row.caption for row in model.rows][1:2] == ["zxq cat, sitting"]


def test_a_look_that_breaks_off_is_said_and_not_waited_for(
    model, folder, qtbot, monkeypatch, caplog
):
    monkeypatch.setattr(dataset_model, "look", lambda request, known, pulse: 1 / 0)
    follow(model, folder)
    wait_for_scan(model, qtbot)
    assert "defect in this program" in str(model.scan.failure.message)
    assert "ZeroDivisionError" in caplog.text


def test_a_missing_folder_says_so(model, tmp_path, qtbot):
    follow(model, tmp_path / "missing")
    wait_for_scan(model, qtbot)
    assert "missing" in str(model.scan.failure)
    assert model.rows == ()


def test_what_the_audit_finds_is_marked_on_its_picture(model, folder, qtbot):
    (folder / "10_zxq cat" / "broken.png").write_bytes(b"nothing")
    follow(model, folder)
    wait_for_scan(model, qtbot)
    broken = next(row for row in model.rows if row.path.name == "broken.png")
    assert broken.severity is Severity.ERROR
    assert broken.size is broken.bucket is None
    assert model.scan.plan.pictures == 3, "the plan goes on without it"


def test_damage_inside_a_picture_is_found_by_the_full_check(model, folder, qtbot):
    path = folder / "3_style" / "c.png"
    data = path.read_bytes()
    at = data.index(b"IDAT") + 4
    path.write_bytes(data[:at] + b"\xff" * 20 + data[at + 20 :])
    follow(model, folder)
    with qtbot.waitSignal(model.findings_changed):
        pass
    wait_for_scan(model, qtbot)
    assert model.scan.audit.errors == ()
    assert [f.path for f in model.findings if f.severity is Severity.ERROR] == [path]
    assert model.rows[0].severity is Severity.ERROR


def test_a_mended_picture_loses_its_mark(model, folder, qtbot):
    path = folder / "3_style" / "c.png"
    Image.new("RGBA", (512, 512)).save(path)
    follow(model, folder)
    wait_for_scan(model, qtbot)
    qtbot.waitUntil(lambda: model.rows[0].severity is Severity.WARNING)
    write_picture(path, (512, 512))
    model.rescan()
    qtbot.waitUntil(lambda: model.rows[0].severity is None)


def test_a_picture_that_is_added_appears_by_itself(model, folder, qtbot):
    follow(model, folder)
    wait_for_scan(model, qtbot)
    write_picture(folder / "3_style" / "d.png", (512, 512))
    qtbot.waitUntil(lambda: "d.png" in names(model))


def test_a_new_folder_takes_the_place_of_the_old_one_at_once(model, folder, tmp_path, qtbot):
    follow(model, folder)
    wait_for_scan(model, qtbot)
    other = write_dataset(tmp_path / "other", {".": {"z.png": None}}, size=(512, 512))
    follow(model, other)
    assert model.rows == ()
    wait_for_scan(model, qtbot)
    assert names(model) == ["z.png"]


def test_no_folder_any_more_forgets_the_pictures(model, folder, qtbot):
    follow(model, folder)
    wait_for_scan(model, qtbot)
    model.follow({}, folder)
    assert model.rows == ()
    assert model.places == ()


def test_pictures_of_further_places_come_behind_those_of_the_folder(model, folder, tmp_path, qtbot):
    other = write_dataset(tmp_path / "other", {".": {"y.png": None, "z.png": None}})
    follow(model, folder, more_pictures=["other/z.png", str(tmp_path / "gone")])
    wait_for_scan(model, qtbot)
    assert names(model) == ["c.png", "a.png", "b.png", "z.png"]
    assert model.scan.plan.samples == 2 * 10 + 3 + 1
    assert model.places == (folder, other / "z.png", tmp_path / "gone")


def test_single_pictures_alone_are_enough(model, folder, qtbot):
    picture = folder / "3_style" / "c.png"
    model.follow({"dataset": {"more_pictures": [str(picture)]}}, folder)
    wait_for_scan(model, qtbot)
    assert [(row.path, row.repeats) for row in model.rows] == [(picture, 3)]


def test_every_place_is_watched(model, folder, tmp_path, qtbot):
    other = write_dataset(tmp_path / "other", {"2_dog": {"y.png": None}})
    loose = write_picture(tmp_path / "loose" / "p.png")
    follow(model, folder, more_pictures=[str(other), str(loose)])
    wait_for_scan(model, qtbot)
    write_picture(other / "2_dog" / "z.png")
    qtbot.waitUntil(lambda: "z.png" in names(model))
    wait_for_scan(model, qtbot)
    loose.with_suffix(".txt").write_text("a loose one", encoding="utf-8")
    qtbot.waitUntil(lambda: [row.caption for row in model.rows][-1] == "a loose one")


def test_other_places_beside_the_known_ones_do_not_empty_the_view(model, folder, tmp_path, qtbot):
    other = write_dataset(tmp_path / "other", {".": {"y.png": None}})
    follow(model, folder)
    wait_for_scan(model, qtbot)
    follow(model, folder, more_pictures=[str(other)])
    assert names(model) == ["c.png", "a.png", "b.png"]
    qtbot.waitUntil(lambda: names(model)[-1] == "y.png")
    model.follow({"dataset": {"more_pictures": [str(other)]}}, folder)
    qtbot.waitUntil(lambda: names(model) == ["y.png"])


def test_the_folder_of_masks_is_watched(model, folder, tmp_path, qtbot):
    masks = write_dataset(tmp_path / "masks", {".": {"a.png": None}}, size=(512, 512))
    follow(model, folder, masked_loss=True, conditioning_data_dir=str(masks))
    wait_for_scan(model, qtbot)
    assert [row.mask and row.mask.name for row in model.rows] == [None, "a.png", None]
    write_picture(masks / "b.png", (512, 512))
    qtbot.waitUntil(lambda: [bool(row.mask) for row in model.rows] == [False, True, True])
