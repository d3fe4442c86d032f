import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton

from desktop_app.captions_view.draws import CaptionDraws
from desktop_app.dataset_view.caption_editor import joined
from trainer_core.settings.token_lengths import LENGTH

ENTER, CONTROL = Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def editor(view, cats):
    view.reveal(cats / "a.png")
    return view.browser.details.caption


@pytest.fixture
def field(editor, qtbot):
    editor.field.setFocus()
    qtbot.waitUntil(editor.field.hasFocus)
    return editor.field


def retype(field, text: str) -> None:
    field.selectAll()
    QTest.keyClicks(field, text)


def press_undo(field) -> None:
    QTest.keyClick(field, Qt.Key.Key_Z, CONTROL)


def says(editor) -> str:
    return "\n".join(label.text() for label in editor.findChildren(QLabel) if label.isVisible())


def offers(editor) -> dict[str, QPushButton]:
    return {b.text(): b for b in editor.findChildren(QPushButton) if b.isVisible()}


def row_of(workspace, path):
    return next(row for row in workspace.dataset.rows if row.path == path)


def test_the_whole_text_of_the_file_is_edited(view, editor, cats):
    view.reveal(cats / "b.png")
    assert editor.field.toPlainText() == "zxq cat, asleep\nsecond line"
    assert "Only line 1 is trained" in says(editor)


def test_control_and_enter_saves(field, cats, workspace, qtbot):
    retype(field, "zxq cat, standing")
    assert (cats / "a.txt").read_text() == "zxq cat, sitting"
    QTest.keyClick(field, ENTER, CONTROL)
    assert (cats / "a.txt").read_text() == "zxq cat, standing"
    assert field.hasFocus()


def test_leaving_the_field_saves(field, view, cats):
    retype(field, "zxq cat, standing")
    view.browser.grid.setFocus()
    assert (cats / "a.txt").read_text() == "zxq cat, standing"


def test_selecting_another_picture_saves(field, view, cats):
    retype(field, "zxq cat, standing")
    view.reveal(cats / "b.png")
    assert (cats / "a.txt").read_text() == "zxq cat, standing"
    assert (cats / "b.txt").read_bytes() == b"zxq cat, asleep\r\nsecond line\r\n"


def test_alt_and_arrow_go_on_to_the_next_picture_with_the_cursor_in_its_caption(field, view, cats):
    retype(field, "zxq cat, standing")
    QTest.keyClick(field, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    assert (cats / "a.txt").read_text() == "zxq cat, standing"
    assert field.toPlainText() == "zxq cat, asleep\nsecond line"
    assert field.hasFocus()


def test_the_thumbnail_s_words_and_the_audit_follow(field, cats, workspace, qtbot):
    retype(field, "first")
    field.insertPlainText("\nsecond")
    QTest.keyClick(field, ENTER, CONTROL)
    qtbot.waitUntil(lambda: row_of(workspace, cats / "a.png").caption == "first")
    qtbot.waitUntil(lambda: bool(row_of(workspace, cats / "a.png").findings))
    assert "several lines" in str(row_of(workspace, cats / "a.png").findings[0].message)


def test_a_look_at_the_folder_does_not_disturb_who_is_typing(field, workspace, qtbot):
    retype(field, "half a wo")
    with qtbot.waitSignal(workspace.dataset.changed):
        workspace.dataset.rescan()
    assert field.toPlainText() == "half a wo"
    assert field.textCursor().position() == len("half a wo")
    assert field.hasFocus()


def test_undo_in_the_field_takes_back_typing_first(field, cats):
    QTest.keyClicks(field, "x")
    press_undo(field)
    assert field.toPlainText() == "zxq cat, sitting"
    assert (cats / "a.txt").read_text() == "zxq cat, sitting"


def test_what_undo_writes_is_shown_and_its_picture_selected(field, view, cats, workspace):
    retype(field, "zxq cat, standing")
    view.reveal(cats / "b.png")
    workspace.document.undo_stack.undo()
    assert (cats / "a.txt").read_text() == "zxq cat, sitting"
    assert view.browser.grid.currentIndex().data() == "a.png"
    assert field.toPlainText() == "zxq cat, sitting"


def test_a_picture_without_a_caption_says_which_file_will_be_made(editor, view, cats, qtbot):
    view.reveal(cats / "c.png")
    assert editor.field.toPlainText() == ""
    assert "“zxq cat”" in editor.field.placeholderText()
    assert "c.txt" in editor.field.placeholderText()
    offers(editor)["Begin with “zxq cat”"].click()
    assert not (cats / "c.txt").exists()
    QTest.keyClicks(editor.field, ", lying")
    QTest.keyClick(editor.field, ENTER, CONTROL)
    assert (cats / "c.txt").read_text() == "zxq cat, lying"


def test_looking_at_an_empty_caption_file_threatens_nothing(editor, view, cats, workspace, qtbot):
    (cats / "c.txt").write_bytes(b"")
    workspace.dataset.rescan()
    qtbot.waitUntil(lambda: "is empty" in str(row_of(workspace, cats / "c.png").findings))
    view.reveal(cats / "c.png")
    assert "removed" not in says(editor)
    assert "saves" not in says(editor)
    assert "c.txt is empty" in editor.field.placeholderText()


def test_emptying_a_caption_tells_that_its_file_will_go(field, editor, cats, workspace, qtbot):
    retype(field, " ")
    assert "a.txt will be removed" in says(editor)
    assert "“zxq cat”" in says(editor)
    QTest.keyClick(field, ENTER, CONTROL)
    assert not (cats / "a.txt").exists()
    qtbot.waitUntil(lambda: row_of(workspace, cats / "a.png").caption == "zxq cat")
    workspace.document.undo_stack.undo()
    assert (cats / "a.txt").read_text() == "zxq cat, sitting"


def test_a_file_that_another_program_changed_is_shown_beside_the_way_back(field, editor, cats):
    retype(field, "mine")
    (cats / "a.txt").write_text("theirs")
    QTest.keyClick(field, ENTER, CONTROL)
    assert field.toPlainText() == "theirs"
    assert "Another program changed" in says(editor)
    offers(editor)["Put mine back"].click()
    assert field.toPlainText() == "mine"
    QTest.keyClick(field, ENTER, CONTROL)
    assert (cats / "a.txt").read_text() == "mine"


def test_a_caption_that_is_left_unsaved_is_told_of(field, view, cats, workspace, qtbot):
    retype(field, "mine")
    (cats / "a.txt").write_text("theirs")
    with qtbot.waitSignal(workspace.captions.left) as left:
        view.reveal(cats / "b.png")
    assert left.args[0].picture == cats / "a.png"


def test_the_other_program_s_text_can_be_kept(field, editor, cats, workspace):
    retype(field, "mine")
    (cats / "a.txt").write_text("theirs")
    QTest.keyClick(field, ENTER, CONTROL)
    offers(editor)["Keep theirs"].click()
    assert field.toPlainText() == "theirs"
    assert workspace.captions.commit()
    assert (cats / "a.txt").read_text() == "theirs"


def test_a_change_from_outside_is_shown_while_nothing_is_typed(field, cats, workspace, qtbot):
    (cats / "a.txt").write_text("theirs")
    workspace.dataset.rescan()
    qtbot.waitUntil(lambda: field.toPlainText() == "theirs")


def test_captions_of_two_kinds_cannot_be_edited_until_one_is_chosen(field, cats, workspace, qtbot):
    (cats / "b.caption").write_text("a cat")
    workspace.dataset.rescan()
    qtbot.waitUntil(field.isReadOnly)
    assert field.toPlainText() == ""
    workspace.document.set_value("captions.caption_extension", ".txt")
    qtbot.waitUntil(lambda: not field.isReadOnly())
    assert field.toPlainText() == "zxq cat, sitting"


def test_a_file_that_is_not_utf_8_is_left_alone(editor, view, cats, workspace, qtbot):
    (cats / "a.txt").write_bytes(b"caf\xe9")
    workspace.dataset.rescan()
    qtbot.waitUntil(editor.field.isReadOnly)
    qtbot.waitUntil(lambda: "line 1, byte 4" in says(view.browser.details))
    assert says(view.browser.details).count("not UTF-8") == 1


def test_tags_are_counted_in_the_line_that_is_trained(editor, view, cats):
    view.reveal(cats / "b.png")
    assert "Tags: 2" in says(editor)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\nb", "a, b"),
        ("a,\nb", "a, b"),
        ("A cat.\nIt sleeps.", "A cat. It sleeps."),
        ("\n\na\n\nb\n", "a, b"),
        ("a", "a"),
    ],
)
def test_lines_are_joined_as_tags_or_sentences(text, line):
    assert joined(text) == line


def test_several_lines_are_put_on_one_by_a_click(editor, view, cats):
    view.reveal(cats / "b.png")
    offers(editor)["Join lines"].click()
    assert editor.field.toPlainText() == "zxq cat, asleep, second line"
    QTest.keyClick(editor.field, ENTER, CONTROL)
    assert (cats / "b.txt").read_bytes() == b"zxq cat, asleep, second line\r\n"


def test_tokens_are_counted_while_a_caption_is_typed(editor, field):
    retype(field, "cat " * 75)
    assert "tokens: 75 of 75" in says(editor)
    assert "are read" not in says(editor)
    QTest.keyClicks(field, "dog")
    assert "tokens: 76 of 75" in says(editor)
    assert "Only the first 75 tokens are read." in says(editor)
    press_undo(field)
    assert "are read" not in says(editor)


def test_a_caption_that_is_too_long_becomes_a_problem_of_its_picture(field, cats, workspace, qtbot):
    retype(field, "cat " * 76)
    QTest.keyClick(field, ENTER, CONTROL)

    def found() -> bool:
        return any(
            finding.path == cats / "a.png" and "76 tokens" in str(finding.message)
            for finding in workspace.dataset.findings
        )

    qtbot.waitUntil(found)


def test_more_tokens_are_read_by_a_click(field, editor, workspace):
    retype(field, "cat " * 76)
    offers(editor)["Read 150 tokens"].click()
    assert workspace.document.value(LENGTH) == 150
    workspace.document.undo_stack.undo()
    assert workspace.document.value(LENGTH) == 75


def test_the_limit_follows_the_setting(field, editor, workspace, qtbot):
    retype(field, "cat " * 76)
    QTest.keyClick(field, ENTER, CONTROL)
    workspace.document.set_value(LENGTH, 225)
    qtbot.waitUntil(lambda: "tokens: 76 of 225" in says(editor))
    assert "are read" not in says(editor)
    assert offers(editor) == {}
    retype(field, "cat " * 226)
    assert "Only the first 225 tokens are read." in says(editor)
    assert offers(editor) == {}


# ------------------------------------------------------------------ what is read of it


def set_captions(workspace, qtbot, **values) -> None:
    """Set caption settings and wait until the pictures were looked at with them."""
    for name, value in values.items():
        workspace.document.set_value(f"captions.{name}", value)
    qtbot.waitUntil(
        lambda: (
            not workspace.dataset.is_busy
            and all(
                getattr(row.rules, name) == value
                for row in workspace.dataset.rows
                for name, value in values.items()
            )
        )
    )


def struck_out(field) -> str:
    """Return what is struck out in the first line."""
    block = field.document().firstBlock()
    found = [r for r in block.layout().formats() if r.format.fontStrikeOut()]
    return "".join(block.text()[r.start : r.start + r.length] for r in found)


def test_what_is_beyond_the_limit_is_struck_out(field, workspace, qtbot):
    retype(field, "cat " * 75 + "dog dog")
    assert struck_out(field).split() == ["dog", "dog"]
    set_captions(workspace, qtbot, caption_prefix="red")
    assert struck_out(field).split() == ["cat", "dog", "dog"]
    set_captions(workspace, qtbot, max_token_length=150)
    assert struck_out(field) == ""


def test_prefix_and_weights_are_counted_as_they_are_read(editor, field, workspace, qtbot):
    retype(field, "(cat:1.3)")
    set_captions(workspace, qtbot, caption_prefix="red", weighted_captions=True)
    assert "tokens: 2 of 75" in says(editor)


def test_with_wildcards_every_line_is_trained(view, editor, cats, workspace, qtbot):
    set_captions(workspace, qtbot, enable_wildcard=True)
    view.reveal(cats / "b.png")
    assert "Only line 1 is trained" not in says(editor)
    assert "One line is drawn" in says(editor)
    assert "Join lines" not in offers(editor)


# ------------------------------------------------------------------ what the trainer sees


def drawn(editor) -> list[str]:
    """Return the draws that are shown, without the number of the epoch."""
    words = editor.findChild(CaptionDraws).words
    return [line.partition(": ")[2] for line in words.text().split("\n")] * words.isVisible()


def test_a_caption_that_is_trained_as_it_stands_is_not_drawn(editor):
    assert "What the trainer sees" not in says(editor)
    assert drawn(editor) == []


def test_three_draws_show_how_a_caption_is_shuffled(editor, field, workspace, qtbot):
    retype(field, "cat, a, b, c, d, e, f")
    set_captions(workspace, qtbot, shuffle_caption=True, keep_tokens=1)
    assert "What the trainer sees" in says(editor)
    first = drawn(editor)
    assert len(set(first)) == 3
    assert {line.split(", ")[0] for line in first} == {"cat"}
    assert {frozenset(line.split(", ")) for line in first} == {frozenset("abcdef") | {"cat"}}
    qtbot.mouseClick(editor.findChild(CaptionDraws).again, Qt.MouseButton.LeftButton)
    assert drawn(editor) != first
    retype(field, "cat, dog")
    assert set(drawn(editor)) == {"cat, dog"}


def test_draws_show_the_epochs_that_have_no_captions(editor, workspace, qtbot):
    set_captions(workspace, qtbot, caption_dropout_every_n_epochs=2)
    caption = "zxq cat, sitting"
    assert drawn(editor) == [caption] * 3  # of one epoch
    workspace.document.set_value("optimizer.epoch", 5)
    qtbot.waitUntil(lambda: drawn(editor) == [caption, "(no caption)", caption])


def test_a_caption_that_is_always_the_same_is_shown_once(editor, workspace, qtbot):
    set_captions(workspace, qtbot, caption_prefix="photo of")
    draws = editor.findChild(CaptionDraws)
    assert draws.words.text() == "photo of zxq cat, sitting"
    assert not draws.again.isVisible()
