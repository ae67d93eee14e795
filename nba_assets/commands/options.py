"""The arguments and options that several commands share."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

if TYPE_CHECKING:
    from nba_assets.orchestration.console import Verbosity


class FeatureVersion(StrEnum):
    """The versions of the feature vector that are stored."""

    V1 = "v1"
    V2 = "v2"


DATE = "YYYY-MM-DD"
Day = Annotated[str, typer.Argument(metavar=DATE, help="US-Eastern calendar date.")]
Start = Annotated[str, typer.Argument(metavar="START", help=f"First US-Eastern calendar date, {DATE}.")]
End = Annotated[str, typer.Argument(metavar="END", help=f"Last US-Eastern calendar date, {DATE}.")]
OneDay = Annotated[str | None, typer.Option("--date", metavar=DATE, help="Only this US-Eastern calendar date.")]
OneTable = Annotated[list[str] | None, typer.Option("--table", help="Only this table, may be repeated.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Also say what the workers say.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but the result.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for programs.")]
FromFile = Annotated[
    Path | None,
    typer.Option(
        "--warehouse",
        exists=True,
        dir_okay=False,
        help="DuckDB file to read instead of NBA_ASSETS_WAREHOUSE, e.g. the copy for readers.",
    ),
]


@dataclass(frozen=True)
class ShownRuns:
    """How much runs say."""

    verbose: Verbose = False
    quiet: Quiet = False

    @property
    def verbosity(self) -> Verbosity:
        """How much that is; raises BadParameter where the two contradict each other."""
        from nba_assets.orchestration.console import Verbosity

        if self.verbose and self.quiet:
            raise typer.BadParameter("choose one of --verbose and --quiet")
        return Verbosity.VERBOSE if self.verbose else Verbosity.QUIET if self.quiet else Verbosity.NORMAL


@dataclass(frozen=True)
class ResultRuns(ShownRuns):
    """Also in which form they give their result."""

    as_json: AsJson = False


@dataclass(frozen=True)
class ComputingRuns(ResultRuns):
    """Also how they compute."""

    serial: Annotated[bool, typer.Option("--serial", help="One entity after the other, in this thread.")] = False
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Workers for players and for teams.")] = None

    def configuration(self) -> dict[str, object]:
        """The run configuration of the parallel entities; none where nothing was said about them."""
        config = {
            **({"players_enabled": False, "teams_enabled": False} if self.serial else {}),
            **({"players_workers": self.workers, "teams_workers": self.workers} if self.workers else {}),
        }
        return {"resources": {"entities": {"config": config}}} if config else {}


@dataclass(frozen=True)
class BuildingRuns(ComputingRuns):
    """Also what they build."""

    table: Annotated[
        list[str] | None, typer.Option("--table", help="Only this table, may be repeated; its inputs must be built.")
    ] = None
    ingest: Annotated[
        bool, typer.Option("--ingest", help="Ingest the raw data of these dates again, also what has not changed.")
    ] = False


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the fields of its last parameter, `options`, as options of its own.

    Example: `def run(day: Day, options: BuildingRuns)` has the argument and all options of `BuildingRuns`.
    """
    hints = get_type_hints(command, include_extras=True)
    kind = hints["options"]
    kinds = get_type_hints(kind, include_extras=True)
    own = [
        parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in inspect.signature(command).parameters.items()
        if name != "options"
    ]
    shared = [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=kinds[field.name]
        )
        for field in fields(kind)
    ]

    @wraps(command)
    def called(**given: Any) -> None:
        options = kind(**{field.name: given.pop(field.name) for field in fields(kind)})
        command(**given, options=options)

    called.__signature__ = inspect.Signature([*own, *shared])  # type: ignore[attr-defined]
    return called


def require_known(
    names: Sequence[str] | None, parameter: str = "--table", *, tables: Iterable[str] | None = None
) -> None:
    """Require that tables exist, computed ones without `tables`; raises BadParameter, naming all there are."""
    from nba_assets.registry import COMPUTED_TABLES

    known = list(COMPUTED_TABLES if tables is None else tables)
    unknown = sorted(set(names or ()) - set(known))
    if unknown:
        raise typer.BadParameter(f"no table {', '.join(unknown)}; there are {', '.join(known)}", param_hint=parameter)
