"""The numbers of a party's statements: which are missing, and what explains a hole."""

from typing import Any, cast

import pytest

from aquila.audit.entries import Entry, EntryKind
from aquila.errors import AuditError
from aquila.protocol.auditing.log_record import UnprovenClaim, refuse_unproven
from aquila.protocol.auditing.round_audit import StatementNumbers, check_numbers, in_words
from aquila.protocol.messages import Closing, Consent, Refusal
from aquila.protocol.rounds.verified_round import Round
from aquila.sentences import quoted, text_of
from tests.support.samples import SAMPLES


class Stub:
    round_id = "0" * 32

    def __init__(self) -> None:
        self.confirmations: dict[str, object] = {}


def check(found: StatementNumbers) -> list[UnprovenClaim]:
    return list(check_numbers(cast("Round", Stub()), {"AL": found}))


def said(*numbers: int, **fields: Any) -> StatementNumbers:
    return StatementNumbers(entered=set(numbers), **fields)


@pytest.mark.parametrize(
    ("found", "missing"),
    [
        (said(1, 2, 3), ""),
        (said(2, 3), "1"),
        (said(1, 5, 7), "2 to 4, 6"),
        (said(1, 5, refused={2, 3}), "4"),
        (said(1, 9, given_up=[(2, 3), (5, 8)]), "4"),
        (said(1, 9, given_up=[(3, 5)]), "2, 6 to 8"),
        (said(1, 9, given_up=[(5, 8), (2, 6)]), ""),
        (said(1, 4, 9, given_up=[(5, 7)]), "2 to 3, 8"),
        (said(1, 4, unseen={3: "0"}), "2"),
    ],
)
def test_what_is_missing(found: StatementNumbers, missing: str) -> None:
    """Holes are what no entry holds and what was neither refused nor given up."""
    assert in_words(found.missing()) == missing


def test_a_missing_number_fails() -> None:
    with pytest.raises(AuditError, match="statements of AL are missing, with the numbers 2 to 4") as caught:
        check(said(1, 5))
    assert caught.value.fields == {"what": "statements_missing", "round": "0" * 32, "party": "AL", "numbers": "2 to 4"}


def test_a_copy_that_leaves_entries_out() -> None:
    (left_out,) = check_numbers(cast("Round", Stub()), {"AL": said(1, 4)}, 2)
    assert text_of(left_out.sentence).endswith("the numbers 2 to 3 of AL may be of entries that this copy leaves out")
    with pytest.raises(AuditError, match="missing"):
        list(check_numbers(cast("Round", Stub()), {"AL": said(1, 4)}, 1))


def test_what_a_party_gave_up() -> None:
    """The last word of a party names the numbers that it passes over."""
    found = StatementNumbers()
    found.add(Consent.model_validate(SAMPLES[Consent]))
    fields = {"round_id": "0" * 32, "party": "AL", "reason": "no"}
    found.add(Refusal(sequence=9, given_up=((2, 8),), **fields))
    assert check(found) == []
    found.add(Refusal(sequence=11, **fields))
    with pytest.raises(AuditError, match="with the numbers 10"):
        check(found)


def test_a_number_is_used_once() -> None:
    found = said(1)
    note = Entry.of(EntryKind.DISCLOSURE, 1, "AL", round="0" * 32, counts={"sequence": 2})
    found.add_unseen(3, note, "0" * 64)
    assert (found.entered, found.unseen) == ({1}, {2: "0" * 64})
    for used in (note, note.model_copy(update={"counts": {"sequence": 1}})):
        with pytest.raises(AuditError, match="entry 5: AL said something else under the number"):
            found.add_unseen(5, used, "1" * 64)


def test_sealed_notes_count_once_they_are_confirmed() -> None:
    """Until then nothing shows that their party sent them under this number; its own log would."""
    stub = Stub()
    (claim,) = check_numbers(cast("Round", stub), {"AL": said(1, unseen={2: "0" * 64})})
    assert (claim.what, claim.shown_by, claim.digest) == ("numbers", "AL", "0" * 64)
    assert "number 2 of AL is of sealed notes that nobody confirmed" in text_of(claim.sentence)
    stub.confirmations = {"0" * 64: None}
    assert list(check_numbers(cast("Round", stub), {"AL": said(1, unseen={2: "0" * 64})})) == []


@pytest.mark.parametrize("ranges", [[(3, 2)], [(1, 2), (2, 3)], [(4, 9)], [(5, 6), (1, 2)], []])
def test_numbers_given_up_are_ranges_below(ranges: list[tuple[int, int]]) -> None:
    """In ascending order, each of a first and a last one, before the statement's own."""
    content = SAMPLES[Closing] | {"sequence": 9, "given_up": ranges}
    with pytest.raises(ValueError, match="given"):
        Closing.model_validate(content)


def test_what_is_not_proven_fails_where_that_is_asked_for() -> None:
    refuse_unproven([])
    with pytest.raises(AuditError, match="a hole") as caught:
        refuse_unproven([UnprovenClaim("numbers", quoted("a hole"))])
    assert caught.value.fields == {"what": "numbers"}
