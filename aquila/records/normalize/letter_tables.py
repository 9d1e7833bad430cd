"""The letter tables of the normalizer, read once from the package's own files.

The tables are the project's own: names must fold alike in every process, version and machine, which no library
promises. A change of any table is a change of `NORMALIZER_VERSION`, and so is any other change of an answer to the
conformance set (`aquila.records.conformance`).
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

NORMALIZER_VERSION = 4
CYRILLIC = ("serbian", "macedonian", "bulgarian", "russian", "ukrainian")
NAMES = (*CYRILLIC, "greek", "arabic", "folding", "particles", "variants", "nicknames", "women", "phones", "countries")


@cache
def table(name: str) -> dict[str, Any]:
    """Read one table of `NAMES`."""
    file = resources.files("aquila.records.normalize").joinpath("tables", f"{name}.toml")
    return tomllib.loads(file.read_text("utf-8"))
