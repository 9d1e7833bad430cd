"""A party sends tokens too early, too many, of the wrong class, or of another's submission."""

from collections.abc import Callable
from typing import Any

import pytest

from aquila.errors import BindingError, MalformedError, OrderError
from aquila.protocol import matcher as roles
from aquila.protocol.messages import ClassCounts, PartyCap, Tokens
from aquila.records.rules import InputClass
from tests.support.staged_round import StagedRound

FEW = tuple(PartyCap(party=code, elements=ClassCounts.by(lambda _: 16)) for code in ("AL", "RS", "SI"))
"""Caps for two records."""


def column(stage: StagedRound, counterpart: str, more: int = 0, tags: int = 4_096) -> dict[str, Any]:
    """Return the entry of a column of SI with so many rows too many in its last chunk, if any."""
    rows = [chunk.elements for chunk in stage.nodes["SI"].chunks.references]
    chunks = [{"rows": count, "digest": "0" * 64} for count in [*rows[:-1], rows[-1] + more]]
    pieces = [{"tags": tags, "digest": "0" * 64}]
    return {"counterpart": counterpart, "chunks": chunks, "key": "0" * 64, "left_out": (), "pieces": pieces}


def tokens(stage: StagedRound, code: str, submission_id: str, *more: int, **fields: Any) -> bytes:
    """Return a statement of tokens with so many rows too many for AL and RS."""
    columns = [column(stage, to, rows) for to, rows in zip(("AL", "RS"), more or (0, 0), strict=True)]
    said = stage.statement(code, Tokens, **({"submission_id": submission_id, "columns": columns} | fields))
    return stage.signed(code, said)


def test_before_any_evaluation(stage: StagedRound) -> None:
    stage.submitted()
    with pytest.raises(OrderError, match="tokens before 8 evaluations"):
        stage.round.accept(tokens(stage, "SI", stage.nodes["SI"].submission_id))


def test_before_the_last_evaluation(stage: StagedRound) -> None:
    """One missing evaluation is enough to refuse them: a token would lack a value."""
    stage.evaluated()
    stage.round.evaluations.popitem()
    with pytest.raises(OrderError, match="tokens before 1 evaluations"):
        stage.round.accept(tokens(stage, "SI", stage.nodes["SI"].submission_id))


@pytest.mark.parametrize("more", [(1, 0), (0, 1)])
def test_of_another_number(stage: StagedRound, more: tuple[int, int]) -> None:
    stage.evaluated()
    stage.refused(MalformedError, tokens(stage, "SI", stage.nodes["SI"].submission_id, *more), "another number")


@pytest.mark.parametrize("counterparts", [(), ("AL",), ("AL", "RS", "XK")])
def test_for_others_than_the_counterparts(stage: StagedRound, counterparts: tuple[str, ...]) -> None:
    stage.evaluated()
    columns = [column(stage, to) for to in counterparts]
    said = tokens(stage, "SI", stage.nodes["SI"].submission_id, columns=columns)
    stage.refused(MalformedError, said, "each of its counterparts")


def test_in_chunks_other_than_those_of_elements(stage: StagedRound) -> None:
    """The rows of a chunk are of the elements that were evaluated together; no other cut of as many rows is taken."""
    stage.evaluated()
    first, *rest = [column(stage, to) for to in ("AL", "RS")]
    total = sum(chunk["rows"] for chunk in first["chunks"])
    columns = [first | {"chunks": [{"rows": total, "digest": "0" * 64}]}, *rest]
    said = tokens(stage, "SI", stage.nodes["SI"].submission_id, columns=columns)
    stage.refused(MalformedError, said, "another number")


def test_of_another_number_in_a_class(stage: StagedRound) -> None:
    """The matcher counts rows by class: five full and five partial elements give no six full tokens."""
    stage.finalized()
    rows = b"".join(stage.tokens[stage.nodes["SI"].submission_id, "AL"])
    full = next(rows[start : start + 33] for start in range(0, len(rows), 33) if rows[start + 16] == 1)
    partial = next(start for start in range(0, len(rows), 33) if rows[start + 16] == 2)
    count = roles.TokenCount(stage.table)
    count.add(rows[:partial] + full + rows[partial + 33 :])
    with pytest.raises(MalformedError, match="sent 6 tokens of the class full"):
        count.check(stage.round.submissions[stage.nodes["SI"].submission_id], count)


def test_of_other_rules_in_another_column(staged: Callable[..., StagedRound]) -> None:
    """Each column has a row for each element of a class; they have to be of the same rules too, in every column."""
    stage = staged(rules="default", chunk_elements=64).finalized()
    origin = stage.nodes["SI"].submission_id
    first, second = (roles.TokenCount(stage.table) for _ in range(2))
    for counterpart, count in (("AL", first), ("RS", second)):
        count.add(b"".join(stage.tokens[origin, counterpart]))
        count.check(stage.round.submissions[origin], first)
    full = [rule.number for rule in stage.table.rules if rule.input_class is InputClass.FULL]
    sent = next(rule for rule in full if second.counts[rule])
    second.counts[sent] -= 1
    second.counts[next(rule for rule in full if rule != sent)] += 1
    with pytest.raises(MalformedError, match="sends one counterpart other rules than another"):
        second.check(stage.round.submissions[origin], first)


def test_of_a_rule_that_is_not_there(stage: StagedRound) -> None:
    with pytest.raises(MalformedError, match="rule that the round does not have"):
        roles.TokenCount(stage.table).add(bytes(16) + b"\x03" + bytes(16))


def test_of_another_party(stage: StagedRound) -> None:
    stage.evaluated()
    stage.refused(OrderError, tokens(stage, "RS", stage.nodes["SI"].submission_id), "no such submission")
    stage.refused(OrderError, tokens(stage, "RS", "0" * 32), "no such submission")


def test_under_another_binding(stage: StagedRound) -> None:
    stage.evaluated()
    stage.refused(BindingError, tokens(stage, "SI", stage.nodes["SI"].submission_id, binding="0" * 64))


@pytest.mark.parametrize(("changes", "records"), [({}, 5), ({"caps": FEW}, 2)])
def test_columns_that_are_too_long(staged: Callable[..., StagedRound], changes: dict[str, Any], records: int) -> None:
    stage = staged(changes=changes).evaluated()
    most = 4_096 + 128 * records

    def with_tags(tags: int) -> bytes:
        columns = [column(stage, to, tags=tags) for to in ("AL", "RS")]
        return tokens(stage, "SI", stage.nodes["SI"].submission_id, columns=columns)

    stage.refused(MalformedError, with_tags(most + 1), "more tags than its list can have")
    stage.publish(with_tags(most))
