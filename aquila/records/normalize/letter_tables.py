"""The letter tables of the normalizer, read once from the package's own files.

The tables are the project's own: names must fold alike in every process, version and machine, which no library
promises. A change of any table is a change of `NORMALIZER_VERSION`, and so is any other change of an answer to the
conformance set (`aquila.records.conformance`).

Earlier versions answer as they did, because rounds that were open at an upgrade go on by theirs. A table that has
changed since version n is kept as `NAME-n.toml`; without such a file, a table is the same in every version.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

NORMALIZER_VERSION = 4
EARLIER_VERSIONS = (3,)
"""Those by which open rounds go on; one more release keeps them."""
CYRILLIC = ("serbian", "macedonian", "bulgarian", "russian", "ukrainian")
NAMES = (*CYRILLIC, "greek", "arabic", "folding", "particles", "variants", "nicknames", "women", "phones", "countries")


@cache
def table(name: str, version: int = NORMALIZER_VERSION) -> dict[str, Any]:
    """Read one table of `NAMES` as a version of the normalizer has it."""
    folder = resources.files("aquila.records.normalize").joinpath("tables")
    earlier = (folder / f"{name}-{kept}.toml" for kept in EARLIER_VERSIONS if kept >= version)
    chosen = next((path for path in earlier if path.is_file()), folder / f"{name}.toml")
    return tomllib.loads(chosen.read_text("utf-8"))
