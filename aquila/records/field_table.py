"""What is known of each field of a record, from `fields.toml`: pages, documents and the readers of lists follow it."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_TABLE = Path(__file__).with_name("fields.toml")


@dataclass(frozen=True, slots=True)
class FieldEntry:
    """An entry of the table."""

    label: str
    """The name of the field on pages, in English."""
    content: str
    """The content of its column in a list, in Markdown."""
    headings: list[str]
    """Headings of such a column in the region's languages."""
    properties: list[str]
    """The properties of FollowTheMoney that are read into it, in this order."""


@cache
def field_table() -> Mapping[str, FieldEntry]:
    """Return the entries by the names of fields."""
    table = tomllib.loads(_TABLE.read_text("utf-8"))
    return {name: FieldEntry(**{"properties": [], **entry}) for name, entry in table.items()}
