"""A session of pytest that is collected once and then runs chosen tests on one mutant after the other, each in a fork
of its own.

A mutant within a function is put into the functions that are alive; what is executed at import needs a session of its
own.
"""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import IO, Any

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import Phase, settings

from nba_assets_tests.mutation.processes import forked

ALIVE, KILLED, NOT_ALIVE = 0, 1, 3
"""Exit codes of a judgement: no test failed; one failed; the mutant is in no function that is alive."""


class Chosen:
    """A plugin of pytest: runs only some tests, in a given order."""

    def __init__(self, tests: Sequence[str] | None = None) -> None:
        self.tests = tests

    def pytest_collection(self) -> None:
        """Let a property that fails be enough: no time goes into a smaller example."""
        settings.register_profile("mutation", settings.get_profile("default"), phases=[Phase.explicit, Phase.generate])
        settings.load_profile("mutation")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the chosen ones."""
        if self.tests is not None:
            place = {test: number for number, test in enumerate(self.tests)}
            items[:] = sorted((item for item in items if item.nodeid in place), key=lambda item: place[item.nodeid])


class Served(Chosen):
    """A plugin of pytest: instead of running the collected tests once, answers requests until there are no more.

    A request is a line of JSON: `record`, the file for the lines that each test executes; or `module`, `original`,
    `tests` with the seconds that each may take, `seconds`. The answer is an exit code, or null where the time ran out,
    and the test that failed or did not end.
    """

    def __init__(self, folder: Path, product: Path, requests: IO[str], answers: IO[str]) -> None:
        super().__init__()
        self.folder, self.product, self.requests, self.answers = folder, product, requests, answers

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Answer requests."""
        items = {item.nodeid: item for item in session.items}
        for line in self.requests:
            print(json.dumps(self._answer(json.loads(line), items)), file=self.answers, flush=True)
        return True

    def _answer(self, request: dict[str, Any], items: dict[str, pytest.Item]) -> tuple[int | None, str]:
        failed = self.folder / "failed.txt"
        failed.write_text("")

        def work() -> int:
            if "record" in request:
                return _record([*items.values()], self.product, Path(request["record"]))
            tests = [(items[test], seconds) for test, seconds in request["tests"].items()]
            return _judge(tests, Path(request["module"]), request["original"], failed)

        return forked(work, request["seconds"], self.folder / "output.txt"), failed.read_text()


def _judge(tests: Sequence[tuple[pytest.Item, float]], module: Path, original: str, failed: Path) -> int:
    if not put_in(str(module), original, module.read_text()):
        return NOT_ALIVE
    following = [item for item, _ in tests[1:]]
    for (item, seconds), next_item in zip(tests, [*following, None], strict=True):
        failed.write_text(item.nodeid)
        # Ends the process with the code of a failure: a test that hangs costs its own bound, not that of all tests.
        faulthandler.dump_traceback_later(seconds, exit=True, file=2)
        if any(report.failed for report in runtestprotocol(item, nextitem=next_item, log=False)):
            return KILLED
    faulthandler.cancel_dump_traceback_later()
    failed.write_text("")
    return ALIVE


def put_in(path: str, original: str, mutated: str) -> bool:
    """Put what changed in a module's functions into those that are alive; whether there are any."""
    before, after = (_codes(compile(text, path, "exec", dont_inherit=True)) for text in (original, mutated))
    changed = {
        old: new for key in before for old, new in zip(before[key], after.get(key, ()), strict=False) if old != new
    }
    functions = [
        each
        for each in gc.get_objects()
        if isinstance(each, FunctionType) and each.__code__.co_filename == path and each.__code__ in changed
    ]
    for function in functions:
        function.__code__ = changed[function.__code__]
    return bool(functions)


def _codes(code: CodeType) -> dict[tuple[str, int], list[CodeType]]:
    found: defaultdict[tuple[str, int], list[CodeType]] = defaultdict(list)
    todo = [code]
    while todo:
        each = todo.pop(0)
        found[each.co_qualname, each.co_firstlineno].append(each)
        todo.extend(constant for constant in each.co_consts if isinstance(constant, CodeType))
    return found


def _record(items: Sequence[pytest.Item], product: Path, record: Path) -> int:
    """Run all tests, noting what each executes; a fixture that tests of a module or session share counts for all of
    them.
    """
    recorder = Recorder(str(product) + os.sep)
    items[0].config.pluginmanager.register(recorder)
    tests: dict[str, Any] = {}
    for item, following in zip(items, [*items[1:], None], strict=True):
        recorder.lines.clear()
        began = time.perf_counter()
        threading.settrace(recorder.call)
        sys.settrace(recorder.call)
        reports = runtestprotocol(item, nextitem=following, log=False)
        sys.settrace(None)
        threading.settrace(None)
        if broken := [report for report in reports if report.failed]:
            print(broken[0].longreprtext)
            return KILLED
        if all(report.passed for report in reports):
            tests[item.nodeid] = {"seconds": time.perf_counter() - began, "lines": recorder.taken()}
    for name, test in tests.items():
        for scope, files in recorder.shared.items():
            if name.startswith(scope):
                for path, lines in files.items():
                    test["lines"][path] = sorted({*test["lines"].get(path, ()), *lines})
    record.write_text(json.dumps(tests))
    return ALIVE


class Recorder:
    """Which lines of the product are executed."""

    def __init__(self, product: str) -> None:
        self.product = product
        self.lines: defaultdict[str, set[int]] = defaultdict(set)
        self.whole: dict[CodeType, set[int]] = {}
        self.shared: defaultdict[str, defaultdict[str, set[int]]] = defaultdict(lambda: defaultdict(set))

    def call(self, frame: FrameType, _event: str, _argument: object) -> Any:
        """The trace function of a new frame: traces lines until all lines of its code were seen in this test."""
        code = frame.f_code
        if not code.co_filename.startswith(self.product):
            return None
        if code not in self.whole:
            self.whole[code] = {line for _, _, line in code.co_lines() if line is not None}
        seen = self.lines[code.co_filename]
        seen.add(code.co_firstlineno)
        return None if self.whole[code] <= seen else self.line

    def line(self, frame: FrameType, _event: str, _argument: object) -> Any:
        """The trace function within a frame."""
        self.lines[frame.f_code.co_filename].add(frame.f_lineno)
        return self.line

    def taken(self) -> dict[str, list[int]]:
        """What was executed since last time, by module below the product."""
        lines = {path[len(self.product) :]: sorted(numbers) for path, numbers in self.lines.items()}
        self.lines.clear()
        return lines

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> Iterator[Any]:
        """Note what a shared fixture executes, by the module or session that shares it."""
        before = {path: set(lines) for path, lines in self.lines.items()}
        result = yield
        if fixturedef.scope != "function":
            for path, lines in self.lines.items():
                scope = request.node.nodeid.split("::")[0]
                self.shared[scope if scope.endswith(".py") else ""][path[len(self.product) :]] |= lines - before.get(
                    path, set()
                )
        return result
