"""The command line: a thin shell over the same jobs that the UI runs, on the same instance."""

from __future__ import annotations

import gc
import importlib.metadata
import sys
from typing import Annotated

import typer

from nba_assets.error_lines import interrupted_line, one_line_errors
from nba_assets.settings import misspelt_variables
from nba_assets.signals import InterruptedBySignal, raised_signals

with one_line_errors():
    # The first partition is a setting, which is read when the commands are imported.
    from nba_assets.commands import backtest, build, doctor, inspection, publish, skew, start
    from nba_assets.providers.commands import app as provider_commands

app = typer.Typer(
    help="NBA raw data into daily analytics tables. Without a command: where the pipeline stands.",
    pretty_exceptions_enable=False,
)
for commands in (
    build.app,
    inspection.app,
    publish.app,
    skew.app,
    backtest.app,
    start.app,
    doctor.app,
    provider_commands,
):
    app.add_typer(commands)


@app.callback(invoke_without_command=True)
def stands(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    """NBA raw data into daily analytics tables. Without a command: where the pipeline stands."""
    if version:
        typer.echo(importlib.metadata.version("nba-assets"))
        raise typer.Exit
    if context.invoked_subcommand is None:
        inspection.say_where_it_stands()


def main() -> None:
    """The command `nba-assets`: what a user can set right is said in a line, without a traceback, and a signal ends it
    within seconds.
    """
    # Definitions and Dagster's records are a million objects that live to the end. At the usual threshold of 700 the
    # collector took a twelfth of the CPU of a run of one date, looking at them 787 times.
    gc.set_threshold(100_000, 20, 20)
    try:
        with raised_signals(), one_line_errors():
            for line in misspelt_variables():
                print(line, file=sys.stderr)
            app()
    except InterruptedBySignal as interrupted:
        print(interrupted_line(str(interrupted)), file=sys.stderr)
        raise SystemExit(128 + interrupted.number) from None


if __name__ == "__main__":
    main()
