"""The raw contract as the documents have it."""

from __future__ import annotations

from pathlib import Path

from nba_assets.raw.contract_page import contract_page
from nba_assets.raw.tables import GAME_LINES, RAW_TABLES, TEAM_BOXSCORES

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "input.md"


def test_the_document_holds_the_contract_as_it_is() -> None:
    assert contract_page().strip() in DOCUMENT.read_text(encoding="utf-8"), (
        "replace it by what `python -m nba_assets.raw.contract_page` prints"
    )


def test_a_table_s_section_names_its_feed_key_required_columns_limits_and_rules() -> None:
    lines = contract_page([TEAM_BOXSCORES]).splitlines()
    assert lines[0] == "### `team_boxscores` (required, delivered in dates)"
    assert lines[2].endswith("A row is one team in one game; its key is `game_id`, `team_abbr`.")
    assert lines[4] == "- Never null: `game_id`, `game_date`, `team_abbr`"
    assert "- 0 to 250: `points`" in lines
    assert "- `fg_made_within_fg_attempted`: fg_made is at most fg_attempted" in lines
    assert "- `market_key`: one of spreads, totals" in contract_page([GAME_LINES]).splitlines()


def test_every_raw_table_has_a_section() -> None:
    assert all(f"### `{name}` (" in contract_page() for name in RAW_TABLES)
