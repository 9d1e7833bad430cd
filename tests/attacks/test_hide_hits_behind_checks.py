"""A matcher that leaves hits out, and keeps what parties found of it from the auditor, or says it otherwise."""

import pytest

from aquila.crypto.group import Group
from aquila.errors import AuditError
from aquila.protocol.auditing import UnprovenClaim, audit_rounds, read_log, refuse_unproven
from aquila.protocol.messages import CheckFault, ReportCheck
from aquila.sentences import text_of
from tests.support.exported import Exported


def verify(log: Exported, group: Group) -> list[UnprovenClaim]:
    """Check a log that everyone who had to has cosigned, and return what is not proven."""
    log.name_anew()
    log.sign_anew()
    record = read_log(log.files.get, log.registry)
    rounds = audit_rounds(record, log.files.get, log.registry, group)
    return [one for audit in rounds for one in audit.unproven]


def check_of(log: Exported, party: str) -> tuple[int, ReportCheck]:
    """Return the place of a party's first check, and what it says."""
    place = next(place for place in log.all_of("checked") if log.entry(place).party == party)
    message = log.message(place)
    assert isinstance(message, ReportCheck)
    return place, message


def test_an_honest_log(log: Exported, group: Group) -> None:
    """Each party has checked each pair, of lists and of a query, and a strict audit has nothing to say of it."""
    entries = [log.entry(place) for place in log.all_of("checked")]
    of_lists = sorted((entry.party, entry.recipient) for entry in entries if "submission" not in entry.ids)
    assert of_lists == [(a, b) for a in ("AL", "RS", "SI") for b in ("AL", "RS", "SI") if a != b]
    of_query = sorted((entry.party, entry.recipient) for entry in entries if "submission" in entry.ids)
    assert of_query == [("AL", "RS"), ("AL", "SI"), ("RS", "AL"), ("SI", "AL")]
    assert not {"not_checked", "hits_left_out", "checks_differ"} & {one.what for one in verify(log, group)}


def test_a_party_that_found_something(log: Exported, group: Group) -> None:
    """Its word is in the log, and a strict audit fails over it, though the other side found nothing."""
    place, said = check_of(log, "AL")
    log.say(place, fault=CheckFault.TAGS)
    (point,) = (one for one in verify(log, group) if one.what == "hits_left_out")
    assert f"AL signed of its hits with {said.counterpart} for the lists: other tags met" in text_of(point.sentence)
    with pytest.raises(AuditError, match="hits were left out"):
        refuse_unproven([point])


def test_a_check_that_is_not_there(log: Exported, group: Group) -> None:
    """A party that helps the matcher gives the number up: nobody checked the pair from its side, and that is said."""
    place, said = check_of(log, "AL")
    closing = next(place for place in log.all_of("closing") if log.entry(place).party == "AL")
    log.say(closing, given_up=((said.sequence, said.sequence),))
    log.drop(place)
    (point,) = (one for one in verify(log, group) if one.what == "not_checked")
    assert f"with {said.counterpart} were left out" in text_of(point.sentence)
    with pytest.raises(AuditError, match="AL has not signed"):
        refuse_unproven([point])


def test_another_match_than_the_parties_were_told_of(log: Exported, group: Group) -> None:
    """A match names the tags that met: what both sides signed of their reports contradicts a false one."""
    log.change(log.index("match"), digests={"met": "0" * 64})
    with pytest.raises(AuditError, match="says that other tags met than its report tells"):
        verify(log, group)


def test_two_reports_of_two_sides(log: Exported, group: Group) -> None:
    """Two sides that were told of other tags signed so: whatever the match says, it contradicts one of them."""
    place, _ = check_of(log, "RS")
    log.say(place, met="0" * 64)
    with pytest.raises(AuditError, match="RS says that other tags met than its report tells"):
        verify(log, group)


def test_another_match_of_a_query_than_was_told(log: Exported, group: Group) -> None:
    """As of lists, asker and owner signed which tags met."""
    place = next(place for place in log.all_of("match") if log.entry(place).ids["of"] == "query")
    log.change(place, digests={"met": "0" * 64})
    with pytest.raises(AuditError, match="says that other tags met than its report tells"):
        verify(log, group)
