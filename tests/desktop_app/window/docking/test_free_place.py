"""Where windows of some size cover nothing else."""

from PySide6.QtCore import QRect, QSize

from desktop_app.window.docking.free_place import free_place, room_beside

SCREEN = QRect(0, 0, 1920, 1080)
LEAST = QSize(360, 280)


def test_a_window_goes_beside_what_is_there() -> None:
    window = QRect(0, 0, 1280, 720)
    found = free_place(QSize(600, 400), LEAST, [window], [SCREEN])
    assert found is not None
    assert found.size() == QSize(600, 400)
    assert SCREEN.contains(found)
    assert not found.intersects(window)


def test_several_windows_never_cover_one_another() -> None:
    taken = [QRect(0, 0, 1280, 720)]
    for _ in range(4):
        found = free_place(QSize(600, 400), LEAST, taken, [SCREEN])
        assert found is not None
        assert not any(found.intersects(other) for other in taken)
        taken.append(found)


def test_a_window_shrinks_to_the_room_there_is_but_not_below_what_it_needs() -> None:
    window = QRect(0, 0, 1520, 1080)
    found = free_place(QSize(900, 600), LEAST, [window], [SCREEN])
    assert found is not None
    assert LEAST.width() <= found.width() <= 400
    assert free_place(QSize(900, 600), QSize(401, 280), [window], [SCREEN]) is None


def test_another_screen_is_better_than_a_smaller_window() -> None:
    other = QRect(1920, 0, 1280, 1024)
    found = free_place(QSize(900, 600), LEAST, [QRect(0, 0, 1500, 1080)], [SCREEN, other])
    assert found is not None
    assert other.contains(found)
    assert found.size() == QSize(900, 600)


def test_a_window_that_fills_the_screen_leaves_the_room_that_is_needed() -> None:
    assert room_beside(SCREEN, SCREEN, least=800, needed=640) == QRect(0, 0, 1280, 1080)
    assert room_beside(SCREEN, SCREEN, least=1300, needed=640) is None
