"""Rows of FollowTheMoney JSON lines: one entity a line, `{"id", "schema", "properties": {name: [values]}}`.

Only Person entities are records; passports, addresses and links of an export are passed over. Source:
followthemoney.tech, model of Person, LegalEntity and Thing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, BinaryIO

from aquila.errors import InputError
from aquila.records.fields import RowReader
from aquila.records.lines import Line, read_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aquila.records.rows import Row

_PROPERTIES = {
    "given_names": ("firstName", "middleName", "fatherName"),
    "family_names": ("lastName",),
    "aliases": ("alias", "weakAlias"),
    "date_of_birth": ("birthDate",),
    "sex": ("gender",),
    "place_of_birth": ("birthPlace",),
    "country_of_birth": ("birthCountry",),
    "nationality": ("nationality", "citizenship"),
    "document_numbers": ("passportNumber",),
    "national_numbers": ("idNumber",),
    "phones": ("phone",),
    "emails": ("email",),
}


def ftm_rows(stream: BinaryIO) -> Iterator[Row]:
    """Read the Person entities of a file.

    Raises:
        InputError: The file has no Person and nothing that could have been one.
    """
    is_empty = True
    for line in read_lines(stream):
        if not line.fault and not line.text.strip():
            continue
        row = _read_entity(line)
        if row is not None:
            is_empty = False
            yield row
    if is_empty:
        raise InputError("The list holds no Person entity.", hint="Export Person entities as JSON lines.")


def _read_entity(line: Line) -> Row | None:
    """Read one line, or None where it holds an entity of another schema."""
    reader = RowReader(line.number)
    if line.fault:
        return reader.refuse("", line.fault)
    try:
        entity = json.loads(line.text)
    except (ValueError, RecursionError):
        return reader.refuse("", "is no JSON text; write one entity a line")
    if not _is_entity(entity):
        return reader.refuse("", "is no entity; it needs id, schema and properties with lists of texts")
    if entity["schema"] != "Person":
        return None
    return reader.read({"record_id": [entity["id"]], **_texts(entity["properties"])})


def _is_entity(entity: Any) -> bool:  # noqa: ANN401 - whatever JSON holds
    """Whether a value has an entity's shape."""
    if not isinstance(entity, dict) or not isinstance(entity.get("properties"), dict):
        return False
    if not isinstance(entity.get("id"), str) or not isinstance(entity.get("schema"), str):
        return False
    values = entity["properties"].values()
    return all(isinstance(value, list) and all(isinstance(item, str) for item in value) for value in values)


def _texts(properties: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The values of a record's fields; further names are aliases, and times are cut from dates."""
    texts = {name: [text for key in keys for text in properties.get(key, [])] for name, keys in _PROPERTIES.items()}
    names = properties.get("name", [])
    texts["full_name"], texts["aliases"] = names[:1], names[1:] + texts["aliases"]
    texts["date_of_birth"] = [date.partition("T")[0] for date in texts["date_of_birth"]]
    return texts
