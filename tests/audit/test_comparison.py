"""Logs held against each other, and against the clocks of their witnesses: made of entries alone."""

from collections import Counter
from typing import Any

import pytest

from aquila.audit.checkpoint import Checkpoint, log_name
from aquila.audit.entries import Entry, EntryKind, LeftOutEntries
from aquila.audit.merkle import tree_root
from aquila.crypto.envelope import sign_envelope
from aquila.crypto.keys import IdentityKey
from aquila.errors import AuditError
from aquila.protocol.auditing import LogRecord, UnprovenClaim, check_at_least, compare, still_unproven
from aquila.protocol.auditing.coverage import check_times
from aquila.protocol.log_entries import refused_entry, statement_entry
from aquila.protocol.messages import Closing, Consent, Notes, Statement, Tokens
from aquila.protocol.registry import RegisteredParty, Registry
from aquila.sentences import quoted, text_of
from tests.support.samples import ROUND, SAMPLES

MATCHERS, PARTYS = IdentityKey(bytes(range(32))), IdentityKey(bytes(range(1, 33)))
REGISTRY = Registry(MATCHERS.public, {"SI": RegisteredParty("SI", "SI", PARTYS.public)})
END = Entry.of(EntryKind.ENDING, 9, "matcher", round=ROUND, ids={"outcome": "aborted"})


SIGNED = sign_envelope(Closing.payload_type, Closing.model_validate(SAMPLES[Closing]).payload(), PARTYS)
"""Any envelope: a comparison asks whether there is one, and which numbers it gives up; audits of each log verify it."""


def log(holder: str, *entries: Entry | None, **fields: Any) -> LogRecord:
    leaves = [bytes(32) if entry is None else entry.leaf() for entry in entries]
    origin = log_name(holder, REGISTRY.key_of(holder))
    checkpoint = Checkpoint(origin, len(leaves), tree_root(leaves))
    signed = [SIGNED if entry is not None and "statement" in entry.digests else b"" for entry in entries]
    statements = fields.pop("statements", signed)
    return LogRecord(holder, checkpoint, list(entries), statements, leaves=leaves, **fields)


def said(kind: type[Statement], sequence: int, time: int = 1, **fields: object) -> Entry:
    message = kind.model_validate(SAMPLES[kind] | {"sequence": sequence} | fields)
    return statement_entry(message, f"{sequence:064x}", time)


def compared(*logs: LogRecord) -> list[str]:
    return [found.what for found in compare(logs, REGISTRY)]


def refused(*logs: LogRecord) -> dict[str, str | int]:
    with pytest.raises(AuditError) as caught:
        compared(*logs)
    return caught.value.fields


def test_logs_that_agree() -> None:
    mine, theirs = said(Consent, 1), said(Consent, 1, time=2).salted("0" * 32)
    assert compared(log("matcher", END, theirs), log("SI", mine)) == []


def test_one_that_says_something_else_of_a_statement() -> None:
    mine = said(Closing, 2)
    other = mine.model_copy(update={"counts": mine.counts | {"hits": 99}})
    assert (
        refused(log("matcher", other), log("SI", mine)).items()
        >= {"what": "differs", "party": "SI", "fields": "counts"}.items()
    )
    other = mine.model_copy(update={"recipient": "RS"})
    assert refused(log("matcher", other), log("SI", mine))["fields"] == "recipient"


def test_what_was_seen_must_be_contained() -> None:
    whole = log("matcher", END, said(Consent, 1))
    begun = log("matcher", END)
    seen = log("SI", said(Consent, 1), seen={"matcher": whole.checkpoint})
    assert refused(begun, seen).items() >= {"what": "older", "holder": "matcher", "expected": 2, "got": 1}.items()
    fork = log("matcher", said(Consent, 1), END)
    assert refused(fork, seen).items() >= {"what": "fork", "holder": "matcher", "expected": 2}.items()
    assert compared(begun, whole) == []
    assert refused(log("matcher", said(Consent, 1)), whole)["what"] == "fork"
    note = whole.checkpoint.sign(MATCHERS).to_bytes()
    check_at_least(whole, note, REGISTRY)
    with pytest.raises(AuditError, match="older than the checkpoint that was kept: 2"):
        check_at_least(begun, note, REGISTRY)


def test_a_statement_that_the_matcher_left_out() -> None:
    """One that it had seen in the party's log, by what it saw or by its cosignature until its newest entry."""
    mine = log("SI", said(Closing, 2))
    for matchers, own in (
        (log("matcher", END, seen={"SI": mine.checkpoint}), mine),
        (log("matcher", END), log("SI", said(Closing, 2), cosigned={"matcher": {1: 9}})),
    ):
        assert refused(matchers, own).items() >= {"what": "statement_left_out", "party": "SI", "round": ROUND}.items()
    assert compared(log("matcher", END), log("SI", said(Closing, 2), cosigned={"matcher": {1: 10}})) == ["not_entered"]


@pytest.mark.parametrize(
    ("kept", "is_missing"),
    [
        ({"left_out": LeftOutEntries(((20, 21),))}, False),  # of a copy that has nothing else of the round
        ({"left_out": LeftOutEntries(((20, 21),)), "proposal": 0}, True),
        ({"left_out": LeftOutEntries(((20, 21),), Counter({ROUND: 1})), "proposal": 0}, False),
        ({"erased": 16}, True),  # the statement names a head of 17 entries: it cannot stand before it
        ({"erased": 17}, False),
    ],
)
def test_a_log_that_lacks_contents(kept: dict[str, Any], is_missing: bool) -> None:
    """What a copy leaves out and what retention erased excuse a statement only if it can have been among them."""
    mine = log("SI", said(Closing, 2))
    entries: list[Entry | None] = [END] * 20
    if "proposal" in kept:
        entries[kept["proposal"]] = Entry.of(EntryKind.PROPOSAL, 1, "matcher", round=ROUND)
    if "erased" in kept:
        entries[kept["erased"]] = None
    left_out = kept.get("left_out", LeftOutEntries())
    matchers = log("matcher", *entries, *[None] * left_out.count, seen={"SI": mine.checkpoint}, left_out=left_out)
    if is_missing:
        assert refused(matchers, mine)["what"] == "statement_left_out"
    else:
        assert compared(matchers, mine) == ["not_entered"]


def test_tokens_of_an_open_round_do_not_wait() -> None:
    """A party signs none that are not due: what it signed is in the matcher's log, also before the ending."""
    mine = log("SI", said(Tokens, 2))
    begun = Entry.of(EntryKind.OPENING, 9, "matcher", round=ROUND)
    assert refused(log("matcher", begun, seen={"SI": mine.checkpoint}), mine)["what"] == "statement_left_out"


def test_what_explains_a_statement_that_is_not_there() -> None:
    """The matcher's log shows what it refused, or the party's last word that it gave it up; the bare word does not."""
    mine = said(Closing, 2)
    refusal = refused_entry(Closing.model_validate(SAMPLES[Closing] | {"sequence": 2}), f"{2:064x}", 3)
    own = log("SI", mine)
    assert compared(log("matcher", END, refusal, seen={"SI": own.checkpoint}), own) == []
    bare = log("matcher", END, refusal, seen={"SI": own.checkpoint}, statements=[b"", b""])
    assert compared(bare, own) == ["refused_unshown"]
    own = log("SI", mine, refusal)
    assert compared(log("matcher", END, seen={"SI": own.checkpoint}), own) == ["refused_unshown"]
    last = Closing.model_validate(SAMPLES[Closing] | {"sequence": 4, "given_up": ((2, 3),)})
    envelope = sign_envelope(Closing.payload_type, last.payload(), PARTYS)
    closing = statement_entry(last, f"{4:064x}", 2)
    own = log("SI", said(Consent, 1), mine, closing, statements=[SIGNED, SIGNED, envelope])
    assert compared(log("matcher", said(Consent, 1), closing, END, seen={"SI": own.checkpoint}), own) == []


def test_a_statement_that_its_party_does_not_know() -> None:
    """A log that lacks one below its own newest was restored, or somebody else signs; above, it is only older."""
    matchers = log("matcher", said(Consent, 1), said(Closing, 2), END)
    assert refused(matchers, log("SI", said(Closing, 2))) == {
        "what": "statement_unknown",
        "party": "SI",
        "round": ROUND,
        "number": 1,
    }
    assert compared(matchers, log("SI", said(Consent, 1))) == []
    assert compared(matchers, log("SI", None, said(Closing, 2))) == []


def test_an_entry_without_an_envelope_blames_nobody() -> None:
    """Neither the party whose log lacks sealed notes that the matcher's has, nor the matcher for those of a party."""
    notes = said(Notes, 1)
    assert notes.kind is EntryKind.DISCLOSURE
    invented = log("matcher", notes, said(Closing, 2), END, statements=[b"", SIGNED, b""])
    assert refused(invented, log("SI", said(Closing, 2))).items() >= {"what": "nobody_signed", "number": 1}.items()
    own = log("SI", notes, said(Closing, 2), statements=[b"", SIGNED])
    matchers = log("matcher", said(Closing, 2), END, seen={"SI": own.checkpoint})
    assert compared(matchers, own) == ["not_entered"]


def test_a_partys_own_log_settles_what_it_shows() -> None:
    """An open point about notes or a report is settled by the log of the party that it names, and by no other."""
    own = log("SI", said(Notes, 1), statements=[b""])
    claims = [
        UnprovenClaim("numbers", quoted("notes"), "SI", f"{1:064x}"),
        UnprovenClaim("numbers", quoted("others"), "AL", f"{1:064x}"),
        UnprovenClaim("numbers", quoted("more"), "SI", f"{2:064x}"),
        UnprovenClaim("uncovered", quoted("the end")),
    ]
    assert still_unproven(claims, [own]) == claims[1:]
    assert still_unproven(claims, []) == claims


def test_alarms_over_a_log_are_said() -> None:
    """With their acknowledgement, by the alarm's number: an administrator who went on makes no log right."""
    alarm = Entry.of(EntryKind.LOG_ALARM, 1, "SI", recipient="matcher", ids={"what": "missing"})
    went_on = Entry.of(EntryKind.ALARM_ACKNOWLEDGED, 2, "SI", recipient="matcher", counts={"alarm": 2})
    found = list(compare([log("matcher", END), log("SI", alarm, alarm, went_on)], REGISTRY))
    assert [claim.what for claim in found] == ["log_alarm"] * 2
    said_so = [text_of(claim.sentence) for claim in found]
    assert said_so[0].endswith("over the log of matcher (missing), which nobody has acknowledged")
    assert said_so[1].endswith("which was acknowledged by entry 2")


def test_entries_lie_between_cosignatures() -> None:
    """Ten minutes after the first witness that saw it, and an hour before one that saw the log without it."""
    of = [Entry.of(EntryKind.LOG_EXPORTED, time, "SI") for time in (1_000, 10_000)]
    check_times(log("SI", *of, cosigned={"matcher": {1: 400, 2: 9_400}}))
    check_times(log("SI", *of, None, cosigned={"matcher": {1: 13_600}}))
    with pytest.raises(AuditError, match="entry 1: it is dated after a witness saw it") as caught:
        check_times(log("SI", *of, cosigned={"matcher": {1: 400}, "RS": {2: 9_399}}))
    assert caught.value.fields == {"what": "time_too_late", "expected": 9_399, "got": 10_000, "index": 1}
    with pytest.raises(AuditError, match="entry 1: it is dated before a witness saw the log without it") as caught:
        check_times(log("SI", *of, cosigned={"matcher": {1: 13_601}}))
    assert caught.value.fields == {"what": "time_too_early", "expected": 13_601, "got": 10_000, "index": 1}
