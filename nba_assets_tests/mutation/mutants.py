"""Every one-line fault that can be put into a module, as replacements in its text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
}
OPPOSITES = {
    "min": "max",
    "any": "all",
    "minimum": "maximum",
    "fmin": "fmax",
    "floor": "ceil",
    "rint": "floor",
    "zeros": "ones",
    "nanmin": "nanmax",
    "argmin": "argmax",
    "logical_and": "logical_or",
}
OPPOSITES = {other: name for name, other in OPPOSITES.items()} | OPPOSITES
WORDS = {"left": "right", "right": "left", "first": "last", "last": "first"}
"""Arguments of searches and of the removal of duplicates that decide which of two equals counts."""
OF_TEXT = {"__repr__", "__str__"}
LOGS = {"log", "logger", "logging", "warnings"}


@dataclass(frozen=True)
class Mutant:
    """One fault: the characters from `start` to `end` of a module replaced."""

    path: str
    """Of the module, relative to the root of the repository."""
    line: int
    start: int
    end: int
    old: str
    new: str
    code: str
    """The line without the fault."""
    lines: tuple[int, int]
    """First and last line whose execution shows that the fault was reached; those of the body for a default of an
    argument.
    """
    in_function: bool
    names: tuple[str, ...]
    """The function, class or constants of the module that hold the fault."""

    def applied(self, text: str) -> str:
        """The text of the module with the fault; all lines behind it keep their numbers."""
        lines = "\n" * self.old.count("\n")
        return text[: self.start] + self.new.removesuffix(")") + lines + ")" * self.new.endswith(")") + text[self.end :]

    def __str__(self) -> str:
        old, new = (" ".join(part.split()) for part in (self.old, self.new))
        return f"{self.path}:{self.line}: {old} -> {new}" + (f"   in   {self.code}" if old != self.code else "")


def mutants_of(root: Path, path: str) -> list[Mutant]:
    """All mutants of the module at `path` below `root`, in the order of the text, without those that do not compile."""
    text = (root / path).read_text()
    found = []
    for mutant in _Finder(path, text).mutants:
        try:
            compile(mutant.applied(text), path, "exec")
        except SyntaxError:
            continue
        found.append(mutant)
    return sorted(set(found), key=lambda mutant: (mutant.start, mutant.end, mutant.new))


class _Finder(ast.NodeVisitor):
    """Visits what is executed: no annotations, docstrings, texts, log calls, imports or decorators."""

    def __init__(self, path: str, text: str) -> None:
        self.path, self.text = path, text
        self.mutants: list[Mutant] = []
        self.offsets = [0]
        for line in text.splitlines(keepends=True):
            self.offsets.append(self.offsets[-1] + len(line))
        self.lines = (1, 1)
        self.names: tuple[str, ...] = ()
        self.in_function = self.in_class = False
        for statement in ast.parse(text).body:
            self.visit(statement)

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.stmt):
            self._enter(node)
        if isinstance(node, ast.expr):
            for new in _of_expression(node):
                self._add(node, f"({ast.unparse(new)})")
        super().visit(node)

    def _enter(self, node: ast.stmt) -> None:
        body = getattr(node, "body", None)
        last = (
            body[0].lineno - 1
            if body and not isinstance(node, ast.FunctionDef | ast.ClassDef)
            else node.end_lineno or node.lineno
        )
        self.lines = (node.lineno, max(node.lineno, last))
        if not self.in_function and not self.in_class:
            self.names = tuple(_assigned(node)) or self.names
        if _removable(node):
            self._add(node, "pass")
        if isinstance(node, ast.If | ast.While) and isinstance(node.test, ast.Name | ast.Attribute | ast.Call):
            self._add(node.test, f"(not {ast.unparse(node.test)})")

    def _add(self, node: ast.expr | ast.stmt, new: str) -> None:
        start, end = (
            self._offset(node.lineno, node.col_offset),
            self._offset(node.end_lineno or 0, node.end_col_offset or 0),
        )
        code = self.text[self.offsets[node.lineno - 1] : self.offsets[node.lineno]].strip()
        self.mutants.append(
            Mutant(
                self.path,
                node.lineno,
                start,
                end,
                self.text[start:end],
                new,
                code,
                self.lines,
                self.in_function,
                self.names,
            )
        )

    def _offset(self, line: int, column: int) -> int:
        """Columns of a syntax tree count bytes."""
        begin = self.offsets[line - 1]
        text = self.text[begin : self.offsets[line]]
        return begin + len(text.encode()[:column].decode())

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if node.name in OF_TEXT:
            return
        outer = self.in_function
        body = [statement for statement in node.body if not _is_docstring(statement)]
        self.in_function = True
        self.lines = (body[0].lineno if body else node.lineno, node.end_lineno or node.lineno)
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            if default is not None:
                self.visit(default)
        for statement in body:
            self.visit(statement)
        self.in_function = outer

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.in_class = True
        for statement in node.body:
            if not _is_docstring(statement):
                self.visit(statement)
        self.in_class = False

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not _is_docstring(node) and not _is_log(node):
            self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        """What an error says is text."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Text, whose parts have no positions of their own before Python 3.12."""

    def visit_Import(self, node: ast.Import) -> None: ...

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None: ...


def _of_expression(node: ast.expr) -> Iterator[ast.expr]:  # noqa: PLR0912 - a case for each kind of fault
    match node:
        case ast.Compare():
            for place, operator in enumerate(node.ops):
                other = COMPARISONS[type(operator)]()
                yield ast.Compare(node.left, [*node.ops[:place], other, *node.ops[place + 1 :]], node.comparators)
        case ast.BinOp() if type(node.op) in OPERATORS:
            yield ast.BinOp(node.left, OPERATORS[type(node.op)](), node.right)
        case ast.BoolOp():
            yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        case ast.UnaryOp(op=ast.Not() | ast.Invert() | ast.USub()):
            yield node.operand
        case ast.IfExp(test=ast.Name() | ast.Attribute() | ast.Call()):
            yield ast.IfExp(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
        case ast.Constant():
            yield from (ast.Constant(value) for value in _other_constants(node.value))
        case ast.Attribute(value=ast.Name("np"), attr="nan"):
            yield ast.Constant(0.0)
        case ast.Attribute() if node.attr in OPPOSITES:
            yield ast.Attribute(node.value, OPPOSITES[node.attr], node.ctx)
        case ast.Call(func=ast.Name(name)) if name in OPPOSITES:
            yield ast.Call(ast.Name(OPPOSITES[name]), node.args, node.keywords)
        case ast.Subscript(slice=ast.Slice(lower, upper, step)):
            if lower is not None:
                yield ast.Subscript(node.value, ast.Slice(None, upper, step), node.ctx)
            if upper is not None:
                yield ast.Subscript(node.value, ast.Slice(lower, None, step), node.ctx)
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
            for place, part in enumerate(node.generators):
                if part.ifs:
                    whole = [*node.generators]
                    whole[place] = ast.comprehension(part.target, part.iter, [], part.is_async)
                    fields = {name: value for name, value in ast.iter_fields(node) if name != "generators"}
                    yield type(node)(**fields, generators=whole)


def _other_constants(value: object) -> Iterator[bool | int | float | str]:
    """A number one more and one less in its last digit (0.44 becomes 0.45 and 0.43), a flag turned, the other side of a
    search.
    """
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value - 1)
    elif isinstance(value, float):
        number = Decimal(repr(value).removesuffix(".0"))
        unit = Decimal((0, (1,), max(min(int(number.as_tuple().exponent), 0), -12)))
        yield from (float(number + unit), float(number - unit))
    elif isinstance(value, str) and value in WORDS:
        yield WORDS[value]


def _removable(node: ast.stmt) -> bool:
    match node:
        case ast.Expr(value=ast.Call()):
            return not _is_log(node)
        case ast.AugAssign() | ast.Raise() | ast.Continue() | ast.Break() | ast.Delete():
            return True
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript(), *_]):
            return True
    return False


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_log(node: ast.stmt) -> bool:
    if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        return False
    return bool(LOGS & set(re.findall(r"\w+", ast.unparse(node.value.func))))


def _assigned(node: ast.stmt) -> list[str]:
    match node:
        case ast.Assign(targets=targets):
            return [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]
        case ast.AnnAssign(target=ast.Name(name)) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
    return []
