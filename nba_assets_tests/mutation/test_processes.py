"""Work in processes of its own, which end with all that they started; mutants in functions that are alive."""

from __future__ import annotations

import contextlib
import importlib.util
import subprocess
import sys
import time
from pathlib import Path

import psutil

from nba_assets_tests.mutation.processes import FAILED, forked
from nba_assets_tests.mutation.session import put_in


def test_work_gives_its_exit_code_and_an_error_is_one(tmp_path: Path) -> None:
    assert forked(lambda: 7, 30, tmp_path / "output.txt") == 7
    assert forked(lambda: 1 // 0, 30, tmp_path / "output.txt") == FAILED
    assert "ZeroDivisionError" in (tmp_path / "output.txt").read_text()


def test_work_that_does_not_end_is_ended_with_what_it_has_started(tmp_path: Path) -> None:
    started = tmp_path / "pid.txt"

    def endless() -> int:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
        started.write_text(str(child.pid))
        time.sleep(600)
        return 0

    assert forked(endless, 2, tmp_path / "output.txt") is None
    with contextlib.suppress(psutil.NoSuchProcess):
        # It is killed when the call returns, and gone a moment later.
        psutil.Process(int(started.read_text())).wait(timeout=60)


TEXT = """
def outer(limit):
    return [value for value in range(5) if value < limit]

def other():
    return 1
"""


def test_a_mutant_gets_into_functions_that_are_alive_and_into_no_others(tmp_path: Path) -> None:
    path = tmp_path / "alive.py"
    path.write_text(TEXT)
    spec = importlib.util.spec_from_file_location("alive", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    outer = module.outer
    assert put_in(str(path), TEXT, TEXT.replace("value < limit", "value <= limit"))
    assert (outer(2), module.other()) == ([0, 1, 2], 1)
    assert not put_in(str(path), TEXT, TEXT)
    assert not put_in(str(tmp_path / "never_imported.py"), TEXT, TEXT.replace("return 1", "return 2"))
