"""Emulators and credentials that the tests of this package share."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from nba_assets_tests.gcp.adapter import close_all
from nba_assets_tests.gcp.emulators import PROJECT, BigQueryEmulator, bigquery_emulator, storage_emulator


@pytest.fixture(scope="session")
def bigquery_service() -> Iterator[BigQueryEmulator]:
    """An emulator of BigQuery."""
    with bigquery_emulator() as emulator:
        yield emulator
        close_all()


@pytest.fixture(scope="session")
def storage_service() -> Iterator[str]:
    """The address of an emulator of Cloud Storage."""
    with storage_emulator() as url:
        yield url


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Credentials of a made-up service account, whose tokens come from this process."""

    class Tokens(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200 if self.path == "/token" else 401)
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
