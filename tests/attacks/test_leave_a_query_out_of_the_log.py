"""A matcher that answers a query and keeps it out of its log, so that nobody who audits hears of it."""

import pytest

from aquila.audit.entries import EntryKind
from aquila.crypto.group import Group
from aquila.errors import AuditError
from tests.support.exported import CODES, Exported, verify


def of_the_query(log: Exported) -> list[int]:
    """Return the places of everything that was said and done about the query."""
    entries = [log.entry(place) for place in range(log.size)]
    query = next(entry.ids["submission"] for entry in entries if entry.ids.get("kind") == "query")
    return [place for place, entry in enumerate(entries) if entry.ids.get("submission") == query]


def test_nothing_of_it_was_ever_written(log: Exported, group: Group) -> None:
    """Submission, evaluations, tokens, matches, reports, receipts and notes are gone; three witnesses cosigned it."""
    left_out = of_the_query(log)
    assert len(left_out) >= 18
    log.leave_out(*left_out)
    log.sign_anew()
    with pytest.raises(AuditError, match="statements of AL are missing, with the numbers") as caught:
        verify(log, group)
    assert (caught.value.fields["what"], caught.value.fields["party"]) == ("statements_missing", "AL")


@pytest.mark.parametrize("code", CODES)
def test_other_parties_words_under_its_numbers(log: Exported, group: Group, code: str) -> None:
    """Nor do entries that say that the missing statements were refused, without showing what their party signed."""
    left_out = of_the_query(log)
    refused = [log.entry(place) for place in left_out if log.entry(place).party == code]
    log.leave_out(*left_out)
    for entry in refused:
        counts = {"sequence": entry.counts["sequence"]}
        log.append(
            entry.model_copy(
                update={
                    "kind": EntryKind.STATEMENT_REFUSED,
                    "recipient": code,
                    "party": "matcher",
                    "counts": counts,
                    "digests": {"statement": entry.digests["statement"]},
                    "ids": {},
                    "reason": None,
                    "person": None,
                }
            )
        )
    log.sign_anew()
    other = next(one for one in CODES if one != code)
    with pytest.raises(AuditError, match=f"statements of {other} are missing"):
        verify(log, group)


def test_what_was_signed_called_refused(log: Exported, group: Group) -> None:
    """Nor do the statements themselves: an auditor takes each through the round, which allows it."""
    place = log.index("submission", 3)
    entry = log.entry(place)
    assert entry.ids["kind"] == "query"
    rest = [index for index in of_the_query(log) if index != place]
    counts = {"sequence": entry.counts["sequence"]}
    log.change(
        place,
        kind=EntryKind.STATEMENT_REFUSED,
        recipient=entry.party,
        party="matcher",
        counts=counts,
        ids={},
        reason=None,
        person=None,
        digests={"statement": entry.digests["statement"]},
    )
    log.leave_out(*rest)
    log.sign_anew()
    with pytest.raises(AuditError, match="the matcher refused a statement of AL that the round allows") as caught:
        verify(log, group)
    assert caught.value.fields["what"] == "refused_unduly"
