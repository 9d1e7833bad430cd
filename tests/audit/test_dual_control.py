"""Two persons behind what needs two: an audit shows them, and says NOT PROVEN where a log does not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from aquila.audit.entries import EntryKind
from aquila.crypto.group import Group
from aquila.protocol.approvals import digest
from aquila.protocol.auditing import audit_rounds, read_log
from aquila.protocol.messages import Outcome
from aquila.sentences import text_of
from services.node.records.queries import standing_queries
from tests.support.ceremony import accept, join
from tests.support.exported import CODES, Exported, exported
from tests.support.node_world import JUSTIFICATION, World

OTHER_PERSON, OTHER_DIGEST = "p-" + "f" * 12, "f" * 64


def not_proven(log: Exported, group: Group) -> list[str]:
    """Return what an audit cannot show of a log's persons, in words."""
    record = read_log(log.files.get, log.registry)
    rounds = audit_rounds(record, log.files.get, log.registry, group)
    found = [*record.unproven, *(claim for audit in rounds for claim in audit.unproven)]
    return [text_of(claim.sentence) for claim in found if claim.what == "dual_control"]


def of_node(audited: Path, code: str = "AL") -> Exported:
    log = exported(audited, code)
    log.holder = code
    return log


def place(log: Exported, kind: str, what: str, number: int = 0) -> int:
    return [at for at in log.all_of(kind) if log.entry(at).ids["what"] == what][number]


# The lies: each is of a request and an approval of one thing.


def _nobody_asked(log: Exported, what: str, number: int) -> None:
    log.drop(place(log, "approval_requested", what, number))


def _nobody_approved(log: Exported, what: str, number: int) -> None:
    log.drop(place(log, "approved", what, number))


def _one_person_did_both(log: Exported, what: str, number: int) -> None:
    asked = log.entry(place(log, "approval_requested", what, number))
    log.change(place(log, "approved", what, number), person=asked.person)


def _nobody_in_particular(log: Exported, what: str, number: int) -> None:
    log.change(place(log, "approved", what, number), person=None)


def _another_author(log: Exported, what: str, number: int) -> None:
    log.change(place(log, "approval_requested", what, number), person=OTHER_PERSON)


def _another_content(log: Exported, what: str, number: int) -> None:
    for kind in ("approval_requested", "approved"):
        at = place(log, kind, what, number)
        log.change(at, digests=log.entry(at).digests | {"content": OTHER_DIGEST})


def _another_content_was_asked_for(log: Exported, what: str, number: int) -> None:
    at = place(log, "approval_requested", what, number)
    log.change(at, digests=log.entry(at).digests | {"content": OTHER_DIGEST})


def _another_request(log: Exported, what: str, number: int) -> None:
    at = place(log, "approval_requested", what, number)
    log.change(at, ids=log.entry(at).ids | {"approval": "0" * 32})


def _it_was_withdrawn(log: Exported, what: str, number: int) -> None:
    at = place(log, "approval_requested", what, number)
    denied = log.entry(at).model_copy(update={"kind": EntryKind.APPROVAL_DENIED})
    log.contents.insert(at + 1, denied.content())
    log.envelopes.insert(at + 1, b"")


def _afterwards(log: Exported, what: str, number: int) -> None:
    at = place(log, "approved", what, number)
    log.contents.append(log.contents.pop(at))
    log.envelopes.append(log.envelopes.pop(at))


_MISSING = "no approval before it is of exactly this"
_UNASKED = "was approved and nobody had asked for exactly that"
_ONE = "one person asked for the"
LIES: dict[str, tuple[Callable[[Exported, str, int], None], str]] = {
    "nobody asked": (_nobody_asked, _UNASKED),
    "nobody approved": (_nobody_approved, _MISSING),
    "one person did both": (_one_person_did_both, _ONE),
    "nobody in particular approved": (_nobody_in_particular, _ONE),
    "another author": (_another_author, _ONE),
    "another content": (_another_content, _MISSING),
    "another content was asked for": (_another_content_was_asked_for, _UNASKED),
    "another request": (_another_request, _UNASKED),
    "it was withdrawn": (_it_was_withdrawn, _UNASKED),
    "approved afterwards": (_afterwards, _MISSING),
}


@pytest.mark.parametrize("holder", ["matcher", *CODES])
def test_an_honest_round(audited: Path, group: Group, holder: str) -> None:
    """Of a whole round with a query, the logs of matcher and nodes show two persons behind everything."""
    assert not_proven(exported(audited, holder), group) == []


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize(("what", "number"), [("consent", 0), ("submission", 0), ("submission", 1)])
def test_a_node_without_two_persons(audited: Path, group: Group, what: str, number: int, lie: str) -> None:
    """A consent, a list and a query that one person wanted, or that were not what two persons approved, are found."""
    change, sentence = LIES[lie]
    log = of_node(audited)
    change(log, what, number)
    log.sign_anew(witnesses=("matcher",))
    (found,) = not_proven(log, group)
    assert sentence in found
    assert what in found


@pytest.mark.parametrize("lie", LIES)
def test_a_matcher_without_two_persons(log: Exported, group: Group, lie: str) -> None:
    change, sentence = LIES[lie]
    change(log, "proposal", 0)
    log.name_anew()
    log.sign_anew()
    (found,) = not_proven(log, group)
    assert sentence in found
    assert "proposal" in found


@pytest.mark.parametrize("name", ["import", "salt"])
def test_a_list_under_another_digest(audited: Path, group: Group, name: str) -> None:
    log = of_node(audited)
    for kind in ("approval_requested", "approved"):
        at = place(log, kind, "submission")
        log.change(at, digests=log.entry(at).digests | {"import": digest({name: ""})})
    log.sign_anew(witnesses=("matcher",))
    assert _MISSING in not_proven(log, group)[0]


def test_a_consent_that_is_not_there(audited: Path, group: Group) -> None:
    """Without the consent nobody can tell of which manifest the approved list was."""
    log = of_node(audited)
    log.drop(log.index("consent"))
    log.sign_anew(witnesses=("matcher",))
    assert len(not_proven(log, group)) == 2


def test_a_close_that_nobody_asked_for(log: Exported, group: Group) -> None:
    log.drop(log.index("end_asked"))
    log.name_anew()
    log.sign_anew()
    (found,) = not_proven(log, group)
    assert "was closed before its time and nobody had asked for it" in found


async def _exported(world: World, holder: str = "matcher") -> Exported:
    reached = world.operator if holder == "matcher" else world.nodes[holder].operator
    path = "/v1/operator/log/export" if holder == "matcher" else "/v1/log/export"
    (world.path / f"{holder}.tar").write_bytes((await reached.get(path)).content)
    log = exported(world.path, holder)
    log.holder = holder
    return log


@pytest.mark.parties("AL", "RS")
async def test_rounds_that_had_to_end(world: World, group: Group) -> None:
    """No person is needed where a party leaves, too few consent, or the time is over."""
    left = await world.begin(lists=False)
    await world.settle()
    assert (await world.nodes["AL"].post(f"/rounds/{left}/abort", json={"reason": "not ours"})).status_code == 202
    refused = await world.propose()
    await world.settle()
    for party_node in world.nodes.values():
        assert (await party_node.post(f"/rounds/{refused}/abort", json={"reason": "no"})).status_code == 202
    await world.settle()
    late = await world.propose()
    await world.settle()
    over = await world.begin(lists=False)
    await world.settle()
    world.clock.time += 120 * 86_400
    await world.settle()
    for round_id in (left, refused, late, over):
        assert await world.phase(round_id) == "aborted"
    assert not_proven(await _exported(world), group) == []


@pytest.mark.parties("AL", "RS")
async def test_an_abort_is_of_two_persons(world: World, group: Group) -> None:
    round_id = await world.begin(lists=False)
    await world.settle()
    body = {"reason": "  the legal basis fell away "}
    assert (await world.operator.post(f"/v1/operator/rounds/{round_id}/abort", json=body)).status_code == 202
    await world.settle()
    log = await _exported(world)
    assert not_proven(log, group) == []
    for change, sentence in LIES.values():
        lied = log.copy()
        change(lied, "abort", 0)
        lied.name_anew()
        lied.sign_anew()
        assert [sentence in found and "abort" in found for found in not_proven(lied, group)] == [True]
    log.say(log.index("ending"), outcome=Outcome.ABORTED, reason="another one")
    log.name_anew()
    log.sign_anew()
    assert _MISSING in not_proven(log, group)[0]


@pytest.mark.parties("AL", "RS")
async def test_a_standing_query(world: World, group: Group) -> None:
    round_id = await world.begin(mode="lists_and_queries")
    await world.settle()
    asker = world.nodes["AL"]
    persons = [{"given_names": "Mira", "family_names": "Janković", "date_of_birth": "1988-08-08"}]
    until = world.clock.time + 30 * 86_400
    body = {"round_id": round_id, "persons": persons, "justification": JUSTIFICATION, "until": until}
    assert (await asker.post("/standing-queries", json=body)).status_code == 202
    await world.settle()
    assert standing_queries.advance(asker.node)
    await world.settle()
    log = await _exported(world, "AL")
    assert not_proven(log, group) == []
    for change, sentence in LIES.values():
        lied = Exported(dict(log.files), log.registry, log.keys, holder="AL")
        change(lied, "standing_query", 0)
        lied.sign_anew(witnesses=("matcher",))
        assert [sentence in found for found in not_proven(lied, group)] == [True]
    # What retention erased with the log's first entries is missed by nobody.
    record = read_log(log.files.get, log.registry)
    for kind in ("approval_requested", "approved"):
        record.entries[place(log, kind, "standing_query")] = None
    audit_rounds(record, log.files.get, log.registry, group)
    assert record.unproven == []


@pytest.mark.parties("AL", "RS")
async def test_a_registry(world: World, group: Group) -> None:
    await join(world)
    await accept(world.nodes["AL"])
    await world.settle()
    for holder in ("matcher", "AL"):
        log = await _exported(world, holder)
        assert not_proven(log, group) == []
        for change, _ in LIES.values():
            lied = log.copy()
            lied.holder = holder
            change(lied, "registry", 0)
            if holder == "matcher":
                lied.name_anew()
                lied.sign_anew()
            else:
                lied.sign_anew(witnesses=("matcher",))
            (found,) = not_proven(lied, group)
            assert "asked for exactly this registry" in found
