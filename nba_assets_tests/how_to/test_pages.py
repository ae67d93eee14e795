"""The steps of each how-to page, carried out on a copy of the project, pass the tests that the page names."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nba_assets_tests.how_to.page import Edit, Page, StepError

PROJECT = Path(__file__).resolve().parents[2]
PAGES = sorted((PROJECT / "docs" / "how-to").glob("*.md"))
COPIED = ("nba_assets", "nba_assets_tests", "docs", "pyproject.toml", "README.md", "dagster.yaml", "workspace.yaml")

pages = pytest.mark.parametrize("file", PAGES, ids=lambda file: file.stem)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the project, to be changed."""
    target = tmp_path / "project"
    for name in COPIED:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__", "images"))
        else:
            shutil.copy(source, target / name)
    return target


def run(command: str, project: Path) -> subprocess.CompletedProcess[str]:
    """Commands of a page, in a copy of the project and with its code; the first that fails ends them."""
    environment = os.environ | {
        "PYTHONPATH": str(project),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTEST_ADDOPTS": "-n 0 -p no:cacheprovider",
        # pytest takes the folder that all its sessions share away from other users, of whom a test beside may make use.
        "PYTEST_DEBUG_TEMPROOT": str(project.parent),
    }
    return subprocess.run(
        ["sh", "-ec", command], cwd=project, env=environment, capture_output=True, text=True, check=False
    )


def test_there_are_pages() -> None:
    assert {"add-a-feature", "add-a-table", "add-a-check", "add-a-provider"} <= {file.stem for file in PAGES}


@pages
def test_every_step_can_be_carried_out(file: Path, copy: Path) -> None:
    page = Page.read(file)
    assert page.edits
    assert page.commands
    for edit in page.edits:
        edit.apply(copy)
    for path in {edit.path for edit in page.edits}:
        ast.parse((copy / path).read_text(encoding="utf-8"), path)


def test_commands_run_the_code_of_the_copy(copy: Path) -> None:
    found = run('python -c "import nba_assets, nba_assets_tests as t; print(nba_assets.__file__, t.__file__)"', copy)
    assert [Path(file).is_relative_to(copy) for file in found.stdout.split()] == [True, True]


@pytest.mark.slow
@pages
def test_the_steps_lead_where_the_page_says(file: Path, copy: Path) -> None:
    page = Page.read(file)
    for edit in page.edits:
        edit.apply(copy)
    for command in page.commands:
        done = run(command, copy)
        assert done.returncode == 0, done.stdout + done.stderr


@pages
def test_every_link_of_a_page_leads_somewhere(file: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", file.read_text(encoding="utf-8"))
    assert [link for link in links if not (file.parent / link).exists()] == []


SOURCE = "ONE = 1\nNAMES = (\n    'a',\n)\n\n\ndef last() -> int:\n    return ONE\n"


@pytest.mark.parametrize(
    ("where", "anchor", "expected"),
    [
        ("after", "ONE = 1", "ONE = 1\nNEW\nNAMES"),
        ("before", "return ONE", "def last() -> int:\nNEW\n    return ONE\n"),
        ("in place of", "ONE = 1", "NEW\nNAMES"),
        ("at the end of", "NAMES", "    'a',\nNEW\n)\n"),
    ],
)
def test_a_block_goes_where_its_step_says(where: str, anchor: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(SOURCE)
    Edit("module.py", "NEW\n", where, anchor).apply(tmp_path)
    assert expected in (tmp_path / "module.py").read_text()


@pytest.mark.parametrize(
    ("step", "complaint"),
    [
        (Edit("module.py", "NEW\n", "after", "TWO = 2"), "module.py has 0 lines that read `TWO = 2`"),
        (Edit("module.py", "NEW\n", "after", "1"), "module.py has 0 lines"),
        (
            Edit("module.py", "NEW\n", "at the end of", "OTHERS"),
            "module.py has nothing at its top that begins with `OTHERS`",
        ),
        (Edit("module.py", "NEW\n", "beside", "ONE = 1"), "not 'beside'"),
        (Edit("other.py", "NEW\n", "after", "ONE = 1"), "there is no other.py"),
        (Edit("module.py", "NEW\n"), "module.py is there already"),
    ],
)
def test_a_step_that_does_not_fit_says_why(step: Edit, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(SOURCE)
    with pytest.raises(StepError, match=re.escape(complaint)):
        step.apply(tmp_path)


def test_a_page_is_read_in_order(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(
        "# Page\n\n1. New file `a.py`:\n\n```python\nA = 1\n```\n\nIn `b.py`, at the end of `NAMES`:\n\n"
        "```python\n    'b',\n```\n\nFor example:\n\n```python\nnot = a step\n```\n\nRun:\n\n```sh\ntrue\nfalse\n```\n"
    )
    page = Page.read(tmp_path / "page.md")
    assert page.edits == (Edit("a.py", "A = 1\n"), Edit("b.py", "    'b',\n", "at the end of", "NAMES"))
    assert page.commands == ("true\nfalse\n",)
    assert run(page.commands[0], tmp_path).returncode == 1
