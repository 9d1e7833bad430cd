"""A matcher that leaves out of its log what parties said: in the middle, at the end, or where a number would tell."""

import pytest

from aquila.crypto.group import Group
from aquila.errors import AuditError
from aquila.protocol.messages import Outcomes, Statement, Withdrawal
from tests.support.exported import NOW, Exported, verify


def after_the_end(log: Exported, kind: type[Statement], **fields: object) -> int:
    """Let AL say something after its closing; return the place of its entry."""
    last = max(log.message(place).sequence for place in log.statements_of("AL"))  # type: ignore[attr-defined]  # statements have it
    closing = log.message(log.statements_of("AL")[-1])
    common = {"round_id": closing.round_id, "party": "AL", "sequence": last + 1, "binding": closing.binding}  # type: ignore[attr-defined]  # a closing has them
    common["log_head"] = closing.log_head  # type: ignore[attr-defined]  # it names one
    return log.sign(kind(**common | fields), NOW)


@pytest.mark.parametrize("kind", ["submission", "evaluation", "tokens", "receipt", "disclosure", "note_received"])
def test_a_statement_of_each_kind(log: Exported, group: Group, kind: str) -> None:
    """The last one of each kind: whether or not the round still looks whole, its number is missing."""
    log.leave_out(log.all_of(kind)[-1])
    log.sign_anew()
    with pytest.raises(AuditError):
        verify(log, group)


def test_withdrawals(log: Exported, group: Group) -> None:
    """A withdrawal before an outcome leaves a hole."""
    place = after_the_end(log, Withdrawal, counterpart="RS", hits=("0" * 32,), ground="incorrect")
    after_the_end(log, Outcomes, pairs=())
    log.sign_anew()
    verify(log, group)
    log.leave_out(place)
    log.sign_anew()
    with pytest.raises(AuditError, match="statements of AL are missing") as caught:
        verify(log, group)
    assert caught.value.fields["what"] == "statements_missing"


def test_the_entry_of_a_note_without_its_number(log: Exported, group: Group) -> None:
    """Every entry of a statement holds it."""
    place = log.index("disclosure")
    log.change(place, counts={k: v for k, v in log.entry(place).counts.items() if k != "sequence"})
    log.sign_anew()
    with pytest.raises(AuditError, match="does not have the form of a disclosure") as caught:
        verify(log, group)
    assert caught.value.fields["what"] == "form"


def test_the_entry_of_a_note_with_anothers_number(log: Exported, group: Group) -> None:
    """A number is used once."""
    one = log.index("disclosure")
    party = log.entry(one).party
    other = next(place for place in log.all_of("disclosure")[1:] if log.entry(place).party == party)
    log.change(other, counts=log.entry(other).counts | {"sequence": log.entry(one).counts["sequence"]})
    log.sign_anew()
    with pytest.raises(AuditError, match=f"{party} said something else under the number") as caught:
        verify(log, group)
    assert caught.value.fields["what"] == "number_twice"
