"""A matcher that leaves statements out of its log and writes entries in their place which nobody's signature shows."""

from pathlib import Path

import pytest

from aquila.audit.entries import Entry, EntryKind
from aquila.crypto.group import Group
from aquila.errors import AuditError
from aquila.protocol.auditing import LogRecord, UnprovenClaim, compare, read_log, refuse_unproven, still_unproven
from aquila.protocol.log_entries import refused_entry
from aquila.protocol.messages import Statement, Withdrawal
from aquila.sentences import text_of
from tests.support.exported import CODES, NOW, Exported, exported, verify


def unproven(log: Exported, group: Group, *others: LogRecord) -> list[UnprovenClaim]:
    """Check a log as the command does, and return what is not proven."""
    mine = read_log(log.files.get, log.registry)
    return still_unproven([*verify(log, group), *compare([mine, *others], log.registry)], others)


def replace_by_notes(log: Exported) -> list[int]:
    """Leave the query out, and write sealed notes under each number that is missing; return AL's numbers."""
    entries = [log.entry(place) for place in range(log.size)]
    query = next(entry.ids["submission"] for entry in entries if entry.ids.get("kind") == "query")
    places = [place for place in range(log.size) if log.entry(place).ids.get("submission") == query]
    said = [log.entry(place) for place in places if log.entry(place).counts.get("sequence")]
    last = max(log.all_of("disclosure"))
    for number, entry in enumerate(said):
        other = next(code for code in CODES if code != entry.party)
        note = Entry.of(
            EntryKind.DISCLOSURE,
            log.entry(last).time,
            entry.party,
            round=entry.round,
            recipient=other,
            counts={"notes": 1, "batch": 900 + number, "sequence": entry.counts["sequence"]},
            ids={"of": "lists"},
            digests={"statement": f"{number:064x}"},
        ).salted("0" * 32)
        log.contents.insert(last + 1, note.content())
        log.envelopes.insert(last + 1, b"")
    log.leave_out(*[place if place <= last else place + len(said) for place in places])
    log.name_anew()
    log.sign_anew()
    return [entry.counts["sequence"] for entry in said if entry.party == "AL"]


def test_a_query_called_sealed_notes(log: Exported, group: Group) -> None:
    """Nobody confirmed these notes, so each of their numbers is not proven, and a strict audit fails."""
    numbers = replace_by_notes(log)
    found = unproven(log, group)
    said = [text_of(one.sentence) for one in found if one.shown_by == "AL"]
    assert [f"number {number} of AL is of sealed notes that nobody confirmed" in " ".join(said) for number in numbers]
    with pytest.raises(AuditError, match="sealed notes that nobody confirmed"):
        refuse_unproven(found)


def hidden_withdrawal(log: Exported, own: Exported, place_of_refusal: str) -> None:
    """Let AL withdraw a hit after its closing, which the matcher says that it refused; in one log or the other."""
    closing = log.message(log.statements_of("AL")[-1])
    assert isinstance(closing, Statement)
    fields = {"round_id": closing.round_id, "party": "AL", "sequence": closing.sequence + 1}
    fields |= {"binding": closing.binding, "log_head": closing.log_head}  # type: ignore[attr-defined]  # a closing has one
    withdrawal = Withdrawal(counterpart="RS", hits=("0" * 32,), ground="incorrect", **fields)
    entry = own.entry(own.sign(withdrawal, NOW))
    refusal = refused_entry(withdrawal, entry.digests["statement"], NOW)
    (log if place_of_refusal == "matcher" else own).append(refusal)
    own.sign_anew(statistics=False, witnesses=("matcher",))
    log.sign_anew()


@pytest.mark.parametrize("whose", ["matcher", "AL"])
def test_a_withdrawal_called_refused(log: Exported, audited: Path, group: Group, whose: str) -> None:
    """Without what was refused the word explains nothing, whichever log says it."""
    own = exported(audited, "AL")
    own.holder = "AL"
    hidden_withdrawal(log, own, whose)
    found = unproven(log, group, read_log(own.files.get, own.registry))
    assert [one.what for one in found] == ["refused_unshown"]
    with pytest.raises(AuditError, match="said to have been refused"):
        refuse_unproven(found)


def test_an_alarm_that_was_acknowledged(log: Exported, audited: Path, group: Group) -> None:
    """A party whose log has an alarm over the matcher's says so in an audit, also after its administrator went on."""
    own = exported(audited, "AL")
    own.holder = "AL"
    for kind, counts in ((EntryKind.LOG_ALARM, {}), (EntryKind.ALARM_ACKNOWLEDGED, {"alarm": 1})):
        own.append(Entry.of(kind, NOW, "AL", recipient="matcher", ids={"what": "missing"}, counts=counts))
    own.append(Entry.of(EntryKind.LOG_ALARM, NOW, "AL", recipient="matcher", ids={"what": "fork"}))
    own.sign_anew(statistics=False, witnesses=("matcher",))
    said = [text_of(one.sentence) for one in unproven(log, group, read_log(own.files.get, own.registry))]
    assert len(said) == 2
    assert "over the log of matcher (missing), which was acknowledged by entry" in said[0]
    assert "over the log of matcher (fork), which nobody has acknowledged" in said[1]
