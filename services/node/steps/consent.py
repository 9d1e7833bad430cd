"""Rounds that the matcher proposes (PROTOCOL.md 3.1), and who takes part in them.

This node does by its operator's consent (3.3), which becomes fresh keys and a signed statement.
"""

from asyncio import to_thread
from collections.abc import Mapping
from typing import TypeVar

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.entries import EntryKind
from aquila.errors import BindingError, MalformedError, PolicyError, ProtocolError, SealError
from aquila.interface.rounds import SubmissionState
from aquila.protocol.messages import ClassCounts, Manifest, StatementKind
from aquila.protocol.messages.feed import Rounds
from aquila.protocol.registry import MATCHER
from aquila.protocol.rounds.corrections import kept_until
from aquila.protocol.rounds.locks import open_half
from aquila.protocol.rounds.round_state import ENDED_PHASES, Phase
from aquila.protocol.rounds.verified_round import Round
from aquila.sentences import Sentence
from services.kit.errors import PeerFailedError
from services.kit.logging import Log
from services.kit.storage.store import Store
from services.node.context import Clock, NodeContext, Signer
from services.node.round_memory import ROUND_SECRETS, round_row
from services.node.rounds import statements, work
from services.node.rounds.requests import is_consent_due, late_consent, manifest_problem, may_lock
from services.node.safeguards.evaluation_limits import earlier_rounds
from services.node.storage.high_water import RESTORED
from services.node.storage.states import EVIDENCE, UNSIGNED, DestructionReason, LocalRoundState, Step
from services.node.storage.tables import RoundRow, StatementRow, SubmissionRow

_LOG = Log("node.consent")


def consent(node: NodeContext, round_id: str) -> bool:
    """Consent where the operator wants it, and return whether it was done."""
    memory = node.rounds.of(round_id)
    with node.store.reading("consent.wish") as session:
        row = round_row(session, round_id)
    if not is_consent_due(row):
        return False
    with memory.reading() as round_:
        problem = late_consent(round_, node.clock()) or manifest_problem(node, round_.manifest)
        if problem:
            _refuse(node, round_id, problem)
            return False
        # The key comes first: if we crash after this, it lies there unused, and a new one takes its place.
        memory.make_key()
        try:
            with node.store.transaction("consent.sign") as session:
                _sign(session, node, round_)
        except PolicyError as error:  # nobody approved it
            _refuse(node, round_id, error.sentence)
            return False
        # If we crash here, the sealed secrets and the statement are there together, and the outbox sends it.
    _LOG.info("consent_signed", round=round_id)
    return True


def _refuse(node: NodeContext, round_id: str, problem: Sentence) -> None:
    with node.store.transaction("consent.refuse") as session:
        statements.report_problem(session, node.clock, round_id, "consent", problem)
        round_row(session, round_id).consent_wished = False


def _sign(session: Session, node: NodeContext, round_: Round) -> None:
    memory = node.rounds.of(round_.round_id)
    earlier, row = earlier_rounds(session, round_.manifest), round_row(session, round_.round_id)
    declared = ClassCounts(full=row.declared_full, partial=row.declared_partial, coarse=row.declared_coarse)

    def make(of: Round, number: int) -> bytes:
        secrets, envelope = node.party.consent(of, number, earlier, node.random, declared)
        statements.put_secret(session, round_.round_id, ROUND_SECRETS, memory.seal(ROUND_SECRETS, secrets.to_bytes()))
        secrets.close()
        return envelope

    statement = statements.sign(session, node.signer, round_, make)
    round_row(session, round_.round_id).consent_digest = statement.digest


def sign_locks(node: NodeContext, round_id: str) -> bool:
    """After the opening: sign the halves of this node's locks, once and in time; return whether it was done (3.3.8)."""
    memory = node.rounds.of(round_id)
    with memory.reading() as round_:
        takes_part = round_.binding and not round_.ending and node.code in round_.participants
        if not takes_part or not may_lock(round_, node.code, node.clock()):
            return False
        secrets = memory.secrets()
        with node.store.transaction("locks.sign") as session:
            if statements.own_statements(session, round_id, StatementKind.LOCKS):
                return False  # on its way
            statements.sign(session, node.signer, round_, node.party.locks, secrets)
        # If we crash here, the outbox sends it; the halves follow from the round's secrets.
    _LOG.info("locks_signed", round=round_id)
    return True


def check_lock(session: Session, node: NodeContext, round_: Round, row: RoundRow, counterpart: str) -> None:
    """Report a counterpart's half of the lock that does not open, which ends this pair alone (PROTOCOL.md 3.3.8).

    Raises:
        KeyMaterialError: The round key is missing.
    """
    if row.state != LocalRoundState.ACTIVE or counterpart not in round_.counterparts_of(node.code):
        return
    try:
        open_half(round_, node.code, node.rounds.of(row.round_id).secrets().sealing, counterpart)
    except SealError as error:
        statements.report_problem(session, node.clock, row.round_id, f"{statements.LOCK}{counterpart}", error.sentence)
        _LOG.error("lock_not_opened", round=row.round_id, counterpart=counterpart)


def check_own_part(session: Session, signer: Signer, round_: Round, row: RoundRow) -> None:
    """After the opening: go on only where it rests on this node's own consent (PROTOCOL.md 3.3.5)."""
    try:
        signer.party.check_opening(round_, row.consent_digest or "")
    except BindingError as error:
        _leave(session, signer.clock, row, error.sentence)


def _leave(session: Session, clock: Clock, row: RoundRow, problem: Sentence) -> None:
    """End this node's part without a word: the round is the others'."""
    statements.report_problem(session, clock, row.round_id, "left out", problem)
    row.enter(LocalRoundState.DESTROYING)
    row.outcome = DestructionReason.LEFT_OUT.value
    query = select(SubmissionRow).where(SubmissionRow.round_id == row.round_id, SubmissionRow.state.in_(UNSIGNED))
    for submission in session.scalars(query):
        submission.enter(SubmissionState.FAILED)


Listed = TypeVar("Listed", bound=Rounds)


async def discover(node: NodeContext, listed: Rounds | None = None) -> bool:
    """Store the manifests of new rounds, and look once after each start whether known ones are still the same.

    Without a list that came with a long poll, the matcher is asked for it.

    Raises:
        PeerUnavailableError: The matcher is away, or could not give a manifest; the others were taken.
    """
    if listed is None:
        listed = read_rounds((await node.peer.call("GET", "/v1/rounds", params={"wait": 0})).content, Rounds)
    elif listed.state is not None and listed.state == node.contact.state:
        return False  # the list is the one that was taken last, and is left out
    node.contact.answered(node.clock())
    busy = False
    if listed.news:
        await to_thread(_wake_told, node.store, listed.news)
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


def _wake_told(store: Store, news: Mapping[str, int]) -> None:
    """Wake rounds in which counterparts withdrew hits or acknowledged what this node has not read."""
    with store.transaction("discover.told") as session:
        for round_id, newest in news.items():
            row = session.get(RoundRow, round_id)
            if row is not None and row.refused is None and row.cursor < newest:
                work.put(session, round_id, Step.LOOK)


def _rounds_over(store: Store) -> set[str]:
    """Return the rounds that ended and whose keys are gone: another manifest of them has no effect."""
    ended = RoundRow.phase.in_(ENDED_PHASES)
    query = select(RoundRow.round_id).where(RoundRow.state == LocalRoundState.DESTROYED, ended)
    with store.reading("discover.over") as session:
        return set(session.scalars(query))


def read_rounds(content: bytes, form: type[Listed]) -> Listed:
    """Read the matcher's list of rounds, alone or with other news; raises MalformedError if it cannot be read."""
    try:
        return form.model_validate_json(content)
    except ValidationError:
        raise MalformedError("matcher_round_list_unreadable") from None


async def _look(node: NodeContext, round_id: str) -> bool:
    envelope = (await node.peer.call("GET", f"/v1/rounds/{round_id}/manifest")).content
    try:
        new = await to_thread(store_manifest, node, round_id, envelope)
    except (ProtocolError, PolicyError) as error:
        # It is not a manifest of the pinned matcher for the pinned parties, so there is no round to show.
        _LOG.warning("manifest_refused", round=round_id, error=error)
        return False
    node.rounds.of(round_id).manifest_seen = True
    return new


def store_manifest(node: NodeContext, round_id: str, envelope: bytes) -> bool:
    """Store a round's manifest and what speaks against it, and return whether it was new.

    Raises:
        SignatureError: The matcher did not sign it, or it names another key than the registry.
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
                session.merge(evidence(round_id, round_.manifest_digest, MATCHER, envelope))
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
        work.put(session, round_id, Step.LOOK)
        digests, counts = {"manifest": round_.manifest_digest}, {"retention_days": round_.manifest.retention_days}
        node.journal.log(session, EntryKind.DISCOVERY, round=round_id, digests=digests, counts=counts)
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


def evidence(round_id: str, digest: str, party: str, envelope: bytes) -> StatementRow:
    """Return a row for what somebody signed and should not have: kept, and never part of the record."""
    return StatementRow(
        round_id=round_id, digest=digest, party=party, kind=EVIDENCE, envelope=envelope, own=False, sent=True
    )
