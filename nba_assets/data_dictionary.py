"""The data dictionary of all tables as a folder of Markdown pages.

`python -m nba_assets.data_dictionary` writes it to `docs/tables`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nba_assets.registry import ALL_TABLES, description
from nba_assets.tables.dictionary import index_page, table_page

FOLDER = Path("docs") / "tables"


def pages() -> Mapping[str, str]:
    """The pages by file name: an index, and a page per table."""
    found = {"README.md": index_page(list(ALL_TABLES.values()))}
    for name, table in ALL_TABLES.items():
        readers = [other for other in ALL_TABLES.values() if any(source.table is table for source in other.inputs)]
        found[f"{name}.md"] = table_page(table, description(table), readers)
    return found


def write_pages(folder: Path) -> None:
    """Write the pages into a folder; pages of tables that are no more are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    current = pages()
    for file in folder.glob("*.md"):
        if file.name not in current:
            file.unlink()
    for name, page in current.items():
        (folder / name).write_text(page, encoding="utf-8")


if __name__ == "__main__":
    write_pages(FOLDER)
