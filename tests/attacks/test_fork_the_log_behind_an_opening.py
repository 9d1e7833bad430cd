"""A matcher that forks its log behind what everyone cosigned, and tells another story with its own key alone."""

import pytest

from aquila.audit.entries import Entry, EntryKind
from aquila.crypto.group import Group
from aquila.errors import AuditError
from aquila.protocol.auditing import refuse_unproven
from aquila.sentences import text_of
from tests.support.exported import CODES, NOW, Exported, verify

DAY = 86_400


def test_everything_after_the_opening(log: Exported, group: Group) -> None:
    """Cosignatures over the opening are no cosignatures over the rest of a closed round, once parties had a day."""
    log.append(Entry.of(EntryKind.LOG_EXPORTED, NOW + DAY, "matcher"))
    log.sign_anew(seen=[(log.index("opening") + 1, NOW)])
    assert {one.what for one in verify(log, group)} == {"uncovered"}
    log.append(Entry.of(EntryKind.LOG_EXPORTED, NOW + 2 * DAY, "matcher"))
    log.sign_anew(seen=[(log.index("opening") + 1, NOW)])
    with pytest.raises(AuditError, match="AL worked in it and cosigned no checkpoint that holds its ending") as caught:
        verify(log, group)
    assert (caught.value.fields["what"], caught.value.fields["party"]) == ("not_witnessed", "AL")


def test_the_opening(log: Exported, group: Group) -> None:
    """Nor over less."""
    log.sign_anew(seen=[(log.index("opening"), NOW)])
    with pytest.raises(AuditError, match="cosigned no checkpoint that holds its opening") as caught:
        verify(log, group)
    assert caught.value.fields["what"] == "not_witnessed"


@pytest.mark.parametrize("code", CODES)
def test_the_last_word_of_one_party(log: Exported, group: Group, code: str) -> None:
    """Each party must have seen its own last word in the log, whatever others have cosigned."""
    (closing,) = (place for place in log.all_of("closing") if log.entry(place).party == code)
    log.append(Entry.of(EntryKind.LOG_EXPORTED, NOW + 2 * DAY, "matcher"))
    log.sign_anew(witnesses=tuple(set(CODES) - {code}))
    log.cosign_at(closing, code)
    with pytest.raises(AuditError, match=f"{code} worked in it and cosigned no checkpoint that holds its ending"):
        verify(log, group)


def test_all_closings(log: Exported, group: Group) -> None:
    """Whoever has seen the ending destroys its keys and says so within a day: that no log has it is said."""
    log.leave_out(*log.all_of("closing"))
    log.append(Entry.of(EntryKind.LOG_EXPORTED, NOW + 2 * DAY, "matcher"))
    log.sign_anew(seen=[(log.size - 1, NOW)])
    sentences = [text_of(one.sentence) for one in verify(log, group) if one.what == "closing"]
    assert any("AL never said that its keys are destroyed, and has seen the ending" in one for one in sentences)


def test_the_newest_entries(log: Exported, group: Group) -> None:
    """What nobody has cosigned at the end is said, and fails where proof is asked for; exports of the log are none."""
    assert verify(log, group) == []
    covered = log.size
    log.append(Entry.of(EntryKind.SIGN_IN, NOW, "matcher"))
    log.append(Entry.of(EntryKind.LOG_EXPORTED, NOW, "matcher"))
    log.sign_anew(seen=[(covered, NOW)])
    found = verify(log, group)
    assert [(one.what, text_of(one.sentence)) for one in found] == [
        ("uncovered", f"no witness has cosigned entry {covered}, nor what follows it")
    ]
    with pytest.raises(AuditError, match=f"no witness has cosigned entry {covered}") as caught:
        refuse_unproven(found)
    assert caught.value.fields["what"] == "uncovered"


def test_an_open_round(log: Exported, group: Group) -> None:
    """While a round is open, a party's last words may wait for its next look; that they do is said."""
    end = log.index("receipt")
    last = max(log.statements_of("AL"), key=lambda place: place if place < end else -1)
    log.leave_out(*range(last + 1, log.size))
    log.files = {name: content for name, content in log.files.items() if not name.startswith("statistics")}
    log.sign_anew(seen=[(log.index("opening") + 1, NOW)])
    sentences = [text_of(found.sentence) for found in verify(log, group) if found.what == "uncovered"]
    assert any("AL has cosigned no checkpoint that holds all that it said" in sentence for sentence in sentences)
