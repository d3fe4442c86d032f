import numpy as np
import pytest

from desktop_app.models.runs.series import Series, smoothed, thinned


def filled(count: int) -> Series:
    series = Series()
    for number in range(count):
        series.append(number, number % 7)
    return series


def test_a_series_grows_without_losing_a_point():
    series = filled(5000)
    assert len(series) == 5000
    assert series.x.tolist() == list(range(5000))
    assert series.y.tolist() == [number % 7 for number in range(5000)]


def test_x_keeps_rising_when_a_point_comes_again():
    series = filled(10)
    series.append(6, 100)
    assert series.x.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert series.y[-1] == 100


def test_points_from_an_x_on_can_be_dropped():
    series = filled(10)
    series.drop_from(4)
    assert series.x.tolist() == [0, 1, 2, 3]
    series.append(4, 1)
    assert len(series) == 5


def test_replaced_points_are_copies_that_can_grow():
    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    series = filled(3)
    series.replace(x, y)
    series.append(3, 5)
    x[0] = 99
    assert series.x.tolist() == [1, 2, 3]
    assert series.y.tolist() == [3, 4, 5]


def test_a_part_comes_with_a_neighbour_on_each_side():
    x, _ = filled(100).between(10, 12, points=50)
    assert x.tolist() == [9, 10, 11, 12, 13]


def test_a_part_beyond_the_ends_is_what_there_is():
    x, _ = filled(5).between(-10, 100, points=50)
    assert x.tolist() == [0, 1, 2, 3, 4]


def test_an_empty_series_has_empty_parts():
    x, y = Series().between(0, 10, points=10)
    assert len(x) == len(y) == 0


def test_a_short_curve_is_not_thinned():
    x = np.arange(10.0)
    kept_x, kept_y = thinned(x, x, points=10)
    assert kept_x.tolist() == kept_y.tolist() == x.tolist()


@pytest.mark.parametrize("count", [1000, 1001, 1999, 12_345])
def test_every_peak_survives_thinning(count):
    y = np.zeros(count)
    peaks = {17: 5.0, count // 2: -3.0, count - 1: 4.0}
    for place, value in peaks.items():
        y[place] = value
    x, kept = thinned(np.arange(float(count)), y, points=100)
    assert len(x) <= 102
    assert np.all(np.diff(x) >= 0)
    points = dict(zip(x.tolist(), kept.tolist(), strict=True))
    assert {place: points[place] for place in peaks} == peaks


@pytest.mark.parametrize("weight", [0.05, 0.5, 0.9, 0.999])
def test_smoothing_is_the_debiased_moving_average(weight):
    y = np.random.default_rng(0).normal(size=5000)
    expected, moment = [], 0.0
    for count, value in enumerate(y.tolist(), start=1):
        moment = weight * moment + (1 - weight) * value
        expected.append(moment / (1 - weight**count))
    np.testing.assert_allclose(smoothed(y, weight), expected, rtol=1e-9, atol=1e-12)


def test_weight_zero_smooths_nothing():
    y = np.array([3.0, 1.0, 2.0])
    assert smoothed(y, 0.0).tolist() == [3.0, 1.0, 2.0]


def test_nothing_can_be_smoothed():
    assert len(smoothed(np.empty(0), 0.9)) == 0


@pytest.mark.parametrize(("x", "nearest"), [(-5, 0), (3.4, 3), (3.6, 4), (99, 9)])
def test_the_nearest_point_is_found(x, nearest):
    assert filled(10).nearest(x) == nearest


def test_an_empty_series_has_no_nearest_point():
    assert Series().nearest(1) is None


def test_a_value_is_that_of_the_point_at_x_alone():
    series = filled(10)
    assert series.value_at(8) == 1
    assert series.value_at(8.5) is None
    assert series.value_at(10) is None
    assert Series().value_at(0) is None
