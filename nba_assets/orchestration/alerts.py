"""Alerts: a line to a chat when a run fails, or ends with failed checks.

The message goes to the webhook that NBA_ASSETS_ALERT_WEBHOOK names, as `{"text": …}`, the form that Slack and its like
take; without the variable there are no alerts. An alert is a convenience: whatever goes wrong with it is logged in a
line, and neither fails a run nor holds anything up for longer than a few seconds. The webhook's address is a secret of
its own and is never written down.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from nba_assets.automation.planned_runs import PARTITION_TAG, RANGE_END_TAG, RANGE_START_TAG
from nba_assets.orchestration.launch import failed_steps
from nba_assets.settings import Settings, variables
from nba_assets.wording import listed

WEBHOOK_VARIABLE = variables()["alert_webhook"]
WEBSERVER_VARIABLE = "DAGSTER_WEBSERVER_URL"
"""Dagster's own name for the address of its UI."""

ATTEMPTS, TIMEOUT_SECONDS, PAUSE_SECONDS = 3, 4.0, 0.5
"""All in all, a webhook that does not answer costs an alert some 15 seconds of the minute that a sensor has."""
LONGEST_TEXT, LONGEST_LINE, SHOWN = 3000, 500, 10


class NotDeliveredError(Exception):
    """A webhook did not take a message; says why, without its address."""


class _TransientError(NotDeliveredError):
    """Another attempt may go through."""


def failure_text(instance: dg.DagsterInstance, run: dg.DagsterRun, why: str = "") -> str:
    """What is said of a run that failed: its failing steps in their own words, else `why`, and its failed checks."""
    steps = [f"{step}: {message}" for step, message in failed_steps(instance, run.run_id)]
    return _text(run, "failed", [*(steps or [why]), *_check_lines(instance, run.run_id)])


def checks_text(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str | None:
    """What is said of a run that succeeded with failed checks; None where all have passed."""
    lines = _check_lines(instance, run.run_id)
    return _text(run, "succeeded with failed checks", lines) if lines else None


def failed_checks(instance: dg.DagsterInstance, run_id: str) -> Iterator[tuple[str, str, list[str]]]:
    """The failed checks of a run: name with its asset, severity, and the failing dates that it names."""
    for record in instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records:
        event = record.event_log_entry.dagster_event
        if event is None or event.asset_check_evaluation_data.passed:
            continue
        check = event.asset_check_evaluation_data
        dates: Any = check.metadata["dates"].value if "dates" in check.metadata else []
        yield (
            f"{check.asset_key.to_user_string()}.{check.check_name}",
            check.severity.value,
            [str(day) for day in dates],
        )


def deliver(
    webhook: str, text: str, *, timeout_seconds: float = TIMEOUT_SECONDS, pause_seconds: float | None = None
) -> None:
    """Send a text to a webhook; raises NotDeliveredError where it does not take it.

    Another attempt is made where nobody answers, or the answer is that the fault is the webhook's own or that it is too
    busy.
    """
    attempting = Retrying(
        retry=retry_if_exception_type(_TransientError),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_exponential(PAUSE_SECONDS if pause_seconds is None else pause_seconds),
        reraise=True,
    )
    attempting(_post, webhook, text, timeout_seconds)


def _post(webhook: str, text: str, timeout_seconds: float) -> None:
    import requests

    try:
        answer = requests.post(webhook, json={"text": text}, timeout=timeout_seconds, allow_redirects=False)
    except (requests.ConnectionError, requests.Timeout) as error:
        # The library's own message holds the address.
        raise _TransientError(f"it could not be reached ({type(error).__name__})") from None
    except requests.RequestException as error:
        raise NotDeliveredError(
            f"{WEBHOOK_VARIABLE} is no address that can be sent to ({type(error).__name__})"
        ) from None
    if answer.status_code >= 500 or answer.status_code == requests.codes.too_many_requests:
        raise _TransientError(f"it answered {answer.status_code}")
    if not 200 <= answer.status_code < 300:
        raise NotDeliveredError(f"it answered {answer.status_code}")


def configured_webhook() -> str | None:
    """The webhook of the environment; whatever else is set wrongly there does not matter, for it may be what there is
    to tell.
    """
    webhook = Settings.from_environment({WEBHOOK_VARIABLE: os.environ.get(WEBHOOK_VARIABLE, "")}).alert_webhook
    return None if webhook is None else webhook.get_secret_value()


def alert(webhook: str, text: Callable[[], str | None], warn: Callable[[str], object]) -> None:
    """Send what `text` says, if it says anything, to a webhook.

    Never raises; what goes wrong is warned of in a line.
    """
    try:
        message = text()
        if message is not None:
            deliver(webhook, message)
    except NotDeliveredError as error:
        warn(f"the alert was not delivered: {error}")
    except (
        Exception
    ) as error:  # An alert that cannot be made must not become a failure of its own, whatever the reason.
        warn(f"the alert could not be made: {type(error).__name__}")


def _check_lines(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    return [
        f"check {name} ({severity}){': ' + listed(dates, SHOWN) if dates else ''}"
        for name, severity, dates in failed_checks(instance, run_id)
    ]


def _text(run: dg.DagsterRun, outcome: str, lines: list[str]) -> str:
    shown = [line[:LONGEST_LINE] for line in lines if line][:SHOWN]
    more = [f"and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
    address = os.environ.get(WEBSERVER_VARIABLE, "").strip().rstrip("/")
    body = "\n".join(
        [
            f"nba-assets: {run.job_name} of {partitions_of(run)} {outcome} (run {run.run_id})",
            *(f"• {line}" for line in shown),
            *more,
        ]
    )
    link = f"\n{address}/runs/{run.run_id}" if address else ""
    return _escaped(body)[:LONGEST_TEXT] + link


def partitions_of(run: dg.DagsterRun) -> str:
    """The partitions of a run in words."""
    if RANGE_START_TAG in run.tags:
        return f"{run.tags[RANGE_START_TAG]} to {run.tags[RANGE_END_TAG]}"
    return run.tags.get(PARTITION_TAG, "no partition")


def _escaped(text: str) -> str:
    """As Slack wants the three characters that it gives a meaning."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def alert_sensors() -> list[dg.SensorDefinition]:
    """The sensors that alert; running by themselves where the webhook is set when the definitions are loaded."""
    status = dg.DefaultSensorStatus.STOPPED if configured_webhook() is None else dg.DefaultSensorStatus.RUNNING

    # The same definitions may be served under another name than that which runs of the command line are recorded under.
    @dg.run_failure_sensor(
        name="alert_failed_runs",
        description=(
            f"Sends an alert to {WEBHOOK_VARIABLE} for runs that fail: job, dates, the failing steps' messages, failed "
            "checks"
        ),
        default_status=status,
        monitor_all_code_locations=True,
    )
    def failed_runs(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
        why = context.failure_event.message or ""
        return _tell(context, lambda: failure_text(context.instance, context.dagster_run, why))

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        name="alert_failed_checks",
        description=(
            f"Sends an alert to {WEBHOOK_VARIABLE} for runs that succeed with failed checks: job, dates, checks and "
            "the dates that they name"
        ),
        default_status=status,
        monitor_all_code_locations=True,
    )
    def runs_with_failed_checks(context: dg.RunStatusSensorContext) -> dg.SkipReason | None:
        return _tell(context, lambda: checks_text(context.instance, context.dagster_run))

    return [failed_runs, runs_with_failed_checks]


def _tell(context: dg.RunStatusSensorContext, text: Callable[[], str | None]) -> dg.SkipReason | None:
    webhook = configured_webhook()
    if webhook is None:
        return dg.SkipReason(f"{WEBHOOK_VARIABLE} is not set: no alerts are sent")
    alert(webhook, text, context.log.warning)
    return None
