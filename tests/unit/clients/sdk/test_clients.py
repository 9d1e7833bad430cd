"""Each method of both clients calls the path of the interface with what it should."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from aquila.interface.hits import SavedFilter
from aquila.interface.rounds import JustificationInput, RoundProposal, SubmissionRequest
from aquila.protocol.messages import Kind
from aquila.records.reading.layouts import Layout
from clients.sdk import ApprovalClient, Connection, HitsClient, MatcherClient, NodeClient

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
DUPLICATES = {
    "import_id": IMPORT,
    "records": 2,
    "pairs": [],
    "pairs_left_out": 0,
    "groups": 0,
    "values_not_compared": {},
}

NO_HITS = {"round_id": ROUND, "phase": "open", "answers": [], "awaited": [], "hits": [], "chance": [], "problems": []}


ASKED = {
    "approval_id": "e" * 32,
    "kind": "consent",
    "round_id": ROUND,
    "submission_id": None,
    "digest": "f" * 64,
    "expires_at": 1,
}


def test_consent(connection: Connection, answers: Any) -> None:
    """A consent is asked for; what waits is named with the digest of what a second person approves."""
    answers.says(202, json=ASKED)
    assert NodeClient(connection).consent(ROUND).model_dump(mode="json") == ASKED
    assert answers.asked[0].url.path == f"/v1/rounds/{ROUND}/consent"


ENTRY = {
    "approval_id": "e" * 32,
    "kind": "consent",
    "round_id": ROUND,
    "state": "waiting",
    "author": "p-0123456789ab",
    "author_name": "ana",
    "asked_at": 1,
    "expires_at": 2,
    "decided_by": None,
    "decided_by_name": "",
    "decided_at": None,
    "reason": None,
    "digest": "f" * 64,
    "own": False,
}


@pytest.mark.parametrize(
    ("ask", "method", "path", "body", "answer"),
    [
        (lambda four: four.approvals(), "GET", "", None, {"approvals": [ENTRY]}),
        (lambda four: four.show("e" * 32), "GET", f"/{'e' * 32}", None, {"entry": ENTRY, "content": {"a": 1}}),
        (lambda four: four.approve("e" * 32, "f" * 64), "POST", f"/{'e' * 32}/approve", {"digest": "f" * 64}, ENTRY),
        (lambda four: four.refuse("e" * 32, "no"), "POST", f"/{'e' * 32}/refuse", {"reason": "no"}, ENTRY),
        (lambda four: four.withdraw("e" * 32), "POST", f"/{'e' * 32}/withdraw", None, ENTRY),
    ],
)
def test_four_eyes(
    connection: Connection,
    answers: Any,
    ask: Callable[[ApprovalClient], Any],
    method: str,
    path: str,
    body: dict[str, str] | None,
    answer: dict[str, Any],
) -> None:
    """Each decision names the request, and an approval the digest of what was read."""
    answers.says(json=answer)
    assert ask(ApprovalClient(connection)).model_dump(mode="json") == answer
    asked = answers.asked[0]
    assert (asked.method, asked.url.path) == (method, f"/v1/approvals{path}")
    assert (json.loads(asked.content) if asked.content else None) == body


def test_requests_of_a_round(connection: Connection, answers: Any) -> None:
    """Those that wait, or those about a round, are asked for alone."""
    answers.says(json={"approvals": []})
    ApprovalClient(connection).approvals(round_id="e" * 32, waiting=True)
    assert dict(answers.asked[0].url.params) == {"round_id": "e" * 32, "waiting": "true"}


def test_import(connection: Connection, answers: Any) -> None:
    """A list goes to the node as it is, with its name and format beside it."""
    answers.says(201, json=REPORT)
    report = NodeClient(connection).import_list(io.BytesIO(b"record_id"), "si.csv", Layout("csv"), accept_refused=True)
    asked = answers.asked[0]
    assert (asked.method, asked.url.path, asked.content) == ("POST", "/v1/imports", b"record_id")
    assert dict(asked.url.params) == {"name": "si.csv", "format": "csv", "accept_refused": "true"}
    assert asked.headers["content-length"] == "9"
    assert asked.extensions["timeout"] | {"read": 3600, "connect": 5} == asked.extensions["timeout"]
    assert report.import_id == IMPORT


def test_check(connection: Connection, answers: Any) -> None:
    """A list can be checked without being stored."""
    answers.says(json=REPORT | {"import_id": None})
    assert NodeClient(connection).check(io.BytesIO(b"x"), Layout("ftm"), "exact").import_id is None
    assert dict(answers.asked[0].url.params) == {"format": "ftm", "rules": "exact"}


def test_submit(connection: Connection, answers: Any) -> None:
    """A submission is asked for with its justification, and named by the node."""
    answers.says(202, json=ASKED | {"kind": "submission", "submission_id": "c" * 32})
    why = JustificationInput(legal_basis="b", purpose="p", case_reference="c", category="k")
    request = SubmissionRequest(import_id=IMPORT, kind=Kind.QUERY, justification=why)
    assert NodeClient(connection).submit(ROUND, request).submission_id == "c" * 32
    assert answers.asked[0].url.path == f"/v1/rounds/{ROUND}/submissions"
    assert json.loads(answers.asked[0].content)["kind"] == "query"


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


@pytest.mark.parametrize(
    ("ask", "path", "answer"),
    [
        (lambda node: node.rounds().rounds, "/v1/rounds", {"rounds": []}),
        (lambda node: node.imports().imports, "/v1/imports", {"imports": []}),
        (lambda node: node.duplicates(IMPORT).pairs, f"/v1/imports/{IMPORT}/duplicates", DUPLICATES),
        (lambda node: node.hits(ROUND).hits, f"/v1/rounds/{ROUND}/hits", NO_HITS),
    ],
)
def test_node_views(
    connection: Connection, answers: Any, ask: Callable[[NodeClient], object], path: str, answer: dict[str, Any]
) -> None:
    """Views come as the models of the interface."""
    answers.says(json=answer)
    assert ask(NodeClient(connection)) == ()
    assert answers.asked[0].url.path == path


def test_matcher_wishes(connection: Connection, answers: Any) -> None:
    """The secretariat ends rounds at the matcher's operator interface."""
    answers.says(202)
    answers.says(202, json=ASKED | {"kind": "abort"})
    matcher = MatcherClient(connection)
    matcher.close(ROUND)
    assert matcher.abort(ROUND, "why").digest == "f" * 64
    assert [asked.url.path for asked in answers.asked] == [
        f"/v1/operator/rounds/{ROUND}/close",
        f"/v1/operator/rounds/{ROUND}/abort",
    ]


NEEDS = {"needs": [], "left_out": 0}
TERMS = {
    "participants": ["AL", "SI"],
    "area": "a",
    "legal_basis": "b",
    "purpose": "p",
    "category": "c",
    "mode": "lists",
    "minimum_certainty": "low",
}
DEFAULTS = {
    "parties": ["AL"],
    "rules": ["default"],
    "caps": {"full": 1, "partial": 1},
    "window": {"consent_by": 1, "submit_by": 2, "evaluate_by": 3, "closes_at": 4},
    "padding": {"inputs_per_record": [8], "records_multiple": 1},
    "minimum_certainty": "low",
    "frequency_limit": 8,
    "retention_days": 30,
}
VIEW = {
    "view_id": "8" * 32,
    "name": "mine",
    "shows": {
        "round_id": None,
        "counterpart": "RS",
        "certainty": None,
        "stage": None,
        "kind": None,
        "overdue": False,
        "older_than_hours": None,
        "known": None,
        "whose": None,
    },
}


@pytest.mark.parametrize(
    ("ask", "method", "path", "body", "answer"),
    [
        (lambda to: NodeClient(to).needs(), "GET", "/v1/needs", None, NEEDS),
        (lambda to: MatcherClient(to).needs(), "GET", "/v1/operator/needs", None, NEEDS),
        (lambda to: MatcherClient(to).proposal_defaults(), "GET", "/v1/operator/proposal-defaults", None, DEFAULTS),
        (lambda to: HitsClient(to).views(), "GET", "/v1/hit-views", None, {"views": [VIEW]}),
        (
            lambda to: HitsClient(to).save_view("mine", SavedFilter(counterpart="RS")),
            "POST",
            "/v1/hit-views",
            {"name": "mine", "shows": VIEW["shows"]},
            VIEW,
        ),
    ],
)
def test_what_pages_ask_for(
    connection: Connection,
    answers: Any,
    ask: Callable[[Connection], Any],
    method: str,
    path: str,
    body: Any,
    answer: dict[str, Any],
) -> None:
    """Needs, defaults and kept views go by the paths of the interface and come as its models."""
    answers.says(json=answer)
    assert ask(connection).model_dump(mode="json") == answer
    asked = answers.asked[0]
    assert (asked.method, asked.url.path) == (method, path)
    assert (json.loads(asked.content) if asked.content else None) == body


def test_a_view_is_removed(connection: Connection, answers: Any) -> None:
    """By its id, which cannot leave its place in the path."""
    answers.says(204)
    HitsClient(connection).remove_view("../x")
    asked = answers.asked[0]
    assert (asked.method, asked.url.raw_path.decode()) == ("DELETE", "/v1/hit-views/..%2Fx")


def test_propose(connection: Connection, answers: Any) -> None:
    """A proposal is sent whole; another answer than a round is refused."""
    answers.says(201, json={"rounds": []})
    proposal = RoundProposal(participants=("AL", "SI"), area="a", legal_basis="b", purpose="p", category="c")
    with pytest.raises(Exception, match="PendingApproval"):
        MatcherClient(connection).propose(proposal)
    assert json.loads(answers.asked[0].content)["participants"] == ["AL", "SI"]
