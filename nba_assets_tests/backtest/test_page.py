"""The page of a backtest: what stands on it, and that it needs nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import pytest

from nba_assets.backtest.calibration_picture import calibration_picture
from nba_assets.backtest.errors import CalibrationBin, Errors
from nba_assets.backtest.page import FEATURES_SHOWN, points_text, render, version_differences
from nba_assets.backtest.periods import Period
from nba_assets.backtest.walk_forward import Backtest, Filled, Importance, PredictedPeriod

ODD = "<b>&\"'"
MODELS = ("season average", "ridge v1", "ridge v2", "boosting v1", "boosting v2")


def errors(group: str, first: float = 5.0) -> list[Errors]:
    """Each model is a tenth better than the one before."""
    return [Errors(group, model, 1200, first - place / 10, 6.5, -0.25) for place, model in enumerate(MODELS)]


RESULT = Backtest(
    start=date(2021, 10, 19),
    end=date(2023, 6, 12),
    by=Period.SEASON,
    seed=3,
    feature_versions={"v1": "v1_baseline_25", "v2": "v2_minutes_20"},
    listed_rows=5000,
    not_played_rows=900,
    without_outcome_rows=10,
    used_rows=4090,
    tested_rows=1200,
    periods=[
        PredictedPeriod(
            "2022-23", date(2022, 11, 1), date(2023, 6, 12), 1200, date(2021, 11, 2), date(2022, 6, 16), 2890
        )
    ],
    filled=[Filled("season average", "points_avg_season", 17, 10.0)],
    overall=errors("all"),
    by_period=errors("2022-23", 6.0),
    by_month=errors("2022-11"),
    by_minutes=errors("under 10"),
    by_quality_tier=errors(ODD),
    with_line=[],
    calibration={model: [CalibrationBin(1, 1200, 9.5, 10.25)] for model in MODELS},
    importance=[
        Importance(model, f"feature_{place}", round(1 - place / 20, 2), 0.01)
        for model in MODELS[1:]
        for place in range(25)
    ],
)


class Reader(HTMLParser):
    """Texts, tags that must be closed, and what is loaded from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.open: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)
        self.loaded += [value for name, value in attrs if name in ("src", "href") and value]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


def text_of(page: str) -> str:
    return " ".join(" ".join(read(page).texts).split())


def test_the_page_holds_everything_it_shows() -> None:
    reader = read(render(RESULT))
    assert reader.loaded
    assert all(address.startswith("data:image/svg+xml;base64,") for address in reader.loaded)
    assert len(reader.loaded) == 4  # the learners; averages are no models that learnt
    assert "url(" not in render(RESULT)
    assert "@import" not in render(RESULT)


def test_errors_of_all_models_stand_on_the_page() -> None:
    said = text_of(render(RESULT))
    for place, model in enumerate(MODELS):
        assert f"{model} {5 - place / 10:.3f} 6.500 \N{MINUS SIGN}0.250" in said
    assert "season average in 17 games (10 points)" in said
    assert "nba-assets backtest 2021-10-19 2023-06-12 --by season --seed 3" in said
    assert "2022-11-01 to 2023-06-12 2021-11-02 to 2022-06-16 2,890" in said
    assert "Of 5,000 listed player-games 4,090 were played, 900 were not, and 10 have no summary yet" in said


def test_names_are_escaped() -> None:
    page = render(RESULT)
    assert ODD not in page
    assert ODD in text_of(page)


def test_one_version_is_compared_with_nothing() -> None:
    single = replace(RESULT, feature_versions={"v2": "v2_minutes_20"})
    assert version_differences(single) == []
    assert "v2 against v1" not in text_of(render(single))
    assert "--feature-version v2 --seed 3" in text_of(render(single))


def test_versions_are_compared_by_learner_and_period() -> None:
    found = [(one["learner"], one["group"], round(one["mae"], 9)) for one in version_differences(RESULT)]
    assert found == [
        ("ridge", "all", -0.1),
        ("boosting", "all", -0.1),
        ("ridge", "2022-23", -0.1),
        ("boosting", "2022-23", -0.1),
    ]
    assert "v2 against v1" in text_of(render(RESULT))


def test_the_points_line_has_a_table_where_there_are_props() -> None:
    assert "None of the games had a points line" in text_of(render(RESULT))
    line = [Errors("all", "points line", 400, 4.25, 5.5, 0.125), *(replace(one, count=400) for one in errors("all"))]
    said = text_of(render(replace(RESULT, with_line=line)))
    assert "points line 4.250 5.500 +0.125" in said
    assert "Of the 400 games with a points line before tip-off; the other 800 have none" in said


def test_the_most_important_features_of_each_learner_are_shown() -> None:
    said = text_of(render(RESULT))
    assert said.count("feature_0 +1.000") == 4
    assert said.count(f"feature_{FEATURES_SHOWN - 1} ") == 4
    assert f"feature_{FEATURES_SHOWN} " not in said


def test_a_page_repeats() -> None:
    assert render(RESULT) == render(RESULT)


@pytest.mark.parametrize(
    ("value", "decimals", "signed", "words"),
    [
        (-0.0312, 2, True, "\N{MINUS SIGN}0.03"),
        (0.0001, 2, True, "0.00"),
        (-0.0001, 3, False, "0.000"),
        (1.5, 1, True, "+1.5"),
    ],
)
def test_points_are_read_with_a_true_minus_and_without_a_signed_zero(
    value: float, decimals: int, signed: bool, words: str
) -> None:
    assert points_text(value, decimals, signed=signed) == words


def test_a_dot_lies_where_its_tenth_does() -> None:
    drawn = calibration_picture("ridge", [CalibrationBin(1, 5, 5.0, 10.0), CalibrationBin(2, 5, 10.0, 5.0)]).decode()
    (left, high), (right, low) = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', drawn)
    assert (float(right) - float(left), float(low) - float(high)) == (170.0, 170.0)
