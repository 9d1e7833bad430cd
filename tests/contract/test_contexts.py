"""A function of the node takes the store, the clock, the signer or the round that it needs, not the whole node."""

import ast
from pathlib import Path

import services.node

NODE = Path(services.node.__file__).parent


def _functions() -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    paths = [path for path in NODE.rglob("*.py") if "migrations" not in path.parts]
    trees = [ast.parse(path.read_text()) for path in paths]
    return [
        node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def _takes_the_context(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return any(one.annotation is not None and "NodeContext" in ast.unparse(one.annotation) for one in arguments)


def test_fewer_than_a_third_of_the_functions_of_a_node_take_the_whole_context() -> None:
    """Counted over all functions of the node but its migrations, methods and inner functions too."""
    functions = _functions()
    wide = [function.name for function in functions if _takes_the_context(function)]
    assert 0 < len(wide) < len(functions) / 3
    assert len(functions) > 400  # the node was found
