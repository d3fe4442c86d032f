from helpers.pictures import gradient, write_picture
from PySide6.QtCore import QRectF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QLabel, QLineEdit, QPushButton, QToolButton

from desktop_app.widgets.bar_list import BarList


def names(view) -> list[str]:
    model = view.browser.grid.model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def selected(view) -> str:
    return view.browser.grid.currentIndex().data()


def words(widget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel))


def find(view, text: str) -> None:
    field = view.browser.bar.findChild(QLineEdit)
    field.setText(text)


def click_bar(view, row: int) -> None:
    bars = view.findChild(BarList)
    place = bars.visualRect(bars.model().index(row, 0)).center()
    QTest.mouseClick(bars.viewport(), Qt.MouseButton.LeftButton, pos=place)


def bars(view) -> list[str]:
    model = view.findChild(BarList).model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def test_the_first_picture_is_selected_by_itself(view):
    assert selected(view) == "d.png", "3_style comes before 10_zxq cat"
    assert "1 of 4" in words(view.browser.details)


def test_words_find_pictures_by_name_and_caption(view, qtbot):
    find(view, "asleep")
    qtbot.waitUntil(lambda: names(view) == ["b.png"])
    assert selected(view) == "b.png"
    find(view, "d.png")
    qtbot.waitUntil(lambda: names(view) == ["d.png"])


def test_escape_in_the_words_shows_all_again(view, qtbot):
    find(view, "asleep")
    qtbot.waitUntil(lambda: len(names(view)) == 1)
    QTest.keyClick(view.browser.bar.findChild(QLineEdit), Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: len(names(view)) == 4)
    assert selected(view) == "b.png", "the picture that was looked at"


def test_nothing_found_hides_the_picture(view, qtbot):
    find(view, "no such words")
    qtbot.waitUntil(lambda: names(view) == [])
    assert not view.browser.details.isVisible()


def test_a_picture_just_mended_stays_until_something_else_is_chosen(view, cats, workspace, qtbot):
    view.browser.bar.findChild(QCheckBox).click()
    view.reveal(cats / "b.png")
    field = view.browser.details.caption.field
    field.setPlainText("zxq cat, asleep")
    with qtbot.waitSignal(workspace.dataset.changed):
        workspace.captions.commit()
    assert not any(row.findings for row in workspace.dataset.rows if row.path.stem == "b")
    assert selected(view) == "b.png"
    assert names(view) == ["b.png", "c.png"]


def test_a_click_on_another_picture_selects_it_while_the_mended_one_goes(
    view, cats, workspace, qtbot
):
    view.browser.bar.findChild(QCheckBox).click()
    view.reveal(cats / "b.png")
    field = view.browser.details.caption.field
    field.setFocus()
    field.setPlainText("zxq cat, asleep")
    grid = view.browser.grid
    place = grid.visualRect(grid.model().index(1, 0)).center()
    QTest.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert (cats / "b.txt").read_bytes() == b"zxq cat, asleep\r\n"
    qtbot.waitUntil(lambda: names(view) == ["c.png"])
    assert selected(view) == "c.png"
    assert [index.row() for index in grid.selectedIndexes()] == [0]


def test_a_bar_for_each_bucket_with_its_pictures_per_epoch(view, workspace):
    plan = workspace.dataset.scan.plan
    assert bars(view) == [f"{b.resolution[0]} × {b.resolution[1]}" for b in plan.buckets]
    assert bars(view)[0] == "512 × 512"
    tip = view.findChild(BarList).model().index(0, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert "30 pictures per epoch" in tip, "three pictures ten times"
    assert "in 30 batches of up to 1" in tip


def test_bars_follow_the_settings(view, workspace, qtbot):
    workspace.document.set_value("buckets.enable_bucket", False)
    qtbot.waitUntil(lambda: bars(view) == ["512 × 512"])
    workspace.document.set_value("dataset.train_batch_size", 4)
    model = view.findChild(BarList).model()
    # 3 pictures ten times and one three times are 33 samples: 9 batches of up to 4.
    qtbot.waitUntil(
        lambda: "in 9 batches of up to 4" in model.index(0, 0).data(Qt.ItemDataRole.ToolTipRole)
    )


def test_a_bar_shows_its_pictures_and_again_all(view):
    click_bar(view, 1)
    assert names(view) == ["d.png"]
    click_bar(view, 1)
    assert len(names(view)) == 4


def test_a_bucket_that_is_gone_hides_no_picture(view, workspace, qtbot):
    click_bar(view, 1)
    workspace.document.set_value("buckets.enable_bucket", False)
    qtbot.waitUntil(lambda: len(names(view)) == 4)


def test_a_wanted_picture_is_shown_whatever_was_chosen(view, cats, qtbot):
    click_bar(view, 1)
    find(view, "house")
    view.reveal(cats / "a.png")
    assert selected(view) == "a.png"
    assert len(names(view)) == 4
    assert view.browser.bar.words == ""
    assert not view.findChild(BarList).selectionModel().hasSelection()


def test_the_frame_is_the_trainer_s_crop_and_follows_the_settings(view, folder, workspace, qtbot):
    path = folder / "3_style" / "d.png"
    view.reveal(path)
    picture = view.browser.details.picture
    qtbot.waitUntil(lambda: not picture.place().isEmpty())

    def crop() -> QRectF:
        """Return where the crop lies on the drawn picture, by the placement's own numbers."""
        placement = workspace.dataset.scan.plan.placements[0, path]
        (left, top), (wide, high) = placement.crop_offset, placement.bucket
        place = picture.place()
        across, down = place.width() / placement.resized[0], place.height() / placement.resized[1]
        return QRectF(place.x() + left * across, place.y() + top * down, wide * across, high * down)

    def is_drawn() -> bool:
        drawn, wanted = picture.frame().getRect(), crop().getRect()
        return all(abs(a - b) <= 1 for a, b in zip(drawn, wanted, strict=True))

    assert is_drawn()
    before = picture.frame()
    workspace.document.set_value("buckets.enable_bucket", False)
    qtbot.waitUntil(lambda: picture.frame() != before)
    assert is_drawn()
    # Without buckets 900 x 512 is cut to its middle square.
    assert abs(picture.frame().width() - picture.frame().height()) <= 1
    assert "43 % cut off" in words(view.browser.details)


def test_buttons_step_through_the_listed_pictures(view):
    details = view.browser.details
    buttons = details.findChildren(QToolButton)
    previous, following = (b for b in buttons if "Alt+" in b.toolTip())
    following.click()
    assert selected(view) == "a.png"
    previous.click()
    previous.click()
    assert selected(view) == "d.png"


def test_a_picture_that_is_added_leaves_the_selection(view, cats, qtbot):
    view.reveal(cats / "b.png")
    write_picture(cats / "aa.png", (512, 512))
    qtbot.waitUntil(lambda: len(names(view)) == 5)
    assert selected(view) == "b.png"
    assert "4 of 5" in words(view.browser.details)


def test_findings_stand_beside_the_picture_with_their_ways_out(view, cats):
    view.reveal(cats / "c.png")
    assert "has no caption file" in words(view.browser.details)
    assert "Write c.txt." in words(view.browser.details)


def test_a_picture_that_is_painted_over_is_read_again(view, cats, workspace, qtbot):
    loader = view.browser.grid.loader
    large = view.browser.details.picture
    path = cats / "a.png"
    view.reveal(path)
    qtbot.waitUntil(lambda: loader.thumbnail(path) is not None and not large.place().isEmpty())
    qtbot.waitUntil(lambda: not workspace.dataset._checking.is_running)
    write_picture(path, (256, 128))
    workspace.dataset.rescan()

    def has_new_shape() -> bool:
        thumbnail, place = loader.thumbnail(path), large.place()
        return (
            thumbnail is not None
            and thumbnail.width() == 2 * thumbnail.height()
            and abs(place.width() - 2 * place.height()) <= 1
            and not place.isEmpty()
        )

    qtbot.waitUntil(has_new_shape)


def test_a_narrow_view_cuts_nothing_off(view, cats, workspace, qtbot):
    """Buttons, boxes, links and figures stay inside, whatever is selected."""
    workspace.left_out.leave_out([cats / "a.png"])
    qtbot.waitUntil(lambda: any(row.is_left_out for row in workspace.dataset.rows))
    view.resize(view.minimumSizeHint().width(), 500)
    for name in ("a.png", "b.png", "c.png"):
        view.reveal(cats / name)
        QTest.qWait(20)
        assert view.minimumSizeHint().width() <= view.width()
        for part in (QCheckBox, QLabel, QPushButton, QToolButton):
            for inner in view.findChildren(part):
                if inner.isVisible():
                    right = inner.mapTo(view, inner.rect().bottomRight()).x()
                    assert right < view.width(), inner


def test_the_boxes_go_below_the_words_where_they_have_no_room(view, qtbot):
    bar = view.browser.bar
    bar.show_left_out(12)
    [box] = [box for box in bar.findChildren(QCheckBox) if "Left out" in box.text()]
    field = bar.findChild(QLineEdit)
    bar.resize(900, bar.height())
    bar.layout().activate()
    assert box.y() < field.geometry().bottom()
    bar.resize(bar.minimumSizeHint().width(), bar.height())
    bar.layout().activate()
    assert box.y() > field.geometry().bottom()
    assert box.geometry().right() < bar.width()


def test_the_cut_of_a_caption_is_said_once(view, cats, workspace, qtbot):
    (cats / "a.txt").write_text("word " * 100)
    workspace.dataset.rescan()
    view.reveal(cats / "a.png")
    qtbot.waitUntil(lambda: "has 100 tokens" in words(view.browser.details))
    assert words(view.browser.details).count("only the first 75") == 1
    assert "Only the first 75" not in words(view.browser.details)


def test_the_selected_picture_stays_in_sight_when_the_grid_gets_lower(view, cats, qtbot):
    grid = view.browser.grid
    view.reveal(cats / "c.png")
    qtbot.waitUntil(lambda: grid.viewport().rect().contains(grid.visualRect(grid.currentIndex())))
    view.resize(view.width(), view.height() - 120)
    qtbot.waitUntil(lambda: grid.viewport().rect().contains(grid.visualRect(grid.currentIndex())))


def test_the_mask_of_a_picture_is_named(view, cats, workspace, tmp_path, qtbot):
    write_picture(tmp_path / "masks" / "b.png", (512, 512))
    workspace.document.set_value("augmentation.conditioning_data_dir", str(tmp_path / "masks"))
    workspace.document.set_value("augmentation.masked_loss", True)
    qtbot.waitUntil(lambda: any(row.mask is not None for row in workspace.dataset.rows))
    view.reveal(cats / "b.png")
    assert "Mask: b.png" in words(view.browser.details)
    view.reveal(cats / "a.png")
    assert "Mask:" not in words(view.browser.details)


def test_transparency_that_is_a_mask_is_told_and_no_finding(view, cats, workspace, qtbot):
    gradient((512, 512), "RGBA").save(cats / "b.png")
    workspace.document.set_value("augmentation.alpha_mask", True)
    qtbot.waitUntil(lambda: any(row.has_alpha_mask for row in workspace.dataset.rows))
    view.reveal(cats / "b.png")
    assert "Mask: its transparency" in words(view.browser.details)
