"""A sentence for people: the id of its text, and what its places hold. It is composed once, in its reader's language.

Errors, problems of a round and refusals carry a sentence instead of a text: code decides by the id, a database stores
id and fields, and whoever shows it composes it from the English table or from a catalogue. A place holds a text, a
number or another sentence, such as the reason of a refusal.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self, TypeAlias, Union

PLACE = re.compile(r"\{(\w+)\}")
"""A place in a text: the name of the field that it holds."""
QUOTED = "quoted"
"""The id of a sentence that somebody else composed, with the field `text`."""
_QUOTED_FIELDS = frozenset({"text", "hint"})
_CODE = re.compile(r"[a-z0-9_]{1,120}")
_DEEPEST = 4  # sentences within sentences
MOST_FIELDS = 32
"""Fields of a sentence that comes from a peer, at most."""
_LONGEST = 2_000  # characters of a field


class Text(NamedTuple):
    """The English of a sentence and of its hint: what the reader can do about it, or nothing."""

    text: str
    hint: str = ""


Value: TypeAlias = Union[str, int, "Sentence"]
Table: TypeAlias = Mapping[str, Text]


@dataclass(frozen=True, slots=True)
class Sentence:
    """The id of a sentence and what its places hold."""

    code: str
    """A key of the table of sentences, or `quoted`."""
    fields: Mapping[str, Value] = field(default_factory=dict)
    """Values by the names of places; more are for machines. None is a secret or person data."""

    @classmethod
    def of(cls, code: str, /, **fields: Value) -> Self:
        """Return a sentence from its id and what its places hold."""
        return cls(code, fields)


def quoted(text: str, hint: str = "") -> Sentence:
    """Return a sentence that is a text of somebody else: a peer of another release, an operating system."""
    return Sentence(QUOTED, {"text": text, "hint": hint})


def machine_fields(sentence: Sentence) -> Iterator[tuple[str, Value]]:
    """Yield the fields of a sentence, without the text of somebody else's."""
    for name, value in sentence.fields.items():
        if sentence.code != QUOTED or name not in _QUOTED_FIELDS:
            yield name, value


def filled(template: str, fields: Mapping[str, Value], said: Callable[[Sentence], str]) -> str:
    """Return a template with its places filled; a place without a field stays visible.

    Args:
        template: English, or a translation of it.
        fields: By the names of places.
        said: Composes a sentence that stands in a place.
    """

    def held(found: re.Match[str]) -> str:
        value = fields.get(found[1], found[0])
        return said(value) if isinstance(value, Sentence) else str(value)

    return PLACE.sub(held, template)


def to_json(sentence: Sentence) -> dict[str, object]:
    """Return a sentence as a JSON object of `code` and `fields`; a sentence in a place is one as well."""
    fields = {name: to_json(value) if isinstance(value, Sentence) else value for name, value in sentence.fields.items()}
    return {"code": sentence.code, "fields": fields}


def dumps(sentence: Sentence) -> str:
    """Return a sentence as JSON text for a database."""
    return json.dumps(to_json(sentence), ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def from_json(content: object, depth: int = _DEEPEST) -> Sentence | None:
    """Return the sentence in a JSON value that may be anybody's, or None where it is not one.

    Texts are cut and stripped of control characters, and fields that a sentence cannot have are left out: it may reach
    a terminal.
    """
    if not isinstance(content, dict) or depth == 0:
        return None
    code, fields = content.get("code"), content.get("fields", {})
    if not isinstance(code, str) or not _CODE.fullmatch(code) or not isinstance(fields, dict):
        return None
    values = {name: _value(value, depth) for name, value in list(fields.items())[:MOST_FIELDS] if _CODE.fullmatch(name)}
    return Sentence(code, {name: value for name, value in values.items() if value is not None})


def loads(text: str) -> Sentence:
    """Return the sentence in a database's text; a text of an earlier release is quoted."""
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    return from_json(content) or quoted(text)


def _value(value: object, depth: int) -> Value | None:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return from_json(value, depth - 1)


def printable(text: str) -> str:
    """Return somebody else's text, cut to a length and without control characters."""
    return "".join(character if character.isprintable() else " " for character in text[:_LONGEST]).strip()
