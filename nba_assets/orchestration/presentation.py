"""How a table's materialization looks in the UI beyond the metadata of all tables: numbers that plot over time, a
picture, the lineage of its columns.

Which table gets which picture, and how it is drawn, is in `pictures`. Pictures and lineage go with the newest date
of a run that has rows, so that a season does not carry hundreds of them. Nothing in here can fail a run whose rows are
written: a picture that cannot be drawn says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import dagster as dg
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from nba_assets.analytics.people import full_names
from nba_assets.pictures.of_tables import TABLES_WITH_PICTURES, data_uri, picture
from nba_assets.precompute.feature_lists import ALL_FEATURES, FEATURE_VERSIONS
from nba_assets.publishing.publication import DateFacts, Publication
from nba_assets.tables.columns import to_columns
from nba_assets.tables.spec import Table, Type

FEATURE_STORE = "ml_feature_store"
MEASURES = (Type.INT64, Type.FLOAT64, Type.BOOL)
MEANS = {
    "completeness_percentage": ("completeness_pct_mean", 2),
    "is_production_ready": ("production_ready_share", 4),
    "quality_score": ("quality_score_mean", 2),
    "feature_quality_score": ("quality_score_mean", 2),
}
"""Columns whose mean over a date's rows is shown: under which name, with how many decimals."""


def presented(publication: Publication, facts: Sequence[DateFacts]) -> dict[date, dict[str, Any]]:
    """Metadata of each written date of a run: its numbers; of the newest one with rows also a picture and the lineage,
    where the table has any.
    """
    shown = date_numbers(publication.run.table, publication.rows, facts)
    newest = newest_date(facts)
    if publication.rows.num_rows:
        shown[newest] |= _picture(publication, newest) | _lineage(publication.run.table)
    return shown


def newest_date(facts: Sequence[DateFacts]) -> date:
    """The date of a run that is shown in detail: the newest one with rows, without rows the newest."""
    return max((fact.day for fact in facts if fact.row_count), default=max(fact.day for fact in facts))


def date_numbers(table: Table, rows: pa.Table, facts: Sequence[DateFacts]) -> dict[date, dict[str, Any]]:
    """Plain numbers of each date: means over its rows, share of nulls among its measures, and each category of failure
    that the run met.
    """
    days = np.array([fact.day for fact in facts], dtype="M8[D]")
    places = np.searchsorted(days, to_columns(rows.select([table.date_column]))[table.date_column].astype("M8[D]"))
    sizes = np.bincount(places, minlength=len(days))
    categories = sorted({category for fact in facts for category in fact.failures})
    shown: dict[date, dict[str, Any]] = {
        fact.day: {f"failures_{category}": int(fact.failures.get(category, 0)) for category in categories}
        for fact in facts
    }

    def add(name: str, totals: NDArray[Any], counts: NDArray[Any], decimals: int) -> None:
        for fact, total, number in zip(facts, totals.tolist(), counts.tolist(), strict=True):
            if number:
                shown[fact.day][name] = round(total / number, decimals)

    for column, (name, decimals) in MEANS.items():
        if column in table.column_names:
            values = to_columns(rows.select([column]))[column].astype(np.float64)
            add(name, np.bincount(places, weights=values, minlength=len(days)), sizes, decimals)
    measures = [
        column.name for column in table.columns if column.type in MEASURES and column.nullable and column.hashed
    ]
    nulls = np.zeros(rows.num_rows)
    for measure in measures:
        nulls += pc.is_null(rows.column(measure)).to_numpy()
    add("null_share", np.bincount(places, weights=nulls, minlength=len(days)), sizes * len(measures), 4)
    return shown


def _picture(publication: Publication, day: date) -> dict[str, Any]:
    table = publication.run.table
    if table.name not in TABLES_WITH_PICTURES:
        return {}
    try:
        mine = to_columns(rows_of(publication, day))
        drawn = picture(table.name, day, mine, full_names(publication.run.warehouse, day))
    except Exception as error:
        # The rows are written: whatever is wrong with their picture is no reason to call that a failure.
        return {"picture": f"could not be drawn: {type(error).__name__}: {error}"}
    return {"picture": dg.MetadataValue.md(f"![{table.name} on {day}]({data_uri(drawn)})")}


def rows_of(publication: Publication, day: date) -> pa.Table:
    """The rows of a date among those that are published."""
    return publication.rows.filter(pc.equal(publication.rows[publication.run.table.date_column], day))


def _lineage(table: Table) -> dict[str, Any]:
    return {"dagster/column_lineage": feature_lineage()} if table.name == FEATURE_STORE else {}


def feature_lineage() -> dg.TableColumnLineage:
    """Which columns each feature is read from, as the features declare it; each vector is made of its features."""
    deps = {
        feature.name: [_dependency(*name.split(".")) for source in feature.sources for name in source.reads]
        for feature in ALL_FEATURES
    }
    vectors = {
        known.column("features"): [_dependency(FEATURE_STORE, name) for name in known.names]
        for known in FEATURE_VERSIONS.values()
    }
    return dg.TableColumnLineage(deps_by_column={**deps, **vectors})


def _dependency(table: str, column: str) -> dg.TableColumnDep:
    return dg.TableColumnDep(asset_key=dg.AssetKey(table), column_name=column)
