"""Errors, groups and calibration, by hand."""

from __future__ import annotations

import numpy as np

from nba_assets.backtest.errors import CalibrationBin, Errors, calibration, errors_by, rounded


def test_errors_of_two_games() -> None:
    found = Errors.of("all", "model", np.array([10.0, 14.0]), np.array([12.0, 13.0]))
    assert found == Errors("all", "model", 2, mae=1.5, rmse=1.5811, bias=-0.5)


def test_every_model_is_measured_on_the_same_games_of_each_group() -> None:
    groups = np.array(["b", "a", "b"], dtype=object)
    predictions = {"one": np.array([1.0, 2.0, 3.0]), "other": np.array([2.0, 2.0, 2.0])}
    found = errors_by(groups, predictions, np.array([1.0, 1.0, 1.0]))
    assert [(one.group, one.model, one.count, one.mae) for one in found] == [
        ("a", "one", 1, 1.0),
        ("a", "other", 1, 1.0),
        ("b", "one", 2, 1.0),
        ("b", "other", 2, 1.0),
    ]


def test_groups_stand_in_the_order_that_is_given_without_those_that_are_empty() -> None:
    found = errors_by(np.array(["a", "b"]), {"one": np.zeros(2)}, np.zeros(2), ("b", "c", "a"))
    assert [one.group for one in found] == ["b", "a"]


def test_calibration_is_by_tenths_of_the_predictions() -> None:
    predicted = np.arange(20.0)[::-1]
    found = calibration(predicted, predicted + 1)
    assert len(found) == 10
    assert found[0] == CalibrationBin(1, 2, predicted=0.5, actual=1.5)
    assert found[-1] == CalibrationBin(10, 2, predicted=18.5, actual=19.5)


def test_fewer_than_ten_games_are_a_bin_each() -> None:
    assert [one.count for one in calibration(np.array([2.0, 1.0]), np.array([0.0, 0.0]))] == [1, 1]


def test_results_have_no_minus_zero() -> None:
    assert str(rounded(-0.00001)) == "0.0"
