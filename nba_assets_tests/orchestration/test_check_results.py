"""Results of checks reach Dagster's log whole, and none of them looks up materializations."""

from collections.abc import Iterator

import dagster as dg
import pytest

from nba_assets.orchestration.check_results import CheckEvent, check_events
from nba_assets.orchestration.daily import DAILY

NAMES = ("positive", "complete", "recent")


@dg.asset(partitions_def=DAILY, check_specs=[dg.AssetCheckSpec(name, asset="sheet") for name in NAMES])
def sheet(context: dg.AssetExecutionContext) -> Iterator[CheckEvent | dg.MaterializeResult[None]]:
    results = [
        dg.AssetCheckResult(passed=True, check_name="positive"),
        dg.AssetCheckResult(
            passed=False, check_name="complete", severity=dg.AssetCheckSeverity.WARN, metadata={"offending_rows": 3}
        ),
        dg.AssetCheckResult(passed=False, check_name="recent", description="the newest date is old"),
    ]
    yield from check_events(context, results)
    yield dg.MaterializeResult()


def test_results_are_stored_with_all_they_say_and_without_looking_anything_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_: object, **__: object) -> None:
        raise AssertionError("a check result looked up materializations")

    day = DAILY.get_first_partition_key()
    with dg.DagsterInstance.ephemeral() as instance:
        assert dg.materialize([sheet], partition_key=day, instance=instance).success
        monkeypatch.setattr(dg.DagsterInstance, "fetch_materializations", look_up)
        result = dg.materialize([sheet], partition_key=day, instance=instance)
    assert result.success
    found = {each.check_name: each for each in result.get_asset_check_evaluations()}
    assert {name: each.passed for name, each in found.items()} == {"positive": True, "complete": False, "recent": False}
    assert found["complete"].severity is dg.AssetCheckSeverity.WARN
    assert found["complete"].metadata["offending_rows"].value == 3
    assert {each.blocking for each in found.values()} == {False}
    assert found["recent"].severity is dg.AssetCheckSeverity.ERROR
    assert found["recent"].description == "the newest date is old"


def test_a_result_that_names_no_check_is_refused() -> None:
    @dg.asset(name="sheet", check_specs=[dg.AssetCheckSpec("positive", asset="sheet")])
    def unnamed(context: dg.AssetExecutionContext) -> Iterator[CheckEvent]:
        yield from check_events(context, [dg.AssetCheckResult(passed=True)])

    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(ValueError, match="of sheet names no check"):
        dg.materialize([unnamed], instance=instance)
