"""The table of columns in `schemas/records/lists.md`, from the table of fields; the rest is written by hand."""

from pathlib import Path

from aquila.records.field_table import field_table
from aquila.records.person import LIST_FIELDS

DOCUMENT = Path(__file__).parents[2] / "schemas" / "records" / "lists.md"
_HEAD = "| column | values | content |\n|---|---|---|\n"


def document() -> str:
    """Return the page with a row for each field."""
    before, _, rest = DOCUMENT.read_text("utf-8").partition(_HEAD)
    rows = [
        f"| `{name}` | {'several' if name in LIST_FIELDS else 'one'} | {entry.content} |\n"
        for name, entry in field_table().items()
    ]
    return before + _HEAD + "".join(rows) + rest[rest.index("\n\n") + 1 :]
