"""Follow-ups of a played round, as nodes make and read them (PROTOCOL.md 3.11.6 and 3.11.7)."""

from typing import NamedTuple

from aquila.followup.lifecycle import FollowUpState
from aquila.protocol.messages import FollowUp
from aquila.protocol.rounds.follow_ups import (
    PURPOSE,
    FollowedHit,
    MetRules,
    ThirdParty,
    open_part,
    read_part,
    third_parties,
    write_part,
)
from aquila.protocol.rounds.hit_columns import held_tokens
from aquila.protocol.rounds.locks import pair_key
from aquila.protocol.shadow.meeting import meets_a_set
from aquila.protocol.shadow.triangles import is_closed, sets_of, told_sets
from tests.support.staged_round import StagedRound

REFERENCE = "{}-0123-4567-89AB"


class Met(NamedTuple):
    """A reported pair as one side sees it."""

    record: str
    """The own record's id."""
    rules: MetRules
    is_hit: bool


class Told(NamedTuple):
    """A line of a follow-up that its receiver's own report does not bear out: by whom, to whom, of which third."""

    by: str
    to: str
    third: str


Sides = dict[tuple[str, str], dict[str, Met]]
"""By party and counterpart, the reported pairs by id."""


def sides_of(stage: StagedRound) -> Sides:
    """Return all reported pairs; the tokens are still there."""
    return {(code, other): _side(stage, code, other) for code, node in stage.nodes.items() for other in node.told}


def _side(stage: StagedRound, code: str, counterpart: str) -> dict[str, Met]:
    node, report = stage.nodes[code], stage.report(code, counterpart)
    pairs = [(hit.hit_id, hit.handle, hit.met, True) for hit in report.hits]
    pairs += [(pair.pair_id, pair.handle, pair.met, False) for pair in report.below]
    if not pairs:
        return {}
    handles = [bytes.fromhex(handle) for _, handle, _, _ in pairs]
    rules = held_tokens(handles, node.finalized(counterpart)).columns_of(b"".join(handles)).rules
    ids = node.record_ids_of(handles, counterpart)
    return {
        name: Met(ids[handle], MetRules.of(own, bytes.fromhex(met)), is_hit)
        for (name, _, met, is_hit), handle, own in zip(pairs, handles, rules, strict=True)
    }


def followed(stage: StagedRound, sides: Sides, code: str, to: str) -> list[FollowedHit]:
    """Return what an honest party tells a counterpart."""
    found = []
    for hit_id, mine in sides[code, to].items():
        third = {
            other: ThirdParty(common, REFERENCE.format(code))
            for other in third_parties(stage.round, code, to)
            for pair in sides[code, other].values()
            if pair.record == mine.record and pair.is_hit
            if meets_a_set(
                common := mine.rules.common(pair.rules), told_sets(stage.nodes[code].round, stage.table, to, other)
            )
        }
        if mine.is_hit:
            found.append(FollowedHit(hit_id, FollowUpState.OPEN, third))
    return found


def statement(
    stage: StagedRound, code: str, to: str, hits: list[FollowedHit], *, part: int = 0, size: int = 0
) -> bytes:
    """Return the signed follow-up of a party, with room for as many hits as the report has if nothing else is said."""
    node = stage.nodes[code]
    assert node.secrets is not None
    content = write_part(hits, size or len(stage.report(code, to).hits), third_parties(stage.round, code, to))
    with pair_key(node.round, code, node.secrets, to, PURPOSE) as key:
        return node.party.follow_up(node.round, node.next_sequence(), to, part, key, content, stage.random(12))


def read(stage: StagedRound, envelope: bytes) -> list[FollowedHit]:
    """Publish a follow-up, and return what its receiver reads in it."""
    message = stage.publish(envelope).message
    assert isinstance(message, FollowUp)
    node = stage.nodes[message.to]
    assert node.secrets is not None
    with pair_key(node.round, message.to, node.secrets, message.party, PURPOSE) as key:
        content = open_part(key, message)
    return read_part(content, message.party, third_parties(node.round, message.party, message.to))


def not_closed(stage: StagedRound, sides: Sides, by: str, to: str, hits: list[FollowedHit]) -> set[Told]:
    """Return the third parties of which a counterpart tells what the own report with them does not bear out."""
    found = set()
    for hit in hits:
        own = sides[to, by][hit.hit_id]
        for third, told in hit.third.items():
            sets = sets_of(stage.nodes[to].round, stage.table, to, third)
            met = [pair.rules.met for pair in sides[to, third].values() if pair.record == own.record]
            if sets is not None and not is_closed(told.rules, own.rules.met, sets, met):
                found.add(Told(by, to, third))
    return found


def all_not_closed(stage: StagedRound, sides: Sides) -> tuple[set[Told], int]:
    """Let every party tell every counterpart with which it has hits; return what is not closed, and how many lines."""
    found, lines = set(), 0
    for by, to in sides:
        if any(pair.is_hit for pair in sides[by, to].values()):
            hits = read(stage, statement(stage, by, to, followed(stage, sides, by, to)))
            found |= not_closed(stage, sides, by, to, hits)
            lines += sum(len(hit.third) for hit in hits)
    return found, lines
