"""Which back end an address means: `bigquery://PROJECT/PREFIX?location=EU`, or the path of a DuckDB file.

It does not open anything: `orchestration.opening` does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs

SCHEME = "bigquery://"
DEFAULT_LOCATION = "US"


class AddressError(ValueError):
    """An address that names no warehouse; the message says what one looks like."""


@dataclass(frozen=True)
class BigQueryAddress:
    """Where tables live in BigQuery: in the datasets `PREFIX_nba_raw` and so on of a project, or `nba_raw` without a
    prefix.
    """

    project: str
    prefix: str
    location: str
    maximum_gigabytes: int = 100
    """What a query may bill at most."""

    @property
    def maximum_bytes_billed(self) -> int:
        """What a query may bill at most, in bytes."""
        return self.maximum_gigabytes * 10**9

    @classmethod
    def parse(cls, address: str) -> BigQueryAddress:
        """The parts of an address.

        >>> BigQueryAddress.parse("bigquery://my-project/nba?location=EU")
        BigQueryAddress(project='my-project', prefix='nba', location='EU', maximum_gigabytes=100)
        """
        parts = parts_of(address)
        if parts is None or parts[2].keys() - {"location", "max_gb"}:
            raise AddressError(
                f"{address!r} names no BigQuery warehouse; write bigquery://PROJECT/PREFIX?location=EU, with letters, "
                "digits and underscores in the prefix of the datasets"
            )
        project, prefix, options = parts
        gigabytes = options.get("max_gb", "100")
        if not is_whole_number(gigabytes):
            raise AddressError(f"max_gb={gigabytes} of {address!r} is no whole number of gigabytes")
        return cls(project, prefix, options.get("location", DEFAULT_LOCATION), int(gigabytes))

    def dataset(self, name: str) -> str:
        """The full name of a dataset."""
        return f"{self.project}.{self.prefix}_{name}" if self.prefix else f"{self.project}.{name}"


def parts_of(address: str) -> tuple[str, str, dict[str, str]] | None:
    """Project, path and options of bigquery://PROJECT/PATH?NAME=VALUE, the first value of each; None for any other
    text.
    """
    found = re.fullmatch(rf"{SCHEME}([a-z][a-z0-9.:-]*)/?(\w*)/?(?:\?(.*))?", address, re.ASCII)
    if not found:
        return None
    project, path, query = found.groups()
    return project, path, {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}


def is_whole_number(text: str) -> bool:
    """Whether a text is a number of plain digits."""
    return re.fullmatch("[0-9]+", text) is not None


def is_bigquery(address: str) -> bool:
    """Whether an address means BigQuery; it means a file otherwise."""
    return address.startswith(SCHEME)


def kind_of(address: str) -> str:
    """What Dagster shows as the kind of assets that are stored there."""
    return "bigquery" if is_bigquery(address) else "duckdb"
