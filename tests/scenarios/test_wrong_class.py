"""A party evaluates an element of one class with the share of another, or says so."""

from collections.abc import Callable

import numpy as np
import pytest

from aquila.crypto import oprf
from aquila.errors import BindingError, ProofError
from aquila.protocol.rounds.locks import pair_key
from aquila.protocol.submissions.submission import TOKEN_ROW, RowTerms, finalize_chunk
from aquila.records.rules import InputClass
from tests.support.staged_round import PARTIAL, StagedRound


def test_the_share_of_another_class(stage: StagedRound) -> None:
    stage.submitted()
    with pytest.raises(ProofError):
        stage.check(*stage.evaluation_with(stage.nodes["RS"].secrets.shares[InputClass.PARTIAL]))


def test_the_class_that_the_origin_did_not_sign(stage: StagedRound) -> None:
    """An evaluation of a full chunk that calls it partial, or the other way, is refused by everyone."""
    stage.submitted()
    full, _ = stage.right_evaluation()
    partial, _ = stage.right_evaluation(PARTIAL)
    for evaluation, other in ((full, InputClass.PARTIAL), (partial, InputClass.FULL)):
        stage.refused(BindingError, stage.changed("RS", evaluation, input_class=other), "class, size or digest")


def tokens_in(rows: bytes) -> set[bytes]:
    return {row.tobytes() for row in np.frombuffer(rows, dtype=TOKEN_ROW)["token"]}


@pytest.mark.parametrize("paid", [InputClass.FULL, InputClass.COARSE])
def test_elements_of_one_class_buy_no_token_of_another(staged: Callable[..., StagedRound], paid: InputClass) -> None:
    """Partial inputs that are evaluated in another class give no token that a list has; in their own they do."""
    stage = staged(rules="default").finalized()
    node = stage.nodes["SI"]
    classes = [reference.input_class for reference in node.chunks.references]
    assert classes == sorted(classes, key=list(InputClass).index)
    rows = node.chunks.rows(classes.index(InputClass.PARTIAL))
    elements = rows["element"].tobytes()

    def tokens(kind: InputClass) -> set[bytes]:
        theirs = stage.nodes["RS"].secrets.shares[kind]
        evaluated = oprf.evaluate(stage.group, elements, theirs)
        terms = RowTerms("SI", "RS", key, theirs.public_key, evaluated, None)
        own, submission = node.secrets.shares[kind], bytes.fromhex(node.submission_id)
        [made] = finalize_chunk(stage.group, rows, node.seed, submission, InputClass.PARTIAL, own, [terms])
        return tokens_in(made.rows)

    with pair_key(node.round, "SI", node.secrets, "RS", "tokens") as key:
        listed = set[bytes]().union(*map(tokens_in, stage.tokens[node.submission_id, "RS"]))
        assert tokens(InputClass.PARTIAL) <= listed
        assert not tokens(paid) & listed
