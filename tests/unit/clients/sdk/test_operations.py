"""Operations by their ids: what the index has, and the calls that values make."""

import json
from pathlib import Path

import pytest

from aquila.errors import InputError
from clients.sdk.operations import Operation, operation, operations

OPENAPI = Path(__file__).parents[4] / "schemas" / "openapi"
SECRETS = {"password", "new_password", "code", "persons", "fields"}


@pytest.mark.parametrize("service", ["node", "matcher"])
def test_the_index_has_every_operation_for_people(service: str) -> None:
    paths = json.loads((OPENAPI / f"{service}.json").read_text("utf-8"))["paths"]
    documented = {
        one["operationId"]: (method.upper(), path)
        for path, methods in paths.items()
        for method, one in methods.items()
        if {"Person": []} in one.get("security", [])
    }
    assert {name: (one.method, one.path) for name, one in operations(service).items()} == documented


def test_what_holds_persons_or_secrets_is_private() -> None:
    marked = {
        (name, one.name)
        for service in ("node", "matcher")
        for name, found in operations(service).items()
        for one in found.parameters
        if one.private
    }
    assert {("post_query", "persons"), ("search_records", "text"), ("put_record", "fields")} <= marked
    assert {("decide_many", "every.name"), ("post_password", "password")} <= marked
    assert {name.rpartition(".")[2] for _, name in marked} == SECRETS | {"name", "text", "letter"}
    assert ("post_view", "name") not in marked


def test_a_call_of_each_place() -> None:
    """Parameters go into path, query and body; `outer.inner` into an object, and defaults are left out."""
    ask = operation("node", "post_query")
    assert ask.request({"round_id": "ab", "justification.purpose": "x", "names_checked": True} | REST) == (
        "/v1/queries",
        {"params": {"names_checked": "true"}, "json": {"round_id": "ab", "justification": {"purpose": "x"} | JUST}},
    )
    path, options = operation("node", "decide").request({"round_id": "a/b", "hit_id": "c", "decision": "same"})
    assert path == "/v1/rounds/a%2Fb/hits/c/decision"
    assert options == {"params": {}, "json": {"decision": "same"}}
    assert operation("node", "ask_consent").request({"round_id": "a"})[1] == {"params": {}, "json": {}}
    stored = operation("node", "import_records").request({"name": "l", "body": b"id"})[1]
    assert stored == {"params": {"name": "l"}, "content": b"id"}
    whole = operation("node", "undo").request({"body": {"number": 1}})[1]
    assert whole == {"params": {}, "json": {"number": 1}}


JUST = {"legal_basis": "b", "case_reference": "c", "category": "d"}
REST = {f"justification.{name}": text for name, text in JUST.items()}


@pytest.mark.parametrize(
    ("name", "parameter", "texts", "value"),
    [
        ("get_hits", "limit", ["5"], 5),
        ("get_hits", "overdue", ["true"], True),
        ("get_hits", "stage", ["follow_up"], "follow_up"),
        ("assign", "hits", ["[{}]"], [{}]),
        ("post_account", "roles", ["officer", "analyst"], ["officer", "analyst"]),
        ("post_account", "roles", ['["officer"]'], ["officer"]),
        ("decide", "remark", ["=5 [1"], "=5 [1"),
    ],
)
def test_values_of_texts(name: str, parameter: str, texts: list[str], value: object) -> None:
    assert operation("node", name).parameter(parameter).value_of(texts) == value


@pytest.mark.parametrize(
    ("name", "parameter", "texts", "code"),
    [
        ("get_hits", "limit", ["five"], "parameter_of_another_kind"),
        ("get_hits", "limit", ["true"], "parameter_of_another_kind"),
        ("get_hits", "limit", ["1.5"], "parameter_of_another_kind"),
        ("get_hits", "overdue", ["1"], "parameter_of_another_kind"),
        ("get_hits", "stage", ["old"], "parameter_not_one_of"),
        ("get_hits", "limit", ["1", "2"], "parameter_given_twice"),
        ("assign", "hits", ["5"], "parameter_of_another_kind"),
        ("assign", "hits", ["[" * 100_000], "parameter_of_another_kind"),
        ("post_account", "roles", ["[officer"], "parameter_of_another_kind"),
    ],
)
def test_texts_of_another_kind(name: str, parameter: str, texts: list[str], code: str) -> None:
    with pytest.raises(InputError) as refused:
        operation("node", name).parameter(parameter).value_of(texts)
    assert refused.value.sentence.code == code
    assert texts[0] not in refused.value.message


def test_what_is_unknown_has_near_matches() -> None:
    with pytest.raises(InputError, match="the node has no operation get_hit_s") as refused:
        operation("node", "get_hit_s")
    assert "get_hits, " in refused.value.hint
    with pytest.raises(InputError, match="get_hits has no parameter certanty") as refused:
        operation("node", "get_hits").request({"certanty": "low"})
    assert refused.value.hint.endswith("certainty")
    with pytest.raises(InputError, match="decide needs more: hit_id, decision"):
        operation("node", "decide").request({"round_id": "a"})
    with pytest.raises(InputError, match="decide needs more: hit_id"):
        operation("node", "decide").request({"round_id": "a", "body": {}})
    assert isinstance(operation("matcher", "get_all_rounds"), Operation)
