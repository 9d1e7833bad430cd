"""Indicators: a coded, versioned table of what a party may note of a person, and the codes of a list's records.

The parties agree on a table as a file of the same bytes; a built-in one is a sample. Indicators are no input of
matching, and leave a node in a sealed note alone, in rounds that name the table (PROTOCOL.md 3.7.6).
"""

import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

from aquila.errors import InputError
from aquila.records.rows import LONGEST_EXAMPLE, AcceptedRow, Finding, Row
from aquila.sentences import Sentence
from aquila.visible import first_unseen

MOST_INDICATORS = 8
"""Codes that a record has at most: as many as a note has room for."""

_GROUP = re.compile("[A-Z]")
_CODE = re.compile("[A-Z][1-9][0-9]?")
_FIELD = "indicators"
_LONGEST = 60  # characters of a label


@dataclass(frozen=True, slots=True)
class IndicatorTable:
    """A table of indicators."""

    name: str
    digest: str
    """The SHA-256 of its file."""
    groups: Mapping[str, str]
    """Labels by letter."""
    indicators: Mapping[str, str]
    """Labels by code; the letter of a code is that of its group."""

    def known(self, codes: Iterable[str]) -> tuple[str, ...]:
        """Return those of some codes that the table has, each once and in its order."""
        wanted = set(codes)
        return tuple(code for code in self.indicators if code in wanted)


def load_indicators(path: Path | None = None) -> IndicatorTable:
    """Load a table from a file; without one the sample that comes with Aquila.

    Raises:
        InputError: There is no such file, or it is no table of indicators.
    """
    try:
        content = (
            resources.files(__package__).joinpath("indicators.toml").read_bytes() if path is None else path.read_bytes()
        )
        table = tomllib.loads(content.decode())
    except (OSError, ValueError) as error:
        raise InputError("settings_indicators_unusable", fault=type(error).__name__) from None
    made = IndicatorTable(
        table.get("name", ""), hashlib.sha256(content).hexdigest(), table.get("groups", {}), table.get("indicators", {})
    )
    if fault := _fault(made):
        raise InputError("settings_indicators_unusable", fault=fault)
    return made


def _fault(table: IndicatorTable) -> str:
    """Return which part of a table is wrong, or nothing."""
    if not _is_label(table.name):
        return "name"
    for part, form, letters in (("groups", _GROUP, None), ("indicators", _CODE, table.groups)):
        labels = getattr(table, part)
        if not isinstance(labels, dict) or not labels or not all(map(_is_label, labels.values())):
            return part
        if not all(form.fullmatch(code) and (letters is None or code[0] in letters) for code in labels):
            return part
    return ""


def _is_label(text: Any) -> bool:
    return isinstance(text, str) and 0 < len(text) <= _LONGEST and text.isprintable() and not first_unseen(text)


def coded(rows: Iterable[Row], table: IndicatorTable) -> Iterator[Row]:
    """Yield the rows of a list with the indicators that a table has; what else stands there is a finding."""
    for row in rows:
        yield _coded(row, table) if isinstance(row, AcceptedRow) and row.record.indicators else row


def _coded(row: AcceptedRow, table: IndicatorTable) -> AcceptedRow:
    given = {text.upper(): text for text in row.record.indicators}
    known = table.known(given)
    unknown = Sentence.of("code_not_used", codes=", ".join(table.indicators))
    reasons = [(unknown, text) for code, text in given.items() if code not in known]
    reasons += [(Sentence.of("too_many_values", most=MOST_INDICATORS), code) for code in known[MOST_INDICATORS:][:1]]
    findings = [Finding(row.line, _FIELD, reason, example=text[:LONGEST_EXAMPLE]) for reason, text in reasons]
    record = replace(row.record, indicators=known[:MOST_INDICATORS])
    return AcceptedRow(row.line, record, (*row.warnings, *findings))
