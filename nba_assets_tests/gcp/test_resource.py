"""The warehouse of an address, opened through dagster-gcp's resource with Application Default Credentials."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from nba_assets.orchestration.google_cloud import bigquery_clients
from nba_assets.orchestration.opening import warehouse_kind
from nba_assets.orchestration.warehouse_resource import WarehouseResource
from nba_assets.warehouse.bigquery import BigQueryWarehouse
from nba_assets.warehouse.interface import Replacement
from nba_assets_tests.gcp.emulators import PROJECT, BigQueryEmulator
from nba_assets_tests.warehouse.back_ends import FIRST, TABLE, row, rows

pytestmark = pytest.mark.gcp


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Credentials of a made-up service account, whose tokens come from this process."""

    class Tokens(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps({"access_token": "t", "expires_in": 3600, "token_type": "Bearer"}).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Tokens)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": "k",
        "private_key": key.decode(),
        "client_email": f"nba@{PROJECT}.iam.gserviceaccount.com",
        "token_uri": f"http://127.0.0.1:{server.server_address[1]}/token",
    }
    file = tmp_path / "account.json"
    file.write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    yield file
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_address_opens_the_warehouse_that_it_names(
    bigquery_service: BigQueryEmulator, credentials: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", bigquery_service.url)
    monkeypatch.setenv("NBA_ASSETS_WAREHOUSE", f"bigquery://{PROJECT}/t{uuid.uuid4().hex}?location=US")
    warehouse = WarehouseResource().open(longest_wait=10)
    assert isinstance(warehouse, BigQueryWarehouse)
    assert (warehouse_kind(), warehouse.wait_seconds) == ("bigquery", 10)
    warehouse.replace([Replacement(TABLE, rows(row(FIRST, "a")), [FIRST])])
    assert [status.row_count for status in warehouse.status([TABLE])] == [1]
    client, reader = bigquery_clients(PROJECT, "US")
    client.close()
    reader.transport.close()
    bigquery_clients.cache_clear()
