from pathlib import Path

import pytest
from helpers.pictures import write_dataset

from desktop_app.models.pictures.picture_choice import PictureChoice
from desktop_app.models.pictures.picture_offer import Offer
from trainer_core.dataset.index import build_index

FOLDER, MORE = "dataset.train_data_dir", "dataset.more_pictures"


@pytest.fixture
def choice(document):
    choice = PictureChoice(document)
    yield choice
    choice.close()


@pytest.fixture
def places(tmp_path: Path) -> Path:
    """Three folders: cats a b c, dogs d, birds e f."""
    folders = {
        "cats": dict.fromkeys(("a.png", "b.png", "c.png")),
        "5_dogs": {"d.png": None},
        "birds": dict.fromkeys(("e.png", "f.png")),
    }
    return write_dataset(tmp_path / "places", folders)


@pytest.fixture
def settled(document, qtbot):
    """Wait until the settings name this picture folder and these further entries."""

    def wait(folder: Path | str, *more: Path) -> None:
        wanted = (_words(folder), [path.as_posix() for path in more])
        qtbot.waitUntil(lambda: (document.value(FOLDER), document.value(MORE)) == wanted)

    return wait


def _words(folder: Path | str) -> str:
    return folder.as_posix() if isinstance(folder, Path) else folder


def test_the_first_folder_is_the_picture_folder(choice, places, settled):
    assert not choice.has_pictures
    choice.offer(Offer.of([places / "cats"]))
    settled(places / "cats")
    assert choice.has_pictures


def test_of_several_folders_the_first_is_the_picture_folder(choice, places, settled):
    choice.offer(Offer.of([places / "5_dogs", places / "cats", places / "birds" / "e.png"]))
    settled(places / "5_dogs", places / "cats", places / "birds" / "e.png")


def test_single_pictures_are_exactly_those(choice, places, settled, document):
    choice.offer(Offer.of([places / "cats" / "b.png", places / "cats" / "a.png"]))
    settled("unset", places / "cats" / "a.png", places / "cats" / "b.png")
    document.undo_stack.undo()
    assert not choice.has_pictures


def test_a_second_offer_is_asked_about_and_changes_nothing(choice, places, document, qtbot):
    document.set_value(FOLDER, str(places / "cats"))
    with qtbot.waitSignal(choice.choice_wanted) as blocker:
        choice.offer(Offer.of([places / "birds"]))
    assert blocker.args == [(places / "birds",)]
    assert document.value(MORE) == []


def test_what_is_there_already_is_not_asked_about(choice, places, document, qtbot):
    document.set_value(FOLDER, str(places / "cats"))
    with (
        qtbot.assertNotEmitted(choice.choice_wanted),
        qtbot.waitSignal(choice.noticed, check_params_cb=lambda words: "already" in words),
    ):
        choice.offer(Offer.of([places / "cats", places / "cats" / "a.png"]))


def test_adding_keeps_what_is_there(choice, places, settled, document):
    document.set_value(FOLDER, str(places / "cats"))
    choice.add([places / "birds" / "e.png", places / "cats"])
    settled(places / "cats", places / "birds" / "e.png")
    document.undo_stack.undo()
    settled(places / "cats")


def test_a_folder_replaces_its_single_pictures(choice, places, settled):
    choice.use_instead([places / "cats" / "a.png", places / "birds" / "e.png"])
    settled("unset", places / "cats" / "a.png", places / "birds" / "e.png")
    choice.add([places / "birds"])
    settled("unset", places / "cats" / "a.png", places / "birds")


def test_using_others_forgets_what_was_there_in_one_step(choice, places, settled, document):
    choice.use_instead([places / "cats", places / "birds"])
    settled(places / "cats", places / "birds")
    choice.use_instead([places / "5_dogs"])
    settled(places / "5_dogs")
    document.undo_stack.undo()
    settled(places / "cats", places / "birds")


def test_relative_entries_are_known_as_what_they_mean(choice, places, document, qtbot):
    run_file = places / "run.toml"
    document.save(run_file)
    document.apply({FOLDER: "cats", MORE: ["birds/e.png"]}, "relative")
    with qtbot.waitSignal(choice.noticed, check_params_cb=lambda words: "already" in words):
        choice.add([places / "cats", places / "birds" / "e.png"])


@pytest.mark.parametrize("number", [0, 1, 2])
def test_each_place_can_be_removed_from_the_settings(choice, places, document, number):
    folder, picture = str(places / "cats"), places / "birds" / "e.png"
    document.save(places / "run.toml")
    document.apply({FOLDER: folder, MORE: ["5_dogs", "birds/e.png"]}, "start")
    more = [places / "5_dogs", picture]
    choice.remove(build_index(Path(folder), more, plain_repeats=1).roots[number])
    assert (document.value(FOLDER), document.value(MORE)) == [
        ("unset", ["5_dogs", "birds/e.png"]),
        (folder, ["birds/e.png"]),
        (folder, ["5_dogs"]),
    ][number]
    assert picture.exists()


def test_what_cannot_be_trained_is_named_and_the_rest_is_taken(choice, places, settled, qtbot):
    gif = places / "cats" / "a.gif"
    gif.touch()
    with qtbot.waitSignal(choice.noticed) as blocker:
        choice.offer(Offer.of([gif, places / "birds"]))
    assert blocker.args[0].startswith("Left out: a.gif.")
    settled(places / "birds")


def test_what_is_still_being_read_does_not_reach_another_document(choice, places, document):
    choice.offer(Offer.of([places / "cats"]))
    document.new()
    assert not choice._finding.is_running
