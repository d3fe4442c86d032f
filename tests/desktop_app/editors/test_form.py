from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QToolButton

from desktop_app.document import Document
from desktop_app.editors.form import SectionForm
from desktop_app.editors.problem_line import ProblemLine
from desktop_app.editors.row import Row
from desktop_app.widgets.icon_button import IconButton
from trainer_core.catalogue.entry import Entry
from trainer_core.settings.param import Section, acts_if, param
from trainer_core.settings.schema import TRAIN, Schema, Settings


@pytest.fixture
def adapter(document: Document, qtbot) -> SectionForm:
    return shown_form("adapter", document, qtbot)


def shown_form(section: str, document: Document, qtbot) -> SectionForm:
    form = SectionForm(section, document)
    qtbot.addWidget(form)
    form.show()
    return form


def reset_button(row: Row) -> IconButton:
    return next(b for b in row.findChildren(IconButton) if "Reset" in b.toolTip())


def problem_lines(row: Row) -> list[ProblemLine]:
    return [line for line in row.findChildren(ProblemLine) if not line.isHidden()]


@pytest.mark.parametrize("section", ["model", "adapter", "output"])
def test_every_setting_of_a_section_has_a_row(section: str, document: Document, qtbot):
    form = shown_form(section, document, qtbot)
    assert list(form.rows) == [path for path in TRAIN.params() if path.startswith(f"{section}.")]


def test_tab_goes_from_the_everyday_settings_to_the_fold_and_on_into_it(document, qtbot):
    form = shown_form("output", document, qtbot)
    rows = form.rows.values()
    ordered = sorted(rows, key=lambda row: row.param.spec.advanced)  # stable: else as declared
    row_of = {field: row for row in rows for field in row.editor.fields()}
    first = field = ordered[0].editor.fields()[0]
    chain = [first]
    while (field := field.nextInFocusChain()) is not first:
        chain.append(field)
    passed = [row_of[each] for each in chain if each in row_of]
    assert passed == ordered
    fold = form.advanced.findChild(QToolButton)
    basic = [row for row in ordered if not row.param.spec.advanced]
    before = chain[: chain.index(fold)]
    assert [row_of[each] for each in before if each in row_of] == basic


def test_the_batch_size_is_edited_where_the_training_is(document: Document, qtbot):
    rows = list(shown_form("optimizer", document, qtbot).rows)
    before = rows.index("dataset.train_batch_size")
    assert rows[before + 1] == "optimizer.gradient_accumulation_steps"
    assert "dataset.train_batch_size" not in shown_form("dataset", document, qtbot).rows


def test_an_edit_changes_the_document(adapter: SectionForm, document: Document, qtbot):
    [field] = adapter.rows["adapter.network_dim"].editor.fields()
    field.selectAll()
    qtbot.keyClicks(field, "32")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert document.value("adapter.network_dim") == 32


def test_undo_is_seen_in_the_field(adapter: SectionForm, document: Document):
    document.set_value("adapter.network_dim", 32)
    document.undo_stack.undo()
    assert adapter.rows["adapter.network_dim"].editor.raw() == 8


def test_another_file_is_seen_in_the_fields(adapter: SectionForm, document: Document):
    document.set_value("adapter.network_dim", 32)
    document.new()
    assert adapter.rows["adapter.network_dim"].editor.raw() == 8


def test_only_a_changed_setting_can_be_reset(adapter: SectionForm, document: Document):
    button = reset_button(adapter.rows["adapter.network_dim"])
    assert not button.isVisible()
    document.set_value("adapter.network_dim", 32)
    assert button.isVisible()
    button.click()
    assert document.value("adapter.network_dim") == 8
    assert not button.isVisible()


def test_a_problem_stands_below_its_field_and_its_suggestion_mends_it(
    adapter: SectionForm, document: Document, qtbot
):
    document.set_value("adapter.network_dim", 0)
    row = adapter.rows["adapter.network_dim"]
    qtbot.waitUntil(lambda: len(problem_lines(row)) == 1)
    assert row.editor.fields()[0].property("invalid") is True
    [button] = row.findChildren(QPushButton)
    button.click()
    assert document.value("adapter.network_dim") == 8
    assert problem_lines(row) == []
    assert row.editor.fields()[0].property("invalid") is False


def test_a_setting_that_does_not_act_is_disabled_and_says_why(document: Document, qtbot):
    form = shown_form("optimizer", document, qtbot)
    row = form.rows["optimizer.lr_scheduler_num_cycles"]
    assert not row.editor.isEnabled()
    assert "Acts only if Schedule is: cosine_with_restarts." in row.toolTip()
    document.set_value("optimizer.lr_scheduler", "cosine_with_restarts")
    assert row.editor.isEnabled()
    assert "Acts only" not in row.toolTip()


def test_one_of_several_settings_makes_another_one_act(document: Document, qtbot):
    form = shown_form("captions", document, qtbot)
    row = form.rows["captions.keep_tokens"]
    assert not row.editor.isEnabled()
    labels = "Shuffle caption, Tag dropout, Tag warm-up"
    assert f"Acts only if one of these is set: {labels}." in row.toolTip()
    document.set_value("captions.caption_tag_dropout_rate", 0.1)
    assert row.editor.isEnabled()


def test_a_changed_value_that_does_not_act_can_still_be_mended(document: Document, qtbot):
    form = shown_form("optimizer", document, qtbot)
    document.set_value("optimizer.lr_scheduler_num_cycles", 3)
    assert form.rows["optimizer.lr_scheduler_num_cycles"].editor.isEnabled()


def test_conditions_are_followed_while_the_document_is_broken(document: Document, qtbot):
    form = shown_form("optimizer", document, qtbot)
    document.set_value("adapter.network_dim", "many")
    document.set_value("optimizer.lr_scheduler", "polynomial")
    assert form.rows["optimizer.lr_scheduler_power"].editor.isEnabled()


def test_advanced_settings_are_folded_until_wanted(document: Document, qtbot):
    form = shown_form("model", document, qtbot)
    row = form.rows["model.family"]
    assert not row.isVisible()
    form.reveal("model.family")
    assert row.isVisible()


def test_an_error_in_an_advanced_setting_unfolds_it(document: Document, qtbot):
    form = shown_form("model", document, qtbot)
    document.set_value("model.family", "sd9")
    assert form.rows["model.family"].isVisible()


def test_a_click_on_the_label_turns_a_switch(adapter: SectionForm, document: Document, qtbot):
    row = adapter.rows["adapter.network_train_unet_only"]
    qtbot.mouseClick(row.label, Qt.MouseButton.LeftButton)
    assert document.value("adapter.network_train_unet_only") is True


def test_leaving_a_field_untouched_changes_nothing(document: Document, qtbot):
    form = shown_form("optimizer", document, qtbot)
    for row in form.rows.values():
        row.editor.commit()
    assert document.undo_stack.count() == 0


def test_every_row_names_its_setting_to_screen_readers(adapter: SectionForm):
    for path, row in adapter.rows.items():
        for field in row.editor.fields():
            assert field.accessibleName() == TRAIN.params()[path].spec.label


# ------------------------------------------------------------------ other settings than a run's


class ToolSettings(Section):
    """What a tool might ask for."""

    kind: str = param(
        "auto",
        "Kind",
        "How it merges.",
        choices={
            "auto": Entry(label="Detect"),
            "plain": Entry(label="Plain"),
            "svd": Entry(label="SVD"),
        },
    )
    rank: int = param(
        8, "Rank", "Of the result.", minimum=1, maximum=64, step=1, when=(acts_if("kind", "svd"),)
    )


@pytest.fixture
def tool(qapp) -> Iterator[Document[Settings]]:
    made = Document(Schema.of_section("merge", "Merge", ToolSettings))
    yield made
    made.undo_stack.clear()


def test_a_tool_s_settings_make_a_form(tool: Document[Settings], qtbot):
    form = shown_form("merge", tool, qtbot)
    assert list(form.rows) == ["merge.kind", "merge.rank"]
    form.rows["merge.rank"].committed.emit("merge.rank", 0)
    assert tool.value("merge.rank") == 0
    assert form.rows["merge.rank"].has_error


def test_a_setting_dims_once_it_is_known_what_auto_came_to(tool: Document[Settings], qtbot):
    form = shown_form("merge", tool, qtbot)
    row = form.rows["merge.rank"]
    assert "Acts only" not in row.toolTip()
    tool.set_facts({"kind": "plain"})
    assert "Acts only if Kind is: SVD." in row.toolTip()
    tool.set_facts({"kind": "svd"})
    assert "Acts only" not in row.toolTip()
