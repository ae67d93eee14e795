"""Which faults are put into a module, and which never are."""

from __future__ import annotations

from pathlib import Path

import pytest

from nba_assets_tests.mutation.mutants import mutants_of


def faults(folder: Path, text: str) -> list[str]:
    (folder / "module.py").write_text(text)
    return [mutant.applied(text) for mutant in mutants_of(folder, "module.py")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("seen = reported < tip", ["seen = (reported <= tip)"]),
        ("seen = a == b != c", ["seen = (a != b != c)", "seen = (a == b == c)"]),
        ("SURE = 0.44", ["SURE = (0.43)", "SURE = (0.45)"]),
        ("DAYS = 30", ["DAYS = (29)", "DAYS = (31)"]),
        ("PACE = 100.0", ["PACE = (101.0)", "PACE = (99.0)"]),
        ("known = not done", ["known = (done)"]),
        ("both = one and two", ["both = (one or two)"]),
        ("if rows:\n    done = 'yes'", ["if (not rows):\n    done = 'yes'"]),
        ("new = rows[:stop]", ["new = (rows[:])"]),
        ("most = max(values)", ["most = (min(values))"]),
        ("every = known.all()", ["every = (known.any)()"]),
        ("place = search(dates, day, side='left')", ["place = search(dates, day, side=('right'))"]),
        ("unknown = np.nan", ["unknown = (0.0)"]),
        ("kept = [row for row in rows if row]", ["kept = [row for row in rows]"]),
        ("ł, b = 'ł', a - b", ["ł, b = 'ł', (a + b)"]),
    ],
)
def test_each_kind_of_fault(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert sorted(
        fault.replace("([row for row in rows])", "[row for row in rows]") for fault in faults(tmp_path, text)
    ) == sorted(expected)


def test_text_annotations_and_logs_have_no_faults(tmp_path: Path) -> None:
    text = '''
import numpy as np

def told(count: int | None) -> str:
    """At least 1."""
    log.info("%s", count + 1)
    return f"{count + 1} more"

class Known:
    left: int | None

    def __repr__(self):
        return 1 + 1
'''
    assert faults(tmp_path, text) == []


def test_a_fault_knows_the_lines_that_show_it(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(
        "DAYS = 30\n\ndef recent(day, days=7):\n    start = day\n    return start - (\n        days\n    )\n"
    )
    found = {mutant.old: mutant for mutant in mutants_of(tmp_path, "module.py")}
    assert (found["30"].in_function, found["30"].names) == (False, ("DAYS",))
    assert (found["7"].in_function, found["7"].lines) == (True, (4, 7))
    assert found["start - (\n        days\n    )"].lines == (5, 7)
