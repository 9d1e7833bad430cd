"""The page on the forms of entries, statement by statement; and the words of what an audit does not prove."""

import re
from operator import attrgetter
from pathlib import Path

import pytest

from aquila.protocol import auditing
from aquila.protocol.log_entries import statement_entry
from aquila.protocol.messages import ANNOUNCEMENTS, PARTY_STATEMENTS, Manifest, Message
from tests.support.samples import SAMPLES

SCHEMAS = Path(__file__).parents[2] / "schemas"
PAGE, PROTOCOL = SCHEMAS / "log" / "forms.md", SCHEMAS / "PROTOCOL.md"
OPTIONAL = {"page", "pages", "submission"}
"""Members that are there only of a report in pages, or of a query."""


def rows() -> dict[str, list[str]]:
    table = PAGE.read_text(encoding="utf-8").partition("|---")[2].partition("\n\n")[0]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[1:]]
    return {cells[0]: cells[1:] for cells in lines}


@pytest.mark.parametrize("kind", [Manifest, *ANNOUNCEMENTS, *PARTY_STATEMENTS], ids=lambda kind: kind.__name__)
def test_every_statement_has_its_row(kind: type[Message]) -> None:
    name, recipient, *members = rows()[kind.__name__]
    message = kind.model_validate(SAMPLES[kind])
    entry = statement_entry(message, "0" * 64, 1)
    assert name == f"`{entry.kind.value}`"
    assert entry.recipient == (attrgetter(recipient.strip("*"))(message) if recipient else None)
    given = (set(entry.counts) - {"sequence"}, set(entry.digests) - {"statement"}, set(entry.ids))
    for cell, there in zip(members, given, strict=True):
        assert there - OPTIONAL <= named(cell) <= there | OPTIONAL


def named(cell: str) -> set[str]:
    """Return the names of members in a cell; an id that is there only of a query is none of them."""
    return set(re.findall(r"`(\w+)`", cell.replace("`of` where it names a query", "")))


def test_no_row_is_of_another_statement() -> None:
    assert rows().keys() == {kind.__name__ for kind in (Manifest, *ANNOUNCEMENTS, *PARTY_STATEMENTS)}


def words_of_the_code() -> set[str]:
    """Return the words of all points that an audit does not prove."""
    claim = re.compile(r'(?:UnprovenClaim\(|claim\(\s*audit,)\s*"(\w+)"')
    sources = Path(auditing.__file__).parent.glob("*.py")
    return {word for source in sources for word in claim.findall(source.read_text("utf-8"))}


def test_the_audit_has_the_words_of_the_text() -> None:
    """10.6 to 10.6.2: a condition that is no fault has a word; each word of the code is there, and no other."""
    text = PROTOCOL.read_text("utf-8")
    audit = text[text.index("\n10.6 *Audit.*") : text.index("\n10.7 *Statistics.*")]
    tables = re.findall(r"\| else \|\n((?:\|.*\n)+)", audit)
    told = set(re.findall(r"\| `(\w+)` \|$", "".join(tables), re.MULTILINE))
    words = words_of_the_code()
    assert len(words) > 10
    assert told <= words
    assert {word for word in words if f"`{word}`" not in audit} == set()
