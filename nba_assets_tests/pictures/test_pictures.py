"""What the pictures say, that they are small, and that they can be drawn of anything a table holds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from nba_assets.basketball import shot_zones as zone_geometry
from nba_assets.entities.outcomes import take
from nba_assets.pictures import composite_factors, court, feature_strip
from nba_assets.pictures.canvas import MINUS, UNKNOWN, WIDTH, Sheet, blend, shortened, signed
from nba_assets.pictures.of_tables import TABLES_WITH_PICTURES, data_uri, picture
from nba_assets.precompute import player_composite_factors, zones
from nba_assets.precompute.features import TAGS
from nba_assets.registry import COMPUTED_TABLES
from nba_assets_tests.pictures import rows

LARGEST = 45_000
"""Characters of a picture as it is stored in an event."""
ROWS = {
    "player_shot_zone_analysis": rows.shot_zones,
    "team_defense_zone_analysis": rows.zone_defense,
    "player_composite_factors": rows.composite_factors,
    "ml_feature_store": rows.features,
}


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Everything that is written on sheets."""
    written: list[str] = []
    write = Sheet.text

    def remember(sheet: Sheet, x: float, y: float, words: str, **how: Any) -> None:
        assert 0 <= x <= WIDTH, words
        assert 0 <= y <= sheet.height, words
        written.append(words)
        write(sheet, x, y, words, **how)

    monkeypatch.setattr(Sheet, "text", remember)
    return written


def size_of(svg: bytes) -> tuple[float, float]:
    root = ElementTree.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"
    for element in root:
        assert not any("nan" in value or "inf" in value for value in element.attrib.values()), element.attrib
    return float(root.attrib["width"]), float(root.attrib["height"])


@pytest.mark.parametrize("table", TABLES_WITH_PICTURES)
def test_picture_of_a_full_date_is_small(table: str) -> None:
    svg = picture(table, rows.DAY, ROWS[table](), {})
    width, height = size_of(svg)
    assert width == WIDTH
    assert 400 < height < 800
    assert len(data_uri(svg)) < LARGEST


def test_names_are_written_as_they_are_and_what_no_page_can_hold_is_replaced() -> None:
    sheet = Sheet.blank(100, 'A < B & "C"', "")
    sheet.text(10, 60, "Dončić\x1b[31m")
    words = [element.text for element in ElementTree.fromstring(sheet.svg()) if element.tag.endswith("text")]
    assert words == ['A < B & "C"', None, "Dončić\N{REPLACEMENT CHARACTER}[31m"]


def test_shapes_lie_where_they_are_put() -> None:
    sheet = Sheet.blank(100, "", "")
    sheet.box(50, 10, -20.04, 5, "#000000", edge="#ffffff")
    sheet.dot(1, 2, "#111111", 9)
    sheet.dot(3, 4, "#222222", 8, hollow=True)
    sheet.line((0, 1), (2, 3.26), "#333333", 2)
    sheet.polygon([(0, 0), (1, 0), (1, 1.5)], "#444444")
    sheet.text(7, 60, "right", size=9, align="right", weight="bold", color="#555555")
    box, dot, ring, line, area, text = list(ElementTree.fromstring(sheet.svg()))[-6:]
    assert box.attrib == {
        "x": "30",
        "y": "10",
        "width": "20",
        "height": "5",
        "fill": "#000000",
        "stroke": "#ffffff",
        "stroke-width": "1",
    }
    assert dot.attrib == {
        "cx": "1",
        "cy": "2",
        "r": "4.5",
        "fill": "#111111",
        "stroke": "#111111",
        "stroke-width": "1.2",
    }
    assert (ring.get("r"), ring.get("fill"), ring.get("stroke")) == ("4", "none", "#222222")
    assert line.attrib == {"stroke": "#333333", "x1": "0", "y1": "1", "x2": "2", "y2": "3.3", "stroke-width": "2"}
    assert area.attrib == {"points": "0,0 1,0 1,1.5", "fill": "#444444"}
    assert text.attrib == {
        "x": "7",
        "y": "63",
        "font-size": "9",
        "fill": "#555555",
        "font-weight": "bold",
        "text-anchor": "end",
    }


@pytest.mark.parametrize("table", TABLES_WITH_PICTURES)
def test_picture_reads_columns_that_the_table_has(table: str) -> None:
    assert set(ROWS[table]()) <= set(COMPUTED_TABLES[table].column_names)


@pytest.mark.parametrize("table", TABLES_WITH_PICTURES)
def test_picture_of_a_single_row_can_be_drawn(table: str) -> None:
    size_of(picture(table, rows.DAY, take(ROWS[table](), np.arange(1)), {}))


@pytest.mark.parametrize("table", ["player_shot_zone_analysis", "team_defense_zone_analysis", "ml_feature_store"])
def test_picture_of_unknown_values_can_be_drawn(table: str) -> None:
    mine = ROWS[table]()
    nullable = [
        name for name in mine if COMPUTED_TABLES[table].column(name).nullable and mine[name].dtype == np.float64
    ]
    size_of(picture(table, rows.DAY, mine | {name: np.full_like(mine[name], np.nan) for name in nullable}, {}))


def test_threads_draw_the_same_bytes() -> None:
    def draw(table: str) -> bytes:
        return picture(table, rows.DAY, take(ROWS[table](), np.arange(20)), {})

    one_after_the_other = [draw("player_composite_factors"), draw("team_defense_zone_analysis")]
    with ThreadPoolExecutor(2) as threads:
        assert (
            list(threads.map(draw, ("player_composite_factors", "team_defense_zone_analysis"))) == one_after_the_other
        )


def test_shot_zones_tell_totals_of_the_league_and_names(words: list[str]) -> None:
    mine = {
        "player_lookup": np.array(["ann", "bob"], dtype=object),
        "total_shots_last_10": np.array([100.0, 60.0]),
        "games_in_sample_10": np.array([10.0, 7.0]),
        "paint_rate_last_10": np.array([50.0, 100.0]),
        "mid_range_rate_last_10": np.array([30.0, 0.0]),
        "three_pt_rate_last_10": np.array([20.0, 0.0]),
        "paint_pct_last_10": np.array([0.6, 0.5]),
        "mid_range_pct_last_10": np.array([0.5, np.nan]),
        "three_pt_pct_last_10": np.array([0.25, np.nan]),
    }
    court.shot_zones(rows.DAY, mine, {"ann": "Ann Adams"})
    assert "2 players, 160 shots in the newest 10 games of each; 1 of them played fewer" in words
    # 50 + 60 of 160 shots in the paint, of which 30 + 30 went in; 30 from mid-range, 15 in; 20 from three, 5 in.
    assert [word for word in words if word.endswith(("of all shots", "go in"))][:6] == [
        "69 % of all shots",
        "55 % go in",
        "19 % of all shots",
        "50 % go in",
        "12 % of all shots",
        "25 % go in",
    ]
    assert words.count("Ann Adams") == 3
    assert words[words.index("bob") :][:3] == ["bob", "100 %", "50 %"]


def test_zone_defense_names_the_best_and_the_worst(words: list[str]) -> None:
    mine = {
        "team_abbr": np.array(["BOS", "DEN", "LAL"], dtype=object),
        "games_in_sample": np.array([15.0, 15.0, 12.0]),
        "defensive_rating_last_15": np.array([110.0, 105.0, 108.0]),
        "paint_defense_vs_league_avg": np.array([-6.03, 1.0, 6.21]),
        "mid_range_defense_vs_league_avg": np.array([np.nan, 0.04, -0.04]),
        "three_pt_defense_vs_league_avg": np.full(3, np.nan),
    }
    court.zone_defense(rows.DAY, mine)
    assert {f"best BOS {MINUS}6.0", "worst LAL +6.2", "best LAL 0.0", "worst DEN 0.0", "nothing known"} <= set(words)
    assert any(word.startswith("3 teams, newest 12 to 15 games each") for word in words)
    assert [word for word in words if word in ("BOS", "DEN", "LAL")] == ["DEN", "LAL", "BOS"]


def test_factors_of_a_player_add_up_to_his_total() -> None:
    mine = rows.composite_factors()
    together = sum(composite_factors.contributions(mine).values())
    np.testing.assert_allclose(together, mine["total_composite_adjustment"], atol=0.01)


def test_composite_factors_show_both_ends(words: list[str]) -> None:
    mine = rows.composite_factors(50)
    composite_factors.composite_factors(rows.DAY, mine, {})
    order = mine["player_lookup"][
        np.lexsort([mine["player_lookup"].astype(str), -mine["total_composite_adjustment"]])
    ].tolist()
    assert [word for word in words if word.startswith("player")] == order[:10] + order[-10:]
    assert words.count("DEN @ MIN") == 20
    assert signed(float(mine["total_composite_adjustment"].max()), 2) in words


def test_composite_factors_rank_rotation_players_and_say_what_the_formula_is_worth(words: list[str]) -> None:
    mine = rows.composite_factors(4)
    minutes = (
        '{"avg_minutes_pg_last_7": 14.9}',
        '{"avg_minutes_pg_last_7": 15.0}',
        '{"avg_minutes_pg_last_7": null}',
        "{}",
    )
    mine["fatigue_context_json"][:] = minutes
    composite_factors.composite_factors(rows.DAY, mine, {})
    assert [word for word in words if word.startswith("player")] == ["player001"]
    assert any(word.startswith("A prescribed formula, not a forecast: ") and "about 0.01" in word for word in words)
    assert composite_factors.is_in_rotation(take(mine, np.array([0, 2, 3]))).all()  # nobody plays that much


@pytest.mark.parametrize("size", [1, 2, 21])
def test_composite_factors_show_nobody_twice(words: list[str], size: int) -> None:
    composite_factors.composite_factors(rows.DAY, rows.composite_factors(size), {})
    shown = [word for word in words if word.startswith("player")]
    assert len(shown) == len(set(shown)) == min(size, 20)


def test_strip_tells_the_share_of_unknown_values(words: list[str]) -> None:
    mine = rows.features(200)
    for feature, unknown in (("points_std_last_10", 50), ("pace_score", 1), ("home_away", 0)):
        mine[feature] = np.where(np.arange(200) < unknown, np.nan, 0.5)
    picture("ml_feature_store", rows.DAY, mine, {})
    told = {feature: words[words.index(feature) + 3] for feature in ("points_std_last_10", "pace_score", "home_away")}
    assert told == {"points_std_last_10": "25 %", "pace_score": "< 1 %", "home_away": "0 %"}


@pytest.mark.parametrize(("value", "place"), [(0, 246), (50, 349), (100, 452), (-20, 246), (130, 452)])
def test_strip_keeps_values_within_its_range(value: float, place: float) -> None:
    assert feature_strip._place(value, feature_strip.Scale("fatigue_score", 0, 100, 50)) == place


def test_pictures_agree_with_the_tables_about_what_they_draw() -> None:
    assert composite_factors.FATIGUE_PER_POINT == player_composite_factors.FATIGUE_PER_POINT
    assert set(feature_strip.ORIGINS) == set(TAGS)
    assert court.ZONES == zones.ZONES
    assert (10 * court.PAINT_HALF_WIDTH, 10 * court.FREE_THROW_LINE) == (
        zone_geometry.PAINT_HALF_WIDTH,
        zone_geometry.PAINT_DEPTH,
    )


@pytest.mark.parametrize(
    ("value", "decimals", "words"),
    [
        (1.25, 1, "+1.2"),
        (-3.0, 0, f"{MINUS}3"),
        (0.0, 1, "0.0"),
        (-0.04, 1, "0.0"),
        (0.04, 1, "0.0"),
        (float("nan"), 2, UNKNOWN),
    ],
)
def test_signed(value: float, decimals: int, words: str) -> None:
    assert signed(value, decimals) == words


def test_colours_and_words() -> None:
    assert blend("#ffffff", "#0072b2", 0) == "#ffffff"
    assert blend("#ffffff", "#0072b2", 1) == "#0072b2"
    assert blend("#000000", "#102030", 0.5) == "#081018"
    assert shortened("Giannis Antetokounmpo", 10) == "Giannis A…"
    assert shortened("Bol Bol", 10) == "Bol Bol"
