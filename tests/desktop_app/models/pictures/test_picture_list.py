from pathlib import Path

import pytest

from desktop_app.models.pictures.picture_list import PictureList, PictureRole
from desktop_app.models.pictures.picture_row import PictureRow, with_findings
from trainer_core.dataset.findings import Finding
from trainer_core.settings.problems import Severity
from trainer_core.texts import text

FOLDER = Path("/pictures/10_cat")


def row(name: str, caption: str = "") -> PictureRow:
    return PictureRow(FOLDER / name, FOLDER, 10, caption)


def finding(name: str, severity: Severity) -> Finding:
    return Finding(FOLDER / name, severity, text("{path} is odd.", path=FOLDER / name))


@pytest.fixture
def pictures(qapp) -> PictureList:
    made = PictureList()
    made.show([row("a.png", "a cat"), row("b.png")])
    return made


def test_a_row_is_what_views_ask_for(pictures):
    index = pictures.index(0)
    assert index.data() == "a.png"
    assert index.data(PictureRole.PATH) == FOLDER / "a.png"
    assert index.data(PictureRole.CAPTION) == "a cat"
    assert index.data(PictureRole.SEVERITY) is None


def test_news_about_the_same_pictures_resets_nothing(pictures, qtbot):
    # A reset would lose selection and scroll position.
    with qtbot.assertNotEmitted(pictures.modelReset), qtbot.waitSignal(pictures.dataChanged):
        pictures.show([row("a.png", "another cat"), row("b.png")])
    assert pictures.index(0).data(PictureRole.CAPTION) == "another cat"


def test_other_pictures_reset_the_list(pictures, qtbot):
    with qtbot.waitSignal(pictures.modelReset):
        pictures.show([row("b.png")])
    assert pictures.row_of(FOLDER / "b.png") == 0
    assert pictures.row_of(FOLDER / "a.png") is None


def test_the_worst_finding_marks_a_picture(pictures):
    findings = [
        finding("a.png", Severity.NOTICE),
        finding("a.png", Severity.ERROR),
        finding("c.png", Severity.WARNING),
    ]
    marked = with_findings([row("a.png"), row("b.png")], findings)
    assert [picture.severity for picture in marked] == [Severity.ERROR, None]
    pictures.show(marked)
    assert pictures.index(0).data(PictureRole.SEVERITY) == "error"
