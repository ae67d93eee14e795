"""The commands that look: where the pipeline stands, what is stored, and what is wrong."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from itertools import groupby
from typing import Annotated

import typer
from rich.text import Text

from nba_assets.commands.dates import dates_of, span_of
from nba_assets.commands.failures import FAILURES_SHOWN, list_failures, summarise_failures
from nba_assets.commands.options import AsJson, Day, FromFile, OneDay, OneTable, require_known
from nba_assets.commands.output import console, is_wide, list_entries, say, table_of, warn
from nba_assets.settings import Settings
from nba_assets.wording import dates_in_words

app = typer.Typer()

CAME_LATER = "came or changed after that was ingested, or was not ingested yet"
QUARANTINED_SHOWN, NAMES_SHOWN = 50, 200


def say_where_it_stands() -> None:
    """Print what is built, stale, missing or failing, and the next command."""
    from nba_assets.orchestration.landing_zone import landing_zone
    from nba_assets.orchestration.opening import open_warehouse
    from nba_assets.orchestration.overview import overview, overview_lines
    from nba_assets.partitions import league_today

    settings = Settings.from_environment()
    seen = overview(open_warehouse(), landing_zone(), league_today(), settings)
    for line in overview_lines(seen):
        say(line)


@app.command()
def status(as_json: AsJson = False, warehouse: FromFile = None) -> None:
    """What the warehouse holds."""
    from nba_assets.automation.landed_files import what_landed
    from nba_assets.automation.stored_state import read_state
    from nba_assets.orchestration.landing_zone import landing_zone
    from nba_assets.orchestration.opening import open_warehouse
    from nba_assets.partitions import league_today
    from nba_assets.publishing.refusals import stored_refusals
    from nba_assets.raw.refusals import unreadable_files
    from nba_assets.registry import ALL_TABLES, COMPUTED_TABLES

    opened, today = open_warehouse(warehouse), league_today()
    state = read_state(opened, today)
    stale = state.stale(today)
    refused = stored_refusals(opened, list(COMPUTED_TABLES))
    count = Counter(refusal.table for refusal in refused)
    entries = opened.status(list(ALL_TABLES.values()))
    unreadable = unreadable_files(opened)
    # Another file than the settings name is not filled from the landing zone.
    pending = what_landed(opened, landing_zone(), today)[0] if warehouse is None else []
    if as_json:
        tables = [
            {
                "table": entry.table.qualified_name,
                "rows": entry.row_count,
                "dates": entry.date_count,
                "first": entry.first_date and str(entry.first_date),
                "last": entry.last_date and str(entry.last_date),
                "refused": count[entry.table.name],
                "stale": len(stale.get(entry.table.name, ())),
            }
            for entry in entries
        ]
        files = [
            *({"table": name, "date": str(day), "reason": why} for name, day, why in unreadable),
            *({"table": one.table, "date": str(one.day), "reason": f"{one.path} {CAME_LATER}"} for one in pending),
        ]
        words = {"refused": [*map(str, refused)], "outdated": [*map(str, state.outdated())]}
        typer.echo(json.dumps({"tables": tables, **words, "not_ingested": files}, indent=2))
        return
    shown = table_of(
        "table", "rows", "dates", "first", "last", *(["refused"] if refused else []), *(["stale"] if stale else [])
    )
    for dataset, mine in groupby(entries, lambda entry: entry.table.dataset):
        shown.add_row(Text(dataset, style="bold"))
        for entry in mine:
            refusals = [f"{count[entry.table.name]:,}"] if refused else []
            late = [f"{len(stale[entry.table.name]):,}" if entry.table.name in stale else ""] if stale else []
            shown.add_row(
                f"{'  ' if is_wide() else ''}{entry.table.name}",
                f"{entry.row_count:,}",
                f"{entry.date_count:,}",
                str(entry.first_date or ""),
                str(entry.last_date or ""),
                *refusals,
                *late,
            )
    console.print(shown)
    warn(map(str, refused))
    warn(f"{name} {day} NOT INGESTED: {why}" for name, day, why in unreadable)
    if pending:
        warn([f"Landed and not ingested: {dates_in_words(sorted({one.day for one in pending}))}"])
    warn(map(str, state.outdated()))


@app.command()
def failures(
    day: OneDay = None,
    table: OneTable = None,
    category: Annotated[str | None, typer.Option(help="Only this category, e.g. PROCESSING_ERROR.")] = None,
    all_of_them: Annotated[
        bool, typer.Option("--all", help="Also those that are expected: too few recent games.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="Failures to show; all are counted.")] = FAILURES_SHOWN,
    as_json: AsJson = False,
    warehouse: FromFile = None,
) -> None:
    """What could not be computed and why: a summary, then the failures, newest first."""
    from nba_assets.orchestration.opening import open_warehouse
    from nba_assets.orchestration.retries import failures_of, newest_first
    from nba_assets.tables.bookkeeping import EXPECTED_FAILURES, FAILURE_CATEGORIES

    require_known(table)
    if category is not None and category.upper() not in FAILURE_CATEGORIES:
        raise typer.BadParameter(
            f"no category {category}; there are {', '.join(FAILURE_CATEGORIES)}", param_hint="--category"
        )
    found = failures_of(open_warehouse(warehouse), dates_of(day)[0] if day else None, table)
    found = [failure for failure in found if category is None or failure.category == category.upper()]
    hidden = 0
    if not all_of_them and category is None:
        looked_at = [failure for failure in found if failure.category not in EXPECTED_FAILURES]
        found, hidden = looked_at, len(found) - len(looked_at)
    if as_json:
        typer.echo(json.dumps([asdict(failure) for failure in newest_first(found)], indent=2, default=str))
        return
    if found:
        summarise_failures(found)
        list_failures(found, limit)
    else:
        say("No open failures.")
    if hidden:
        say(f"{hidden:,} records say that there are too few recent games, which is expected; --all shows them")


@app.command()
def quarantine(
    day: OneDay = None,
    table: Annotated[list[str] | None, typer.Option("--table", help="Only this raw table, may be repeated.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows to show; all are counted.")] = QUARANTINED_SHOWN,
) -> None:
    """Raw rows and files that were not accepted and why, newest date first."""
    from nba_assets.orchestration.opening import open_warehouse
    from nba_assets.raw.tables import RAW_TABLES
    from nba_assets.tables.bookkeeping import RAW_QUARANTINE, WHOLE_FILE

    require_known(table, tables=RAW_TABLES)
    where = {"table_name": table} if table else None
    found = open_warehouse().read(RAW_QUARANTINE, RAW_QUARANTINE.column_names, *span_of(day), where).to_pylist()
    if not found:
        say("Nothing is quarantined.")
        return
    found.sort(key=lambda row: (-row["partition_date"].toordinal(), row["table_name"], row["file"], row["row_number"]))
    list_entries(
        ("table", "date", "file", "row", "game", "reason"),
        [
            (
                row["table_name"],
                str(row["partition_date"]),
                row["file"],
                "all" if row["row_number"] == WHOLE_FILE else str(row["row_number"]),
                row["game_id"] or "",
                row["reason"],
            )
            for row in found[:limit]
        ],
    )
    say(
        f"{min(len(found), limit):,} of {len(found):,} entries shown. Correct the files, then take what has changed "
        "with `nba-assets ingest`."
    )


@app.command()
def names(day: OneDay = None, table: OneTable = None) -> None:
    """Names in the feeds that a table could match with no player, and why."""
    from nba_assets.orchestration.opening import open_warehouse
    from nba_assets.tables.bookkeeping import UNMATCHED_NAMES

    require_known(table)
    where = {"table_name": table} if table else None
    found = open_warehouse().read(UNMATCHED_NAMES, UNMATCHED_NAMES.column_names, *span_of(day), where).to_pylist()
    if not found:
        say("Every name is matched.")
        return
    found.sort(key=lambda row: (row["partition_date"], row["feed"], row["player_lookup"]), reverse=True)
    columns = ("partition_date", "feed", "player_lookup", "player_name", "team_abbrs", "reason", "row_count")
    list_entries(
        [*(name.replace("_", " ") for name in columns), "table name", "candidates"],
        [
            (*(str(row[name] or "") for name in columns), row["table_name"], ", ".join(row["candidates"]))
            for row in found[:NAMES_SHOWN]
        ],
    )
    say(
        f"{min(len(found), NAMES_SHOWN):,} of {len(found):,} entries shown. "
        "Where a name is another spelling of a player's, add it to player_registry under his universal_player_id."
    )


@app.command("reset-breaker")
def reset_breaker(
    table: str, day: Day, entity: Annotated[str, typer.Argument(help="player_lookup or tricode.")]
) -> None:
    """Let an entity be computed again that is left alone after repeated failures."""
    from nba_assets.orchestration.opening import open_warehouse
    from nba_assets.publishing.circuit_breaker import reset

    require_known([table], "TABLE")
    only, _ = dates_of(day)
    attempts = reset(open_warehouse(), table, only, entity)
    if not attempts:
        warn(
            [
                f"There is no breaker to reset: no attempt at {entity} in {table} on {only} is on record. Look at "
                "`nba-assets failures`."
            ]
        )
        raise typer.Exit(1)
    say(
        f"Breaker of {entity} in {table} on {only} reset: {attempts} earlier attempts no longer count. "
        f"Compute it again with `nba-assets retry --date {only} --table {table}`."
    )
