"""`docs/ARCHITECTURE.md` names what exists, and folders are as it says: few rooms each, and no circle of imports."""

import ast
import importlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from aquila.interface.rounds import PairState
from tests.support.architecture_map import DOCUMENT, PARTS, ROOT, packages

TEXT = DOCUMENT.read_text("utf-8")
NAMED = sorted(set(re.findall(r"`((?:aquila|services|clients)(?:\.\w+)+)`", TEXT)))
MOST_ROOMS = 15


@pytest.mark.parametrize("name", NAMED)
def test_what_is_named_exists(name: str) -> None:
    """Every module, class and function that the document names is there under this name, defined in this module."""
    module, parts = name, []
    while not _file_of(module).exists():
        module, _, part = module.rpartition(".")
        parts.insert(0, part)
        assert module, name
    found = importlib.import_module(module)
    for part in parts:
        found = getattr(found, part)
    assert getattr(found, "__module__", module) == module


def test_the_states_of_a_pair_are_drawn() -> None:
    """The diagram has each state and no other; of what is over only a pair whose columns came goes on."""
    (diagram,) = re.findall(r"```mermaid\nstateDiagram-v2\n(.*?)```", TEXT, re.DOTALL)
    arrows = re.findall(r"^    (\S+) --> ([^\s:]+)(?:: .+)?$", diagram, re.MULTILINE)
    assert len(arrows) == diagram.count("\n") == len(set(arrows))
    assert {state for arrow in arrows for state in arrow} - {"[*]"} == set(PairState)
    assert {after for before, after in arrows if before == "over"} == {"tokens", "[*]"}


def test_every_package_is_in_the_map() -> None:
    """The map has each package once with a sentence, and no other; paths that the document names are there."""
    rows = re.findall(r"^\| `([\w/.]+)` \| (.+) \|$", TEXT, re.MULTILINE)
    assert sorted(path for path, _ in rows) == packages()
    assert all(sentence.endswith(".") for _, sentence in rows)
    paths = re.findall(r"`((?:aquila|services|clients|tests|schemas)/[\w/.-]*)`", TEXT)
    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert all(f"`{part}/`" in TEXT for part in PARTS)


def test_no_folder_has_many_rooms() -> None:
    """No package has more than fifteen modules and packages; migrations are a sequence and not rooms."""
    crowded = {
        package: len(rooms)
        for package in packages()
        if not package.endswith("/migrations") and len(rooms := _rooms(ROOT / package)) > MOST_ROOMS
    }
    assert not crowded


def test_no_module_imports_itself_by_others() -> None:
    """Modules have an order in which each imports only earlier ones, imports in functions and for types counted."""
    _check_order(_imports())


def test_no_package_imports_itself_by_others() -> None:
    """In every package, its rooms have an order too, whichever of their modules import each other."""
    imports = _imports()
    for package in packages():
        above = package.replace("/", ".") + "."
        between: dict[str, set[str]] = defaultdict(set)
        for module, imported in imports.items():
            for other in imported:
                if module.startswith(above) and other.startswith(above):
                    rooms = [name.removeprefix(above).partition(".")[0] for name in (module, other)]
                    if rooms[0] != rooms[1]:
                        between[rooms[0]].add(rooms[1])
        _check_order(between)


def test_tests_share_support_alone() -> None:
    """No test imports tests or fixtures of another folder: what several folders use is in `tests/support`."""
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()}
    shared = {"support", "quality", "bench"}  # the last two measure, and tests of other folders measure with them
    found = {
        f"{path.relative_to(ROOT)}: {module}"
        for path in (ROOT / "tests").rglob("*.py")
        for module in re.findall(r"^ *(?:from|import) (tests\.\w+\S*)", path.read_text("utf-8"), re.MULTILINE)
        if module.split(".")[1] in folders - {path.relative_to(ROOT / "tests").parts[0], *shared}
        and path != ROOT / "tests" / "generate.py"  # it writes what each of them makes
    }
    assert not found


def test_a_circle_is_found() -> None:
    """The check would tell of a circle."""
    with pytest.raises(AssertionError, match="b"):
        _check_order({"a": {"b"}, "b": {"c"}, "c": {"b"}})


def _check_order(imports: Mapping[str, Iterable[str]]) -> None:
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        raise AssertionError(f"imports in a circle: {' -> '.join(error.args[1])}") from None


@cache
def _imports() -> dict[str, set[str]]:
    """Return what each module imports of the others, wherever in the module."""
    modules = {_name_of(path): path for top in ("aquila", "services", "clients") for path in (ROOT / top).rglob("*.py")}
    found: dict[str, set[str]] = {}
    for module, path in modules.items():
        names: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names |= {one.name for one in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.module, path
                assert not node.level, path
                # `from package import module` imports the module; `from package import name` the package itself.
                whole = {f"{node.module}.{one.name}" for one in node.names}
                names |= {one if one in modules else node.module for one in whole}
        found[module] = names & modules.keys() - {module}
    return found


def _name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _file_of(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _rooms(folder: Path) -> list[Path]:
    return [
        path
        for path in folder.iterdir()
        if (path.suffix == ".py" and path.stem != "__init__") or (path / "__init__.py").exists()
    ]
