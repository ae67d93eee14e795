"""The walk-forward test on invented games: what it may learn from, what it measures, and that it repeats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import date, timedelta

import numpy as np
import pytest

from nba_assets.backtest import models, walk_forward
from nba_assets.backtest.folds import folds_of
from nba_assets.backtest.models import AVERAGES
from nba_assets.backtest.periods import Period
from nba_assets.backtest.player_games import BacktestError, PlayerGames
from nba_assets.backtest.walk_forward import Backtest, backtest, learn, minutes_bucket
from nba_assets.basketball.arithmetic import Floats
from nba_assets.precompute.feature_lists import FEATURE_VERSIONS
from nba_assets_tests.analytics.builders import NAN
from nba_assets_tests.backtest.games import FIRST, PLAYERS, TELLING, games_of

pytest.importorskip("sklearn", reason="a backtest needs scikit-learn: pip install 'nba-assets[ml]'")

BOTH = ("v1", "v2")
LEARNT = ["ridge v1", "ridge v2", "boosting v1", "boosting v2"]
LAST = FIRST + timedelta(days=99)


def tried(games: PlayerGames, by: Period = Period.MONTH, seed: int = 0) -> Backtest:
    return backtest(games, FIRST, LAST, by, BOTH, seed)


@pytest.fixture(scope="module", autouse=True)
def few_large_steps() -> Iterator[None]:
    """Boosting that is quick and not quite as good, and fewer shuffles."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(models, "BOOSTING_ROUNDS", 20)
        monkeypatch.setattr(models, "LEARNING_RATE", 0.2)
        monkeypatch.setattr(walk_forward, "IMPORTANCE_REPEATS", 2)
        yield


@pytest.fixture(scope="module")
def games() -> PlayerGames:
    return games_of()


@pytest.fixture(scope="module")
def result(games: PlayerGames) -> Backtest:
    return tried(games)


def predictions(games: PlayerGames) -> dict[str, Floats]:
    return learn(games, folds_of(games.dates, Period.MONTH), BOTH, seed=0)[0]


def test_points_of_the_tested_period_and_of_later_ones_do_not_move_its_predictions(games: PlayerGames) -> None:
    """They are shuffled and made huge: only what learnt from them afterwards may change."""
    folds = folds_of(games.dates, Period.MONTH)
    before = predictions(games)
    assert len(folds) == 3
    for place, fold in enumerate(folds):
        late = games.dates >= games.dates[fold.test].min()
        points = games.points.copy()
        points[late] = 1000 + np.random.default_rng(1).permutation(points[late])
        after = predictions(replace(games, points=points))
        for earlier in folds[: place + 1]:
            for name, values in before.items():
                np.testing.assert_array_equal(after[name][earlier.test], values[earlier.test])
        for later in folds[place + 1 :]:
            assert all(np.abs(after[name] - before[name])[later.test].max() > 1 for name in before)


def test_features_of_later_periods_do_not_move_predictions(games: PlayerGames) -> None:
    last = folds_of(games.dates, Period.MONTH)[-1]
    vectors = {version: np.where(last.test[:, None], 1e6, values) for version, values in games.vectors.items()}
    before, after = predictions(games), predictions(replace(games, vectors=vectors))
    for name, values in before.items():
        np.testing.assert_array_equal(after[name][~last.test], values[~last.test])


def test_predictions_are_those_of_the_tested_periods_alone(games: PlayerGames) -> None:
    tested = np.logical_or.reduce([fold.test for fold in folds_of(games.dates, Period.MONTH)])
    for values in predictions(games).values():
        np.testing.assert_array_equal(np.isnan(values), ~tested)


def test_all_models_are_measured_on_the_same_games(result: Backtest) -> None:
    names = [*AVERAGES, *LEARNT]
    assert [one.model for one in result.overall] == names
    assert {one.count for one in result.overall} == {result.tested_rows}
    for grouped in (result.by_period, result.by_month, result.by_minutes, result.by_quality_tier):
        for model in names:
            assert sum(one.count for one in grouped if one.model == model) == result.tested_rows
    assert [one.group for one in result.by_quality_tier][:: len(names)] == ["gold", "silver"]
    assert [one.group for one in result.by_minutes][:: len(names)] == ["under 10", "10 to 20", "20 to 30", "30 or more"]


def test_what_is_learnt_from_and_predicted_is_said(result: Backtest) -> None:
    assert [(one.period, str(one.first), str(one.last)) for one in result.periods] == [
        ("2024-12", "2024-12-01", "2024-12-31"),
        ("2025-01", "2025-01-01", "2025-01-31"),
        ("2025-02", "2025-02-01", "2025-02-17"),
    ]
    for one in result.periods:
        assert (one.trained_first, one.trained_last) == (FIRST, one.first - timedelta(days=1))
        assert one.trained_rows == PLAYERS * (one.first - FIRST).days
    assert result.tested_rows == sum(one.rows for one in result.periods) == PLAYERS * 79
    assert (result.listed_rows, result.not_played_rows, result.without_outcome_rows) == (PLAYERS * 100 + 7, 4, 3)


def test_models_find_the_feature_that_tells_the_points(result: Backtest) -> None:
    mae = {one.model: one.mae for one in result.overall}
    assert mae["ridge v2"] < mae["ridge v1"] < mae["season average"]
    assert mae["boosting v2"] < mae["boosting v1"]
    assert mae["ridge v2"] == pytest.approx(3 * np.sqrt(2 / np.pi), rel=0.15)
    for model in LEARNT:
        mine = [one for one in result.importance if one.model == model]
        version = model[-2:]
        assert sorted(one.feature for one in mine) == sorted(FEATURE_VERSIONS[version].names)
        assert mine[0].feature == TELLING[version]
        assert [one.growth for one in mine] == sorted((one.growth for one in mine), reverse=True)
        assert mine[0].growth > 10 * max(abs(one.growth) for one in mine[1:])


def test_predictions_are_means(result: Backtest) -> None:
    for model in LEARNT:
        assert sum(one.count for one in result.calibration[model]) == result.tested_rows
        for one in result.calibration[model]:
            assert one.predicted == pytest.approx(one.actual, abs=3)


def test_the_points_line_is_measured_beside_the_models_on_the_games_that_have_one(
    games: PlayerGames, result: Backtest
) -> None:
    assert [one.model for one in result.with_line] == ["points line", *AVERAGES, *LEARNT]
    tested = games.dates >= np.datetime64("2024-12-01")
    known = tested & ~np.isnan(games.points_line)
    assert {one.count for one in result.with_line} == {known.sum()}
    off = np.abs(games.points_line - games.points)[known].mean()
    assert result.with_line[0].mae == pytest.approx(off, abs=1e-4)


def test_without_points_lines_there_is_no_such_comparison(games: PlayerGames) -> None:
    assert tried(replace(games, points_line=np.full(len(games.points), NAN))).with_line == []


def test_unknown_averages_of_tested_games_are_counted(games: PlayerGames) -> None:
    unknown = games.unknown.copy()
    place = FEATURE_VERSIONS["v1"].names.index("points_avg_last_5")
    unknown[:50, place] = True  # before the first tested period
    unknown[-20:, place] = True
    found = {one.model: (one.feature, one.rows, one.value) for one in tried(replace(games, unknown=unknown)).filled}
    assert found == {
        "season average": ("points_avg_season", 0, 10.0),
        "last 10": ("points_avg_last_10", 0, 10.0),
        "last 5": ("points_avg_last_5", 20, 10.0),
    }


def test_one_version_alone_has_the_same_errors(games: PlayerGames, result: Backtest) -> None:
    alone = backtest(games, FIRST, LAST, Period.MONTH, ["v2"], 0)
    assert alone.feature_versions == {"v2": FEATURE_VERSIONS["v2"].name}
    assert alone.overall == [one for one in result.overall if not one.model.endswith("v1")]


def test_the_same_seed_gives_the_same_and_another_one_other_shuffles(games: PlayerGames, result: Backtest) -> None:
    assert asdict(tried(games)) == asdict(result)
    other = tried(games, seed=1)
    assert other.importance != result.importance
    assert [one for one in other.overall if "ridge" in one.model] == [
        one for one in result.overall if "ridge" in one.model
    ]


def test_models_learn_and_predict_in_one_thread(games: PlayerGames, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums of several threads depend in their last bits on how many there are."""
    from threadpoolctl import threadpool_info, threadpool_limits

    class Watched:
        def fit(self, *_: Floats) -> Watched:
            return self

        def predict(self, vectors: Floats) -> Floats:
            threads.update(pool["num_threads"] for pool in threadpool_info())
            return vectors[:, 0]

    threads: set[int] = set()
    monkeypatch.setattr(walk_forward, "learners", lambda _: {"watched": Watched()})
    with threadpool_limits(2):
        learn(games, folds_of(games.dates, Period.MONTH), ["v1"], seed=0)
    assert threads == {1}


def test_importance_is_measured_on_some_of_the_last_period(games: PlayerGames, monkeypatch: pytest.MonkeyPatch) -> None:
    class Watched:
        def fit(self, *_: Floats) -> Watched:
            return self

        def predict(self, vectors: Floats) -> Floats:
            sizes.append(len(vectors))
            return vectors[:, 0]

    sizes: list[int] = []
    monkeypatch.setattr(walk_forward, "learners", lambda _: {"watched": Watched()})
    monkeypatch.setattr(walk_forward, "IMPORTANCE_ROWS", 50)
    folds = folds_of(games.dates, Period.MONTH)
    learn(games, folds, ["v1"], seed=0)
    shuffles = len(FEATURE_VERSIONS["v1"].names) * walk_forward.IMPORTANCE_REPEATS
    assert sizes == [*(fold.test.sum() for fold in folds), *[50] * (1 + shuffles)]


@pytest.mark.parametrize(("by", "advice"), [(Period.SEASON, ", or --by month"), (Period.MONTH, "")])
def test_too_few_dates_are_said_in_a_line(by: Period, advice: str) -> None:
    with pytest.raises(BacktestError) as raised:
        tried(games_of(12), by)
    assert str(raised.value) == (
        f"no {by} from {FIRST} to {LAST} has 14 dates with played games before it to learn from: there are 12 in all; "
        f"give an earlier START or a later END{advice}"
    )


def test_seasons_are_periods_too() -> None:
    found = tried(games_of(60, first=date(2023, 8, 25)), Period.SEASON)
    assert [one.period for one in found.periods] == ["2023-24"]
    assert found.periods[0].trained_last == date(2023, 9, 30)
    assert [one.group for one in found.by_month][::7] == ["2023-10"]


def test_groups_by_minutes() -> None:
    found = minutes_bucket(np.array([0.0, 9.9, 10.0, 19.9, 20.0, 30.0, 53.0, NAN]))
    assert found.tolist() == [*["under 10"] * 2, *["10 to 20"] * 2, "20 to 30", *["30 or more"] * 2, "unknown"]
