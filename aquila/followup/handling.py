"""Handling codes: conditions for the use of information. The set of codes is data, with its source."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class HandlingCode:
    """A handling code.

    Attributes:
        code: Such as `H2`.
        condition: The condition in words.
        blocks_letter: Whether it blocks a letter of references on an own record, until a permission is recorded.
    """

    code: str
    condition: str
    blocks_letter: bool


@cache
def handling_codes() -> Mapping[str, HandlingCode]:
    """Return the codes that records and notes can have, by code."""
    content = tomllib.loads(resources.files("aquila.followup").joinpath("handling_codes.toml").read_text("utf-8"))
    return MappingProxyType({code: HandlingCode(code, **row) for code, row in content["codes"].items()})
