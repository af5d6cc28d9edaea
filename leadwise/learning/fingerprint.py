"""What a finished training is made of, so that it is taken up where nothing of that has changed.

Code counts as far as it is reached: from a network, its loss and its augmentation by the names that they use, through
functions, classes and constants, within leadwise. Comments, docstrings, types and the words of errors do not count,
nor does what stands beside in the same file.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[1]

TRAINED_BY = ("leadwise.learning.engine:train", "leadwise.learning.answers:answer")
"""What every training runs."""

AUGMENTED_BY = "leadwise.learning.augment:augmented"

NO_PART = (
    "leadwise.errors",
    "leadwise.files",
    "leadwise.models.networks",  # its rows and recipes are values of the training
    "leadwise.learning.augment",  # counted where a recipe augments
    "leadwise.learning.history",  # looks on
    "leadwise.scores",
)
"""Modules and rooms that are not followed into: what is in them shapes no weights, or is counted otherwise."""

_MAJORS = ("torch", "timm", "transformers")


def fingerprint(made_of: dict[str, Any]) -> str:
    """Twelve hex digits over values that JSON can tell."""
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:12]


def majors() -> dict[str, str]:
    """The first number of the version of each library that trains."""
    return {name: version(name).split(".")[0] for name in _MAJORS}


def code_of(roots: Iterable[str], package: Path = PACKAGE) -> str:
    """Hex sha256 over the code that some definitions, ``module:name``, reach within a package."""
    reached: dict[str, str] = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached[name], used = _definition(package, name)
            waiting += used
    return hashlib.sha256(json.dumps(reached, sort_keys=True).encode()).hexdigest()


@cache
def _definition(package: Path, name: str) -> tuple[str, tuple[str, ...]]:
    """One definition's code, and the names in the package that it uses, ``module:name``; "" for what is elsewhere."""
    module, _, target = name.partition(":")
    statements, imported = _module(package, module)
    if target in imported:  # handed on by a module that has it from another
        return "", _followed(module, imported[target])
    nodes = statements.get(target, ())
    used: set[str] = set()
    for node in nodes:
        for part in ast.walk(node):
            if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
                used.update(
                    f"{whole.removesuffix(':')}:{part.attr}"
                    for whole in imported.get(part.value.id, ())
                    if whole.endswith(":")
                )
            if isinstance(part, ast.Name):
                definitions = (f"{module}:{part.id}",) if part.id in statements else imported.get(part.id, ())
                used.update(definition for definition in definitions if not definition.endswith(":"))
    return "\n".join(ast.dump(node) for node in nodes), _followed(module, used)


def _followed(module: str, used: Iterable[str]) -> tuple[str, ...]:
    """Those of the definitions that a module uses which count."""
    skipped = tuple(name for name in NO_PART if name != module)
    return tuple(sorted(name for name in used if not re.match(rf"({'|'.join(skipped)})[.:]", name)))


@cache
def _module(package: Path, module: str) -> tuple[dict[str, Sequence[ast.stmt]], dict[str, tuple[str, ...]]]:
    """By name what a module defines, and what it has from other modules of the package: ``module:name``.

    A module that is imported whole is ``module:``.
    """
    statements: dict[str, list[ast.stmt]] = {}
    imported: dict[str, tuple[str, ...]] = {}
    tree = _Bare().visit(ast.parse(_file(package, module).read_text(encoding="utf-8")))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == package.name:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                is_module = _file(package, whole).is_file()
                imported[alias.asname or alias.name] = (
                    f"{whole}:" if is_module else f"{node.module}:{alias.name}",
                )
    for node in tree.body:
        names = [node.name] if isinstance(node, ast.FunctionDef | ast.ClassDef) else [
            part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
        ]  # fmt: skip
        for name in names:
            statements.setdefault(name, []).append(node)
    return statements, imported  # type: ignore[return-value]


def _file(package: Path, module: str) -> Path:
    parts = module.split(".")[1:]
    path = package.joinpath(*parts)
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


class _Bare(ast.NodeTransformer):
    """Takes from code what computes nothing: docstrings and other bare strings, types, the words of errors."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_Raise(self, _: ast.Raise) -> ast.AST:
        return ast.Raise()

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg(node.arg)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        node.annotation = ast.Constant(None)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.returns = None
        return node
