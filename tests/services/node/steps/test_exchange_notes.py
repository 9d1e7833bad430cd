"""The exchange of notes among nodes: both sides confirm, and what stands in the way is found, said and logged."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from aquila.matching.certainty import Level
from aquila.protocol.matcher import Matcher
from aquila.protocol.messages import Fault, HitReport
from aquila.protocol.rounds.round_state import EXCHANGE_SECONDS
from services.kit.log.entries import ENTRIES
from services.node.storage.tables import ExchangeRow, NoteSecretRow, PreparedReportRow
from tests.support.node_steps import round_before_matching, round_with_hits
from tests.support.node_world import PartyNode, World
from tests.support.played_worlds import WorldAfter
from tests.support.sentence_texts import texts

pytestmark = [pytest.mark.rounds, pytest.mark.postgresql_soak]

CODED = (
    "record_id,given_names,family_names,date_of_birth,source_evaluation,information_evaluation,handling_code,category\n"
)
AL_CODED = CODED + "al-list-1,Arben,Hoxha,1980-03-04,X,4,H0,suspects\n"
RS_CODED = CODED + "rs-1,Arben,Hoxha,1980-03-04,C,4,H2,suspects\nrs-2,Mira,Kos,1970-01-01,,,,\n"


class Liar(Matcher):
    lie: Callable[[HitReport], HitReport] = staticmethod(lambda report: report)

    def report(self, report: HitReport) -> bytes:
        return super().report(type(self).lie(report))


def rows(party_node: PartyNode, table: Any = ExchangeRow) -> list[Any]:
    with party_node.node.store.reading("test.exchange") as session:
        return list(session.scalars(select(table)))


def with_party(party_node: PartyNode, code: str) -> list[ExchangeRow]:
    return [row for row in rows(party_node) if row.counterpart == code]


def logged(party_node: PartyNode) -> set[str]:
    with party_node.node.store.reading("test.log") as session:
        return set(session.scalars(select(ENTRIES.c.kind)))


def has_note_key(party_node: PartyNode, round_id: str) -> bool:
    """Tell whether a note key lies at a node, or anything under it."""
    return party_node.node.rounds.of(round_id).note_key_path.is_file() or bool(rows(party_node, NoteSecretRow))


def lying(world: World, lie: Callable[[HitReport], HitReport]) -> None:
    context = world.app.state.context
    made = type("Lying", (Liar,), {"lie": staticmethod(lie)})(context.matcher.identity)
    world.app.state.context = replace(context, matcher=made)


async def problems(party_node: PartyNode, round_id: str) -> str:
    return "\n".join(texts((await party_node.round(round_id))["problems"]))


async def close_round(world: World, round_id: str) -> None:
    answer = await world.operator.post(f"/v1/operator/rounds/{round_id}/close")
    assert answer.status_code == 202, answer.text


async def round_with_a_note_key(world: World) -> str:
    """Play a round until RS has its hits and the key for their notes, and has read no other party's."""
    round_id = await round_before_matching(world)
    await world.until(lambda: len(rows(world.nodes["RS"], PreparedReportRow)) == 2, "RS")
    return round_id


async def round_with_notes_under_way(world: World) -> str:
    """Play a round until everybody has hits, and notes lie at the matcher."""
    round_id = await world.begin()
    await world.until(lambda: all(map(rows, world.nodes.values())) and world.notes_left() > 0)
    return round_id


async def test_both_sides_confirm(world_after: WorldAfter) -> None:
    world, round_id = await world_after(round_with_hits)
    for party_node in world.nodes.values():
        assert rows(party_node)
        assert all(row.verified and row.accepted and row.rules and row.fault is None for row in rows(party_node))
        assert await problems(party_node, round_id) == ""
        assert {"disclosure", "note_received", "hit_confirmed"} <= logged(party_node)
    references = {row.hit_id: row.reference for row in rows(world.nodes["AL"])}
    for code in ("RS", "SI"):
        notes = {row.hit_id: row.note["reference"] for row in with_party(world.nodes[code], "AL")}
        assert notes
        assert notes.items() <= references.items()
    assert world.notes_left() == 0
    await close_round(world, round_id)
    await world.settle()
    assert await world.phase(round_id) == "closed"
    assert not any(has_note_key(party_node, round_id) for party_node in world.nodes.values())


async def test_what_a_note_says(world: World) -> None:
    round_id = await world.propose(participants=["AL", "RS"])
    for code, content in (("AL", AL_CODED), ("RS", RS_CODED)):
        party_node = world.nodes[code]
        assert (await party_node.post(f"/rounds/{round_id}/consent")).status_code == 202
        answer = await party_node.submit(round_id, await party_node.load(content))
        assert answer.status_code == 202, answer.text
    await world.settle()
    shown = {code: (await world.nodes[code].get(f"/rounds/{round_id}/hits"))["hits"] for code in ("AL", "RS")}
    (al,), (rs,) = shown["AL"], shown["RS"]
    assert (al["exchange"]["state"], rs["exchange"]["state"]) == ("confirmed", "confirmed")
    assert al["exchange"]["rules"]
    note = al["exchange"]["note"]
    assert (note["evaluation"], note["handling_code"], note["category"]) == ("C4", "H2", "suspects")
    assert (note["reference"], note["contact"]) == (rs["exchange"]["reference"], "Party RS")
    assert "rs-1" not in str(al)
    intelligence = [hit["exchange"]["intelligence"] for hit in (al, rs)]
    assert [(one["before"], one["after"]) for one in intelligence] == [("X4", "X3"), ("C4", "C4")]
    hit = await world.nodes["AL"].get(f"/rounds/{round_id}/hits/{al['hit_id']}")
    # The counterpart's code is a condition of the letter to it, and blocks none.
    assert (hit["blocked_by"], hit["exchange"]) == (None, al["exchange"])
    assert "H2" in [code for code, _ in hit["conditions"]]


async def test_changed_level(world_after: WorldAfter) -> None:
    """A level that the matcher tells one side otherwise is refuted by both; problems and log say so."""

    def lie(report: HitReport) -> HitReport:
        if report.party != "SI":
            return report
        hits = tuple(hit.model_copy(update={"certainty": Level.LOW}) for hit in report.hits)
        return report.model_copy(update={"hits": hits})

    world, round_id = await world_after(round_before_matching)
    lying(world, lie)
    await world.until(lambda: world.notes_left() == 2, "SI")
    await world.settle("RS")  # it reads SI's notes before it hears what SI found
    await world.settle()
    si, rs = world.nodes["SI"], world.nodes["RS"]
    assert {row.fault for row in with_party(si, "RS")} == {Fault.LEVEL}
    assert {(row.fault, row.blamed_by) for row in with_party(rs, "SI")} == {(Fault.TOLD, "RS")}
    assert "level is not the one" in await problems(si, round_id)
    assert "refuted here" in await problems(rs, round_id)
    assert "hit_refuted" in logged(si) & logged(rs)
    hits = (await si.get(f"/rounds/{round_id}/hits"))["hits"]
    assert {hit["exchange"]["state"] for hit in hits} == {"refuted"}
    assert not any(hit["exchange"]["rules"] or hit["exchange"]["note"] for hit in hits)
    await close_round(world, round_id)
    await world.settle()
    assert await world.phase(round_id) == "closed"


async def test_a_node_that_comes_late(world_after: WorldAfter) -> None:
    """Hits stay unconfirmed past the round's time, which is said; a node that comes within a week confirms them."""
    world, round_id = await world_after(round_with_a_note_key)
    rs = world.nodes["RS"]
    await world.settle("AL", "SI")
    al = world.nodes["AL"]
    assert not all(row.accepted for row in with_party(al, "RS"))
    with al.node.store.reading("test.window"):
        closes_at = al.node.rounds.of(round_id).record().manifest.window.closes_at
    world.clock.time = closes_at + 1
    await world.settle("AL", "SI")
    assert "unconfirmed after the round's time" in await problems(al, round_id)
    rs.restart()
    await world.settle()
    assert all(row.verified and row.accepted for party_node in world.nodes.values() for row in rows(party_node))
    assert world.notes_left() == 0
    assert not any(has_note_key(party_node, round_id) for party_node in world.nodes.values())


@pytest.mark.more_rounds
async def test_a_node_that_never_comes(world_after: WorldAfter) -> None:
    world, round_id = await world_after(round_with_a_note_key)
    rs, al = world.nodes["RS"], world.nodes["AL"]
    await world.settle("AL", "SI")
    world.clock.time = al.node.rounds.of(round_id).record().notes_expire + 1
    await world.settle("AL", "SI")
    assert "the time for notes is over" in await problems(al, round_id)
    assert not has_note_key(al, round_id)
    assert world.notes_left() == 0
    await world.settle()
    assert not has_note_key(rs, round_id)
    assert {hit["exchange"]["state"] for hit in (await rs.get(f"/rounds/{round_id}/hits"))["hits"]} <= {
        "unconfirmed",
        "confirmed",
    }
    assert EXCHANGE_SECONDS == 7 * 86_400


async def test_the_note_key_is_lost(world_after: WorldAfter) -> None:
    """A node that loses its note key says so, and its hits stay unconfirmed; the round goes on without them."""
    world, round_id = await world_after(round_with_a_note_key)
    rs = world.nodes["RS"]
    (rs.home / "keys" / f"{round_id}.notes.key").unlink()
    rs.restart()
    await world.settle()
    assert "the key for the notes of this round is missing" in await problems(rs, round_id)
    assert rows(rs, NoteSecretRow) == []
    assert not any(row.verified for row in rows(rs))


@pytest.mark.more_rounds
async def test_the_round_key_is_lost_before_the_notes(world_after: WorldAfter) -> None:
    """Without the round key nothing opens notes: its hits stay unconfirmed, and the node refuses the round."""
    world, round_id = await world_after(round_with_a_note_key)
    rs = world.nodes["RS"]
    (rs.node.keys / f"{round_id}.key").unlink()
    rs.restart()
    await world.settle()
    assert "key of this round is missing" in await problems(rs, round_id)
    assert (await rs.round(round_id))["keys_present"] is False
    assert not has_note_key(rs, round_id)


async def test_a_round_is_aborted_while_notes_are_on_their_way(world_after: WorldAfter) -> None:
    """What both sides know already is still confirmed: the keys of notes outlive those of the round."""
    world, round_id = await world_after(round_with_notes_under_way)
    answer = await world.operator.post(f"/v1/operator/rounds/{round_id}/abort", json={"reason": "a test"})
    assert answer.status_code == 202, answer.text
    await world.settle()
    assert await world.phase(round_id) == "aborted"
    for party_node in world.nodes.values():
        assert rows(party_node)
        assert all(row.verified and row.accepted for row in rows(party_node))
        assert not has_note_key(party_node, round_id)
