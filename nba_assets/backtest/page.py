"""The page of a backtest: one HTML file that needs nothing else, made from `backtest.html.j2` and the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from nba_assets.backtest.calibration_picture import calibration_picture
from nba_assets.backtest.errors import Errors
from nba_assets.backtest.models import AVERAGES
from nba_assets.backtest.walk_forward import Backtest, Importance
from nba_assets.pictures.canvas import MINUS, day_text
from nba_assets.pictures.of_tables import data_uri

FEATURES_SHOWN = 20
"""Of each model, those whose shuffling costs most; the others are in the results."""


def render(result: Backtest) -> str:
    """The results, as HTML."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("nba_assets", "backtest"), PackageLoader("nba_assets", "report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"day": day_text, "points": points_text}
    models = [errors.model for errors in result.overall]
    return environment.get_template("backtest.html.j2").render(
        result=result,
        models=models,
        best=min(errors.mae for errors in result.overall),
        differences=version_differences(result),
        groups={
            "By month": ("Month", by_group(result.by_month)),
            "By feature quality": ("Quality tier", by_group(result.by_quality_tier)),
            "By minutes played, known only after the game": ("Minutes", by_group(result.by_minutes)),
        },
        periods=by_group(result.by_period),
        importance=importance_by_model(result.importance),
        pictures={
            model: data_uri(calibration_picture(model, bins))
            for model, bins in result.calibration.items()
            if model not in AVERAGES
        },
    )


def by_group(errors: Sequence[Errors]) -> dict[str, list[Errors]]:
    """Errors of all models by group, in the order of the results."""
    groups: dict[str, list[Errors]] = {}
    for one in errors:
        groups.setdefault(one.group, []).append(one)
    return groups


def importance_by_model(importance: Sequence[Importance]) -> Mapping[str, list[Importance]]:
    """The features of each model whose shuffling costs most, the largest first."""
    models = dict.fromkeys(one.model for one in importance)
    return {model: [one for one in importance if one.model == model][:FEATURES_SHOWN] for model in models}


def version_differences(result: Backtest) -> list[dict[str, Any]]:
    """Of each learner that was tried on two feature versions: in which periods which was the better, and by how much.

    `mae` is that of the second version less that of the first: negative where the second is better.
    """
    versions = list(result.feature_versions)
    if len(versions) < 2:
        return []
    first, second = versions[:2]
    found = []
    for group, errors in {**by_group(result.overall), **by_group(result.by_period)}.items():
        of_model = {one.model: one for one in errors}
        for model, before in of_model.items():
            learner, _, version = model.rpartition(" ")
            if version == first and f"{learner} {second}" in of_model:
                after = of_model[f"{learner} {second}"]
                found.append(
                    {
                        "learner": learner,
                        "group": group,
                        "versions": (first, second),
                        "mae": after.mae - before.mae,
                        "rmse": after.rmse - before.rmse,
                    }
                )
    return found


def points_text(value: float, decimals: int = 2, *, signed: bool = False) -> str:
    """Points as they are read, with a true minus. Example: -0.0312 -> the same with two decimals and MINUS."""
    words = f"{value:+,.{decimals}f}" if signed else f"{value:,.{decimals}f}"
    return (words if words.strip("+-0.,") else words.lstrip("+-")).replace("-", MINUS)
