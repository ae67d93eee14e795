"""Writes anew what is on record of the tables: the pages of the data dictionary, the contracts, and the digests of a
simulated league.

`python -m nba_assets_tests.record`; the tests of each say what a difference means.
"""

from __future__ import annotations

from nba_assets.data_dictionary import FOLDER, write_pages
from nba_assets_tests.tables import test_code_versions, test_contracts

if __name__ == "__main__":
    write_pages(FOLDER)
    test_contracts.record()
    test_code_versions.record()
