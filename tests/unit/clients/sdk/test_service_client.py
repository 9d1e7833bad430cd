"""Methods that are operations: which arguments they take, and what is sent."""

from typing import Any

import pytest
from pydantic import ValidationError

from aquila.errors import InputError
from aquila.followup.lifecycle import Decision
from aquila.interface.hits import DecisionRequest, HitFilter, HitSort
from clients.sdk import Connection, HitsClient, NodeClient

ROUND, HIT = "a" * 32, "b" * 32


def test_a_request_as_fields_or_as_its_model(connection: Connection, answers: Any) -> None:
    hits = HitsClient(connection)
    for given in ((Decision.SAME, "x"), (DecisionRequest(decision=Decision.SAME, remark="x"),)):
        answers.says(204)
        hits.decide(ROUND, HIT, *given)
    answers.says(204)
    hits.decide(ROUND, HIT, decision=Decision.SAME, remark="x")
    assert {(asked.url.path, asked.content) for asked in answers.asked} == {
        (f"/v1/rounds/{ROUND}/hits/{HIT}/decision", b'{"decision":"same","remark":"x"}')
    }


def test_a_query(connection: Connection, answers: Any) -> None:
    """Parameters come in the operation's order or by name, or as a model; defaults are left out."""
    node = NodeClient(connection)
    for given, named in (((0, 5), {}), ((), {"limit": 5, "ongoing": False})):
        answers.says(json={"rounds": []})
        node.rounds(*given, **named)
    assert {str(asked.url.query) for asked in answers.asked} == {"b'limit=5'"}
    answers.says(500)
    with pytest.raises(Exception, match="500"):
        HitsClient(connection).page(HitFilter(overdue=True, sort=HitSort.NAME))
    assert answers.asked[-1].url.query == b"overdue=true&sort=name"


def test_arguments_that_are_not_taken(connection: Connection, answers: Any) -> None:
    """Nothing is sent with an argument too many, an unknown one, one that is missing, or one that cannot be."""
    node, hits = NodeClient(connection), HitsClient(connection)
    with pytest.raises(TypeError, match="close_round"):
        node.close(ROUND, "why")
    with pytest.raises(TypeError, match="get_rounds"):
        node.rounds(limits=5)
    with pytest.raises(TypeError, match="decide"):
        hits.decide(ROUND, HIT, Decision.SAME, "x", "y")
    with pytest.raises(ValidationError):
        hits.decide(ROUND, HIT, Decision.SAME, remarks="x")
    with pytest.raises(InputError, match="round_id"):
        node.close()
    assert answers.asked == []
