"""Which back end an address means, and what it says of BigQuery."""

from __future__ import annotations

import pytest

from nba_assets.warehouse.address import AddressError, BigQueryAddress, is_bigquery, kind_of


@pytest.mark.parametrize(
    ("address", "kind"),
    [("/home/me/var/nba.duckdb", "duckdb"), ("bigquery://my-project/nba", "bigquery"), ("/bigquery/nba", "duckdb")],
)
def test_an_address_names_its_kind(address: str, kind: str) -> None:
    assert kind_of(address) == kind
    assert is_bigquery(address) is (kind == "bigquery")


def test_the_parts_of_an_address() -> None:
    address = BigQueryAddress.parse("bigquery://my-project/nba?location=EU&max_gb=5")
    assert address == BigQueryAddress("my-project", "nba", "EU", 5)
    assert address.maximum_bytes_billed == 5_000_000_000
    assert address.dataset("nba_raw") == "my-project.nba_nba_raw"


@pytest.mark.parametrize("address", ["bigquery://my-project", "bigquery://my-project/"])
def test_prefix_and_options_may_be_left_out(address: str) -> None:
    assert BigQueryAddress.parse(address) == BigQueryAddress("my-project", "", "US", 100)
    assert BigQueryAddress.parse(address).dataset("nba_raw") == "my-project.nba_raw"


@pytest.mark.parametrize(
    "address",
    [
        "bigquery:///nba",
        "bigquery://my-project/nba/more",
        "bigquery://my-project/n`ba",
        "bigquery://my-project/nba?place=EU",
        "bigquery://My Project/nba",
        "nba.duckdb",
    ],
)
def test_what_names_no_warehouse_is_said_with_an_example(address: str) -> None:
    with pytest.raises(AddressError, match=r"names no BigQuery warehouse; write bigquery://PROJECT/PREFIX"):
        BigQueryAddress.parse(address)


def test_a_bound_that_is_no_number_is_named() -> None:
    with pytest.raises(AddressError, match="max_gb=much of"):
        BigQueryAddress.parse("bigquery://my-project/nba?max_gb=much")
