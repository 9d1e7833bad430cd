"""Each method of both clients calls the path of the interface with what it should."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from aquila.interface.rounds import RoundProposal
from aquila.records.reading.layouts import Layout
from clients.sdk import Connection, MatcherClient, NodeClient

ROUND, IMPORT = "a" * 32, "b" * 32
REPORT = {
    "import_id": IMPORT,
    "name": "si.csv",
    "accepted": 1,
    "refused": 0,
    "warnings": 0,
    "groups": [],
    "findings": [],
    "findings_left_out": 0,
    "rules": [],
    "duplicates": 0,
    "sample": [],
}


def test_import(connection: Connection, answers: Any) -> None:
    answers.says(201, json=REPORT)
    report = NodeClient(connection).import_list(io.BytesIO(b"record_id"), "si.csv", Layout("csv"), accept_refused=True)
    asked = answers.asked[0]
    assert (asked.method, asked.url.path, asked.content) == ("POST", "/v1/imports", b"record_id")
    assert dict(asked.url.params) == {"name": "si.csv", "format": "csv", "accept_refused": "true"}
    assert asked.headers["content-length"] == "9"
    assert asked.extensions["timeout"] | {"read": 3600, "connect": 5} == asked.extensions["timeout"]
    assert report.import_id == IMPORT


@pytest.mark.parametrize(
    ("ask", "method", "path", "body"),
    [
        (lambda node: node.close(ROUND), "POST", f"/v1/rounds/{ROUND}/close", b""),
        (lambda node: node.abort(ROUND, "why"), "POST", f"/v1/rounds/{ROUND}/abort", b'{"reason":"why"}'),
        (lambda node: node.delete_import(IMPORT), "DELETE", f"/v1/imports/{IMPORT}", b""),
        (lambda node: node.close("../x"), "POST", "/v1/rounds/..%2Fx/close", b""),
    ],
)
def test_node_wishes(
    connection: Connection, answers: Any, ask: Callable[[NodeClient], object], method: str, path: str, body: bytes
) -> None:
    """Wishes go where the interface takes them; an id cannot leave its place in the path."""
    answers.says(202)
    ask(NodeClient(connection))
    asked = answers.asked[0]
    assert (asked.method, asked.url.raw_path.decode(), asked.content) == (method, path, body)


def test_propose(connection: Connection, answers: Any) -> None:
    answers.says(201, json={"rounds": []})
    proposal = RoundProposal(participants=("AL", "SI"), area="a", legal_basis="b", purpose="p", category="c")
    with pytest.raises(Exception, match="PendingApproval"):
        MatcherClient(connection).propose(proposal)
    assert json.loads(answers.asked[0].content)["participants"] == ["AL", "SI"]
