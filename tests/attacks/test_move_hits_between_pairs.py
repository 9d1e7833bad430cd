"""A matcher that moves hits from one level to another, or from pair to pair, where the sums stay the same."""

from itertools import combinations

import pytest

from aquila.audit.entries import Entry
from aquila.crypto.group import Group
from aquila.errors import AuditError
from aquila.protocol.auditing import audit_rounds, read_log
from aquila.protocol.auditing.hits import check_hits
from tests.support.exported import Exported
from tests.support.receipts import audit_of

FOUR = ("AL", "RS", "SI", "XK")


def refused(log: Exported, group: Group) -> AuditError:
    log.name_anew()
    log.sign_anew()
    with pytest.raises(AuditError) as caught:
        audit_rounds(read_log(log.files.get, log.registry), log.files.get, log.registry, group)
    return caught.value


def move(log: Exported, place: int, **by: int) -> None:
    """Change the hits of a match or a report at some levels; its other numbers stay."""
    counts = log.entry(place).counts
    log.change(place, counts=counts | {level: counts[level] + change for level, change in by.items()})


def of_lists(log: Exported, kind: str) -> list[tuple[int, Entry]]:
    return [(place, log.entry(place)) for place in log.all_of(kind) if log.entry(place).ids["of"] == "lists"]


def test_from_level_to_level(log: Exported, group: Group) -> None:
    """A high hit is called low, in the match and in both reports; every total is what it was."""
    place, entry = next((place, entry) for place, entry in of_lists(log, "match") if entry.counts["high"])
    move(log, place, high=-1, low=1)
    for report, told in of_lists(log, "report"):
        if {told.recipient, told.ids["counterpart"]} == {entry.ids["left"], entry.ids["right"]}:
            move(log, report, high=-1, low=1)
    error = refused(log, group)
    assert (error.fields["what"], error.fields["level"]) == ("pair_hits", "high")


def test_from_pair_to_pair() -> None:
    """Of four parties each pair has six hits; the log and the statistics say 8, 4, 6, 6, 4 and 8, eighteen for each."""
    told = dict.fromkeys(combinations(FOUR, 2), 6)
    said = dict(zip(told, (8, 4, 6, 6, 4, 8), strict=True))
    assert all(sum(said[pair] for pair in said if party in pair) == 18 for party in FOUR)
    list(check_hits(audit_of(told, told)))
    with pytest.raises(AuditError, match="AL signed that it has 6 hits of the level high with RS for the lists, and 8"):
        list(check_hits(audit_of(said, told)))


def test_a_report_of_more_hits_than_its_levels(log: Exported, group: Group) -> None:
    move(log, log.index("report"), hits=500)
    assert refused(log, group).fields["what"] == "hits"


def test_more_notes_than_were_confirmed(log: Exported, group: Group) -> None:
    """The number of notes in a batch is that of its receiver's confirmation, and so is the number of its statement."""
    place = log.index("disclosure")
    log.change(place, counts=log.entry(place).counts | {"notes": 400})
    assert "confirms notes of another number" in refused(log, group).message
