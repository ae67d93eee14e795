"""What is in deploy/: valid and true without a container engine, a cluster or a project."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from string import Template
from typing import Any

import pytest
import yaml

from nba_assets.orchestration.event_log import BATCH_SIZE, BATCH_VARIABLE, PLANNED_SUBSET_VARIABLE
from nba_assets.orchestration.run_origin import CODE_LOCATION
from nba_assets.registry import ALL_TABLES
from nba_assets.settings import PREFIX, variables
from nba_assets_tests.dagster_server import PROJECT, free_port
from nba_assets_tests.postgres_server import postgres_server

DEPLOY = PROJECT / "deploy"
USER = 10001
WAIT_SECONDS = 120
POSTGRES_VARIABLES = {f"DAGSTER_POSTGRES_{name}" for name in ("HOST", "PORT", "USER", "PASSWORD", "DB")}
CHART_KEYS = {
    "global",
    "dagsterWebserver",
    "dagster-user-deployments",
    "postgresql",
    "generatePostgresqlPasswordSecret",
    "generateCeleryConfigSecret",
    "rabbitmq",
    "redis",
    "flower",
    "ingress",
    "imagePullSecrets",
    "computeLogManager",
    "scheduler",
    "runLauncher",
    "pythonLogs",
    "dagsterDaemon",
    "busybox",
    "migrate",
    "telemetry",
    "serviceAccount",
    "retention",
    "concurrency",
    "additionalInstanceConfig",
}
"""What Dagster's chart knows on its first level; Helm passes over anything else without a word."""


def read(name: str) -> Any:
    """A YAML file of deploy/."""
    return yaml.safe_load((DEPLOY / name).read_text())


@dataclass
class Image:
    """The steps of the Dockerfile, as far as it uses them, in a folder instead of a container."""

    folder: Path
    """What stands for the image's root."""
    environment: dict[str, str] = field(default_factory=dict)
    user: str = "0"
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    work: Path = field(default_factory=Path)

    def build(self, python: Path) -> None:
        """Carry out every instruction; RUN with the commands of `python`'s environment first."""
        for name, given in instructions():
            if name == "ENV":
                for pair in shlex.split(given):
                    key, value = pair.split("=", 1)
                    self.environment[key] = str(self.place(value)) if value.startswith("/") else value
            elif name == "WORKDIR":
                self.work = self.place(given)
                self.work.mkdir(parents=True)
            elif name == "COPY":
                self.copy(*given.split())
            elif name == "RUN":
                subprocess.run(["bash", "-euc", given], cwd=self.work, env=self.full(python), check=True)
            elif name == "USER":
                self.user = given
            elif name == "CMD":
                self.command = yaml.safe_load(given)
            elif name == "HEALTHCHECK":
                self.health = yaml.safe_load(given.split(" CMD ")[1])
            else:
                assert name in ("FROM", "EXPOSE"), f"the test does not know {name}"

    def copy(self, *words: str) -> None:
        """Copy from the project, links as they are."""
        *sources, target = (Template(word).substitute(self.environment) for word in words)
        place = Path(target) if target.startswith(str(self.folder)) else self.work / target
        (place if target.endswith("/") else place.parent).mkdir(parents=True, exist_ok=True)
        for source in sources:
            if (PROJECT / source).is_dir():
                shutil.copytree(PROJECT / source, place, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(PROJECT / source, place)

    def place(self, path: str) -> Path:
        """Where a path of the image is."""
        return self.folder / path.lstrip("/")

    def full(self, python: Path) -> dict[str, str]:
        """The environment of a container's process."""
        kept = {name: os.environ[name] for name in os.environ if name.startswith(("PIP_", "LANG"))}
        path = f"{python.parent}:{os.environ['PATH']}"
        return {**kept, "HOME": str(self.folder), "PATH": path, **self.environment}


def instructions() -> Iterator[tuple[str, str]]:
    """The instructions of the Dockerfile, comments left out and continued lines joined."""
    lines = [line for line in (DEPLOY / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            name, _, given = line.strip().partition(" ")
            yield name, given.strip()


def test_every_setting_that_is_named_exists() -> None:
    named = {
        name
        for file in DEPLOY.iterdir()
        for name in re.findall(rf"\b{PREFIX}[A-Z_]+", file.read_text(encoding="utf-8"))
    }
    assert named
    assert named <= set(variables().values())


def test_the_image_runs_as_nobody_in_particular_and_from_pinned_packages() -> None:
    steps = list(instructions())
    assert dict(steps)["USER"] == f"{USER}:{USER}"
    assert [name for name, _ in steps].index("USER") > max(
        place for place, (name, _) in enumerate(steps) if name in ("RUN", "COPY")
    )
    (install,) = [given for name, given in steps if name == "RUN" and "pip" in given]
    assert "-c constraints.txt" in install
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", dict(steps)["FROM"])
    assert "HEALTHCHECK" in dict(steps)
    assert f"{BATCH_VARIABLE}={BATCH_SIZE}" in dict(steps)["ENV"]
    assert f"{PLANNED_SUBSET_VARIABLE}=1" in dict(steps)["ENV"]


def test_nothing_but_what_the_image_copies_is_sent_to_the_builder() -> None:
    sent: list[str] = [line for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = [word for name, given in instructions() if name == "COPY" for word in given.split()[:-1]]
    assert sorted(line[1:] for line in sent) == sorted(copied)


def test_the_services_are_the_four_and_only_this_machine_reaches_the_ui() -> None:
    services = read("compose.yaml")["services"]
    assert set(services) == {"postgres", "code", "webserver", "daemon"}
    assert {name: service["ports"] for name, service in services.items() if "ports" in service} == {
        "webserver": ["127.0.0.1:3000:3000"]
    }
    for service in services.values():
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service.get("user") is None


def test_services_of_the_application_have_the_same_image_and_environment() -> None:
    services = read("compose.yaml")["services"]
    application = [service for name, service in services.items() if name != "postgres"]
    assert {service["image"] for service in application} == {f"nba-assets:{version('nba-assets')}"}
    for service in application:
        assert service["environment"] == application[0]["environment"]
    given = set(application[0]["environment"])
    assert given >= POSTGRES_VARIABLES
    assert given - POSTGRES_VARIABLES - {"DAGSTER_WEBSERVER_URL"} <= set(variables().values())


def test_no_file_holds_a_password() -> None:
    services = read("compose.yaml")["services"]
    for service, variable in (("postgres", "POSTGRES_PASSWORD"), ("code", "DAGSTER_POSTGRES_PASSWORD")):
        assert services[service]["environment"][variable].startswith("${DAGSTER_POSTGRES_PASSWORD:?")
    values = read("helm-values.yaml")
    assert "postgresqlPassword" not in values["postgresql"]
    assert values["generatePostgresqlPasswordSecret"] is False
    assert values["global"]["postgresqlSecretName"]


def test_the_code_server_is_where_the_others_look_for_it() -> None:
    (server,) = read("workspace.yaml")["load_from"]
    command = yaml.safe_load(dict(instructions())["CMD"])
    assert server["grpc_server"] == {
        "host": "code",
        "port": int(command[command.index("-p") + 1]),
        "location_name": CODE_LOCATION,
    }
    for name in ("webserver", "daemon"):
        assert read("compose.yaml")["services"][name]["command"][-1] == "/opt/dagster/dagster_home/workspace.yaml"


def test_the_values_are_those_of_dagster_s_chart() -> None:
    values = read("helm-values.yaml")
    assert set(values) <= CHART_KEYS
    assert values["postgresql"]["postgresqlScheme"] == "postgresql+psycopg2"
    assert values["dagsterDaemon"]["runCoordinator"]["type"] == "QueuedRunCoordinator"
    assert values["dagsterWebserver"]["service"]["type"] == "ClusterIP"
    images = [values["dagsterWebserver"]["image"], values["dagsterDaemon"]["image"]]
    deployments = values["dagster-user-deployments"]["deployments"]
    assert [deployment["image"] for deployment in deployments] == images[:1]
    assert images[0] == images[1]
    assert images[0]["tag"] == version("nba-assets")
    assert deployments[0]["includeConfigInLaunchedRuns"]["enabled"]
    environment = deployments[0]["env"]
    assert (environment[BATCH_VARIABLE], environment[PLANNED_SUBSET_VARIABLE]) == (BATCH_SIZE, "1")


def test_the_daemon_s_habits_are_those_of_the_shipped_instance() -> None:
    shipped = yaml.safe_load((PROJECT / "dagster.yaml").read_text())
    daemon = read("helm-values.yaml")["dagsterDaemon"]
    for section, own in (("run_monitoring", "runMonitoring"), ("run_retries", "runRetries")):
        assert {snake(name): value for name, value in daemon[own].items()} == shipped[section]
    queue = daemon["runCoordinator"]["config"]["queuedRunCoordinator"]
    assert queue["maxConcurrentRuns"] == shipped["concurrency"]["runs"]["max_concurrent_runs"]
    assert read("helm-values.yaml")["pythonLogs"] == {
        "managedPythonLoggers": shipped["python_logs"]["managed_python_loggers"]
    }


def test_the_run_launcher_s_configuration_is_one_that_it_takes() -> None:
    launcher = pytest.importorskip("dagster_k8s", reason="the extra nba-assets[kubernetes] is not installed")
    from dagster._config import process_config, resolve_to_config_type

    given = read("helm-values.yaml")["runLauncher"]
    assert given["type"] == "K8sRunLauncher"
    config = {snake(name): value for name, value in given["config"]["k8sRunLauncher"].items()}
    config["run_k8s_config"] = {snake(name): value for name, value in config["run_k8s_config"].items()}
    # The chart adds what follows by itself.
    config |= {
        "service_account_name": "nba-assets",
        "instance_config_map": "i",
        "dagster_home": "/opt/dagster/dagster_home",
    }
    config["postgres_password_secret"] = "nba-assets-postgres"
    checked = process_config(resolve_to_config_type(dict(launcher.K8sRunLauncher.config_type())), config)
    assert checked.success, [error.message for error in checked.errors or ()]


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


@pytest.mark.parametrize("prefix", ["nba", ""])
def test_the_account_may_write_its_own_datasets_and_nothing_else(prefix: str, tmp_path: Path) -> None:
    for command in ("gcloud", "bq"):
        stand_in = tmp_path / command
        stand_in.write_text(f'#!/bin/sh\nprintf "%s\\n" "{command} $*" >>"{tmp_path}/made"\n')
        stand_in.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    script = [str(DEPLOY / "iam.sh"), "p", "EU", prefix, "raw-files", "group:analysts@example.com"]
    subprocess.run(script, env=environment, check=True, timeout=60)
    made = (tmp_path / "made").read_text()
    account = "serviceAccount:nba-assets@p.iam.gserviceaccount.com"
    granted = re.findall(r"GRANT `roles/(\S+)` ON SCHEMA `p\.(\S+)` TO '(\S+)'", made)
    datasets = {table.dataset for table in ALL_TABLES.values()} | {"nba_staging"}
    before = f"{prefix}_" if prefix else ""
    assert {(role, name) for role, name, who in granted if who == account} == {
        ("bigquery.dataEditor", before + name) for name in datasets
    }
    assert {(role, name) for role, name, who in granted if who != account} == {
        ("bigquery.dataViewer", before + name) for name in ("nba_analytics", "nba_precompute")
    }
    on_project = re.findall(r"projects add-iam-policy-binding p --member (\S+) --role (\S+)", made)
    assert on_project == [(account, "roles/bigquery.jobUser"), (account, "roles/bigquery.readSessionUser")]
    assert re.findall(r"buckets add-iam-policy-binding (\S+) --member (\S+) --role (\S+)", made) == [
        ("gs://raw-files", account, "roles/storage.objectViewer")
    ]
    assert len(made.splitlines()) == len(granted) + 3


def test_the_workflow_runs_what_a_developer_runs() -> None:
    workflow = yaml.safe_load((PROJECT / ".github" / "workflows" / "ci.yml").read_text())
    assert workflow["permissions"] == {"contents": "read"}
    runs = [step.get("run", "") for job in workflow["jobs"].values() for step in job["steps"]]
    assert ".ci/run" in runs
    assert "make lint-deploy" in runs
    assert any(run.startswith("pip-audit ") for run in runs)


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="steps of an image run as root, which gives folders away")
def test_the_steps_of_the_image_give_a_code_server_that_is_healthy() -> None:
    with tempfile.TemporaryDirectory(prefix="image") as name, postgres_server() as database:
        folder = Path(name)
        folder.chmod(0o755)
        interpreter, user = interpreter_and_user()
        subprocess.run([interpreter, "-m", "venv", str(folder / "python")], check=True)
        python = folder / "python" / "bin" / "python"
        image = Image(folder)
        image.build(python)
        for volume in read("compose.yaml")["services"]["code"]["volumes"]:
            if volume.startswith("./"):
                source, target, _ = volume.split(":")
                shutil.copy(DEPLOY / source, image.place(target))
        assert image.user == f"{USER}:{USER}"
        port = str(free_port())
        command = [port if word == "4000" else "127.0.0.1" if word == "0.0.0.0" else word for word in image.command]
        environment = image.full(python) | dict(database)
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [str(python.parent / command[0]), *command[1:]],
                cwd=image.work,
                env=environment,
                user=user,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            until_it_listens(int(port), server, folder / "log")
            health = [port if word == "4000" else word for word in image.health]
            checked = subprocess.run(
                [str(python.parent / health[0]), *health[1:]], env=environment, user=user, check=False
            )
            assert checked.returncode == 0
        finally:
            server.terminate()
            server.wait(60)
        assert not (image.place("/opt/dagster/dagster_home") / "storage").exists()
        assert image.place("/var/lib/nba-assets").stat().st_uid == USER


def interpreter_and_user() -> tuple[str, int | None]:
    """An interpreter that the image's user can run, and that user; this one and root where there is none."""
    works = "import ensurepip, sys; sys.exit(sys.version_info < (3, 11))"
    for python in (sys.executable, "/usr/bin/python3"):
        place = Path(python).resolve()
        is_open = place.exists() and all(folder.stat().st_mode & 0o001 for folder in place.parents)
        if is_open and subprocess.run([python, "-c", works], check=False).returncode == 0:
            return python, USER
    return sys.executable, None


def until_it_listens(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for a server; AssertionError with what it printed where it ends or is silent."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)
