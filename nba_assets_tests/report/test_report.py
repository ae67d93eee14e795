"""The page of a date says what the tables hold, all of it and nothing else; where a table is missing it says so."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest
from typer.testing import CliRunner

from nba_assets import cli
from nba_assets.error_lines import OutputError
from nba_assets.orchestration.sensors import reading_graph
from nba_assets.pictures.canvas import MINUS
from nba_assets.precompute.player_composite_factors import TABLE as FACTORS
from nba_assets.precompute.zones import ZONES
from nba_assets.report import page
from nba_assets.report.page import bars, report, stored, value_text
from nba_assets.report.slate import FINAL, READ_BY_THE_PAGE, SHOWN_PER_SIDE, Row, SlateFacts, gather
from nba_assets.tables.bookkeeping import EXPECTED_FAILURES, TABLE_PARTITIONS
from nba_assets.tables.remarks import COMPOSITE_WORTH
from nba_assets.tables.spec import Column, count, flag, number, text
from nba_assets.warehouse.interface import Replacement, Warehouse
from nba_assets_tests.report.conftest import BOOTSTRAP_DAYS, BuiltLeague
from nba_assets_tests.report.reading import differences, mean_differences, read_page


@pytest.fixture(scope="module")
def facts(built_league: BuiltLeague) -> SlateFacts:
    return gathered(built_league.warehouse, built_league.last)


def gathered(warehouse: Warehouse, day: date) -> SlateFacts:
    return gather(warehouse, day, reading_graph(), BOOTSTRAP_DAYS)


@pytest.fixture(scope="module")
def html(built_league: BuiltLeague) -> str:
    return report(built_league.warehouse, built_league.last, reading_graph(), BOOTSTRAP_DAYS)


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are made faster without their pictures."""
    monkeypatch.setattr(page, "picture", lambda *_: b"")


def without(warehouse: Warehouse, day: date, *tables: str) -> None:
    """Take the entries of tables out of the state of a date's partitions."""
    for name in tables:
        nothing = warehouse.read(TABLE_PARTITIONS, TABLE_PARTITIONS.column_names, day, day, {"table_name": "no table"})
        warehouse.replace([Replacement(TABLE_PARTITIONS, nothing, [day], {"table_name": name})])


def test_every_number_is_the_tables_own(built_league: BuiltLeague, html: str) -> None:
    shown = read_page(html)
    assert differences(shown, built_league.warehouse, built_league.last) == []
    assert mean_differences(shown, built_league.warehouse, built_league.last) == []
    tables = {table for table, *_ in shown.stored()}
    assert tables == {*(table.name for table in READ_BY_THE_PAGE), "table_partitions", "player_game_summary"}
    assert len(shown.stored()) > 150


def test_page_that_differs_from_the_tables_is_found_out(built_league: BuiltLeague, html: str) -> None:
    (table, key, column, value, words) = next(
        entry for entry in read_page(html).stored() if entry[2] == "total_composite_adjustment"
    )
    address = f'data-of="{table}|{key}|{column}">{words}<'
    other_words = read_page(html.replace(address, address.replace(words, "+99.99")))
    other_value = read_page(html.replace(f'value="{value}" {address}', f'value="99.99" {address}'))
    for shown in (other_words, other_value):
        assert len(differences(shown, built_league.warehouse, built_league.last)) == 1


def test_page_needs_nothing_but_itself(html: str) -> None:
    shown = read_page(html)
    assert "://" not in re.sub(r'src="data:[^"]*"', "", html)
    assert not {tag for tag, _ in shown.tags} & {"script", "link", "iframe"}
    assert not re.search(r"url\(|@import", html)
    assert len([source for source in shown.marked("src") if source.startswith("data:image/svg+xml;base64,")]) == len(
        page.PICTURES
    )


def test_page_tells_every_game_and_both_teams(facts: SlateFacts, html: str) -> None:
    shown = read_page(html)
    assert [game.game_id for game in facts.games] == [
        value for value in shown.marked("id") if value in {game.game_id for game in facts.games}
    ]
    assert facts.games
    keys = {(table, key, column) for table, key, column, _, _ in shown.stored()}
    for game in facts.games:
        assert f"{game.away.name} at {game.home.name}" in shown.text
        for side, opponent in ((game.away, game.home), (game.home, game.away)):
            assert side.context is not None
            for column in (
                "game_spread",
                "team_days_rest",
                "travel_miles",
                "players_out_count",
                "games_in_last_7_days",
            ):
                known = side.context[column] is not None
                assert (("upcoming_team_game_context", side.context.key, column) in keys) == known
            for zone in ZONES:
                assert (
                    "team_defense_zone_analysis",
                    f"{facts.day}/{opponent.team}",
                    f"{zone}_defense_vs_league_avg",
                ) in keys


def test_teams_show_whom_the_factors_move_most(facts: SlateFacts, html: str) -> None:
    shown = read_page(html)
    for game in facts.games:
        for side in (game.away, game.home):
            totals = [player.factors["total_composite_adjustment"] for player in side.players]
            assert totals == sorted(totals, reverse=True)
            assert 0 < len(side.shown) <= 2 * SHOWN_PER_SIDE
            assert all(player.cache is not None and player.cache["minutes_avg_last_10"] >= 15 for player in side.shown)
            left_out = [player for player in side.others if player.is_in_rotation]
            assert not left_out or len(side.shown) == 2 * SHOWN_PER_SIDE
            ends = [side.shown[SHOWN_PER_SIDE - 1], side.shown[-SHOWN_PER_SIDE]] if left_out else []
            between = [player.factors["total_composite_adjustment"] for player in (*ends[:1], *left_out, *ends[1:])]
            assert between == sorted(between, reverse=True)
            assert len({player.name for player in side.players}) == len(side.shown) + len(side.others)
            for player in side.players:
                assert player.name in shown.text
                assert player.factors["game_id"] == game.game_id


def test_absences_are_those_that_the_context_counts(facts: SlateFacts) -> None:
    listed = 0
    for game in facts.games:
        for side in (game.away, game.home):
            assert side.context is not None
            statuses = [absence.status for absence in side.absences]
            assert statuses.count("out") == side.context["players_out_count"]
            assert (
                statuses.count("questionable") + statuses.count("doubtful")
                == side.context["questionable_players_count"]
            )
            listed += len(statuses)
    assert listed


def test_bars_end_where_the_factors_add_up(facts: SlateFacts) -> None:
    player = facts.games[0].home.players[0]
    parts, total = bars(player, 10.0)
    points = player.contributions
    assert sum(points.values()) == pytest.approx(player.factors["total_composite_adjustment"], abs=0.16)
    assert sum(bar.width for bar in parts) == pytest.approx(5 * sum(abs(value) for value in points.values()), abs=0.05)
    assert total == pytest.approx(50 + 5 * player.factors["total_composite_adjustment"], abs=0.01)


def test_complete_page_complains_of_nothing(html: str) -> None:
    ids = read_page(html).marked("id")
    assert not {"missing", "stale", "no-games", "empty"} & set(ids)


def test_missing_tables_are_named_with_the_command_that_builds_them(own_league: BuiltLeague, no_pictures: None) -> None:
    without(own_league.warehouse, own_league.last, "player_daily_cache", "ml_feature_store")
    shown = read_page(report(own_league.warehouse, own_league.last, reading_graph(), BOOTSTRAP_DAYS))
    assert shown.marked("data-missing") == ["player_daily_cache", "ml_feature_store"]
    assert f"nba-assets run {own_league.last} --table player_daily_cache --table ml_feature_store" in shown.text


def test_date_that_is_not_built_at_all_names_one_command(built_league: BuiltLeague) -> None:
    day = built_league.last + timedelta(days=1)
    shown = read_page(report(built_league.warehouse, day, reading_graph(), BOOTSTRAP_DAYS))
    assert set(shown.marked("data-missing")) == {table.name for table in READ_BY_THE_PAGE}
    assert f"Build them: nba-assets run {day} " in shown.text
    assert differences(shown, built_league.warehouse, day) == []


def test_date_without_a_schedule_says_that_games_are_not_known(built_league: BuiltLeague) -> None:
    shown = read_page(report(built_league.warehouse, date(2031, 1, 1), reading_graph(), BOOTSTRAP_DAYS))
    assert "The schedule of this date is not in the warehouse" in shown.text


def test_date_without_games_says_so(built_league: BuiltLeague) -> None:
    day = built_league.first + timedelta(days=1)
    shown = read_page(report(built_league.warehouse, day, reading_graph(), BOOTSTRAP_DAYS))
    assert "No league games are scheduled for this date." in shown.text
    assert not shown.marked("data-missing")


def test_first_days_of_a_season_say_why_rows_are_missing(built_league: BuiltLeague) -> None:
    shown = read_page(report(built_league.warehouse, built_league.first, reading_graph(), BOOTSTRAP_DAYS))
    assert "Without rows (the first days of a season have no rows): team_defense_zone_analysis" in shown.text
    assert differences(shown, built_league.warehouse, built_league.first) == []


def test_stale_tables_are_named(own_league: BuiltLeague, no_pictures: None) -> None:
    day = own_league.first
    where = {"table_name": "player_game_summary"}
    (book,) = own_league.warehouse.read(TABLE_PARTITIONS, TABLE_PARTITIONS.column_names, day, day, where).to_pylist()
    later = book | {"digest": "0" * 16}
    kind = own_league.warehouse.read(TABLE_PARTITIONS, TABLE_PARTITIONS.column_names, day, day).schema
    own_league.warehouse.replace(
        [Replacement(TABLE_PARTITIONS, kind.empty_table().from_pylist([later], kind), [day], where)]
    )
    shown = read_page(report(own_league.warehouse, own_league.last, reading_graph(), BOOTSTRAP_DAYS))
    stale = shown.marked("data-stale")
    assert "upcoming_player_game_context" in stale
    assert "ml_feature_store" in stale
    assert not {"team_defense_zone_analysis", "upcoming_team_game_context"} & set(stale)
    assert "stale: player_game_summary is not what it was built from" in shown.text


def test_picture_that_cannot_be_drawn_leaves_the_page_whole(facts: SlateFacts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "picture", lambda *_: 1 / 0)
    shown = read_page(page.render(facts))
    assert "The picture of player_composite_factors could not be drawn." in shown.text
    assert shown.stored()


def test_names_cannot_write_into_the_page(facts: SlateFacts, no_pictures: None) -> None:
    game = facts.games[0]
    player = replace(game.home.players[0], name="<b>bad</b>")
    html = page.render(replace(facts, games=[replace(game, home=replace(game.home, players=[player]))]))
    assert "&lt;b&gt;bad" in html
    assert "<b>bad" not in html


@pytest.mark.parametrize(
    ("column", "value", "signed", "words"),
    [
        (number("x", "x", scale=1), 21.0, False, "21.0"),
        (number("x", "x", scale=4), 14.6957, False, "14.70"),
        (number("x", "x", scale=2), -1.5, True, f"{MINUS}1.50"),
        (number("x", "x", scale=1), 1.5, True, "+1.5"),
        (number("x", "x", scale=1), 0.0, True, "0.0"),
        (number("x", "x", scale=None), 2 / 3, False, "0.67"),
        (count("x", "x"), 1234, False, "1,234"),
        (count("x", "x"), 3, True, "+3"),
        (count("x", "x"), 0, True, "0"),
        (flag("x", "x"), True, False, "yes"),
        (text("x", "x"), "W", False, "W"),
    ],
)
def test_value_is_written_as_its_column_asks(column: Column, value: object, signed: bool, words: str) -> None:
    assert value_text(column, value, signed=signed) == words


def test_value_that_is_not_known_is_a_dash() -> None:
    assert "data-of" not in stored(None, "pace_score")
    assert "data-of" not in stored(Row(FACTORS, {"pace_score": None}), "pace_score")


def test_command_writes_the_page_and_says_where(
    own_league: BuiltLeague, no_pictures: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = own_league.file.parent
    monkeypatch.setenv("NBA_ASSETS_HOME", str(home))
    default, other = home / "reports" / f"{own_league.last}.html", home / "some" / "where.html"
    for arguments, file in (([], default), (["--output", str(other)], other)):
        result = CliRunner().invoke(cli.app, ["report", str(own_league.last), *arguments])
        assert result.exit_code == 0, result.output
        assert read_page(file.read_text(encoding="utf-8")).stored()


def test_a_page_that_cannot_be_written_is_named_with_the_option_or_setting_of_its_place(
    own_league: BuiltLeague, no_pictures: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = own_league.file.parent
    monkeypatch.setenv("NBA_ASSETS_HOME", str(home))
    (home / "reports").touch()
    for arguments, said in (
        (["--output", "/dev/full"], "/dev/full: No space left on device. Free space there; --output names the place."),
        (
            [],
            f"{home}/reports: File exists. Name a place that is not taken by something else; NBA_ASSETS_HOME or "
            "--output names the place.",
        ),
    ):
        result = CliRunner().invoke(cli.app, ["report", str(own_league.last), *arguments])
        assert isinstance(result.exception, OutputError)
        assert str(result.exception) == said


def test_results_are_shown_as_known_after_the_fact(facts: SlateFacts, html: str) -> None:
    """The last date of the league was played: its scores and points stand in columns of their own."""
    assert {game.state for game in facts.games} == {FINAL}
    for game in facts.games:
        assert f"{game.away.score} : {game.home.score}" in html
        for side in (game.away, game.home):
            points = sum(player.result["points"] or 0 for player in side.players if player.result is not None)
            assert side.score is not None
            assert 0 < points <= side.score
    assert html.count("Scored, after the fact") == html.count('class="scroll"')


def test_games_to_come_have_no_column_of_results(facts: SlateFacts, no_pictures: None) -> None:
    coming = [
        replace(game, state=None, home=replace(game.home, score=None), away=replace(game.away, score=None))
        for game in facts.games
    ]
    page_of_tonight = page.render(replace(facts, games=coming))
    assert "after the fact" not in page_of_tonight
    assert all(table != "player_game_summary" for table, *_ in read_page(page_of_tonight).stored())


def test_the_composite_adjustment_is_shown_with_what_it_is_worth(facts: SlateFacts, html: str) -> None:
    teams = sum(bool(side.players) for game in facts.games for side in (game.away, game.home))
    assert html.count("its correlation with points above average is about 0.01") == teams > 0
    assert html.count(f"total adjustment, {COMPOSITE_WORTH}") == 1
    assert any(COMPOSITE_WORTH in attributes.get("alt", "") for _, attributes in read_page(html).tags)


def test_expected_failures_are_said_beside_the_tables_and_in_no_headline(facts: SlateFacts, html: str) -> None:
    said = f"{facts.expected_count} of the failure records say that a player or team has too few recent games"
    headline, quality = html.split('id="quality"')
    assert said in quality
    assert "too few recent games" not in headline


def test_too_few_games_yet_are_no_failures(facts: SlateFacts) -> None:
    told = sum((Counter(state.failures) for state in facts.tables), Counter[str]())
    assert facts.expected_count == sum(told[category] for category in EXPECTED_FAILURES) > 0
    assert facts.failure_count == told.total() - facts.expected_count
