"""Rows of FollowTheMoney JSON lines: one entity a line, `{"id", "schema", "properties": {name: [values]}}`.

Only Person entities are records; passports, addresses and links of an export are passed over. Source:
followthemoney.tech, model of Person, LegalEntity and Thing.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from aquila.records.field_table import field_table
from aquila.records.reading.bounded_lines import BATCH_LINES, Batch, Line, LineSource
from aquila.records.reading.columns import read_texts
from aquila.records.reading.layouts import Encoding
from aquila.records.rows import Row, refuse
from aquila.sentences import Sentence


@dataclass(frozen=True, slots=True)
class FtmPlan:
    """The way in which FollowTheMoney JSON lines are read: every list alike, but for the encoding."""

    encoding: Encoding = "utf-8"


def cut_ftm(source: LineSource, most: int = BATCH_LINES) -> Iterator[Batch]:
    """Cut a file into batches of at most `most` lines."""
    number = 1
    while contents := source.read_lines(most):
        yield Batch(number, tuple(contents), is_head=number == 1)
        number += len(contents)


def read_ftm_batch(plan: FtmPlan, batch: Batch) -> list[Row]:
    """Read the Person entities of a batch."""
    texts = batch.sound_texts(plan.encoding)
    lines = (
        batch.lines(plan.encoding)
        if texts is None
        else [Line(number, text) for number, text in enumerate(texts, batch.first)]
    )
    return [row for line in lines if not line.is_blank and (row := _read_entity(line)) is not None]


def _read_entity(line: Line) -> Row | None:
    """Read one line, or None where it holds an entity of another schema."""
    if line.fault:
        return refuse(line.number, line.fault)
    try:
        entity = json.loads(line.text)
    except (ValueError, RecursionError):
        return refuse(line.number, Sentence.of("line_is_no_json"))
    if not _is_entity(entity):
        return refuse(line.number, Sentence.of("line_is_no_entity"))
    if entity["schema"] != "Person":
        return None
    return read_texts(line.number, _texts(entity["id"], entity["properties"]))


def _is_entity(entity: Any) -> bool:
    """Return whether a value has an entity's shape."""
    if not isinstance(entity, dict) or not isinstance(entity.get("properties"), dict):
        return False
    if not isinstance(entity.get("id"), str) or not isinstance(entity.get("schema"), str):
        return False
    for values in entity["properties"].values():
        if not isinstance(values, list):
            return False
        for value in values:
            if not isinstance(value, str):
                return False
    return True


def _texts(entity_id: str, properties: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The texts of a record's fields, where there are any; names after the first are aliases; times leave dates."""
    texts = {"record_id": [entity_id]}
    if names := properties.get("name"):
        texts["full_name"] = names[:1]
        if len(names) > 1:
            texts["aliases"] = names[1:]
    for key, name in _properties():
        if values := properties.get(key):
            texts[name] = texts[name] + values if name in texts else values
    if dates := texts.get("date_of_birth"):
        texts["date_of_birth"] = [date.partition("T")[0] for date in dates]
    return texts


@cache
def _properties() -> tuple[tuple[str, str], ...]:
    """Return the properties that are read, with their fields, in the order in which a field takes their values."""
    return tuple((key, name) for name, entry in field_table().items() for key in entry.properties)
