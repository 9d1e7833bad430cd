"""What the parties signed to have seen of the log is what it begins with, whoever signs another one."""

import pytest

from aquila.audit.merkle import tree_root
from aquila.crypto.group import Group
from aquila.errors import AuditError
from aquila.protocol.auditing import UnprovenClaim, audit_rounds, read_log
from aquila.protocol.log_entries import refused_entry
from aquila.protocol.messages import LogHead, Outcomes, Statement
from aquila.sentences import text_of
from tests.support.exported import Exported


def verify(log: Exported, group: Group) -> list[UnprovenClaim]:
    log.sign_anew()
    (audit,) = audit_rounds(read_log(log.files.get, log.registry), log.files.get, log.registry, group)
    return audit.unproven


def say_after(log: Exported, head: LogHead | None) -> int:
    """Let AL tell of outcomes at the end, and name a head; return the place of the entry."""
    closing = log.message(log.statements_of("AL")[-1])
    assert isinstance(closing, Statement)
    number, binding = closing.sequence + 1, closing.binding  # type: ignore[attr-defined]  # a closing has one
    common = {"round_id": closing.round_id, "party": "AL", "binding": binding}
    return log.sign(Outcomes(sequence=number, pairs=(), log_head=head, **common), log.entry(-1).time)


def refuse(log: Exported, place: int) -> None:
    entry, message = log.entry(place), log.message(place)
    assert isinstance(message, Statement)
    log.contents[place] = refused_entry(message, entry.digests["statement"], entry.time).content()


def test_every_statement_names_a_head_of_its_log(log: Exported, group: Group) -> None:
    """The services write a log whose statements name heads of it; one more that does is right."""
    said = [log.message(place) for code in ("AL", "RS") for place in log.statements_of(code)]
    assert all(message.log_head for message in said if isinstance(message, Statement))
    read = read_log(log.files.get, log.registry)
    say_after(log, LogHead(size=len(read.leaves), root=tree_root(read.leaves).hex()))
    verify(log, group)


def test_a_head_of_another_log(log: Exported, group: Group) -> None:
    """A party was shown another log before it signed: both cannot be the matcher's only one."""
    say_after(log, LogHead(size=9, root="ab" * 32))
    with pytest.raises(AuditError, match="AL signed that it had seen another head of 9 entries") as caught:
        verify(log, group)
    assert caught.value.fields["what"] == "head_differs"


def test_a_head_of_what_came_later(log: Exported, group: Group) -> None:
    """A statement cannot name entries that came after its own: the log's order is another than it was."""
    say_after(log, LogHead(size=len(log.contents) + 1, root="ab" * 32))
    with pytest.raises(AuditError, match="more than came before") as caught:
        verify(log, group)
    assert caught.value.fields["what"] == "head_later"


def test_a_log_that_was_written_anew(log: Exported, group: Group) -> None:
    """Even with every key but a party's own, an entry before what it worked on cannot change without its statements."""
    log.change(0, time=log.entry(0).time - 1)
    with pytest.raises(AuditError, match="had seen another head") as caught:
        verify(log, group)
    assert caught.value.fields["what"] == "head_differs"


def test_a_statement_that_was_refused_for_its_head(log: Exported, group: Group) -> None:
    """Nobody can tell whether its party was shown another log or made it up: that is said, and explains its number."""
    for head in (LogHead(size=9, root="ab" * 32), LogHead(size=10_000, root="ab" * 32)):
        changed = log.copy()
        refuse(changed, say_after(changed, head))
        (found,) = verify(changed, group)
        assert found.what == "head_refused"
        assert "the matcher refused it: AL was shown another log, or made it up" in text_of(found.sentence)


def test_a_statement_that_was_refused_though_its_head_is_right(log: Exported, group: Group) -> None:
    """A matcher that does not want to hear a party cannot say that it was for the head, whatever it signed since."""
    leaves = read_log(log.files.get, log.registry).leaves[:9]
    refuse(log, say_after(log, LogHead(size=9, root=tree_root(leaves).hex())))
    with pytest.raises(AuditError, match="refused a statement of AL that the round allows"):
        verify(log, group)
