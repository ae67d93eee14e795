"""Results of an asset's checks as the events that Dagster stores, without a look at earlier materializations.

Dagster looks up, for each `AssetCheckResult` by itself, the materialization that the check is about. These checks are
about the one that follows in the same run, which the UI finds by the run: the look-ups took 0.3 s of a single date's
run. Deciding what a check found is in `computed_assets` and `raw_assets`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import dagster as dg

CheckEvent = dg.Output[None] | dg.AssetCheckEvaluation


def check_events(context: dg.AssetExecutionContext, results: Iterable[dg.AssetCheckResult]) -> Iterator[CheckEvent]:
    """What an asset yields for the results of its own checks, each of which names its check."""
    asset = context.assets_def
    for result in results:
        if result.check_name is None:
            raise ValueError(f"a check result of {asset.key.to_user_string()} names no check")
        key = dg.AssetCheckKey(asset.key, result.check_name)
        yield dg.Output(None, asset.get_output_name_for_asset_check_key(key))
        yield dg.AssetCheckEvaluation(
            asset_key=asset.key,
            check_name=result.check_name,
            passed=result.passed,
            metadata=result.metadata,
            severity=result.severity,
            description=result.description,
            blocking=asset.get_spec_for_check_key(key).blocking,
        )
