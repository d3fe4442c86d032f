from desktop_app.widgets.elided_label import ElidedLabel, LinkButton


def test_what_does_not_fit_is_whole_in_the_tooltip(qtbot):
    label = ElidedLabel()
    qtbot.addWidget(label)
    label.setText("/a/very/long/path/to/a/folder/of/pictures")
    label.resize(60, 20)
    label.show()
    label.grab()
    assert label.toolTip() == label.text()
    label.resize(2000, 20)
    label.grab()
    assert label.toolTip() == ""


def test_it_never_widens_what_is_around_it(qtbot):
    label = ElidedLabel()
    qtbot.addWidget(label)
    label.setText("x" * 500)
    assert label.minimumSizeHint().width() == 0


def test_a_link_is_as_wide_as_its_words_and_gives_way(qtbot):
    link = LinkButton("Begin with a very long line of words")
    qtbot.addWidget(link)
    assert link.sizeHint().width() >= link.fontMetrics().horizontalAdvance(link.text())
    assert link.minimumSizeHint().width() == 0
    link.resize(60, 20)
    link.show()
    link.grab()
    assert link.toolTip() == link.text()
