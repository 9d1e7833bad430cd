"""The owner of a log that wants contents gone today, and says that three years have passed."""

import pytest

from aquila.audit.entries import Entry, EntryKind
from aquila.crypto.group import Group
from aquila.errors import AuditError
from aquila.protocol.auditing import audit_rounds, read_log
from tests.support.exported import NOW, Exported

DAY = 86_400
YEARS = 1_095 * DAY


def erase(log: Exported, at: int) -> int:
    """Erase all contents, and write an entry that says that it was lawful at a time; return how many went."""
    size = log.size
    log.append(Entry.of(EntryKind.LOG_PRUNED, at, "matcher", counts={"size": size, "days": 1_095, "entries": size}))
    for place in range(size):
        log.contents[place] = log.envelopes[place] = b""
    return size


def refused(log: Exported) -> AuditError:
    with pytest.raises(AuditError) as caught:
        read_log(log.files.get, log.registry)
    return caught.value


def test_by_the_owners_clock(log: Exported) -> None:
    """One entry dated three years ahead: the witnesses that saw everything today saw it today, too."""
    size = erase(log, NOW + YEARS + DAY)
    log.sign_anew(seen=[(size, NOW), (size + 1, NOW)])
    assert refused(log).fields["what"] == "time_too_late"


def test_before_any_witness_sees_it(log: Exported) -> None:
    """Where nobody has cosigned the entry, nobody has seen three years pass either."""
    size = erase(log, NOW + YEARS + DAY)
    log.sign_anew(seen=[(size, NOW)])
    error = refused(log)
    assert (error.fields["what"], error.fields["expected"], error.fields["got"]) == ("erased_early", 1_095, 0)


def test_with_two_clocks_of_two_witnesses(log: Exported) -> None:
    """The years are counted by one clock: one that is behind and one that is ahead make no three years."""
    size = erase(log, NOW + YEARS)
    log.sign_anew(seen=[(size, NOW)], witnesses=("RS",))
    log.cosign(size, "AL", NOW + YEARS)
    assert refused(log).fields["what"] == "erased_early"


def test_with_a_witness_that_dates_ahead(log: Exported) -> None:
    """What one witness says that it still saw without the entry, years after others saw the entry, does not count."""
    size = erase(log, NOW)
    log.sign_anew(seen=[(size - 1, NOW), (size, NOW), (size + 1, NOW)], witnesses=("RS", "SI"))
    log.cosign(size - 1, "AL", NOW)
    log.cosign(size, "AL", NOW + YEARS)
    error = refused(log)
    assert (error.fields["what"], error.fields["got"]) == ("erased_early", 0)


def test_as_its_own_witness(log: Exported) -> None:
    """The owner has a name as a witness, too, and any clock that it likes: its own lines count for nothing."""
    size = erase(log, NOW)
    log.sign_anew(seen=[(size, NOW), (size + 1, NOW)])
    log.cosign_at(size - 1, "matcher")
    log.cosign(size, "matcher", NOW - YEARS)
    assert refused(log).fields["what"] == "erased_early"


def test_cosigned_by_its_owner_alone(log: Exported) -> None:
    log.sign_anew(witnesses=("matcher",))
    assert "uncovered" in [claim.what for claim in read_log(log.files.get, log.registry).unproven]


def test_nothing_says_so(log: Exported) -> None:
    """Contents that are gone without a word were taken away."""
    log.contents[3] = log.envelopes[3] = b""
    log.sign_anew()
    assert refused(log).fields["what"] == "erased_unsaid"


def test_dated_back(log: Exported) -> None:
    """An entry cannot be older than what a witness saw before it."""
    log.append(Entry.of(EntryKind.LOG_EXPORTED, NOW - 2 * 3_600, "matcher"))
    log.sign_anew(seen=[(log.size - 1, NOW), (log.size, NOW)])
    assert refused(log).fields["what"] == "time_too_early"


def test_a_round_without_its_proposal_among_what_was_erased(log: Exported, group: Group) -> None:
    """Once anything was erased lawfully, a round whose beginning is missing is no old one."""
    assert log.index("proposal") > 0
    log.append(Entry.of(EntryKind.LOG_PRUNED, NOW, "matcher", counts={"size": 1, "days": 1_095, "entries": 1}))
    seen = [(1, NOW - YEARS - DAY), (log.size - 1, NOW), (log.size, NOW)]
    leaf = log.leaf(0)
    log.contents[0] = b""
    log.sign_anew(seen=seen, leaves={0: leaf})
    audit_rounds(read_log(log.files.get, log.registry), log.files.get, log.registry, group)
    log.drop(log.index("proposal"))
    log.sign_anew(seen=[(1, NOW - YEARS - DAY), (log.size - 1, NOW), (log.size, NOW)], leaves={0: leaf})
    with pytest.raises(AuditError, match="it is of a round that was never proposed") as caught:
        audit_rounds(read_log(log.files.get, log.registry), log.files.get, log.registry, group)
    assert caught.value.fields["what"] == "proposal_missing"
