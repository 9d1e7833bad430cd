"""Step 1: rounds that the matcher proposes (PROTOCOL.md 3.1)."""

from __future__ import annotations

from asyncio import to_thread
from typing import TypeVar

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.entries import Entry, EntryKind
from aquila.errors import MalformedError, PolicyError, ProtocolError
from aquila.protocol.messages import Manifest
from aquila.protocol.messages.feed import Rounds
from aquila.protocol.registry import MATCHER
from aquila.protocol.rounds.corrections import kept_until
from aquila.protocol.rounds.round_state import ENDED_PHASES, Phase
from aquila.protocol.rounds.verified_round import Round
from aquila.sentences import Sentence
from services.kit.errors import PeerFailedError
from services.kit.log.entries import append
from services.kit.logging import Log
from services.kit.storage.store import Store
from services.node.context import NodeContext
from services.node.rounds import statements
from services.node.rounds.requests import manifest_problem
from services.node.storage.high_water import RESTORED
from services.node.storage.states import EVIDENCE, LocalRoundState
from services.node.storage.tables import RoundRow, StatementRow

_LOG = Log("node.discover")


Listed = TypeVar("Listed", bound=Rounds)


async def discover(node: NodeContext, listed: Rounds | None = None) -> bool:
    """Store the manifests of new rounds, and look once after each start whether known ones are still the same.

    Args:
        node: The node.
        listed: The list that came with a long poll; without it the matcher is asked.

    Raises:
        PeerUnavailableError: The matcher is away, or could not give a manifest; the others were taken.
    """
    if listed is None:
        listed = read_rounds((await node.peer.call("GET", "/v1/rounds", params={"wait": 0})).content, Rounds)
    elif listed.state is not None and listed.state == node.contact.state:
        return False  # the list is the one that was taken last, and is left out
    node.contact.answered(node.clock())
    node.contact.news = listed.news
    busy = False
    unseen = [
        entry.round_id
        for entry in listed.rounds
        if not (entry.round_id in node.rounds and node.rounds.of(entry.round_id).manifest_seen)
    ]
    over = await to_thread(_rounds_over, node.store) if unseen else set()
    failed = None
    for round_id in unseen:
        if round_id in over:
            node.rounds.of(round_id).manifest_seen = True
            continue
        try:
            busy |= await _look(node, round_id)
        except PeerFailedError as error:
            failed = error  # the others are there
    if failed is not None:
        raise failed
    # The state is that of a list that was taken whole: after a failure it comes again.
    node.contact.state = listed.state
    return busy


def _rounds_over(store: Store) -> set[str]:
    """Return the rounds that ended and whose keys are gone: another manifest of theirs can do nothing any more."""
    ended = RoundRow.phase.in_(ENDED_PHASES)
    query = select(RoundRow.round_id).where(RoundRow.state == LocalRoundState.DESTROYED, ended)
    with store.reading("discover.over") as session:
        return set(session.scalars(query))


def read_rounds(content: bytes, form: type[Listed]) -> Listed:
    """Read the matcher's list of rounds, alone or with other news.

    Raises:
        MalformedError: It is none.
    """
    try:
        return form.model_validate_json(content)
    except ValidationError:
        raise MalformedError("matcher_round_list_unreadable") from None


async def _look(node: NodeContext, round_id: str) -> bool:
    envelope = (await node.peer.call("GET", f"/v1/rounds/{round_id}/manifest")).content
    try:
        new = await to_thread(store_manifest, node, round_id, envelope)
    except (ProtocolError, PolicyError) as error:
        # It is no manifest of the pinned matcher for the pinned parties: there is no round that could be shown.
        _LOG.warning("manifest_refused", round=round_id, error=error)
        return False
    node.rounds.of(round_id).manifest_seen = True
    return new


def store_manifest(node: NodeContext, round_id: str, envelope: bytes) -> bool:
    """Store a round's manifest and what speaks against it, and return whether it was new.

    Raises:
        SignatureError: The matcher did not sign it, or it names another key than the registry.
        MalformedError: It is no manifest, or that of another round.
    """
    # 1. It is signed by the pinned matcher, about parties whose keys are the pinned ones.
    round_ = Round.from_manifest(node.registry, node.group, envelope)
    if round_.round_id != round_id:
        raise MalformedError("manifest_of_another_round", round=round_id)
    with node.store.transaction("round.discover") as session:
        known = session.get(RoundRow, round_id)
        # 2. A second manifest under a known number is evidence against the matcher, and ends our part.
        if known is not None:
            if known.manifest_digest != round_.manifest_digest:
                session.merge(_evidence(round_id, round_.manifest_digest, envelope))
                problem = Sentence.of("two_manifests_signed")
                statements.refuse(session, node.clock, round_id, "manifest", problem)
            elif known.state == LocalRoundState.ACTIVE and known.refused is None:
                _judge(session, node, round_.manifest)  # since an upgrade the answer may be another
            return False
        # 3. A round that this node could not take part in rightly is shown with the reason.
        session.add(
            RoundRow(
                round_id=round_id,
                manifest=envelope,
                manifest_digest=round_.manifest_digest,
                discovered_at=node.clock(),
                phase=Phase.PROPOSED.value,
                kept_until=kept_until(round_),
            )
        )
        session.flush()
        append(
            session,
            Entry.of(
                EntryKind.DISCOVERY,
                node.clock(),
                node.code,
                round=round_id,
                digests={"manifest": round_.manifest_digest},
                counts={"retention_days": round_.manifest.retention_days},
            ),
        )
        # 4. A round in which this node has said something, as its high-water mark knows, is over for an older database.
        if node.high_water.last_number(round_id) is not None:
            statements.refuse(session, node.clock, round_id, "restored", Sentence.of(RESTORED))
        _judge(session, node, round_.manifest)
    _LOG.info("round_discovered", round=round_id)
    return True


def _judge(session: Session, node: NodeContext, manifest: Manifest) -> None:
    """Store the obstacle to this node's participation in a round, or that there is none."""
    if problem := manifest_problem(node, manifest):
        statements.report_problem(session, node.clock, manifest.round_id, "manifest", problem)
    else:
        statements.clear_problem(session, manifest.round_id, "manifest")


def _evidence(round_id: str, digest: str, envelope: bytes) -> StatementRow:
    """Return a row for what the matcher signed and should not have: kept, and never part of the record."""
    return StatementRow(
        round_id=round_id, digest=digest, party=MATCHER, kind=EVIDENCE, envelope=envelope, own=False, sent=True
    )
