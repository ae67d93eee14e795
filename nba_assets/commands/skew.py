"""The command `skew`: served feature vectors against stored ones."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nba_assets.commands.dates import dates_of
from nba_assets.commands.options import AsJson, End, FeatureVersion, FromFile, Start
from nba_assets.commands.output import console, list_entries, say, table_of

if TYPE_CHECKING:
    from nba_assets.skew import FeatureSkew, Skew

app = typer.Typer()


@app.command("skew")
def show_skew(
    start: Start,
    end: End,
    feature_version: Annotated[
        FeatureVersion, typer.Option("--feature-version", help="Version of the features.")
    ] = FeatureVersion.V1,
    as_json: AsJson = False,
    warehouse: FromFile = None,
) -> None:
    """How features as served before the games differ from those stored now, and why."""
    from nba_assets.orchestration.opening import open_warehouse
    from nba_assets.skew import CAUSES, skew

    span = dates_of(start, end)
    found = skew(open_warehouse(warehouse), *span, feature_version)
    if as_json:
        typer.echo(json.dumps({"start": str(span[0]), "end": str(span[1]), **_as_json(found)}, indent=2))
        return
    say(f"{found.served:,} rows served, {found.compared:,} of them still stored; {found.feature_version}")
    if found.gone:
        say(f"{found.gone:,} rows were served and are no longer stored")
    if found.never_served:
        say(
            f"{found.never_served:,} stored rows were never served, of which {found.never_served_in_time:,} were first "
            "stored before tip-off"
        )
    differing = sorted((one for one in found.features if one.differing), key=lambda one: -one.differing)
    if not differing:
        if found.compared:
            say("Every served value is still the stored one.")
        return
    shown = table_of("feature", "rows", "differ", "share", "mean", "largest")
    for one in differing:
        counts = f"{one.compared:,}", f"{one.differing:,}", f"{one.share:.1%}"
        shown.add_row(one.feature, *counts, f"{one.mean:.4g}", f"{one.largest:.4g}")
    console.print(shown)
    if len(differing) < len(found.features):
        say(f"{len(found.features) - len(differing)} other features do not differ.")
    list_entries(("feature", "causes"), [(one.feature, _causes(one)) for one in differing])
    seen = Counter(cause for one in differing for cause in one.causes)
    for cause in (cause for cause in CAUSES if cause in seen):
        say(f"{_words(cause)}: {CAUSES[cause]}")


def _causes(feature: FeatureSkew) -> str:
    """Example: "stat correction 120, announcement 3; changed: player_game_summary 120, injury_report 3"."""
    changed = f"; changed: {_counts(feature.changed)}" if feature.changed else ""
    return f"{_counts({_words(cause): rows for cause, rows in feature.causes.most_common()})}{changed}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {rows:,}" for name, rows in sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _words(cause: str) -> str:
    return cause.replace("_", " ")


def _as_json(found: Skew) -> dict[str, Any]:
    features = [
        {
            "feature": one.feature,
            "compared": one.compared,
            "differing": one.differing,
            "share": one.share,
            "mean_absolute_difference": one.mean,
            "largest_absolute_difference": one.largest,
            "causes": dict(one.causes),
            "changed": dict(one.changed),
        }
        for one in found.features
    ]
    return asdict(found) | {"compared": found.compared, "features": features}
