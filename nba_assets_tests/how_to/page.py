"""A how-to page as steps that can be carried out: files to make, lines to insert, commands to run.

A step is a fenced block of the page. The line before the block says what becomes of it:

- "New file `PATH`:" makes a file of the block;
- "In `PATH`, after `LINE`:" and "In `PATH`, before `LINE`:" insert it at the only line of the file that reads so;
- "In `PATH`, in place of `LINE`:" puts it there instead;
- "In `PATH`, at the end of `NAME`:" inserts it before the bracket that closes the assignment of NAME, or an import that
  begins so.

A block of `sh` without such a line holds commands. Any other block is an illustration.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^(?P<lead>[^\n]*)\n\n?```(?P<language>\w*)\n(?P<block>.*?)^```$", re.MULTILINE | re.DOTALL)
LEAD = re.compile(r"New file `(?P<new>[^`]+)`:|In `(?P<path>[^`]+)`, (?P<where>[a-z ]+) `(?P<anchor>[^`]+)`:")


class StepError(Exception):
    """A step of a page that cannot be carried out; the message says which and why."""


@dataclass(frozen=True)
class Edit:
    """A change of one file of the project: `where` the block goes, relative to `anchor`; a new file has neither."""

    path: str
    block: str
    where: str = ""
    anchor: str = ""

    def apply(self, project: Path) -> None:
        """Carry the step out in a copy of the project. Raises StepError where it does not fit."""
        file = project / self.path
        if not self.where:
            if file.exists():
                raise StepError(f"{self.path} is there already")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(self.block, encoding="utf-8")
            return
        if not file.exists():
            raise StepError(f"there is no {self.path}")
        lines = file.read_text(encoding="utf-8").splitlines()
        first, last = self._replaced(lines)
        file.write_text("\n".join([*lines[:first], *self.block.splitlines(), *lines[last:]]) + "\n", encoding="utf-8")

    def _replaced(self, lines: list[str]) -> tuple[int, int]:
        """The lines that the block takes the place of, from the first up to the last; none where it is inserted."""
        if self.where == "at the end of":
            closing = _closing_line("\n".join(lines), self.anchor, self.path)
            return closing, closing
        found = [place for place, line in enumerate(lines) if line.strip() == self.anchor]
        if len(found) != 1:
            raise StepError(f"{self.path} has {len(found)} lines that read `{self.anchor}`, not one")
        spans = {"after": (1, 1), "before": (0, 0), "in place of": (0, 1)}
        if self.where not in spans:
            raise StepError(f"a block goes after, before, in place of or at the end of something, not {self.where!r}")
        start, stop = spans[self.where]
        return found[0] + start, found[0] + stop


@dataclass(frozen=True)
class Page:
    """The steps of a page in their order."""

    edits: tuple[Edit, ...]
    commands: tuple[str, ...]

    @classmethod
    def read(cls, file: Path) -> Page:
        """The steps of a Markdown file."""
        found = list(_blocks(file.read_text(encoding="utf-8")))
        return cls(
            tuple(step for step in found if isinstance(step, Edit)),
            tuple(step for step in found if isinstance(step, str)),
        )


def _blocks(text: str) -> Iterator[Edit | str]:
    for match in FENCE.finditer(text):
        lead, block = LEAD.search(match["lead"]), match["block"]
        if lead is None:
            if match["language"] == "sh":
                yield block
        elif lead["new"]:
            yield Edit(lead["new"], block)
        else:
            yield Edit(lead["path"], block, lead["where"], lead["anchor"])


def _closing_line(source: str, beginning: str, path: str) -> int:
    """The line, from 0, that closes the statement at the top of a module that begins so."""
    lines = source.splitlines()
    for node in ast.parse(source).body:
        if re.match(rf"{re.escape(beginning)}(?!\w)", lines[node.lineno - 1]) and node.end_lineno:
            return node.end_lineno - 1
    raise StepError(f"{path} has nothing at its top that begins with `{beginning}`")
