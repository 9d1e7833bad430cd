"""A coalition of everyone but one party wants tokens of its own guesses, without that party's share."""

from aquila.protocol.submissions.submission import finalize_chunk
from tests.support.staged_round import StagedRound


def tokens(rows: bytes) -> set[bytes]:
    return {rows[start + 17 : start + 33] for start in range(0, len(rows), 33)}


def test_without_one_share_no_token_is_right(stage: StagedRound) -> None:
    stage.finalized()
    node = stage.nodes["SI"]
    lists = {code: tokens(b"".join(stage.tokens[other.submission_id])) for code, other in stage.nodes.items()}
    for index, reference in enumerate(node.chunks.references):
        rows = node.chunks.rows(index)
        share = node.secrets.shares[reference.input_class]
        answers = {code: stage.answer_of(node, index, code) for code in ("AL", "RS")}
        guesses = tokens(finalize_chunk(stage.group, rows, node.seed, share, [answers["AL"]]).rows)
        assert not guesses & set().union(*lists.values())
        right = tokens(finalize_chunk(stage.group, rows, node.seed, share, list(answers.values())).rows)
        assert right <= lists["SI"]


def test_a_share_twice_does_not_stand_for_the_missing_one(stage: StagedRound) -> None:
    """The sum needs each share once: another party's answer in its place gives no right token."""
    stage.finalized()
    node = stage.nodes["SI"]
    everyone = set().union(*(tokens(b"".join(stage.tokens[other.submission_id])) for other in stage.nodes.values()))
    for index, reference in enumerate(node.chunks.references):
        share, answer = node.secrets.shares[reference.input_class], stage.answer_of(node, index, "AL")
        made = finalize_chunk(stage.group, node.chunks.rows(index), node.seed, share, [answer, answer])
        assert not tokens(made.rows) & everyone
