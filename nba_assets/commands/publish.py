"""The commands that write for readers: `report`, `export`, `dictionary`."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nba_assets.commands.dates import DatesError, dates_of
from nba_assets.commands.options import Day, FeatureVersion, FromFile, require_known
from nba_assets.commands.output import say
from nba_assets.error_lines import writing_to
from nba_assets.export import Format, export_table
from nba_assets.settings import Settings, variables

if TYPE_CHECKING:
    from nba_assets.report.slate import SlateFacts

app = typer.Typer()


@app.command("report")
def write_report(
    day: Day,
    output: Annotated[
        Path | None, typer.Option(help="File to write; reports/DATE.html in the home by default.")
    ] = None,
    warehouse: FromFile = None,
) -> None:
    """Write the slate of a date as one HTML page: games, lines, rest, matchups, top factors, data quality."""
    say(str(report_of(dates_of(day)[0], output, warehouse)[1]))


@app.command()
def export(
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR|FILE", help="Folder to write into; with --training-set the file.")
    ],
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TABLE]... [START [END]]",
            help="Tables by name, all computed ones by default; then the first and the last date, all by default.",
        ),
    ] = None,
    file_format: Annotated[
        Format | None,
        typer.Option(
            "--format", help="Format of the files, parquet by default; a training set has the one its suffix says."
        ),
    ] = None,
    training_set: Annotated[
        bool,
        typer.Option(
            "--training-set", help="Write features of START to END joined to played, minutes and points into one FILE."
        ),
    ] = False,
    with_columns: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="TABLE.COLUMN",
            help="Of a training set: also this column of a table that is known before the games; may be repeated.",
        ),
    ] = None,
    as_served: Annotated[
        bool,
        typer.Option(
            "--as-served/--as-corrected",
            help="Of a training set: features as they first stood before each game, or as they are stored now.",
        ),
    ] = False,
    feature_version: Annotated[
        FeatureVersion | None, typer.Option(help="Of a training set: version of the features, v1 by default.")
    ] = None,
    warehouse: FromFile = None,
) -> None:
    """Write tables into files, DIR/TABLE.parquet or .csv; a file that is there is replaced once the new one is whole.

    In CSV, moments are UTC, lists are JSON arrays, and null is nothing while an empty text is "". Beside a training set
    stands FILE.manifest.json, which says what it was made of.
    """
    from nba_assets.orchestration.opening import open_warehouse
    from nba_assets.registry import ALL_TABLES, COMPUTED_TABLES

    given = what or []
    tables, dates = ([text for text in given if text[:1].isdigit() is is_date] for is_date in (False, True))
    if len(dates) > 2 or given[len(tables) :] != dates:
        raise DatesError(f"{' '.join(given)}: name the tables first, then START and END, or one date, or none")
    require_known(tables, "TABLE", tables=ALL_TABLES)
    span = dates_of(*dates) if dates else (date.min, date.max)
    if out.exists() and out.is_dir() is training_set:
        found, needed = ("folder", "file") if training_set else ("file", "folder")
        raise typer.BadParameter(f"{out} is a {found}; name a {needed}", param_hint="--out")
    opened = open_warehouse(warehouse)
    if training_set:
        if tables:
            raise typer.BadParameter(f"leave out {', '.join(tables)}, or add columns with --with", param_hint="TABLE")
        from nba_assets.training import export_training_set

        training_format = Format.of_file(out, file_format)
        with writing_to(out, "--out"):
            written = export_training_set(
                opened,
                *span,
                out,
                training_format,
                with_columns or (),
                as_served=as_served,
                feature_version=feature_version or FeatureVersion.V1,
            )
        say(f"{written.file}: {written.rows:,} rows; made of what {written.file}.manifest.json says")
        return
    for option, given_option in (
        ("--with", with_columns),
        ("--as-served", as_served),
        ("--feature-version", feature_version),
    ):
        if given_option:
            raise typer.BadParameter("is for --training-set", param_hint=option)
    for name in tables or list(COMPUTED_TABLES):
        with writing_to(out, "--out"):
            written = export_table(opened, ALL_TABLES[name], *span, out, file_format or Format.PARQUET)
        say(f"{written.file}: {written.rows:,} rows")


@app.command()
def dictionary() -> None:
    """The data dictionary, as Markdown."""
    from nba_assets.registry import ALL_TABLES
    from nba_assets.tables.dictionary import dictionary_page

    typer.echo(dictionary_page(list(ALL_TABLES.values())))


def report_of(day: date, output: Path | None = None, warehouse: Path | None = None) -> tuple[SlateFacts, Path]:
    """Write the page of a date; what stands on it, and its file."""
    from nba_assets.orchestration.opening import open_warehouse
    from nba_assets.orchestration.sensors import reading_graph
    from nba_assets.report.folder import add_report
    from nba_assets.report.page import render
    from nba_assets.report.slate import gather

    settings = Settings.from_environment()
    facts = gather(open_warehouse(warehouse), day, reading_graph(), settings.bootstrap_days)
    page = render(facts)
    if output is None:
        folder = settings.home / "reports"
        with writing_to(folder, f"{variables()['home']} or --output"):
            return facts, add_report(folder, day, page)
    with writing_to(output, "--output"):
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(page, encoding="utf-8")
    return facts, output
