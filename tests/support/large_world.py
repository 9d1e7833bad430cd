"""Homes of a matcher and its nodes after years: many rounds that are over, and some that wait for people.

One round is played to its end by the services' own code. The others that are over are made from what it left: each has
numbers of its own, a manifest and statements that are signed again for it, and entries in the logs of all. So each of
them can be verified from its manifest to its end, as if it had been played; the secrets of its consents are known to
nobody.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from sqlalchemy import MetaData, Table, func, insert, select, update
from sqlalchemy.orm import Session

from aquila.audit.merkle import TILE_WIDTH, leaf_hash
from aquila.crypto.envelope import sign_envelope
from aquila.crypto.keys import IdentityKey
from aquila.protocol.messages import Consent, Manifest, Opening
from aquila.protocol.rounds.rules import binding_of
from aquila.protocol.rounds.verified_round import Round, read_statement
from services.kit.approvals.tables import ApprovalRows
from services.kit.log.entries import EDGE, ENTRIES, _store_nodes, frontier
from services.kit.log.publication import OwnLog
from services.kit.storage.files import write_secret
from services.kit.storage.row_seals import ROW_KEY
from services.kit.storage.store import Store
from services.matcher.storage import tables as at_matcher
from services.node.rounds import work
from services.node.storage import tables as at_node
from services.node.storage.high_water import Marks
from tests.support.node_world import HEADER, LISTS, World
from tests.support.sealing import sealed

_NUMBER = re.compile(rb"[0-9a-f]{64}|[0-9a-f]{32}")
_COUNTED = frozenset({"batch_id", "change_id", "step_id", "withdrawal_id"})
_LEFT_OUT = frozenset({"evidence", "log_entry", "named_head", "spent_day", "standing_query"})
"""Tables whose rows name rounds without being a part of them."""
_AT_ONCE = 20  # rounds in one transaction
_HOUR = 3_600


async def closed_round_with_queries(world: World, statements: int) -> str:
    """Play a round until nothing is left to say in it, with as many queries as bring it to so many statements.

    Args:
        statements: How many statements it has at least, at the matcher; a round without queries has about thirty.
    """
    round_id = await world.begin(mode="lists_and_queries")
    await world.settle()
    asked = 0
    while _count_statements(world, round_id) < statements:
        party_node = world.nodes[sorted(world.nodes)[asked % len(world.nodes)]]
        person = LISTS[sorted(world.nodes)[(asked + 1) % len(world.nodes)]].splitlines()[asked % 3].partition(",")[2]
        query = await party_node.load(f"{HEADER}q-{asked},{person}\n", f"query {asked}")
        answer = await party_node.submit(round_id, query, "query")
        assert answer.status_code == 202, answer.text
        await world.settle()
        asked += 1
    await world.operator.post(f"/v1/operator/rounds/{round_id}/close")
    await world.settle()
    assert await world.phase(round_id) == "closed"
    world.clock.time += _HOUR
    await world.settle()  # each node has told its follow-ups
    await world.settle()  # and has read those of the others, so that none looks at the round any more
    for party_node in world.nodes.values():
        assert round_id not in work.open_rounds(party_node.node.store)
    return round_id


def copy_closed_round(
    world: World, round_id: str, copies: int, seed: int = 1, tell: Callable[[str], None] = lambda _: None
) -> list[str]:
    """Make more rounds from one that is over, at the matcher and all nodes, and publish the logs of all.

    The nodes' marks of how far they have gone lie in files, which the nodes read when they start: start them anew.
    """
    numbers = Random(seed)
    original = _Original.read(world, round_id)
    made: list[str] = []
    while len(made) < copies:
        some = [original.copy(numbers, len(made) + n + 1) for n in range(min(_AT_ONCE, copies - len(made)))]
        for place in original.places:
            with place.store.transaction("large.copy") as session:
                for copy in some:
                    place.store_copy(session, copy)
        made += [copy.new[round_id] for copy in some]
        tell(f"{len(made)} rounds were copied")
    for place in original.places:
        with place.store.transaction("large.seal") as session:
            rows = at_matcher.MatcherRows if place.log.holder == "matcher" else at_node.NodeRows
            sealed(session, ApprovalRows, rows)
        place.log.publish()
    for party_node in world.nodes.values():
        marks = party_node.node.high_water.marks
        assert marks is not None
        more = dict.fromkeys(made, marks.rounds[round_id])
        write_secret(
            party_node.node.high_water.path,
            Marks(rounds=marks.rounds | more, days=marks.days).model_dump_json().encode(),
        )
    return made


@dataclass(slots=True)
class _Copy:
    """A round that is made from another one.

    Attributes:
        number: Its place among the copies, from 1.
        envelopes: Its manifest and statements, by the digests of the original's.
        log_indices: Places in the matcher's log by those of the original's entries.
    """

    number: int
    new: dict[str, str] = field(default_factory=dict)
    envelopes: dict[str, bytes] = field(default_factory=dict)
    log_indices: dict[int, int] = field(default_factory=dict)

    def renamed(self, content: bytes) -> bytes:
        """Return JSON with the copy's numbers and digests in place of the original's."""
        return _NUMBER.sub(lambda found: self.new.get(found[0].decode(), found[0].decode()).encode(), content)


@dataclass(frozen=True, slots=True)
class _Place:
    """Rows and log entries of the original at one service."""

    store: Store
    log: OwnLog
    rows: Sequence[tuple[Table, dict[str, Any]]]
    entries: Sequence[Mapping[str, Any]]
    events: int

    def store_copy(self, session: Session, copy: _Copy) -> None:
        indices = _append_all(session, [{**row, "content": copy.renamed(row["content"])} for row in self.entries])
        if self.log.holder == "matcher":
            copy.log_indices = dict(zip((row["index"] for row in self.entries), indices, strict=True))
        together: dict[Table, list[dict[str, Any]]] = {}
        for table, row in self.rows:
            together.setdefault(table, []).append(self._renamed(table, row, copy))
        for table, rows in together.items():
            session.execute(insert(table), rows)

    def _renamed(self, table: Table, row: Mapping[str, Any], copy: _Copy) -> dict[str, Any]:
        values: dict[str, Any] = dict(row)
        values |= {name: copy.new.get(value, value) for name, value in row.items() if isinstance(value, str)}
        digest = row.get("manifest_digest" if table.name == "round" else "digest")
        for name in ("manifest", "envelope"):
            if values.get(name) is not None:
                content = copy.envelopes["manifest" if name == "manifest" else str(digest)]
                values[name] = content.decode() if isinstance(row[name], str) else content
        if values.get("log_index") is not None:
            values["log_index"] = copy.log_indices[values["log_index"]]
        for name in ("event_id", "cursor"):
            if values.get(name):
                values[name] += copy.number * self.events
        for name in ("created_at", "discovered_at"):
            if name in values:
                values[name] -= copy.number  # so that lists have an order
        return {name: value for name, value in values.items() if name not in _COUNTED}


@dataclass(frozen=True, slots=True)
class _Original:
    """A round that is over, as all services store it.

    Attributes:
        statements: Digest and envelope of its statements in the order of the matcher's feed; no envelope where it is
            gone everywhere.
    """

    world: World
    round_id: str
    places: Sequence[_Place]
    statements: Sequence[tuple[str, bytes | None]]
    identifiers: Sequence[str]

    @classmethod
    def read(cls, world: World, round_id: str) -> "_Original":
        context = world.app.state.context
        with context.store.reading("large.events") as session:
            events = session.scalar(select(func.max(at_matcher.EventRow.event_id))) or 0
        places = [_place(context.store, context.log.own, at_matcher.MatcherRows.metadata, round_id, events)]
        for party_node in world.nodes.values():
            node = party_node.node
            places.append(_place(node.store, node.log.own, at_node.NodeRows.metadata, round_id, events))
        rows = [(table.name, row) for place in places for table, row in place.rows]
        told = [row for name, row in rows if name in {"event", "statement"} and row["digest"] and row["event_id"]]
        envelopes = {row["digest"]: row["envelope"] for row in told if row["envelope"]}
        ordered = dict.fromkeys(row["digest"] for row in sorted(told, key=lambda row: row["event_id"]))
        return cls(
            world,
            round_id,
            places,
            [(digest, _bytes(envelopes.get(digest))) for digest in ordered],
            sorted({row[name] for _, row in rows for name in ("submission_id", "approval_id") if row.get(name)}),
        )

    def copy(self, numbers: Random, number: int) -> _Copy:
        """Return a new round with everything that was signed in this one, signed for it."""
        copy = _Copy(number)
        copy.new = {one: numbers.randbytes(16).hex() for one in (self.round_id, *self.identifiers)}
        context = self.world.app.state.context
        stored = next(row["manifest"] for table, row in self.places[0].rows if table.name == "round")
        payload = copy.renamed(_payload(stored))
        copy.envelopes["manifest"] = sign_envelope(Manifest.payload_type, payload, self._key("matcher"))
        round_ = Round.from_manifest(context.registry, context.round_cache.group, copy.envelopes["manifest"])
        before = Round.from_manifest(context.registry, context.round_cache.group, stored)
        copy.new[before.manifest_digest] = round_.manifest_digest
        for digest, envelope in self.statements:
            if envelope is None:
                copy.new[digest] = hashlib.sha256(f"{copy.new[self.round_id]} {digest}".encode()).hexdigest()
                continue
            signed = self._signed_again(copy, round_, numbers, envelope)
            copy.new[digest], copy.envelopes[digest] = read_statement(context.registry, signed).digest, signed
        return copy

    def _signed_again(self, copy: _Copy, round_: Round, numbers: Random, envelope: bytes) -> bytes:
        read = read_statement(round_.registry, envelope)
        if isinstance(read.message, Consent):
            party = self.world.nodes[read.signer].node.party
            return party.consent(round_, read.message.sequence, (), numbers.randbytes)[1]
        if isinstance(read.message, Opening):
            consents = [(one.party, copy.new[one.digest]) for one in read.message.consents]
            copy.new[read.message.binding] = binding_of(round_.manifest_digest, consents)
        payload_type = json.loads(envelope)["payloadType"]
        return sign_envelope(payload_type, copy.renamed(_payload(envelope)), self._key(read.signer))

    def _key(self, signer: str) -> IdentityKey:
        if signer == "matcher":
            key: IdentityKey = self.world.app.state.context.matcher.identity
            return key
        return self.world.nodes[signer].node.party.identity


def _place(store: Store, log: OwnLog, metadata: MetaData, round_id: str, events: int) -> _Place:
    """Read what one service has of a round."""
    rows = []
    with store.reading("large.rows") as session:
        for table in metadata.sorted_tables:
            if "round_id" in table.c and table.name not in _LEFT_OUT:
                found = session.execute(select(table).where(table.c.round_id == round_id)).mappings()
                rows += [(table, dict(row)) for row in found]
        query = select(ENTRIES).where(ENTRIES.c.round_id == round_id).order_by(ENTRIES.c.index)
        entries = [dict(row) for row in session.execute(query).mappings()]
    return _Place(store, log, rows, entries, events)


def _append_all(session: Session, entries: Sequence[Mapping[str, Any]]) -> list[int]:
    """Append entries to a log as `services.kit.log.entries.append` does, all at once; return their indices."""
    edge, rows = frontier(session), []
    for entry in entries:
        leaf, round_id = leaf_hash(entry["content"]), json.loads(entry["content"])["round"]
        seal = session.info[ROW_KEY].seal(ENTRIES.name, (edge.size, leaf, None))
        rows.append(dict(entry) | {"index": edge.size, "leaf_hash": leaf, "round_id": round_id, "seal": seal})
        edge.append(leaf)
    session.execute(insert(ENTRIES), rows)
    session.execute(update(EDGE).values(size=edge.size, peaks=b"".join(edge.peaks)))
    first = rows[0]["index"]
    for size in range(first - first % TILE_WIDTH + TILE_WIDTH, edge.size + 1, TILE_WIDTH):
        _store_nodes(session, size)
    return [row["index"] for row in rows]


def _count_statements(world: World, round_id: str) -> int:
    event = at_matcher.EventRow
    with world.app.state.context.store.reading("large.count") as session:
        query = select(func.count()).where(event.round_id == round_id, event.digest.is_not(None))
        return session.scalar(query) or 0


def _payload(envelope: bytes) -> bytes:
    return base64.b64decode(json.loads(envelope)["payload"])


def _bytes(content: str | bytes | None) -> bytes | None:
    return content.encode() if isinstance(content, str) else content
