"""The data dictionary in the documents: current, whole, and every link of it leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nba_assets.data_dictionary import FOLDER, pages, write_pages
from nba_assets.registry import ALL_TABLES, TABLE_MODULES

DOCUMENTS = Path(__file__).resolve().parents[1] / FOLDER


def test_the_documents_hold_the_dictionary_as_it_is() -> None:
    stored = {file.name: file.read_text(encoding="utf-8") for file in DOCUMENTS.glob("*.md")}
    assert stored == pages(), "write it anew: `python -m nba_assets_tests.record`"


@pytest.mark.parametrize("name", ALL_TABLES)
def test_the_page_of_a_table_says_everything_that_is_declared(name: str) -> None:
    table, page = ALL_TABLES[name], pages()[f"{name}.md"]
    assert page.startswith(f"# {table.qualified_name}\n\n")
    assert f"- Grain: {table.grain}\n- Key: {', '.join(table.key)}\n" in page
    assert all(f"| {column} |" in page for column in table.column_names)
    assert all(f"- Rule `{rule.name}`: " in page for rule in table.rules)
    assert page.count("- Reads [") == len(table.inputs)
    assert all(f"- Reads [{source.table.name}]({source.table.name}.md)" in page for source in table.inputs)


def test_the_page_of_a_computed_table_says_what_its_module_does_and_names_its_readers() -> None:
    page = pages()["upcoming_team_game_context.md"]
    assert str(TABLE_MODULES["upcoming_team_game_context"].__doc__).splitlines()[0] in page
    assert "- Read by [player_composite_factors](player_composite_factors.md)\n" in page


def test_every_link_leads_to_a_page() -> None:
    assert {link for page in pages().values() for link in re.findall(r"\]\(([^)]+)\)", page)} <= set(pages())
    assert set(pages()) == {"README.md", *(f"{name}.md" for name in ALL_TABLES)}


def test_writing_removes_the_page_of_a_table_that_is_no_more(tmp_path: Path) -> None:
    (tmp_path / "old_table.md").write_text("gone")
    write_pages(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == set(pages())
