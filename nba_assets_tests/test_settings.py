"""Settings from the environment."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from nba_assets.partitions import FIRST_DATE, OutsidePartitionsError, require_partitions
from nba_assets.settings import SETTINGS_FILE, Settings, SettingsError, settings_table


def test_everything_has_a_default_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_environment({})
    assert (settings.home, settings.landing) == (tmp_path / "var", str(tmp_path / "var" / "landing"))
    assert settings.warehouse == str(tmp_path / "var" / "nba.duckdb")
    assert (settings.enable_player_parallelization, settings.parallel_backend.value) == (True, "threads")


def test_a_home_moves_what_lives_in_it_and_nothing_else(tmp_path: Path) -> None:
    settings = Settings.from_environment({"NBA_ASSETS_HOME": str(tmp_path), "NBA_ASSETS_LANDING": "/elsewhere"})
    assert (settings.landing, settings.warehouse) == ("/elsewhere", str(tmp_path / "nba.duckdb"))


@pytest.mark.parametrize(
    ("value", "expected"), [("true", True), ("0", False), ("off", False), ("YES", True), ("", True)]
)
def test_toggles_take_what_people_write(value: str, expected: bool) -> None:
    assert Settings.from_environment({"ENABLE_TEAM_PARALLELIZATION": value}).enable_team_parallelization is expected


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ENABLE_PLAYER_PARALLELIZATION", "maybe"),
        ("NBA_ASSETS_PLAYER_WORKERS", "0"),
        ("NBA_ASSETS_PARALLEL_BACKEND", "fibers"),
        ("NBA_ASSETS_WAREHOUSE_WAIT_SECONDS", "soon"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_variable(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{variable}='{value}' cannot be used"):
        Settings.from_environment({variable: value})


def test_an_address_of_a_service_is_left_as_it_is() -> None:
    addresses = {"NBA_ASSETS_LANDING": "gs://bucket/raw", "NBA_ASSETS_WAREHOUSE": "bigquery://project/nba"}
    settings = Settings.from_environment(addresses)
    assert (settings.landing, settings.warehouse) == ("gs://bucket/raw", "bigquery://project/nba")
    with pytest.raises(SettingsError, match="is a bucket, and this command writes into a folder"):
        _ = settings.landing_folder


def test_the_page_of_settings_lists_every_setting() -> None:
    page = Path(__file__).resolve().parents[1].joinpath("docs", "settings.md").read_text()
    assert settings_table() in page


def test_a_variable_is_read_without_the_blanks_around_it() -> None:
    settings = Settings.from_environment(
        {"ENABLE_PLAYER_PARALLELIZATION": " no ", "NBA_ASSETS_PARALLEL_BACKEND": "processes\n"}
    )
    assert (settings.enable_player_parallelization, settings.parallel_backend.value) == (False, "processes")


def test_a_relative_home_is_where_it_was_when_it_was_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_environment({"NBA_ASSETS_HOME": "season/home", "NBA_ASSETS_WAREHOUSE": "other.duckdb"})
    monkeypatch.chdir("/")
    assert settings.landing == str(tmp_path / "season/home/landing")
    assert settings.warehouse == str(tmp_path / "other.duckdb")


def test_a_tilde_is_the_user_s_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Settings.from_environment({"NBA_ASSETS_HOME": "~/nba"}).warehouse == str(tmp_path / "nba/nba.duckdb")


def test_settings_made_in_code_derive_as_those_of_an_environment_do(tmp_path: Path) -> None:
    assert Settings(home=tmp_path) == Settings.from_environment({"NBA_ASSETS_HOME": str(tmp_path)})


@pytest.mark.parametrize(
    "variable", ["NBA_ASSETS_WAREHOUSE_WAIT_SECONDS", "NBA_ASSETS_READY_THRESHOLD_PCT", "NBA_ASSETS_HARD_FAILURE_SHARE"]
)
@pytest.mark.parametrize("value", ["nan", "inf", "-1"])
def test_a_measure_must_be_a_number_in_range(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{variable}='{value}' cannot be used"):
        Settings.from_environment({variable: value})


def test_the_first_partition_is_the_one_that_is_set(tmp_path: Path) -> None:
    """Read when the definitions are loaded, so that it takes a process of its own."""
    script = (
        "from datetime import date\nfrom nba_assets.orchestration.daily import DAILY\n"
        "from nba_assets.partitions import FIRST_DATE, require_partitions\n"
        "from nba_assets.raw.content_index import EARLIEST\nrequire_partitions(date(1996, 11, 1))\n"
        "print(FIRST_DATE, EARLIEST, DAILY.get_first_partition_key())\n"
    )
    environment = {**os.environ, "NBA_ASSETS_FIRST_DATE": "1996-07-01", "NBA_ASSETS_HOME": str(tmp_path)}
    found = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    assert found.stdout.split() == ["1996-07-01"] * 3


def test_a_date_without_a_partition_names_both_bounds_and_the_setting() -> None:
    require_partitions(FIRST_DATE)
    with pytest.raises(
        OutsidePartitionsError, match=r"^2020-06-30 lies outside .* from 2020-07-01 to .*NBA_ASSETS_FIRST_DATE"
    ):
        require_partitions(FIRST_DATE, FIRST_DATE - timedelta(days=1))


def test_a_date_to_come_is_not_advised_an_earlier_first_date() -> None:
    with pytest.raises(
        OutsidePartitionsError, match=r"US-Eastern\)\. A later date has its partition from its midnight"
    ):
        require_partitions(date(2099, 1, 1))


def test_what_the_environment_does_not_set_is_taken_from_the_file_in_the_home(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_text(
        "# a comment\nNBA_ASSETS_FIRST_DATE=2026-10-06\nNBA_ASSETS_BOOTSTRAP_DAYS=7\n"
    )
    settings = Settings.from_environment(
        {"NBA_ASSETS_HOME": str(tmp_path), "NBA_ASSETS_BOOTSTRAP_DAYS": "3", "NBA_ASSETS_FIRST_DATE": " "}
    )
    assert (settings.first_date, settings.bootstrap_days) == (date(2026, 10, 6), 3)


def test_a_wrong_value_in_the_file_of_the_home_is_named(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_text("NBA_ASSETS_PLAYER_WORKERS=none\n")
    with pytest.raises(SettingsError, match="NBA_ASSETS_PLAYER_WORKERS='none' cannot be used"):
        Settings.from_environment({"NBA_ASSETS_HOME": str(tmp_path)})


def test_a_home_that_is_a_file_or_within_one_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for home in (file, file / "home"):
        with pytest.raises(SettingsError, match=f"^NBA_ASSETS_HOME='{home}' cannot be used: {file} is not a folder; "):
            Settings.from_environment({"NBA_ASSETS_HOME": str(home)})
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    with pytest.raises(SettingsError, match=f"{link} is not a folder"):
        Settings.from_environment({"NBA_ASSETS_HOME": str(link)})
    link.unlink()
    link.symlink_to(tmp_path)
    assert Settings.from_environment({"NBA_ASSETS_HOME": str(link / "home")}).home == link / "home"


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [("NBA_ASSETS_FIRST_DATE", "soon", "input is too short"), ("NBA_ASSETS_HOME", __file__, "is not a folder")],
)
def test_a_setting_that_is_wrong_when_commands_are_imported_is_said_in_a_line(
    variable: str, value: str, said: str, tmp_path: Path
) -> None:
    given = {"NBA_ASSETS_HOME": str(tmp_path), variable: value}
    done = subprocess.run(
        [sys.executable, "-m", "nba_assets.cli", "failures"],
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{variable}={value!r} cannot be used: ")
    assert said in line
