"""The tables built from feeds that call players by different names, and the names that match nobody, on record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from nba_assets.analytics.feed_names import NAMES_MATCHED
from nba_assets.cli import app
from nba_assets.precompute.expected_games import read_expectations
from nba_assets.publishing.publication import prepare
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import TABLE_MODULES
from nba_assets.tables.bookkeeping import ENTITY_FAILURES, UNMATCHED_NAMES
from nba_assets.tables.columns import arrow_schema
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Replacement, Warehouse
from nba_assets_tests.analytics.one_game import ALWAYS, DAY, GAME, SCHEDULE, SIDES, player, shot, team
from nba_assets_tests.memory_warehouse import MemoryWarehouse
from nba_assets_tests.pipeline import build, count_as_ingested, days_between, table_run

Rows = Sequence[Mapping[str, Any]]
SHEET, PLAYERS, TEAMS = "player_game_summary", "upcoming_player_game_context", "upcoming_team_game_context"
TIP = datetime(2025, 1, 16, 0, 30, tzinfo=UTC)
BEFORE = DAY - timedelta(days=2)
STAMP = {"processed_at": ALWAYS["processed_at"]}
BASKET: dict[str, Any] = {"points": 2, "field_goals_made": 1, "field_goals_attempted": 1}


def registered(lookup: str, universal_id: str, tricode: str = "", name: str | None = None) -> dict[str, Any]:
    named = {"player_lookup": lookup, "universal_player_id": universal_id, "team_abbr": tricode, "player_name": name}
    return {**STAMP, "season_start": date(2024, 7, 1), "season": "2024-25", **named}


def rostered(tricode: str, lookup: str, name: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        **STAMP,
        "roster_date": DAY,
        "season_year": 2024,
        "team_abbr": tricode,
        "player_lookup": lookup,
        "player_full_name": name,
        **more,
    }


def prop(
    lookup: str, line: float = 20.5, *, book: str = "draftkings", name: str | None = None, **more: Any
) -> dict[str, Any]:
    known = {
        "game_start_time": TIP,
        "snapshot_timestamp": TIP - timedelta(hours=2),
        "minutes_before_tipoff": 120,
        "source": "odds_api",
    }
    return {
        **STAMP,
        **SIDES,
        "game_date": DAY,
        "player_lookup": lookup,
        "player_name": name,
        "bookmaker": book,
        "points_line": line,
        **known,
        **more,
    }


def report(tricode: str, lookup: str, status: str = "out", hour: int = 10) -> dict[str, Any]:
    known = {
        "player_lookup": lookup,
        "team": tricode,
        "injury_status": status,
        "reason": "Knee",
        "reason_category": "injury",
    }
    moment = datetime.combine(DAY, datetime.min.time(), UTC) + timedelta(hours=hour + 6)
    return {**STAMP, "game_date": DAY, "report_date": DAY, "report_hour": hour, "reported_at": moment, **known}


def boxed(tricode: str, lookup: str, *, starter: bool = True, **more: Any) -> dict[str, Any]:
    return {**player(tricode, lookup), "game_status": "final", "starter": starter, **more}


class Tables:
    """A warehouse with the game of one day, and whatever the feeds say of it."""

    def __init__(self, warehouse: Warehouse, **feeds: Rows) -> None:
        self.warehouse = warehouse
        count_as_ingested(self.warehouse, list(RAW_TABLES), days_between(BEFORE, DAY))
        self.write(schedule=[{**SCHEDULE, "game_time_utc": TIP}], team_boxscores=[team("LAL"), team("BOS")])
        self.write(**feeds)

    def write(self, **feeds: Rows) -> None:
        for name, rows in feeds.items():
            table = RAW_TABLES[name].table
            filled = pa.Table.from_pylist(
                [{column: row.get(column) for column in table.column_names} for row in rows], schema=arrow_schema(table)
            )
            self.warehouse.replace([Replacement(table, filled, sorted({row[table.date_column] for row in rows}))])

    def build(self, *names: str) -> None:
        build(self.warehouse, [DAY], names)

    def rows(self, name: str) -> dict[str, dict[str, Any]]:
        table = TABLE_MODULES[name].TABLE
        return {
            row[str(table.entity_column)]: row
            for row in self.warehouse.read(table, table.column_names, DAY, DAY).to_pylist()
        }

    def failures(self) -> list[tuple[str, str]]:
        return [(row["table_name"], row["entity_id"]) for row in self.failure_records()]

    def failure_records(self) -> list[dict[str, Any]]:
        return self.warehouse.read(ENTITY_FAILURES, ENTITY_FAILURES.column_names, DAY, DAY).to_pylist()

    def unmatched(self, name: str) -> list[tuple[str, str, str, str]]:
        rows = self.warehouse.read(
            UNMATCHED_NAMES, UNMATCHED_NAMES.column_names, DAY, DAY, {"table_name": name}
        ).to_pylist()
        return sorted((row["feed"], row["player_lookup"], row["team_abbrs"], row["reason"]) for row in rows)


def in_both(tables: Tables, column: str = "points_line") -> dict[str, Any]:
    """Points lines by player, which the summary and the context of the date must agree on."""
    tables.build("team_offense_game_summary", SHEET, PLAYERS)
    in_summary = {key: row[column] for key, row in tables.rows(SHEET).items()}
    assert {key: row["current_points_line"] for key, row in tables.rows(PLAYERS).items()} == in_summary
    return in_summary


SIMONS = "anferneesimons"


@pytest.mark.parametrize(
    ("ours", "theirs", "registry"),
    [
        ("robertwilliamsiii", "robertwilliams", []),
        (
            "robertwilliamsiii",
            "robertwilliams",
            [registered("robertwilliamsiii", "robertwilliams_001", name="Robert Williams")],
        ),
        (
            "robertwilliamsiii",
            "robertwilliams",
            [registered("robertwilliamsiii", "a"), registered("robertwilliams", "a")],
        ),
        ("herbertjones", "herbjones", [registered("herbertjones", "a"), registered("herbjones", "a")]),
        ("larrynance", "larrynancejr", []),
    ],
    ids=["no registry", "suffix", "alias with suffix", "nickname", "suffix of theirs"],
)
def test_a_line_reaches_the_player_whom_the_bookmaker_calls_otherwise(ours: str, theirs: str, registry: Rows) -> None:
    tables = Tables(
        MemoryWarehouse(),
        player_gamebook=[player("BOS", ours), player("LAL", SIMONS)],
        rosters=[rostered("BOS", ours), rostered("LAL", SIMONS)],
        player_points_props=[prop(theirs), prop(SIMONS, 15.5)],
        **({"player_registry": registry} if registry else {}),
    )
    assert in_both(tables) == {ours: 20.5, SIMONS: 15.5}
    assert tables.unmatched(SHEET) == tables.unmatched(PLAYERS) == []


def test_two_bookmakers_two_spellings_are_one_players_lines() -> None:
    tables = Tables(
        MemoryWarehouse(),
        player_gamebook=[player("BOS", "robertwilliamsiii")],
        rosters=[rostered("BOS", "robertwilliamsiii")],
        player_points_props=[prop("robertwilliamsiii", 18.5, book="fanduel"), prop("robertwilliams", 20.5)],
    )
    assert in_both(tables) == {"robertwilliamsiii": 20.5}


def test_a_spelling_without_special_letters_is_the_player_with_them() -> None:
    tables = Tables(
        MemoryWarehouse(),
        player_gamebook=[player("BOS", "nikolaurisic", player_name="Nikola Đurišić")],
        rosters=[rostered("BOS", "nikolaurisic", "Nikola Đurišić")],
        player_points_props=[prop("nikoladurisic", name="Nikola Durisic")],
    )
    assert in_both(tables) == {"nikolaurisic": 20.5}


def test_names_that_match_nobody_are_on_record_with_the_reason() -> None:
    players = ["garypaytonii", "garypaytonjr"]
    tables = Tables(
        MemoryWarehouse(),
        player_gamebook=[player("BOS", lookup) for lookup in players],
        rosters=[rostered("BOS", lookup) for lookup in players],
        player_registry=[registered("jaysontatum", "t")],
        player_points_props=[
            prop("mispelt", name="Mis Pelt"),
            prop("garypayton"),
            prop("jaysontatum"),
            prop("lebron", home_team_abbr="MIA", away_team_abbr="DEN"),
        ],
        injury_report=[
            report("BOS", "tatumjayson"),
            report("DEN", "nikolajokic"),
            report("BOS", "tatumjayson", hour=12),
        ],
    )
    assert in_both(tables) == dict.fromkeys(players)
    props = [
        ("player_points_props", "garypayton", "BOS/LAL", "several_candidates"),
        ("player_points_props", "jaysontatum", "BOS/LAL", "not_listed"),
        ("player_points_props", "lebron", "DEN/MIA", "no_game"),
        ("player_points_props", "mispelt", "BOS/LAL", "unknown_name"),
    ]
    reports = [
        ("injury_report", "nikolajokic", "DEN", "no_game"),
        ("injury_report", "tatumjayson", "BOS", "unknown_name"),
    ]
    assert tables.unmatched(SHEET) == props
    assert tables.unmatched(PLAYERS) == [*reports, *props]
    recorded = tables.warehouse.read(
        UNMATCHED_NAMES, UNMATCHED_NAMES.column_names, DAY, DAY, {"table_name": PLAYERS}
    ).to_pylist()
    by_key = {row["player_lookup"]: row for row in recorded}
    assert by_key["garypayton"]["candidates"] == ["garypaytonii", "garypaytonjr"]
    assert (by_key["mispelt"]["player_name"], by_key["tatumjayson"]["row_count"]) == ("Mis Pelt", 2)


def test_only_names_that_should_have_matched_fail_the_check() -> None:
    tables = Tables(
        MemoryWarehouse(),
        player_gamebook=[player("BOS", SIMONS)],
        player_registry=[registered("jaysontatum", "t")],
        player_points_props=[prop("mispelt"), prop("jaysontatum")],
    )
    tables.build("team_offense_game_summary")
    run = table_run(tables.warehouse, SHEET, [DAY])
    publication = prepare(run, TABLE_MODULES[SHEET].build(run))
    (check,) = [finding for finding in publication.findings if finding.name == NAMES_MATCHED.name]
    assert (check.blocking, check.offending_count, check.dates) == (False, 1, (DAY,))
    assert "player_points_props: mispelt" in check.examples[0]


def test_what_is_on_record_of_a_date_goes_with_its_rows() -> None:
    tables = Tables(
        MemoryWarehouse(),
        player_gamebook=[player("BOS", SIMONS)],
        rosters=[rostered("BOS", SIMONS)],
        player_points_props=[prop("mispelt")],
    )
    tables.build("team_offense_game_summary", SHEET, PLAYERS)
    assert len(tables.unmatched(SHEET)) == len(tables.unmatched(PLAYERS)) == 1
    tables.write(player_points_props=[prop(SIMONS)])
    tables.build(SHEET)
    assert (len(tables.unmatched(SHEET)), len(tables.unmatched(PLAYERS))) == (0, 1)


def test_a_run_puts_nothing_on_record_for_dates_that_it_does_not_write() -> None:
    """What it reads around them is another run's."""
    tables = Tables(MemoryWarehouse(), player_gamebook=[player("BOS", SIMONS)], player_points_props=[prop("mispelt")])
    tables.build("team_offense_game_summary", SHEET)
    run = table_run(tables.warehouse, SHEET, [BEFORE])
    outcome = TABLE_MODULES[SHEET].build(run)
    of_the_day = table_run(tables.warehouse, SHEET, [DAY])
    TABLE_MODULES[SHEET].build(of_the_day)
    run.records += of_the_day.records
    prepare(run, outcome).write()
    assert tables.unmatched(SHEET) == [("player_points_props", "mispelt", "BOS/LAL", "unknown_name")]
    recorded = tables.warehouse.read(UNMATCHED_NAMES, ("partition_date",), date.min, date.max).column(0).to_pylist()
    assert recorded == [DAY]


def test_a_player_whom_the_roster_calls_otherwise_keeps_his_history() -> None:
    """Also in the tables that count the games that were expected of him by roster and box score."""
    earlier: dict[str, Any] = {
        "game_id": "20250113_MIA_BOS",
        "game_date": BEFORE,
        "home_team_abbr": "BOS",
        "away_team_abbr": "MIA",
    }
    tables = Tables(
        MemoryWarehouse(),
        schedule=[{**SCHEDULE, "game_time_utc": TIP}, {**SCHEDULE, **earlier, "nba_game_id": "0022400550"}],
        team_boxscores=[team("BOS") | earlier, team("LAL") | earlier | {"team_abbr": "MIA"}],
        player_gamebook=[player("BOS", "herbertjones", points=9, **earlier)],
        player_boxscores=[boxed("BOS", "herbjones", points=9, **earlier)],
        rosters=[rostered("BOS", "herbjones") | {"roster_date": BEFORE}],
        player_registry=[registered("herbertjones", "a"), registered("herbjones", "a")],
    )
    build(tables.warehouse, [BEFORE], ["team_offense_game_summary", SHEET])
    tables.build(PLAYERS)
    context = tables.rows(PLAYERS)["herbertjones"]
    assert [
        context[name] for name in ("days_rest", "games_in_last_7_days", "gap_classification", "l10_actual_games")
    ] == [2, 1, "NO_GAP", 1]
    _, histories = read_expectations(table_run(tables.warehouse, "player_daily_cache", [DAY]))
    assert [histories[name].entities for name in ("roster", "box")] == [("herbertjones",), ("herbertjones",)]


def test_unmatched_names_can_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = Tables(
        DuckDBWarehouse(tmp_path / "nba.duckdb"),
        player_gamebook=[player("BOS", SIMONS)],
        player_points_props=[prop("mispelt", name="Mis Pelt")],
    )
    monkeypatch.setenv("NBA_ASSETS_HOME", str(tmp_path))
    monkeypatch.setenv("NBA_ASSETS_WAREHOUSE", str(tmp_path / "nba.duckdb"))
    assert "Every name is matched" in CliRunner().invoke(app, ["names"]).stdout
    tables.build("team_offense_game_summary", SHEET)
    listing = CliRunner().invoke(app, ["names", "--date", str(DAY)]).stdout
    assert all(
        word in listing for word in ("mispelt", "Mis Pelt", "BOS/LAL", "unknown_name", "player_points_props", SHEET)
    )
    assert "Every name is matched" in CliRunner().invoke(app, ["names", "--date", str(BEFORE)]).stdout
    assert "Every name is matched" in CliRunner().invoke(app, ["names", "--table", PLAYERS]).stdout


def test_who_is_out_under_another_spelling_is_out() -> None:
    """He has no context row, and his team counts him among the starters whom it lacks, once."""
    started: dict[str, Any] = {
        "game_id": "20250113_MIA_BOS",
        "game_date": BEFORE,
        "home_team_abbr": "BOS",
        "away_team_abbr": "MIA",
    }
    tables = Tables(
        MemoryWarehouse(),
        schedule=[{**SCHEDULE, **started, "nba_game_id": "0022400550", "game_time_utc": TIP - timedelta(days=2)}],
        player_boxscores=[boxed("BOS", "robertwilliamsiii", **started)],
        rosters=[rostered("BOS", "robertwilliamsiii"), rostered("BOS", SIMONS)],
        injury_report=[
            report("BOS", "robertwilliamsiii", "questionable", 9),
            report("BOS", "robertwilliams", "out", 12),
        ],
    )
    tables.build(PLAYERS, TEAMS)
    assert set(tables.rows(PLAYERS)) == {SIMONS}
    counted = tables.rows(TEAMS)["BOS"]
    assert [counted[name] for name in ("players_out_count", "starters_out_count", "questionable_players_count")] == [
        1,
        1,
        0,
    ]
    assert tables.unmatched(PLAYERS) == []


@pytest.mark.parametrize(
    ("theirs", "registry"),
    [
        ("robertwilliams", []),
        (
            "bobwilliams",
            [registered("robertwilliamsiii", "a", name="Robert Williams III"), registered("bobwilliams", "a")],
        ),
    ],
    ids=["suffix", "alias"],
)
def test_a_players_shots_blocks_and_start_are_his_however_the_other_feeds_spell_him(
    theirs: str, registry: Rows
) -> None:
    ours = "robertwilliamsiii"
    block = {"player_2_lookup": theirs, "player_2_role": "block"}
    tables = Tables(
        MemoryWarehouse(),
        player_gamebook=[player("BOS", ours, blocks=1, **BASKET), player("LAL", SIMONS, field_goals_attempted=1)],
        player_boxscores=[
            boxed("BOS", theirs, blocks=1, **BASKET),
            boxed("LAL", SIMONS, starter=False, field_goals_attempted=1),
        ],
        play_by_play=[shot(1, "BOS", theirs, made=True), shot(3, "LAL", SIMONS, made=False, **block)],
        **({"player_registry": registry} if registry else {}),
    )
    tables.build("team_offense_game_summary", SHEET)
    rows = tables.rows(SHEET)
    assert set(rows) == {ours, SIMONS}
    assert [rows[ours][name] for name in ("paint_attempts", "paint_makes", "paint_blocks", "starter_flag")] == [
        1,
        1,
        1,
        True,
    ]
    assert tables.unmatched(SHEET) == []


def test_a_shooter_who_is_on_no_sheet_is_on_record() -> None:
    tables = Tables(
        MemoryWarehouse(), player_gamebook=[player("BOS", SIMONS)], play_by_play=[shot(1, "BOS", "mispelt", made=True)]
    )
    tables.build("team_offense_game_summary", SHEET)
    assert tables.unmatched(SHEET) == [("play_by_play", "mispelt", "BOS", "unknown_name")]


def test_father_and_son_in_one_game_stay_two_players() -> None:
    both = ["garytrent", "garytrentjr"]
    tables = Tables(
        MemoryWarehouse(),
        player_gamebook=[player("BOS", "garytrentjr", **BASKET)],
        player_boxscores=[boxed("BOS", lookup, **BASKET) for lookup in both],
        play_by_play=[shot(number, "BOS", lookup, made=True) for number, lookup in enumerate(both)],
    )
    tables.build("team_offense_game_summary", SHEET)
    rows = tables.rows(SHEET)
    assert [(key, rows[key]["paint_attempts"], rows[key]["quality_used_fallback"]) for key in both] == [
        ("garytrent", 1, True),
        ("garytrentjr", 1, False),
    ]


NAMESAKES = [registered("jalenwilliams", "nba_1631114", "BOS"), registered("jalenwilliams", "nba_1631119", "LAL")]
ONE, OTHER = "jalenwilliams1631114", "jalenwilliams1631119"


def test_namesakes_of_two_teams_are_kept_apart_in_every_feed() -> None:
    """On a night on which only one of them plays as on any other."""
    block = {"player_2_lookup": SIMONS, "player_2_role": "block"}
    tables = Tables(
        MemoryWarehouse(),
        player_gamebook=[
            player("BOS", "jalenwilliams", assists=7, field_goals_attempted=1),
            player("LAL", SIMONS, blocks=1),
        ],
        player_boxscores=[boxed("BOS", "jalenwilliams", assists=7, field_goals_attempted=1)],
        play_by_play=[shot(1, "BOS", "jalenwilliams", made=False, **block)],
        rosters=[rostered("BOS", "jalenwilliams"), rostered("LAL", "jalenwilliams"), rostered("LAL", SIMONS)],
        injury_report=[report("LAL", "jalenwilliams")],
        player_registry=[*NAMESAKES, registered(SIMONS, "s")],
    )
    tables.build("team_offense_game_summary", SHEET, PLAYERS, TEAMS)
    summary, contexts = tables.rows(SHEET), tables.rows(PLAYERS)
    assert set(summary) == {ONE, SIMONS}
    assert [summary[ONE][name] for name in ("universal_player_id", "assists", "paint_attempts", "starter_flag")] == [
        "nba_1631114",
        7,
        1,
        True,
    ]
    assert {key: row["universal_player_id"] for key, row in contexts.items()} == {ONE: "nba_1631114", SIMONS: "s"}
    assert {key: row["players_out_count"] for key, row in tables.rows(TEAMS).items()} == {"BOS": 0, "LAL": 1}
    assert tables.failures() == []


@pytest.mark.parametrize("opponent", [False, True])
def test_namesakes_in_one_game_are_kept_apart_by_their_ids(opponent: bool) -> None:
    sides = {"1631114": "BOS", "1631119": "LAL" if opponent else "BOS"}
    registry = [
        registered("jalenwilliams", f"nba_{number}", side) | {"player_id": number} for number, side in sides.items()
    ]
    told: list[tuple[str, dict[str, Any]]] = [
        (side, {"player_id": number, "assists": assists}) for assists, (number, side) in enumerate(sides.items())
    ]
    tables = Tables(
        MemoryWarehouse(),
        player_gamebook=[player(side, "jalenwilliams", **facts) for side, facts in told],
        player_boxscores=[boxed(side, "jalenwilliams", **facts) for side, facts in told],
        rosters=[rostered(side, "jalenwilliams", player_id=facts["player_id"]) for side, facts in told],
        player_registry=registry,
    )
    tables.build("team_offense_game_summary", SHEET, PLAYERS)
    assert {key: row["assists"] for key, row in tables.rows(SHEET).items()} == {ONE: 0, OTHER: 1}
    assert set(tables.rows(PLAYERS)) == {ONE, OTHER}
    assert tables.failures() == []


def test_namesakes_whom_nothing_tells_apart_fail_by_name_and_everybody_else_is_published() -> None:
    tables = Tables(
        MemoryWarehouse(),
        player_gamebook=[player("BOS", "jalenwilliams"), player("BOS", SIMONS)],
        rosters=[rostered("BOS", "jalenwilliams"), rostered("BOS", SIMONS)],
        player_registry=[
            registered("jalenwilliams", "nba_1"),
            registered("jalenwilliams", "nba_2"),
            registered(SIMONS, "s"),
        ],
    )
    tables.build("team_offense_game_summary", SHEET, PLAYERS)
    assert set(tables.rows(SHEET)) == set(tables.rows(PLAYERS)) == {SIMONS}
    assert tables.failures() == [(SHEET, "jalenwilliams"), (PLAYERS, "jalenwilliams")]
    summary, context = tables.failure_records()
    assert f"BOS {GAME}" in summary["failure_reason"]
    assert "(BOS)" in context["failure_reason"]


@pytest.mark.parametrize(
    "born", [(date(2001, 4, 14), date(2002, 11, 18)), (date(2001, 4, 14), date(2001, 4, 14)), (date(2001, 4, 14), None)]
)
def test_two_on_the_rosters_with_one_key_are_two_where_they_were_born_on_two_days(
    born: tuple[date | None, ...],
) -> None:
    rosters = [
        rostered(tricode, "jalenwilliams", birth_date=day) for tricode, day in zip(("BOS", "LAL"), born, strict=True)
    ]
    tables = Tables(MemoryWarehouse(), rosters=[*rosters, rostered("BOS", SIMONS)])
    tables.build(PLAYERS)
    several = len({*born, born[0]} - {None}) > 1
    assert set(tables.rows(PLAYERS)) == ({SIMONS} if several else {SIMONS, "jalenwilliams"})
    assert tables.failures() == ([(PLAYERS, "jalenwilliams")] if several else [])
    if several:
        assert "(BOS, LAL)" in tables.failure_records()[0]["failure_reason"]
