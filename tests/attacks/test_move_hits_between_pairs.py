"""A matcher that moves hits from one level to another, or from pair to pair, where the sums stay the same."""

import pytest

from aquila.audit.entries import Entry
from aquila.crypto.group import Group
from aquila.errors import AuditError
from aquila.protocol.auditing import audit_rounds, read_log
from tests.support.exported import Exported


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
    assert "another number of hits than its report has" in refused(log, group).message


def test_from_pair_to_pair(log: Exported, group: Group) -> None:
    """A high hit is called one of another pair of the same party; what it has in all is what it was."""
    (place, entry), other = (
        next(
            (place, entry) for place, entry in of_lists(log, "match") if entry.counts["high"] and "AL" in names(entry)
        ),
        next(place for place, entry in reversed(of_lists(log, "match")) if "AL" in names(entry)),
    )
    assert place != other
    for one, by in ((entry, -1), (log.entry(other), 1)):
        for report, told in of_lists(log, "report"):
            if {told.recipient, told.ids["counterpart"]} == names(one):
                move(log, report, high=by, hits=by)
    move(log, place, high=-1)
    move(log, other, high=1)
    assert "another number of hits than its report has" in refused(log, group).message


def names(entry: Entry) -> set[str]:
    return {str(entry.ids[side]) for side in ("left", "right")}


def test_a_report_of_more_hits_than_its_levels(log: Exported, group: Group) -> None:
    move(log, log.index("report"), hits=500)
    assert refused(log, group).fields["what"] == "hits"


def test_more_notes_than_were_confirmed(log: Exported, group: Group) -> None:
    """The number of notes in a batch is that of its receiver's confirmation, and so is the number of its statement."""
    place = log.index("disclosure")
    log.change(place, counts=log.entry(place).counts | {"notes": 400})
    assert "confirms notes of another number" in refused(log, group).message
