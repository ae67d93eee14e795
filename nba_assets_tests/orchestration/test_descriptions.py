"""Everything that the UI lists says what it is."""

from __future__ import annotations

from typing import Any

from nba_assets.definitions import defs
from nba_assets.orchestration.jobs import JOBS


def test_jobs_schedules_and_sensors_have_descriptions() -> None:
    repository = defs.get_repository_def()
    jobs = [repository.get_job(job.name) for job in JOBS]
    listed: list[Any] = [*jobs, *repository.schedule_defs, *repository.sensor_defs]
    assert len(listed) >= len(JOBS) + 3 + 4
    assert [named.name for named in listed if not named.description] == []


def test_tables_and_checks_have_descriptions() -> None:
    graph = defs.resolve_asset_graph()
    assert [node.key for node in graph.asset_nodes if not node.description] == []
    assert [key for key in graph.asset_check_keys if not graph.get_check_spec(key).description] == []
