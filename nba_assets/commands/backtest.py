"""The command that tries the features on the past: `backtest`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nba_assets.backtest.periods import Period
from nba_assets.commands.dates import dates_of
from nba_assets.commands.options import AsJson, End, FeatureVersion, FromFile, Start
from nba_assets.commands.output import console, say, table_of
from nba_assets.settings import Settings

if TYPE_CHECKING:
    from nba_assets.backtest.walk_forward import Backtest

app = typer.Typer()

RESULTS, PAGE = "backtest.json", "backtest.html"


@app.command()
def backtest(
    start: Start,
    end: End,
    by: Annotated[Period, typer.Option(help="Length of the periods that are predicted.")] = Period.MONTH,
    feature_version: Annotated[
        FeatureVersion | None, typer.Option("--feature-version", help="Features to learn from; both by default.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random; the same seed gives the same bytes.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", file_okay=False, help="Folder to write into; backtest in the home by default."
        ),
    ] = None,
    as_json: AsJson = False,
    warehouse: FromFile = None,
) -> None:
    """Predict the points of each period from what was known before it, and measure the errors.

    Averages, the points line, ridge regression and gradient boosting on the stored features. Writes backtest.json and
    the page backtest.html. Needs scikit-learn: pip install 'nba-assets[ml]'.
    """
    from nba_assets.backtest.models import require_library
    from nba_assets.backtest.page import render
    from nba_assets.backtest.player_games import read_player_games
    from nba_assets.backtest.walk_forward import backtest as walk_forward
    from nba_assets.orchestration.opening import open_warehouse
    from nba_assets.providers.landing_writer import write_beside

    require_library()
    span = dates_of(start, end)
    versions = [str(version) for version in FeatureVersion if feature_version in (None, version)]
    games = read_player_games(open_warehouse(warehouse), *span, versions)
    result = walk_forward(games, *span, by, versions, seed)
    folder = out or Settings.from_environment().home / "backtest"
    text = f"{json.dumps(asdict(result), indent=2, default=str)}\n"
    write_beside(folder / RESULTS, text.encode())
    write_beside(folder / PAGE, render(result).encode())
    if as_json:
        typer.echo(text, nl=False)
        return
    _say(result)
    say(f"{folder / PAGE} shows the rest, {folder / RESULTS} has all figures")


def _say(result: Backtest) -> None:
    """Print the errors over all games."""
    first, last = result.periods[0], result.periods[-1]
    say(
        f"{result.tested_rows:,} games of players from {first.first} to {last.last}, predicted {result.by} by "
        f"{result.by} from earlier dates; errors in points"
    )
    shown = table_of("model", "MAE", "RMSE", "bias")
    for one in result.overall:
        shown.add_row(one.model, f"{one.mae:.3f}", f"{one.rmse:.3f}", f"{one.bias:+.3f}")
    console.print(shown)
    if not result.with_line:
        say("None of the games had a points line.")
        return
    line, *others = result.with_line
    best = min(others, key=lambda one: one.mae)
    say(f"{line.count:,} games with a points line: MAE {line.mae:.3f} of the line, {best.mae:.3f} of {best.model}")
