"""Entities on a Dask cluster: the bits of serial mode, workers that die or hang, a cluster that is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from nba_assets.entities.outcomes import Outcome, take
from nba_assets.entities.parallel import ParallelEntities, Workers
from nba_assets.settings import Backend, SettingsError
from nba_assets_tests.entities.cluster import PROJECT, Cluster, dask_cluster, until
from nba_assets_tests.entities.test_parallel import (
    DAYS,
    ODD_ONE,
    PLAYERS,
    Each,
    Unpacked,
    bits,
    is_odd,
    mapped,
    one_hangs_once,
    one_kills_once,
    one_lacks,
    one_raises,
    past,
    requested,
    rows_of,
    who_works,
)

pytest.importorskip("distributed", reason="the extra `dask` is not installed")

from nba_assets.entities import dask_workers
from nba_assets.entities.dask_workers import ClusterError, DaskExecutor

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two workers that several tests share."""
    with dask_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


def on(cluster: Cluster, chunk: int | None = 15, seconds: float = 600.0) -> ParallelEntities:
    return ParallelEntities(Workers(2), Workers(2), Backend.dask, chunk, seconds, cluster.address)


def one_kills(mine: Any, histories: Any, shared: Any) -> Outcome:
    if is_odd(mine):
        os.kill(os.getpid(), signal.SIGKILL)
    return rows_of(mine, histories, shared)


def one_hangs(mine: Any, histories: Any, shared: Any) -> Outcome:
    while is_odd(mine):
        time.sleep(0.01)
    return rows_of(mine, histories, shared)


def waits(mine: Any, histories: Any, shared: Path) -> Outcome:
    """Nothing, once it has said that it is at work."""
    shared.touch()
    time.sleep(300)
    return Outcome(dict(mine))


@pytest.mark.parametrize("compute", [rows_of, one_raises, one_lacks])
@pytest.mark.parametrize("chunk", [1, 15, 1000])
def test_the_bits_are_those_of_serial_mode(cluster: Cluster, compute: Any, chunk: int) -> None:
    expected, found = mapped(ParallelEntities.serial(), compute), mapped(on(cluster, chunk), compute)
    assert bits(found.rows) == bits(expected.rows)
    assert bits(found.failures) == bits(expected.failures)


def test_workers_are_those_of_the_cluster_and_stay_after_the_map(cluster: Cluster) -> None:
    with on(cluster, 3) as entities:
        found = {
            pid
            for _ in range(2)
            for pid in entities.map("players", Each(who_works), requested(), shared=True).rows["worker"].tolist()
        }
    assert 1 <= len(found) <= 2  # one that is quick may take all chunks
    assert os.getpid() not in found
    assert all(psutil.pid_exists(pid) for pid in found)


def test_a_chunk_is_sent_with_its_own_rows_and_what_is_shared_once_to_each_worker(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[Any, Any]] = []
    submit = DaskExecutor.submit

    def noted(self: DaskExecutor, fn: Any, code: str, task: Any, mine: Any, histories: Any, seconds: float) -> Any:
        sent.append((mine, histories["past"]))
        return submit(self, fn, code, task, mine, histories, seconds)

    monkeypatch.setattr(DaskExecutor, "submit", noted)
    notes = tmp_path / "notes"
    with on(cluster, 10) as entities:
        entities.map("players", Each(who_works), requested(), {"past": past()}, Unpacked(notes))
    assert [mine.entities for mine, _ in sent] == [tuple(PLAYERS[at : at + 10]) for at in range(0, 120, 10)]
    assert all(set(mine["player_lookup"]) == set(mine.entities) == set(theirs.entities) for mine, theirs in sent)
    assert all(set(theirs["player_lookup"]) <= set(mine.entities) for mine, theirs in sent)
    unpacked = notes.read_text().split()
    assert len(unpacked) == len(set(unpacked)) == 2


def test_a_player_who_kills_his_worker_costs_nobody_else(cluster: Cluster) -> None:
    with on(cluster) as entities:
        outcome = entities.map("players", Each(one_kills), requested(), {"past": past()}, 0.1)
        again = entities.map("players", Each(rows_of), requested(), {"past": past()}, 0.1)
    assert outcome.failures["entity_id"].tolist() == [ODD_ONE] * len(DAYS)
    assert outcome.failures["partition_date"].tolist() == DAYS.tolist()
    assert set(outcome.failures["failure_category"]) == {"PROCESSING_ERROR"}
    assert "died while it computed this entity alone, twice" in outcome.failures["failure_reason"][0]
    expected = mapped(ParallelEntities.serial()).rows
    assert bits(outcome.rows) == bits(take(expected, expected["player_lookup"] != ODD_ONE))
    assert bits(again.rows) == bits(expected)


def test_a_worker_that_dies_once_costs_nobody(cluster: Cluster, tmp_path: Path) -> None:
    outcome = mapped(on(cluster), one_kills_once, shared=tmp_path / "died")
    assert (tmp_path / "died").exists()
    assert (outcome.row_count, outcome.failure_count) == (len(PLAYERS) * len(DAYS), 0)


def test_a_player_who_hangs_is_a_failure_that_says_so_and_the_others_are_computed(cluster: Cluster) -> None:
    outcome = mapped(on(cluster, 15, seconds=1.0), one_hangs)
    assert outcome.failures["entity_id"].tolist() == [ODD_ONE] * len(DAYS)
    assert set(outcome.failures["failure_reason"]) == {"the computation of this entity did not finish within 1 s"}
    assert outcome.row_count == (len(PLAYERS) - 1) * len(DAYS)
    log = (cluster.folder / "worker.log").read_text()
    assert "test_dask_workers.py" in log
    assert "in one_hangs" in log


def test_a_player_who_hangs_once_costs_nobody(cluster: Cluster, tmp_path: Path) -> None:
    outcome = mapped(on(cluster, 15, seconds=1.0), one_hangs_once, shared=tmp_path / "hung")
    assert (tmp_path / "hung").exists()
    assert (outcome.row_count, outcome.failure_count) == (len(PLAYERS) * len(DAYS), 0)


def test_who_ends_in_time_is_not_bothered_by_the_bound(cluster: Cluster) -> None:
    with on(cluster, 15, seconds=0.5) as entities:
        first = entities.map("players", Each(who_works), requested(), shared=True).rows["worker"]
        time.sleep(0.7)
        second = entities.map("players", Each(who_works), requested(), shared=True).rows["worker"]
    # One worker may take all chunks of a map; a worker that was ended would be a third process.
    assert len({*first.tolist(), *second.tolist()}) <= 2
    assert all(psutil.pid_exists(pid) for pid in first.tolist())


def test_many_rows_are_sent_without_a_warning(cluster: Cluster) -> None:
    """Warnings are errors here; Dask's would come from 10 MB on."""
    rows = 2_000_000
    names = np.repeat(np.array(PLAYERS[:2], dtype=object), rows // 2)
    wide = replace(past().chunk(PLAYERS[:2]), columns={"points": np.zeros(rows), "player_lookup": names})
    wide = replace(wide, bounds=np.array([0, rows // 2, rows]), date_column="points")
    with on(cluster, 1000) as entities:
        outcome = entities.map("players", Each(rows_of), requested(PLAYERS[:2]), {"past": wide}, 0.1)
    assert set(outcome.rows["games"]) == {rows / 2}


def test_a_worker_with_other_code_computes_nothing(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_workers, "code_digest", lambda: "of another version")
    with pytest.raises(ClusterError, match="another version of nba-assets than this process"):
        mapped(on(cluster))


def test_a_killed_scheduler_ends_the_map_with_one_line_and_leaves_no_process(tmp_path: Path) -> None:
    """Of the process that maps: its workers wait for a scheduler, for as long as whoever started them lets them."""
    script = (
        "from nba_assets_tests.entities.test_dask_workers import *\n"
        "from nba_assets.entities import dask_workers\n"
        "dask_workers.CONNECT_SECONDS = 1.0\n"
        "with ParallelEntities(Workers(2), Workers(2), Backend.dask, 15, scheduler=sys.argv[1]) as entities:\n"
        "    try:\n"
        "        entities.map('players', Each(waits), requested(), shared=Path(sys.argv[2]))\n"
        "    except ClusterError as error:\n"
        "        print(error)\n"
        "        print(psutil.Process().children(recursive=True))\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(PROJECT), os.environ.get("PYTHONPATH", "")])}
    at_work = tmp_path / "at_work"
    with dask_cluster(tmp_path) as mortal:
        address = mortal.address
        with subprocess.Popen(
            [sys.executable, "-c", script, address, str(at_work)], env=environment, stdout=subprocess.PIPE, text=True
        ) as mapping:
            until(lambda: at_work.exists() or mapping.poll() is not None)
            mortal.kill("scheduler")
            said, _ = mapping.communicate(timeout=60)
    line, children = said.splitlines()
    assert line.startswith(f"the Dask scheduler {address} does not answer (")
    assert line.endswith(": start it, or set NBA_ASSETS_DASK_SCHEDULER to its address")
    assert (children, mapping.returncode) == ("[]", 0)


def test_workers_that_are_all_gone_end_the_map_with_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_workers.DaskWorkers, "patience", 1.0)
    at_work = tmp_path / "at_work"
    with dask_cluster(tmp_path) as mortal:

        def kill() -> None:
            until(at_work.exists)  # until then workers may be as slow to start as they like
            monkeypatch.setattr(dask_workers, "WORKER_SECONDS", 1.0)
            mortal.kill("worker")

        killer = threading.Thread(target=kill)
        killer.start()
        with on(mortal) as entities, pytest.raises(ClusterError, match="has had no worker for 1 s: start one with"):
            entities.map("players", Each(waits), requested(), shared=at_work)
        killer.join()


def test_a_cluster_without_workers_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_workers, "WORKER_SECONDS", 0.2)
    with dask_cluster(tmp_path, workers=0) as empty, pytest.raises(ClusterError, match=r"no worker for 0\.2 s"):
        mapped(on(empty))


def test_a_scheduler_that_does_not_answer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_workers, "CONNECT_SECONDS", 0.2)
    nowhere = ParallelEntities(Workers(2), Workers(2), Backend.dask, 15, scheduler="tcp://127.0.0.1:1")
    with pytest.raises(ClusterError, match=r"^the Dask scheduler tcp://127\.0\.0\.1:1 does not answer \(.*: start it"):
        mapped(nowhere)


def test_an_interrupted_map_waits_for_no_worker(cluster: Cluster, tmp_path: Path) -> None:
    at_work = tmp_path / "at_work"

    def interrupt() -> None:
        until(at_work.exists)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Thread(target=interrupt, daemon=True).start()
        with on(cluster, seconds=5.0) as entities, pytest.raises(KeyboardInterrupt):
            entities.map("players", Each(waits), requested(), shared=at_work)
    finally:
        signal.signal(signal.SIGINT, before)


def test_dask_without_an_address_names_the_setting() -> None:
    with pytest.raises(SettingsError, match="needs NBA_ASSETS_DASK_SCHEDULER, the address of the scheduler"):
        mapped(ParallelEntities(Workers(2), Workers(2), Backend.dask, 15))


def test_dask_that_is_not_installed_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "nba_assets.entities.dask_workers")
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SettingsError, match=r"needs the package distributed: install nba-assets\[dask\]"):
        mapped(ParallelEntities(Workers(2), Workers(2), Backend.dask, 15, scheduler="tcp://127.0.0.1:1"))
