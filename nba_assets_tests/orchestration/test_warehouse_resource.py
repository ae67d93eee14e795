"""One warehouse for all steps of a run, and one for each use outside of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import dagster as dg
import pytest

from nba_assets.orchestration import warehouse_resource
from nba_assets.orchestration.warehouse_resource import IDLE_SECONDS, WarehouseResource


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[tuple[object, ...], dict[str, object]]]:
    """How each warehouse was opened; each notes whether it was closed."""
    calls: list[tuple[tuple[object, ...], dict[str, object]]] = []

    def opening(*arguments: object, **options: object) -> SimpleNamespace:
        calls.append((arguments, options))
        closed: list[bool] = []
        return SimpleNamespace(close=lambda: closed.append(True), closed=closed)

    monkeypatch.setattr(warehouse_resource, "open_warehouse", opening)
    monkeypatch.setattr(warehouse_resource, "note_process", lambda *_: None)
    return calls


def context_of(*, in_run: bool) -> dg.InitResourceContext:
    run = SimpleNamespace(run_id="r") if in_run else None
    return cast(dg.InitResourceContext, SimpleNamespace(instance=object(), run=run))


def test_steps_of_a_run_share_a_warehouse_that_is_closed_after_it(
    opened: list[tuple[tuple[object, ...], dict[str, object]]],
) -> None:
    resource = WarehouseResource(address="here")
    resource.setup_for_execution(context_of(in_run=True))
    warehouse = resource.open()
    assert resource.open(5.0) is warehouse
    assert opened == [(("here",), {"idle_seconds": IDLE_SECONDS})]
    resource.teardown_after_execution(context_of(in_run=True))
    assert cast(SimpleNamespace, warehouse).closed == [True]


def test_outside_of_a_run_every_use_opens_its_own(opened: list[tuple[tuple[object, ...], dict[str, object]]]) -> None:
    resource = WarehouseResource(address="here")
    resource.setup_for_execution(context_of(in_run=False))
    assert resource.open(5.0) is not resource.open()
    assert [arguments for arguments, _ in opened] == [("here", 5.0), ("here", float("inf"))]
    resource.teardown_after_execution(context_of(in_run=False))
