"""A party sends tokens too early, too many, of the wrong class or rule, for nobody, or of another's submission."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from pydantic import ValidationError

from aquila.errors import BindingError, MalformedError, OrderError, PolicyError
from aquila.protocol import matcher as roles
from aquila.protocol.messages import ClassCounts, PartyCap, TokenColumn, Tokens
from aquila.records.rules import InputClass
from tests.support.staged_round import StagedRound

FEW = tuple(PartyCap(party=code, elements=ClassCounts.by(lambda _: 16)) for code in ("AL", "RS", "SI"))
"""Caps for two records."""


def column(stage: StagedRound, counterpart: str, **fields: Any) -> dict[str, Any]:
    """Return what a statement says of a column of SI for a counterpart."""
    rows = [chunk.elements for chunk in stage.nodes["SI"].chunks.references]
    return {
        "counterpart": counterpart,
        "rules": [{"rule": 1, "rows": sum(rows)}],
        "chunks": [{"rows": count, "digest": "0" * 64} for count in rows],
        "key": "0" * 64,
        "left_out": (),
        "pieces": [{"tags": 4_096, "digest": "0" * 64}],
    } | fields


def tokens(stage: StagedRound, code: str, submission_id: str, counterpart: str = "AL", **fields: Any) -> bytes:
    """Return a statement of tokens of a column; fields are those of the column, but for the binding."""
    binding = {"binding": fields.pop("binding")} if "binding" in fields else {}
    said = column(stage, counterpart, **fields)
    return stage.signed(code, stage.statement(code, Tokens, submission_id=submission_id, column=said, **binding))


def sent(stage: StagedRound, counterpart: str) -> list[bytes]:
    """Return the rows that SI sent to a counterpart, chunk by chunk."""
    return stage.tokens[stage.nodes["SI"].submission_id, counterpart]


def counted(stage: StagedRound, chunks: Iterable[bytes]) -> roles.TokenCount:
    """Let the matcher count chunks of SI."""
    count = roles.TokenCount(stage.table, stage.round.submissions[stage.nodes["SI"].submission_id])
    for rows in chunks:
        count.add(rows)
    return count


def test_before_any_evaluation(stage: StagedRound) -> None:
    stage.submitted()
    with pytest.raises(OrderError, match="tokens before 4 evaluations"):
        stage.round.accept(tokens(stage, "SI", stage.nodes["SI"].submission_id))


def test_before_the_last_evaluation(stage: StagedRound) -> None:
    """One missing evaluation by the counterpart is enough to refuse them: a token would lack a value.

    Those of another party are not waited for.
    """
    stage.submitted()
    node = stage.nodes["SI"]
    for index in range(4):
        stage.evaluate_chunk(node, index, stage.nodes["AL"])
    stage.restored(sees_everything=True).accept(tokens(stage, "SI", node.submission_id, "AL"))
    with pytest.raises(OrderError, match="tokens before 4 evaluations"):
        stage.round.accept(tokens(stage, "SI", node.submission_id, "RS"))
    stage.round.evaluations.popitem()
    with pytest.raises(OrderError, match="tokens before 1 evaluations"):
        stage.round.accept(tokens(stage, "SI", node.submission_id, "AL"))


def test_before_the_counterparts_list(stage: StagedRound) -> None:
    stage.locked()
    for code in ("RS", "SI"):
        stage.submit(stage.nodes[code])
    stage.refused(OrderError, tokens(stage, "SI", stage.nodes["SI"].submission_id, "AL"), "before the list of AL")


@pytest.mark.parametrize("counterpart", ["SI", "XK"], ids=["oneself", "stranger"])
def test_for_another_than_a_counterpart(stage: StagedRound, counterpart: str) -> None:
    stage.evaluated()
    said = tokens(stage, "SI", stage.nodes["SI"].submission_id, counterpart)
    stage.refused(PolicyError, said, f"no hit with {counterpart}")


def test_of_another_number(stage: StagedRound) -> None:
    stage.evaluated()
    *first, last = [chunk.elements for chunk in stage.nodes["SI"].chunks.references]
    chunks = [{"rows": count, "digest": "0" * 64} for count in (*first, last + 1)]
    more = {"chunks": chunks, "rules": [{"rule": 1, "rows": sum(first) + last + 1}]}
    stage.refused(MalformedError, tokens(stage, "SI", stage.nodes["SI"].submission_id, **more), "another number")


def test_in_chunks_other_than_those_of_elements(stage: StagedRound) -> None:
    """The rows of a chunk are of the elements that were evaluated together; no other cut of as many rows is taken."""
    stage.evaluated()
    total = sum(chunk.elements for chunk in stage.nodes["SI"].chunks.references)
    said = {"chunks": [{"rows": total, "digest": "0" * 64}]}
    stage.refused(MalformedError, tokens(stage, "SI", stage.nodes["SI"].submission_id, **said), "another number")


def test_of_another_class(stage: StagedRound) -> None:
    """The rows of a chunk are of its class: five full and five partial elements give no six full tokens."""
    chunks = sent(stage.finalized(), "AL")
    counted(stage, chunks)
    changed = chunks[-1][:16] + b"\x01" + chunks[-1][17:]
    with pytest.raises(MalformedError, match="SI sent tokens of another class in a chunk of the class partial"):
        counted(stage, [*chunks[:-1], changed])


@pytest.mark.parametrize("across", [False, True], ids=["in a chunk", "over the border of two"])
def test_out_of_order(stage: StagedRound, across: bool) -> None:
    """Rows ascend over all chunks of their class: chunk by chunk they would tell which chunk a record is of."""
    chunks = sent(stage.finalized(), "AL")
    assert [len(rows) // 33 for rows in chunks] == [4, 1, 4, 1]
    first, second = chunks[:2]
    changed = [second + first[33:], first[:33]] if across else [first[33:66] + first[:33] + first[66:], second]
    with pytest.raises(MalformedError, match="SI sent tokens of the class full that are not in ascending order"):
        counted(stage, [*changed, *chunks[2:]])


def test_equal_tokens_out_of_order(stage: StagedRound) -> None:
    """Of records that share a token the one with the lesser handle comes first, which is another one in each column."""
    chunks = sent(stage.finalized(), "AL")
    first = chunks[0]
    low, high = (bytes([number]) * 16 + first[16:33] for number in (1, 2))
    counted(stage, [low + high + first[66:]])
    with pytest.raises(MalformedError, match="not in ascending order"):
        counted(stage, [high + low + first[66:]])


def test_of_other_rules_than_signed(staged: Callable[..., StagedRound]) -> None:
    """Each column has a row for each element of a class; they have to be of the rules that were signed, too."""
    stage = staged(rules="default", chunk_elements=64).finalized()
    origin = stage.nodes["SI"].submission_id
    said, count = stage.round.tokens[origin, "RS"].column, counted(stage, sent(stage, "RS"))
    count.check(said)
    full = [rule.number for rule in stage.table.rules if rule.input_class is InputClass.FULL]
    moved = next(rule for rule in full if count.counts[rule])
    count.counts[moved] -= 1
    count.counts[next(rule for rule in full if rule != moved)] += 1
    with pytest.raises(MalformedError, match="other numbers of rows under the rules than it signed"):
        count.check(said)


def test_of_other_rules_in_another_column(stage: StagedRound) -> None:
    """What is signed of the rules has to be the same for every counterpart, whichever column comes first."""
    stage.finalized()
    origin = stage.nodes["SI"].submission_id
    said = stage.round.tokens[origin, "AL"]
    for record in (stage.round, *(node.round for node in stage.nodes.values())):
        del record.tokens[origin, "AL"]
    first, second = said.column.rules
    others = (first.model_copy(update={"rows": first.rows + 1}), second.model_copy(update={"rows": second.rows - 1}))
    changed = said.column.model_copy(update={"rules": others})
    stage.refused(MalformedError, stage.changed("SI", said, column=changed), "other rules than another")
    stage.publish(stage.changed("SI", said))


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ([{"rule": 1, "rows": 5}, {"rule": 1, "rows": 5}], "distinct and in ascending order"),
        ([{"rule": 1, "rows": 5}, {"rule": 2, "rows": 4}], "do not add up"),
    ],
)
def test_rules_that_are_no_table(stage: StagedRound, rules: list[dict[str, int]], why: str) -> None:
    stage.submitted()
    with pytest.raises(ValidationError, match=why):
        TokenColumn(**column(stage, "AL", rules=rules))


def test_of_a_rule_that_is_not_there(stage: StagedRound) -> None:
    stage.submitted()
    with pytest.raises(MalformedError, match="rule that the round does not have"):
        counted(stage, [bytes(16) + b"\x03" + bytes(16)])


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
        pieces = [{"tags": tags, "digest": "0" * 64}]
        return tokens(stage, "SI", stage.nodes["SI"].submission_id, pieces=pieces)

    stage.refused(MalformedError, with_tags(most + 1), "more tags than its list can have")
    stage.publish(with_tags(most))
