"""Below the real clients of BigQuery: what counts their calls, makes them fail, and does what the emulator does not do
as the service does it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import grpc
import requests
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from google.cloud.bigquery_storage import BigQueryReadClient
from google.cloud.bigquery_storage_v1.services.big_query_read.transports import BigQueryReadGrpcTransport
from requests.adapters import HTTPAdapter

from nba_assets.warehouse.address import BigQueryAddress
from nba_assets.warehouse.bigquery import BigQueryWarehouse
from nba_assets_tests.gcp.emulators import PROJECT, BigQueryEmulator

BEFORE, LOST = "before the call", "after the call, its response lost"
ERRORS = {
    "403 rateLimitExceeded": (403, "rateLimitExceeded", "Exceeded rate limits"),
    "500": (500, "backendError", "An internal error occurred"),
    "503": (503, "backendError", "The service is currently unavailable"),
    "conflict": (400, "invalidQuery", "Transaction is aborted due to concurrent update against table t. Try again"),
    "409": (409, "duplicate", "Already Exists: Job"),
    "denied": (403, "accessDenied", "Access Denied"),
}
"""Status, reason and message of what the service answers."""
FAULTS = (BEFORE, LOST, "403 rateLimitExceeded", "500", "503")
"""What may happen to any call, and passes."""


@dataclass
class Calls:
    """The calls of a client, in order, and which of them fail, counted from zero."""

    made: list[str] = field(default_factory=list)
    faults: dict[int, str] = field(default_factory=dict)
    """By place of the call."""
    conflicts: int = 0
    """So many scripts lose against another one."""
    queries: list[dict[str, Any]] = field(default_factory=list)
    """The configurations of all jobs that were sent."""

    def begin(self, name: str) -> str | None:
        """Note a call; returns what happens to it."""
        self.made.append(name)
        return self.faults.get(len(self.made) - 1)

    def count(self, *names: str) -> int:
        """How many calls of these names there were."""
        return sum(name in names for name in self.made)


class ServiceAdapter(HTTPAdapter):  # type: ignore[misc]
    """What a client's session sends through: the emulator, as the service is."""

    def __init__(self, calls: Calls) -> None:
        super().__init__()
        self.calls = calls
        self.job_ids: set[str] = set()
        self.ids: dict[str, str] = {}
        """The emulator's ids of load jobs, by the ids that were chosen."""
        self.uploads: dict[str, str] = {}
        """The job id of each upload that was begun, by the upload's address."""
        self.uploaded: dict[str, requests.Response] = {}
        """What was answered to each upload that is complete: the same is answered when its end is sent again."""

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        """Send a request, unless it is to fail; a job id is accepted once."""
        body = _body(request)
        name = _name(request, body)
        fault = self.calls.begin(name)
        if fault == BEFORE:
            raise requests.ConnectionError("refused")
        if fault is not None and fault != LOST:
            return _answer(request, *ERRORS[fault])
        if name in {"load", "query"}:
            job_id = body["jobReference"]["jobId"]
            if job_id in self.job_ids:
                return _answer(request, *ERRORS["409"])
            self.calls.queries.append(body["configuration"])
            if "BEGIN TRANSACTION" in body["configuration"].get("query", {}).get("query", "") and self.calls.conflicts:
                self.calls.conflicts -= 1
                return _answer(request, *ERRORS["conflict"])
        for chosen, given in self.ids.items():
            request.url = (request.url or "").replace(chosen, given)
        if request.url in self.uploaded:
            return self.uploaded[request.url]
        response = super().send(request, *arguments, **options)
        if name == "query" and response.ok:
            self.job_ids.add(job_id)
        if name == "load" and response.ok:
            self.uploads[response.headers["Location"]] = job_id
        if name == "upload" and response.ok and request.url in self.uploads:
            assert response.content
            self.job_ids.add(self.uploads[request.url])
            self.uploaded[request.url] = self._under_its_id(response, self.uploads[request.url])
        if name == "PATCH table" and response.ok:
            self._add_columns(request, body, **options)
        if fault == LOST:
            # Read to its end, which gives the connection back.
            assert response.content is not None
            raise requests.ConnectionError("the response was lost")
        return response

    def _under_its_id(self, response: requests.Response, chosen: str) -> requests.Response:
        """The emulator gives a load job an id of its own."""
        job = response.json()
        self.ids[chosen] = job["jobReference"]["jobId"]
        response._content = json.dumps(job | {"jobReference": job["jobReference"] | {"jobId": chosen}}).encode()
        return response

    def _add_columns(self, request: requests.PreparedRequest, body: Any, **options: Any) -> None:
        """The emulator changes the catalogue alone by a patch, and the data alone by a statement."""
        assert request.url is not None
        path = re.search(r"(.*)/projects/([^/]+)/datasets/([^/]+)/tables/([^/?]+)", request.url)
        assert path is not None
        base, project, *place = path.groups()
        for column in body["schema"]["fields"]:
            kind = f"ARRAY<{column['type']}>" if column["mode"] == "REPEATED" else column["type"]
            kind = kind.replace("INTEGER", "INT64").replace("FLOAT>", "FLOAT64>")
            kind = {"FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}.get(kind, kind)
            statement = f"ALTER TABLE `{project}.{'.'.join(place)}` ADD COLUMN IF NOT EXISTS `{column['name']}` {kind}"
            query = {"query": statement, "useLegacySql": False}
            added = requests.Request("POST", f"{base}/projects/{project}/queries", json=query).prepare()
            super().send(added, **options).raise_for_status()


class ServiceReader:
    """A client of the Storage Read API whose calls are counted, and fail where they are to."""

    def __init__(self, client: BigQueryReadClient, calls: Calls) -> None:
        self.client = client
        self.calls = calls
        self.requests: list[Any] = []

    def create_read_session(self, **request: Any) -> Any:
        """As the client has it."""
        self._begin("create_read_session")
        self.requests.append(request["read_session"])
        return self.client.create_read_session(**request)

    def read_rows(self, name: str) -> Iterable[Any]:
        """As the client has it."""
        self._begin("read_rows")
        return self.client.read_rows(name)

    def _begin(self, name: str) -> None:
        if self.calls.begin(name) is not None:
            raise exceptions.ServiceUnavailable("the stream broke")


OPENED: list[Any] = []
"""Clients and channels that this process has opened."""


def close_all() -> None:
    """Close what `open_emulated` has opened."""
    while OPENED:
        OPENED.pop().close()


def open_emulated(
    emulator: BigQueryEmulator, prefix: str, wait_seconds: float = 60.0, calls: Calls | None = None
) -> BigQueryWarehouse:
    """The warehouse of an emulator, through real clients."""
    calls = calls if calls is not None else Calls()
    client = bigquery.Client(
        project=PROJECT,
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": emulator.url},
        location="US",
    )
    client._http.mount("http://", ServiceAdapter(calls))
    channel = grpc.insecure_channel(
        f"127.0.0.1:{emulator.grpc_port}", options=[("grpc.max_receive_message_length", -1)]
    )
    OPENED.extend((client, channel))
    reader = ServiceReader(BigQueryReadClient(transport=BigQueryReadGrpcTransport(channel=channel)), calls)
    address = BigQueryAddress.parse(f"bigquery://{PROJECT}/{prefix}")
    return BigQueryWarehouse(address, client, reader, wait_seconds)


def _name(request: requests.PreparedRequest, body: Any) -> str:
    """What a request does."""
    url = request.url or ""
    if isinstance(body, dict) and "jobReference" in body and "configuration" in body:
        return "load" if "load" in body["configuration"] else "query"
    if "/upload/" in url:
        return "upload"
    kind = next((kind for kind in ("jobs", "queries", "tables", "datasets") if f"/{kind}" in url), "other")
    return f"{request.method} {kind.removesuffix('s') if kind != 'queries' else 'query'}"


def _body(request: requests.PreparedRequest) -> Any:
    try:
        return json.loads(request.body or b"null")
    except (TypeError, ValueError):
        return None


def _answer(request: requests.PreparedRequest, status: int, reason: str, message: str) -> requests.Response:
    response = requests.Response()
    response.status_code, response.request, response.url = status, request, request.url or ""
    error = {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}
    response._content = json.dumps({"error": error}).encode()
    response.headers["Content-Type"] = "application/json"
    return response
