"""What the code says below the fields of models, for the properties of their JSON Schemas.

Pydantic would read the source of each class at import (`use_attribute_docstrings`), which every command would wait for.
"""

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from typing import Any

from pydantic import BaseModel


def describe(schema: dict[str, Any], model: type[BaseModel] | None = None) -> None:
    """Add descriptions to the properties of a schema of a model, and of the schemas that it defines or has as parts."""
    named = {name: part for where in ("$defs", "schemas") for name, part in schema.get(where, {}).items()}
    for name, part in named.items():
        known = [kind for kind in _models(BaseModel) if kind.__name__ == name.rpartition("__")[2]]
        for kind in known:
            if set(part.get("properties", {})) == set(kind.model_fields):
                _describe(part, kind)
    if model is not None:
        _describe(schema, model)


def _describe(schema: dict[str, Any], model: type[BaseModel]) -> None:
    for kind in reversed(model.__mro__):
        for field, text in _of_module(kind.__module__).get(kind.__qualname__, {}).items():
            if field in schema["properties"]:
                schema["properties"][field]["description"] = text


def _models(kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for below in kind.__subclasses__():
        yield below
        yield from _models(below)


@cache
def _of_module(name: str) -> dict[str, dict[str, str]]:
    if not name.startswith(("aquila.", "services.")):
        return {}
    tree = ast.parse(inspect.getsource(__import__(name, fromlist=["_"])))
    return {kind.name: dict(_of_class(kind)) for kind in tree.body if isinstance(kind, ast.ClassDef)}


def _of_class(kind: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, below in zip(kind.body, kind.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, " ".join(text.split())
