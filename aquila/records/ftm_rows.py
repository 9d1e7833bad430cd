"""Rows of FollowTheMoney JSON lines: one entity a line, `{"id", "schema", "properties": {name: [values]}}`.

Only Person entities are records; passports, addresses and links of an export are passed over. Source:
followthemoney.tech, model of Person, LegalEntity and Thing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aquila.records.fields import RowReader
from aquila.records.lines import BATCH_LINES, Batch, Line, LineSource

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


@dataclass(frozen=True, slots=True)
class FtmPlan:
    """How FollowTheMoney JSON lines are read: every list alike."""


def cut_ftm(source: LineSource, most: int = BATCH_LINES) -> Iterator[Batch]:
    """Cut a file into batches of about so many lines."""
    number = 1
    while contents := source.take(most):
        yield Batch(number, tuple(contents), is_head=number == 1)
        number += len(contents)


def read_ftm_batch(batch: Batch) -> list[Row]:
    """Read the Person entities of a batch."""
    return [row for line in batch.lines() if not line.is_blank and (row := _read_entity(line)) is not None]


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
