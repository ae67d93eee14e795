"""Alerts, sent to real servers on the loopback: what is said, and that nothing that goes wrong with them spreads."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
import requests

from nba_assets.orchestration.alerts import NotDeliveredError, alert, alert_sensors, checks_text, deliver, failure_text

SECRET = "T00000000/B00000000/XXXXXXXX"


@dataclass
class Webhook:
    """A server that takes messages; each is answered with the next of `statuses`, the last one for ever, or not at
    all.
    """

    address: str = ""
    statuses: list[int] = field(default_factory=lambda: [200])
    hangs: bool = False
    messages: list[dict[str, str]] = field(default_factory=list)
    enough: threading.Event = field(default_factory=threading.Event)

    @property
    def texts(self) -> list[str]:
        return [message["text"] for message in self.messages]


@contextmanager
def server(webhook: Webhook) -> Iterator[Webhook]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            webhook.messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            if webhook.hangs:
                webhook.enough.wait(30)
                return
            self.send_response(webhook.statuses[min(len(webhook.messages), len(webhook.statuses)) - 1])
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
    thread.start()
    webhook.address = f"http://127.0.0.1:{listening.server_address[1]}/services/{SECRET}"
    try:
        yield webhook
    finally:
        webhook.enough.set()
        listening.shutdown()
        thread.join()
        listening.server_close()


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with server(Webhook()) as running:
        yield running


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


DAYS = dg.DailyPartitionsDefinition("2021-10-19", end_date="2022-06-17")


@dg.asset(
    partitions_def=DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    check_specs=[dg.AssetCheckSpec("coverage", asset="sheet")],
)
def sheet(context: dg.AssetExecutionContext) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
    passed = "well" in context.run.tags
    dates = [f"2021-11-{day:02d}" for day in range(1, 13)]
    yield dg.AssetCheckResult(
        check_name="coverage",
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={} if passed else {"dates": dates},
    )
    yield dg.MaterializeResult()


@dg.asset(partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run(), deps=[sheet])
def broken() -> None:
    raise dg.Failure("broken was left as it was, because 3 < 5 & more")


@dg.asset
def unforeseen() -> None:
    raise ZeroDivisionError("no such ratio")


RANGE = {"dagster/asset_partition_range_start": "2021-11-01", "dagster/asset_partition_range_end": "2021-11-12"}


def run_of(instance: dg.DagsterInstance, *assets: dg.AssetsDefinition, **tags: str) -> dg.DagsterRun:
    result = dg.materialize([*assets], instance=instance, tags=tags, raise_on_error=False)
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    return run


def test_a_failed_run_is_told_of_with_dates_steps_and_checks(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_WEBSERVER_URL", "http://ui.example:3000/")
    run = run_of(instance, sheet, broken, **RANGE)
    assert failure_text(instance, run).splitlines() == [
        f"nba-assets: {run.job_name} of 2021-11-01 to 2021-11-12 failed (run {run.run_id})",
        "• broken: broken was left as it was, because 3 &lt; 5 &amp; more",
        "• check sheet.coverage (WARN): " + ", ".join(f"2021-11-{day:02d}" for day in range(1, 11)) + " and 2 more",
        f"http://ui.example:3000/runs/{run.run_id}",
    ]


def test_an_unforeseen_error_is_told_by_its_name(instance: dg.DagsterInstance) -> None:
    run = run_of(instance, unforeseen)
    headline, said = failure_text(instance, run).splitlines()
    assert headline.endswith(f"of no partition failed (run {run.run_id})")
    assert said == "• unforeseen: ZeroDivisionError: no such ratio"


def test_a_run_that_never_began_is_told_of_with_what_dagster_says(instance: dg.DagsterInstance) -> None:
    run = instance.create_run_for_job(
        dg.Definitions([unforeseen], jobs=[dg.define_asset_job("all")]).resolve_job_def("all")
    )
    assert failure_text(instance, run, "no worker").splitlines()[1:] == ["• no worker"]


def test_only_failed_checks_are_worth_a_word_of_a_run_that_succeeded(instance: dg.DagsterInstance) -> None:
    warned = run_of(instance, sheet, **{"dagster/partition": "2021-11-15"})
    text = checks_text(instance, warned)
    assert text is not None
    assert (
        text.splitlines()[0]
        == f"nba-assets: {warned.job_name} of 2021-11-15 succeeded with failed checks (run {warned.run_id})"
    )
    assert text.splitlines()[1].startswith("• check sheet.coverage (WARN): 2021-11-01")
    assert checks_text(instance, run_of(instance, sheet, well="yes", **{"dagster/partition": "2021-11-15"})) is None


def test_long_messages_are_cut(instance: dg.DagsterInstance) -> None:
    @dg.asset
    def wordy() -> None:
        raise dg.Failure("word " * 10_000)

    assert len(failure_text(instance, run_of(instance, wordy))) < 1_000


def test_a_message_arrives_as_slack_wants_it(webhook: Webhook) -> None:
    deliver(webhook.address, "a run failed")
    assert webhook.messages == [{"text": "a run failed"}]


def test_a_webhook_that_is_out_of_order_for_a_moment_is_tried_again(webhook: Webhook) -> None:
    webhook.statuses = [500, 429, 200]
    deliver(webhook.address, "again", pause_seconds=0)
    assert webhook.texts == ["again"] * 3


@pytest.mark.parametrize(
    ("status", "is_taken"), [(199, False), (200, True), (204, True), (299, True), (300, False), (499, False)]
)
def test_only_statuses_of_the_two_hundreds_mean_that_a_message_was_taken(
    status: int, is_taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "post", lambda *_, **__: SimpleNamespace(status_code=status))
    with nullcontext() if is_taken else pytest.raises(NotDeliveredError, match=f"it answered {status}"):
        deliver("http://nowhere.example", "a run failed")


@pytest.mark.parametrize(("status", "times"), [(500, 3), (404, 1), (302, 1)])
def test_a_webhook_that_refuses_is_given_up(webhook: Webhook, status: int, times: int) -> None:
    webhook.statuses = [status]
    with pytest.raises(NotDeliveredError, match=f"it answered {status}"):
        deliver(webhook.address, "refused", pause_seconds=0)
    assert len(webhook.messages) == times


def test_a_webhook_that_hangs_is_not_waited_for(webhook: Webhook) -> None:
    webhook.hangs = True
    began = time.monotonic()
    with pytest.raises(NotDeliveredError, match="could not be reached"):
        deliver(webhook.address, "hanging", timeout_seconds=0.2, pause_seconds=0)
    assert time.monotonic() - began < 5
    assert len(webhook.messages) == 3


@pytest.mark.parametrize(
    "address",
    [f"http://127.0.0.1:9/services/{SECRET}", f"hooks.example/services/{SECRET}", f"ftp://127.0.0.1/{SECRET}"],
)
def test_whatever_goes_wrong_is_one_line_without_the_address(
    address: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nba_assets.orchestration.alerts.PAUSE_SECONDS", 0)
    warnings: list[str] = []
    with caplog.at_level("INFO"):
        alert(address, lambda: "a run failed", warnings.append)
    (warning,) = warnings
    assert warning.startswith("the alert was not delivered: ")
    assert SECRET not in warning + caplog.text


def test_a_message_that_cannot_be_made_is_one_line_as_well(webhook: Webhook) -> None:
    def text() -> str:
        raise KeyError(SECRET)

    warnings: list[str] = []
    alert(webhook.address, text, warnings.append)
    assert (warnings, webhook.messages) == (["the alert could not be made: KeyError"], [])


def test_sensors_run_by_themselves_only_where_a_webhook_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {sensor.default_status for sensor in alert_sensors()} == {dg.DefaultSensorStatus.STOPPED}
    monkeypatch.setenv("NBA_ASSETS_ALERT_WEBHOOK", "http://127.0.0.1:9/")
    assert {sensor.default_status for sensor in alert_sensors()} == {dg.DefaultSensorStatus.RUNNING}


class Ticking:
    """A sensor as the daemon ticks it: with a cursor, over an instance."""

    def __init__(self, sensor: dg.SensorDefinition, instance: dg.DagsterInstance) -> None:
        self.sensor, self.instance = sensor, instance
        self.cursor: str | None = None
        self.tick()

    def tick(self) -> str | None:
        """Returns why the tick was skipped."""
        definitions = dg.Definitions([sheet, broken, unforeseen], sensors=[self.sensor])
        with dg.build_sensor_context(
            self.instance, cursor=self.cursor, repository_def=definitions.get_repository_def()
        ) as context:
            found = self.sensor.evaluate_tick(context)
        self.cursor = found.cursor
        return found.skip_message


def test_the_sensors_tell_of_each_run_once(
    instance: dg.DagsterInstance, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NBA_ASSETS_ALERT_WEBHOOK", webhook.address)
    monkeypatch.setenv("NBA_ASSETS_PLAYER_WORKERS", "none: this is what fails the runs")
    failures, checks = (Ticking(sensor, instance) for sensor in alert_sensors())
    failed = run_of(instance, sheet, broken, **RANGE)
    warned = run_of(instance, sheet, **{"dagster/partition": "2021-11-15"})
    run_of(instance, sheet, well="yes", **{"dagster/partition": "2021-11-16"})
    for _ in range(3):
        failures.tick()
        checks.tick()
    assert [text.splitlines()[0].split("(run ")[1] for text in webhook.texts] == [
        f"{failed.run_id})",
        f"{warned.run_id})",
    ]


def test_a_sensor_without_a_webhook_says_why_it_does_nothing(instance: dg.DagsterInstance) -> None:
    failures = Ticking(alert_sensors()[0], instance)
    run_of(instance, unforeseen)
    assert failures.tick() == "NBA_ASSETS_ALERT_WEBHOOK is not set: no alerts are sent"


def test_a_sensor_outlives_a_webhook_that_refuses(
    instance: dg.DagsterInstance, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nba_assets.orchestration.alerts.PAUSE_SECONDS", 0)
    monkeypatch.setenv("NBA_ASSETS_ALERT_WEBHOOK", webhook.address)
    webhook.statuses = [500, 500, 500, 200]
    failures = Ticking(alert_sensors()[0], instance)
    run_of(instance, unforeseen)
    failures.tick()
    second = run_of(instance, unforeseen)
    failures.tick()
    assert len(webhook.messages) == 4
    assert second.run_id in webhook.texts[-1]
