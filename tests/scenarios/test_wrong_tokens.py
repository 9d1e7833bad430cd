"""A party sends tokens too early, too many, of the wrong class, or of another's submission."""

from collections.abc import Callable
from typing import Any

import pytest

from aquila.errors import BindingError, MalformedError, OrderError
from aquila.protocol import matcher as roles
from aquila.protocol.messages import ClassCounts, PartyCap, Tokens
from tests.support.staged_round import StagedRound

FEW = tuple(PartyCap(party=code, elements=ClassCounts(full=16, partial=16)) for code in ("AL", "RS", "SI"))
"""Caps for two records."""


def tokens(stage: StagedRound, code: str, submission_id: str, rows: int, **fields: Any) -> bytes:
    chunks = ({"rows": rows, "digest": "0" * 64},)
    return stage.signed(
        code, stage.statement(code, Tokens, submission_id=submission_id, chunks=chunks, **({"columns": ()} | fields))
    )


def test_before_any_evaluation(stage: StagedRound) -> None:
    stage.submitted()
    with pytest.raises(OrderError, match="tokens before 8 evaluations"):
        stage.round.accept(tokens(stage, "SI", stage.nodes["SI"].submission_id, 10))


def test_before_the_last_evaluation(stage: StagedRound) -> None:
    """One missing evaluation is enough to refuse them: the token would lack a share."""
    stage.evaluated()
    stage.round.evaluations.popitem()
    with pytest.raises(OrderError, match="tokens before 1 evaluations"):
        stage.round.accept(tokens(stage, "SI", stage.nodes["SI"].submission_id, 10))


@pytest.mark.parametrize("rows", [9, 11])
def test_of_another_number(stage: StagedRound, rows: int) -> None:
    stage.evaluated()
    stage.refused(MalformedError, tokens(stage, "SI", stage.nodes["SI"].submission_id, rows), "another number")


def test_of_another_number_in_a_class(stage: StagedRound) -> None:
    """The matcher counts rows by class: five full and five partial elements give no six full tokens."""
    stage.finalized()
    rows = b"".join(stage.tokens[stage.nodes["SI"].submission_id])
    full = next(rows[start : start + 33] for start in range(0, len(rows), 33) if rows[start + 16] == 1)
    partial = next(start for start in range(0, len(rows), 33) if rows[start + 16] == 2)
    count = roles.TokenCount(stage.table)
    count.add(rows[:partial] + full + rows[partial + 33 :])
    with pytest.raises(MalformedError, match="sent 6 tokens of the class full"):
        count.check(stage.round.submissions[stage.nodes["SI"].submission_id])


def test_of_a_rule_that_is_not_there(stage: StagedRound) -> None:
    with pytest.raises(MalformedError, match="rule that the round does not have"):
        roles.TokenCount(stage.table).add(bytes(16) + b"\x03" + bytes(16))


def test_of_another_party(stage: StagedRound) -> None:
    stage.evaluated()
    stage.refused(OrderError, tokens(stage, "RS", stage.nodes["SI"].submission_id, 10), "no such submission")
    stage.refused(OrderError, tokens(stage, "RS", "0" * 32, 10), "no such submission")


def test_under_another_binding(stage: StagedRound) -> None:
    stage.evaluated()
    stage.refused(BindingError, tokens(stage, "SI", stage.nodes["SI"].submission_id, 10, binding="0" * 64))


@pytest.mark.parametrize(("changes", "records"), [({}, 5), ({"caps": FEW}, 2)])
def test_columns_that_are_too_long(staged: Callable[..., StagedRound], changes: dict[str, Any], records: int) -> None:
    stage = staged(changes=changes).evaluated()
    most = 4_096 + 128 * records

    def with_tags(tags: int) -> bytes:
        pieces = ({"tags": tags, "digest": "0" * 64},)
        columns = [{"counterpart": to, "key": "0" * 64, "left_out": (), "pieces": pieces} for to in ("AL", "RS")]
        return tokens(stage, "SI", stage.nodes["SI"].submission_id, 10, columns=columns)

    stage.refused(MalformedError, with_tags(most + 1), "more tags than its list can have")
    stage.publish(with_tags(most))
