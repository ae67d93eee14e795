"""What the UI shows of a table, of each date of a run, and of the run as a whole."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import numpy as np
import pytest

from nba_assets.orchestration.computed_assets import (
    _check_results,
    _left_alone,
    _preview,
    asset_tags,
    check_result,
    check_specs,
    data_version,
    date_metadata,
    definition_metadata,
    details_metadata,
    partition_dates,
    run_metadata,
    writable_dates,
)
from nba_assets.publishing.lineage import InputFacts
from nba_assets.publishing.publication import DateFacts, Publication
from nba_assets.publishing.retry import Retry
from nba_assets.publishing.scope import WholeDates
from nba_assets.publishing.table_run import TableRun
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.tables.audit import Finding
from nba_assets_tests.memory_warehouse import MemoryWarehouse
from nba_assets_tests.warehouse.back_ends import FIRST, SECOND, TABLE, row, rows

TODAY = np.datetime64("NaT", "us")


def fact(day: date = FIRST, row_count: int = 3) -> DateFacts:
    return DateFacts(day, row_count, {"STALE_DATA": 2, "MISSING_RAW_DATA": 1}, "abc", True, TODAY)


def run_of(**values: Any) -> TableRun:
    blank: dict[str, Any] = {"entity_count": 31, "seconds": {"read": 0.12346, "compute": 0.6}}
    return cast(TableRun, SimpleNamespace(**blank | {"date_notes": {}, "notes": {}, "refused": {}} | values))


def test_a_preview_has_the_first_five_rows_of_a_date_and_ten_columns_with_the_key_before_all_others() -> None:
    entries = [row(day, f"{name}", points=None) for name in "abcdefg" for day in (FIRST, SECOND)]
    publication = cast(Publication, SimpleNamespace(run=SimpleNamespace(table=TABLE), rows=rows(*entries[:-1])))
    for day in (FIRST, SECOND):
        head, rule, *lines = _preview(publication, day)["preview"].value.split("\n")
        assert head == "|game_date|player_lookup|points|usage_rate|is_dnp|birth_date|seen_at|issues|features|"
        assert rule == "|" + "---|" * 9
        assert [line.split("|")[1:4] for line in lines] == [[str(day), name, ""] for name in "abcde"]


def test_of_a_wide_table_a_preview_has_ten_columns() -> None:
    table = COMPUTED_TABLES["player_game_summary"]
    wide = rows({table.date_column: FIRST}, table=table)
    publication = cast(Publication, SimpleNamespace(run=SimpleNamespace(table=table), rows=wide))
    names = [*table.key, *(name for name in table.column_names if name not in table.key)]
    assert _preview(publication, FIRST)["preview"].value.split("\n")[0] == f"|{'|'.join(names[:10])}|"


def test_the_facts_of_a_date() -> None:
    assert date_metadata(run_of(date_notes={FIRST: {"note": "said"}}), fact()) == {
        "dagster/partition_row_count": 3,
        "rows": 3,
        "failures": 3,
        "digest": "abc",
        "changed": True,
        "note": "said",
    }


def test_the_details_of_the_newest_date() -> None:
    inputs = [
        InputFacts("team_boxscores", 2, 40, "d1", "2024-11-06", 7, 8),
        InputFacts("rosters", 1, 2, "d2", None, None, None),
    ]
    found = details_metadata(run_of(notes={"said": 1}), [fact(), fact(SECOND, 4)], inputs)
    assert found["inputs"]["team_boxscores"] == {
        "dates_built": 2,
        "rows": 40,
        "digest": "d1",
        "newest_processed_at": "2024-11-06",
        "game_days": "7 / 8",
    }
    assert "game_days" not in found["inputs"]["rosters"]
    assert (found["input_rows"], found["entities"], found["entities_per_second"]) == (42, 31, 51.7)
    assert (found["seconds_read"], found["seconds_compute"]) == (0.1235, 0.6)
    assert (found["dates_in_run"], found["rows_in_run"], found["said"]) == (2, 7, 1)


def test_a_computation_that_took_no_time_has_no_speed() -> None:
    assert details_metadata(run_of(seconds={"compute": 0.0}), [fact()], [])["entities_per_second"] == 0.0


def test_the_facts_of_a_run() -> None:
    facts = [fact(), fact(SECOND, 4)]
    assert run_metadata(run_of(notes={"said": 1}), facts) == {"dates_in_run": 2, "rows_in_run": 7, "said": 1}
    assert run_metadata(run_of(refused={FIRST: ["why"]}), facts)["dates_refused"] == 1


def test_partitions_that_a_retry_leaves_alone_say_what_they_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    days = [FIRST + timedelta(days=number) for number in range(3)]
    retry = object.__new__(Retry)
    monkeypatch.setattr(Retry, "standing", lambda _, day: {"stands": day})
    left = _left_alone(run_of(scope=retry, refused={days[2]: ["why"]}), [*days, SECOND], [fact(days[0])])
    assert list(left) == [(SECOND, {"stands": SECOND})] * 2
    assert list(_left_alone(run_of(scope=WholeDates()), days, [fact(days[0])])) == []


def test_a_single_date_has_its_digest_as_its_data_version_and_a_range_one_over_all_of_them() -> None:
    assert data_version(["abc"]) == dg.DataVersion("abc")
    assert data_version([]) is None
    of_range = data_version(["abc", "def"])
    assert of_range == data_version(["abc", "def"])
    assert of_range not in (None, data_version(["abc", "deg"]), data_version(["def", "abc"]), data_version(["abc"]))


def test_the_dates_of_a_run_ascend() -> None:
    keys = SimpleNamespace(partition_keys=["2024-11-02", "2024-10-31"])
    assert partition_dates(cast(dg.AssetExecutionContext, keys)) == [date(2024, 10, 31), date(2024, 11, 2)]


def test_a_run_of_more_dates_than_a_write_can_replace_is_refused_before_anything_is_read() -> None:
    keys = cast(dg.AssetExecutionContext, SimpleNamespace(partition_keys=["2024-11-02", "2024-10-31"]))
    for most in (None, 2):
        assert writable_dates(keys, MemoryWarehouse(largest_write_dates=most)) == partition_dates(keys)
    with pytest.raises(dg.Failure, match="2 dates in one run, of which the warehouse takes 1: launch them season"):
        writable_dates(keys, MemoryWarehouse(largest_write_dates=1))


@pytest.mark.parametrize(
    ("name", "entity"),
    [
        ("player_game_summary", "player"),
        ("team_offense_game_summary", "team"),
        ("team_defense_game_summary", "team"),
        ("ml_feature_store", "player"),
    ],
)
def test_a_table_is_tagged_with_what_a_row_is_about(name: str, entity: str) -> None:
    table = COMPUTED_TABLES[name]
    assert asset_tags(table) == {"layer": table.layer, "entity": entity}


def test_what_is_known_of_a_table_before_anything_has_run() -> None:
    found = definition_metadata(TABLE)
    assert (found["key"], found["grain"]) == ("game_date, player_lookup", "one player on one date")
    assert found["reads"] == "files of the landing zone"
    assert definition_metadata(COMPUTED_TABLES["ml_feature_store"])["reads"].count("; ") >= 3


def test_a_finding_names_its_dates_and_examples_where_it_has_any() -> None:
    days = (FIRST, FIRST + timedelta(days=1))
    broken = check_result(Finding("keys", True, "said", 2, days, ("a", "b")))
    facts = {key: value.value for key, value in broken.metadata.items()}
    assert facts == {"offending_rows": 2, "dates": [day.isoformat() for day in days], "examples": ["a", "b"]}
    assert (broken.passed, broken.severity) == (False, dg.AssetCheckSeverity.ERROR)
    sound = check_result(Finding("keys", False, "said", 0, (), ()))
    assert {key: value.value for key, value in sound.metadata.items()} == {"offending_rows": 0}
    assert (sound.passed, sound.severity) == (True, dg.AssetCheckSeverity.WARN)
    dates = check_result(Finding("dates_published", True, "said", 1, days, ()))
    assert "offending_dates" in dates.metadata


def test_every_check_has_a_result_also_where_nothing_was_looked_at() -> None:
    table = COMPUTED_TABLES["player_game_summary"]
    specs = check_specs(table)
    assert not any(spec.blocking for spec in specs)
    finding = Finding(specs[0].name, True, "said", 1, (FIRST,), ())
    found = list(_check_results(table, [finding]))
    assert [result.check_name for result in found] == [spec.name for spec in specs]
    assert [result.passed for result in found] == [False] + [True] * (len(specs) - 1)
    assert {result.metadata["dates_looked_at"].value for result in found[1:]} == {0}
