"""The table of the paragraphs of PROTOCOL.md, `schemas/PARAGRAPHS.md`: of each its vectors and two tests.

The tests are named in `paragraphs.toml`, and vectors name their paragraph themselves.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROTOCOL = ROOT / "schemas" / "PROTOCOL.md"
NAMED = Path(__file__).with_name("paragraphs.toml")
PAGE = "PARAGRAPHS.md"

_HEADING = re.compile(r"(?:#+ (\d+(?:\.\d+)*)\.? |(\d+(?:\.\d+)+) )")
_ABOUT = """\
# Paragraphs

Written by `make schemas` from `tests/support/paragraphs.toml` and `schemas/vectors/`. Of each numbered paragraph of
[PROTOCOL.md](PROTOCOL.md): the files of its vectors, or why there are none; a test (`test_` and the name) in which it
holds; and one in which it is broken, or is why something is refused. Tests are named from `tests/`. All statements of a
round are moreover in [vectors/whole_round.json](vectors/whole_round.json).

Paragraphs with *party* or *matcher* concern it alone, and nobody else can check them: its storage, its people, its
machine. Another program may do otherwise there. All other paragraphs bind others, but for sentences that say that they
concern the party alone.

| paragraph | vectors | holds | broken |
|---|---|---|---|
"""


def paragraphs(text: str) -> list[str]:
    """Return the numbers of all paragraphs in their order: a section has one itself where it has no others."""
    numbers = [found[1] or found[2] for line in text.splitlines() if (found := _HEADING.match(line))]
    sections = {found[1] for line in text.splitlines() if (found := _HEADING.match(line)) and found[1]}
    return [one for one in numbers if one not in sections or not any(other.startswith(f"{one}.") for other in numbers)]


def named() -> dict[str, dict[str, str]]:
    """Return what is said of each paragraph."""
    return tomllib.loads(NAMED.read_text("utf-8"))


def page(vectors: Mapping[str, str]) -> str:
    """Return the page.

    Args:
        vectors: The files of vectors by name.
    """
    files: dict[str, dict[str, None]] = {}
    for name, text in sorted(vectors.items()):
        for vector in json.loads(text)["vectors"]:
            files.setdefault(vector["paragraph"], {})[name.removesuffix(".json")] = None
    said = named()
    rows = (_row(one, said.get(one, {}), files.get(one, {})) for one in paragraphs(PROTOCOL.read_text("utf-8")))
    return _ABOUT + "".join(rows)


def _row(number: str, said: Mapping[str, str], files: Iterable[str]) -> str:
    cells = [
        f"{number} *{said['alone']}*" if "alone" in said else number,
        ", ".join(f"`{name}`" for name in files) or said.get("no_vector", ""),
        *(f"`{said[name]}`" if name in said else said.get("why", "") for name in ("holds", "broken")),
    ]
    return f"| {' | '.join(cells)} |\n"


def missing(names: Iterable[str]) -> list[str]:
    """Return those of some tests that do not exist."""
    return [name for name in names if not _exists(*name.split("::"))]


def _exists(path: str, test: str) -> bool:
    file = ROOT / "tests" / path
    return (
        file.is_file()
        and re.search(rf"^(?:async )?def test_{test}\(", file.read_text("utf-8"), re.MULTILINE) is not None
    )
