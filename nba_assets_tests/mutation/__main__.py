"""Draw mutants, run the tests on each, say which survive."""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import dagster  # noqa: F401 - what the product imports is imported once, before the processes fork
import duckdb  # noqa: F401
import pandas  # noqa: F401
import pyarrow.parquet  # noqa: F401
import pytest

from nba_assets_tests.conftest import REAL_DATA
from nba_assets_tests.mutation.mutants import Mutant, mutants_of
from nba_assets_tests.mutation.processes import forked
from nba_assets_tests.mutation.session import ALIVE, KILLED, NOT_ALIVE, Chosen, Served

ROOT = Path(__file__).parents[2]
NOT_COPIED = shutil.ignore_patterns(".git", ".venv*", "var", "__pycache__", ".*_cache", ".hypothesis", "*.egg-info")
DECLARED = "nba_assets_tests/tables/test_contracts.py"
FOR_ALL = {DECLARED, "nba_assets_tests/oracles"}
"""Tests that mirror no package: of what all tables declare, and of how they follow from raw rows."""
LEAST_SECONDS, SECONDS_PER_SECOND = 30, 5
"""A test may take half a minute and five times as long as it took on the unchanged code, a session twice that of all of
its tests.
"""
LONG_SECONDS = 3600
QUICK_SECONDS = 0.05


def main() -> int:
    """The exit code: 0 where every mutant was killed."""
    parser = argparse.ArgumentParser(prog="python -m nba_assets_tests.mutation", description=__doc__)
    parser.add_argument("paths", nargs="+", help="packages or modules below nba_assets, as precompute or raw/values.py")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--against", nargs="+", help="tests to run first; those of the mirrored package by default")
    parser.add_argument("--mirrored-only", action="store_true", help="leave the rest of the default suite out")
    parser.add_argument("--list", action="store_true", help="only list the mutants")
    options = parser.parse_args()
    drawn = draw(ROOT, options.paths, options.count, options.seed)
    if options.list:
        print(*drawn, sep="\n")
        return 0
    against = options.against or sorted({f"nba_assets_tests/{path.split('/')[0]}" for path in options.paths} | FOR_ALL)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        suite = Suite(Path(folder), against)
        try:
            suite.record()
            print(f"{len(suite.tests)} tests recorded in {time.monotonic() - began:.0f} s", flush=True)
            results = Counter(
                suite.judge(mutant, number, not options.mirrored_only) for number, mutant in enumerate(drawn, 1)
            )
        finally:
            suite.end()
    print(
        f"{len(drawn)} mutants of {' '.join(options.paths)}, seed {options.seed}: {dict(results)} in "
        f"{time.monotonic() - began:.0f} s"
    )
    return 1 if results["survived"] else 0


def draw(root: Path, paths: Sequence[str], count: int, seed: int) -> list[Mutant]:
    """Some of all mutants below the paths, the same for the same seed and code."""
    product = root / "nba_assets"
    modules = [
        module
        for path in paths
        for module in ([product / path] if path.endswith(".py") else sorted((product / path).rglob("*.py")))
    ]
    everything = [mutant for module in modules for mutant in mutants_of(root, str(module.relative_to(root)))]
    if not everything:
        raise SystemExit(f"no mutants below {', '.join(paths)}: name packages or modules below {product}")
    return random.Random(seed).sample(everything, min(count, len(everything)))


class Suite:
    """The tests on a copy of the repository in an empty folder."""

    def __init__(self, folder: Path, against: Sequence[str]) -> None:
        self.folder, self.against = folder, against
        self.copy = folder / "copy"
        self.output = folder / "output.txt"
        shutil.copytree(ROOT, self.copy, ignore=NOT_COPIED)
        request, answer = os.pipe(), os.pipe()
        self.server = os.fork()
        if not self.server:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.close(request[1])
            os.close(answer[0])
            with os.fdopen(request[0]) as requests, os.fdopen(answer[1], "w") as answers:
                plugin = Served(folder, self.copy / "nba_assets", requests, answers)
                forked(lambda: self._pytest(against, plugin), float("inf"), self.output)
            os._exit(0)
        os.close(request[0])
        os.close(answer[1])
        self.requests, self.answers = os.fdopen(request[1], "w"), os.fdopen(answer[0])

    def end(self) -> None:
        """Let the collected session end."""
        self.requests.close()
        os.waitpid(self.server, 0)

    def record(self) -> None:
        """Run the mirrored tests on the unchanged copy; raises SystemExit where one fails."""
        record = self.folder / "record.json"
        code, _ = self._request(record=str(record), seconds=LONG_SECONDS)
        if code != ALIVE:
            raise SystemExit(f"the tests fail without a mutant:\n{self.output.read_text()[-3000:]}")
        self.tests = json.loads(record.read_text())

    def judge(self, mutant: Mutant, number: int, also_the_rest: bool) -> str:
        """Killed, timed out or survived; prints it."""
        began = time.monotonic()
        module = self.copy / mutant.path
        text = module.read_text()
        module.write_text(mutant.applied(text))
        try:
            tests, at_import = self.reaching(mutant)
            code, by = (
                (NOT_ALIVE, "")
                if at_import
                else self._request(
                    module=str(module), original=text, tests=self._bounds(tests), seconds=self._seconds(tests)
                )
            )
            if code == NOT_ALIVE:
                code, by = self._anew(tests, module.stem)
            if code == ALIVE and also_the_rest:
                code, by = self._fresh(["nba_assets_tests"], None, LONG_SECONDS)
        finally:
            module.write_text(text)
        result = {ALIVE: "survived", None: "timed out"}.get(code, "killed")
        print(
            (
                f"{number:3} {result:9} {time.monotonic() - began:4.0f} s, {len(tests):3} tests  {mutant}  "
                f"{by.rsplit('/', 1)[-1]}"
            ),
            flush=True,
        )
        return result

    def reaching(self, mutant: Mutant) -> tuple[list[str], bool]:
        """The tests that execute the mutant, the fastest first, and whether it is executed at import.

        Then these are the tests that execute a line that names what was assigned, and all quick ones: a test that only
        looks at a constant executes nothing.
        """
        path = mutant.path.split("/", 1)[1]
        reached = (
            self._executing({path: set(range(mutant.lines[0], mutant.lines[1] + 1))}) if mutant.in_function else set()
        )
        at_import = not reached
        if at_import:
            reached = self._executing(self._lines_with(mutant.names)) | {
                name for name, test in self.tests.items() if test["seconds"] < QUICK_SECONDS
            }
        return sorted(reached, key=lambda name: (self.tests[name]["seconds"], name)), at_import

    def _executing(self, lines: Mapping[str, set[int]]) -> set[str]:
        return {
            name
            for name, test in self.tests.items()
            if any(not lines[path].isdisjoint(test["lines"].get(path, ())) for path in lines)
        }

    def _lines_with(self, names: Iterable[str]) -> dict[str, set[int]]:
        """Lines within functions of the product that mention one of the names, or one assigned at import from one of
        them.
        """
        known: set[str] = set()
        found = {*names}
        while found - known:
            known |= found
            found = {name for made, uses in self._made_at_import if uses & known for name in made}
        word = re.compile(r"\b(" + "|".join(map(re.escape, sorted(known))) + r")\b")
        return {
            path: {number for number, line in enumerate(text, 1) if line[:1].isspace() and word.search(line)}
            for path, text in self._texts.items()
        }

    @cached_property
    def _texts(self) -> dict[str, list[str]]:
        product = self.copy / "nba_assets"
        return {str(path.relative_to(product)): path.read_text().splitlines() for path in sorted(product.rglob("*.py"))}

    @cached_property
    def _made_at_import(self) -> list[tuple[set[str], set[str]]]:
        """The names that each statement outside functions and classes assigns, and those that it uses."""
        statements = [
            node
            for text in self._texts.values()
            for node in ast.parse("\n".join(text)).body
            if isinstance(node, ast.Assign | ast.AnnAssign)
        ]
        names = [[name for name in ast.walk(node) if isinstance(name, ast.Name)] for node in statements]
        return [
            (
                {name.id for name in of if isinstance(name.ctx, ast.Store)},
                {name.id for name in of if isinstance(name.ctx, ast.Load)},
            )
            for of in names
        ]

    def _anew(self, tests: Sequence[str], stem: str) -> tuple[int | None, str]:
        """In sessions that import the mutant: first what declares tables and the tests of the module's own name,
        because few modules are quickly imported.
        """
        near = [test for test in tests if test.startswith(DECLARED) or f"test_{stem}.py::" in test]
        code: int | None = ALIVE
        by = ""
        for chosen in (near, [test for test in tests if test not in set(near)]):
            if chosen and code == ALIVE:
                files = list(dict.fromkeys(test.split("::")[0] for test in chosen))
                code, by = self._fresh(files, chosen, self._seconds(chosen))
        return code, by

    def _fresh(self, files: Sequence[str], tests: Sequence[str] | None, seconds: float) -> tuple[int | None, str]:
        output = self.folder / "fresh.txt"
        output.write_text("")
        code = forked(lambda: self._pytest(files, Chosen(tests)), seconds, output)
        found = re.search(r"^(?:FAILED|ERROR) (\S+)", output.read_text(), re.MULTILINE)
        return (code if code is None or code == ALIVE else KILLED), found[1] if found else ""

    def _pytest(self, files: Sequence[str], plugin: Chosen) -> int:
        """The exit code of a session on the copy, in a forked process."""
        os.environ.pop(REAL_DATA, None)
        os.environ["PYTHONPATH"] = str(self.copy)
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        sys.dont_write_bytecode = True
        os.chdir(self.copy)
        sys.path[:] = [str(self.copy), *(path for path in sys.path if Path(path or ".").resolve() != ROOT)]
        for name in [name for name in sys.modules if name.split(".")[0] in ("nba_assets", "nba_assets_tests")]:
            del sys.modules[name]
        arguments = [
            "-x",
            "-q",
            "-n",
            "0",
            "--tb",
            "line",
            "-p",
            "no:cacheprovider",
            "-W",
            "ignore::pytest.PytestAssertRewriteWarning",
        ]
        arguments += ["--basetemp", str(self.folder / "basetemp")]
        return int(pytest.main([*arguments, *files], plugins=[plugin]))

    def _request(self, **request: object) -> tuple[int | None, str]:
        print(json.dumps(request), file=self.requests, flush=True)
        line = self.answers.readline()
        if not line:
            raise SystemExit(f"the session of the tests ended:\n{self.output.read_text()[-3000:]}")
        code, by = json.loads(line)
        return code, by

    def _bounds(self, tests: Sequence[str]) -> dict[str, float]:
        return {test: LEAST_SECONDS + SECONDS_PER_SECOND * float(self.tests[test]["seconds"]) for test in tests}

    def _seconds(self, tests: Sequence[str]) -> float:
        return 2 * LEAST_SECONDS + SECONDS_PER_SECOND * float(sum(self.tests[test]["seconds"] for test in tests))


if __name__ == "__main__":
    sys.exit(main())
