from trainer_core.dataset.listing import natural_key


def test_names_sort_by_their_numbers_and_without_regard_to_capitals() -> None:
    names = ["p10", "p2", "P1", "p01", "q", "2_b", "10_a", "é", "p1x"]
    assert sorted(names, key=natural_key) == [
        "2_b",
        "10_a",
        "P1",
        "p01",
        "p1x",
        "p2",
        "p10",
        "q",
        "é",
    ]
