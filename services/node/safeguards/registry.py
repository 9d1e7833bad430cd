"""The registry at a node: newer statements wait until two persons accept one (PROTOCOL.md 11.5 to 11.9).

The administrator asks for it by the words that another party reads, and another person approves exactly that. The
registry in force also names the matcher's address, the CA of its certificate, and a new key of this node.
"""

from asyncio import to_thread
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.entries import EntryKind
from aquila.crypto.envelope import sign_envelope
from aquila.crypto.keys import SigningKey
from aquila.errors import InputError, MalformedError, OrderError, PolicyError, ProtocolError, SignatureError
from aquila.interface.approval import ApprovalKind, PendingApproval
from aquila.interface.sentence import SentenceView
from aquila.interface.service.party import FileContent, RegistryView
from aquila.protocol.registration.spoken_words import check_spoken, spoken
from aquila.protocol.registration.statements import (
    MOST_STATEMENTS,
    RegistryAcceptance,
    RegistryFeed,
    SignedStatement,
    check_acceptable,
    check_order,
    open_acceptance,
    open_statement,
    sign_statement,
)
from aquila.protocol.registry import MATCHER, Registry
from aquila.protocol.rounds.round_state import ENDED_PHASES
from aquila.sentences import Sentence
from services.kit.actor import Actor
from services.kit.approvals.requests import Approvals, request, waiting_of
from services.kit.errors import NotFoundError, PeerUnavailableError
from services.kit.http.peer import AS_JSON
from services.kit.http.signatures import CallSigner
from services.kit.log import own_approvals
from services.kit.log.entries import log_replaced
from services.kit.logging import Log
from services.kit.rounds import manifest_in
from services.kit.settings import PeerSettings
from services.kit.storage import registry as stored
from services.kit.storage.files import write_secret
from services.kit.storage.own_identity import read_next
from services.kit.storage.registry import content_of, party_views, statement_view
from services.kit.storage.store import Store
from services.node.context import NodeContext
from services.node.rounds import statements
from services.node.storage.home import CA_FILE
from services.node.storage.tables import RoundRow, StatementRow

_LOG = Log("node.registry")


async def fetch(node: NodeContext) -> bool:
    """Fetch newer statements and the others' acceptances, send the own one, and return whether anything was new.

    Raises:
        ProtocolError: It does not know this party yet, or its answer is not what it should be.
    """
    first = await to_thread(_newest_number, node.store)
    answer = await call_matcher(node, "GET", "/v1/registry", params={"first": first})
    try:
        feed = RegistryFeed.model_validate_json(answer.content)
    except ValidationError:
        raise MalformedError("registry_feed_unreadable") from None
    new = await to_thread(_take, node, feed)
    own = await to_thread(_own_acceptance, node)
    if own is not None and own not in feed.acceptances:
        try:
            path = "/v1/registry/acceptance"
            await call_matcher(node, "PUT", path, content=own.encode(), headers=AS_JSON)
        except PolicyError as error:  # the two registries differ, which `show` says
            _LOG.warning("registry_acceptance_refused", error=error)
    return new


async def fetch_newer(node: NodeContext) -> bool:
    """Fetch what is newer, for the driver, and return whether anything was new.

    A matcher that is away, does not know this party yet, or is of a release without statements is asked again later.
    """
    try:
        return await fetch(node)
    except (PeerUnavailableError, NotFoundError, ProtocolError) as error:
        _LOG.info("registry_not_fetched", error=error)
        return False


async def fetch_and_show(node: NodeContext) -> RegistryView:
    """Fetch what is newer, and return the registry; a fetch that fails is a part of what is shown."""
    problem = None
    try:
        await fetch(node)
    except (PeerUnavailableError, NotFoundError, ProtocolError, PolicyError) as error:
        problem = SentenceView.of(error.sentence)
    return (await to_thread(show, node)).model_copy(update={"fetch_problem": problem})


def take_file(node: NodeContext, content: str) -> RegistryView:
    """Store statements and acceptances that came as a file, for a matcher that has moved already.

    Raises:
        ProtocolError: What it holds is not signed as it must be.
    """
    try:
        feed = RegistryFeed.model_validate_json(content)
    except ValidationError:
        raise InputError("registry_file_of_statements_unreadable") from None
    _take(node, feed)
    return show(node)


def as_file(node: NodeContext) -> FileContent:
    """Return the statements and acceptances known here as a file, for a matcher restored from before them."""
    with node.store.reading("registry.file") as session:
        known = stored.statements_from(session, node.registry)[-MOST_STATEMENTS:]
        agreed = stored.acceptance_envelopes(session)
    feed = RegistryFeed(statements=tuple(one.envelope.decode() for one in known), acceptances=tuple(agreed))
    return FileContent(content=feed.model_dump_json())


def show(node: NodeContext) -> RegistryView:
    """Return the registry in force, the newest statement that waits, and why it cannot be accepted."""
    with node.store.reading("registry.show") as session:
        known, accepted = _known(session, node), stored.in_force(session, node.registry)
        agreed = stored.acceptances(session, _everyone(known, node.registry))
        asked = waiting_of(session, ApprovalKind.REGISTRY, node.clock())
    obstacle = _obstacle(node, known, accepted)
    pending = _pending(known, accepted)
    waiting = pending[-1] if pending else None
    address = address_of(node.peer.settings)
    own, registered = node.party.identity.public, accepted and accepted.message.registry().key_of(node.code)
    return RegistryView(
        parties=party_views(node.registry, agreed, accepted),
        in_force=accepted and statement_view(accepted, node.registry, agreed, address),
        waiting=waiting and statement_view(waiting, node.registry, agreed, address),
        obstacle=obstacle and SentenceView.of(obstacle),
        restart_needed=registered not in {None, own},
        asked=asked,
    )


@dataclass(frozen=True, slots=True)
class _Acceptable:
    """The newest statement, the registry that it states, and the own key that signs its acceptance."""

    statement: SignedStatement
    registry: Registry
    signer: SigningKey


def ask_acceptance(node: NodeContext, approvals: Approvals, actor: Actor, digest: str, heard: str) -> PendingApproval:
    """Ask to take the newest statement into force, by the words that another party reads.

    Raises:
        InputError: The words cannot be read.
        PolicyError: They are of another statement.
        AquilaError: As `check_acceptance` and `request`.
    """
    with node.store.reading("registry.asked") as session:
        found = check_acceptance(node, session, digest)
        accepted = stored.in_force(session, node.registry)
    if accepted is not None and accepted.digest == digest:
        raise OrderError("registry_states_this")
    check_spoken(digest, heard)
    address = address_of(node.peer.settings)
    content = content_of(found.statement.message, node.registry, node.templates, address, spoken(digest).sentence)
    return request(approvals, actor, content, {"kind": content["kind"], "statement": digest})


def check_acceptance(node: NodeContext, session: Session, digest: str) -> _Acceptable:
    """Return a statement that can be accepted now, with its registry and the key that signs for it.

    1. It is the newest one, as the administrator has read it.
    2. The statements follow one another, it continues the registry in force, and names this party's own key, or the
       one that waits here to take its place.
    3. No round that is not over here names a party whose key it replaces.
    4. The matcher can be reached where it says, if this node follows that.

    Raises:
        NotFoundError: 1 does not hold.
        ProtocolError, PolicyError: 2, 3 or 4 does not hold.
    """
    known, accepted = _known(session, node), stored.in_force(session, node.registry)
    # 1.
    newest = next(iter(_pending(known, accepted)[-1:]), accepted)
    if newest is None or newest.digest != digest:
        raise NotFoundError("registry_statement_not_newest")
    # 2.
    check_order(known)
    keys = own_keys(node)
    newer = check_acceptable(newest, node.registry, node.code, *(key.public for key in keys))
    signer = next(key for key in keys if key.public == newer.key_of(node.code))
    # 3.
    _check_rounds(session, node.registry.replaced_in(newer) - {node.code})
    # 4.
    stated(node.settings.matcher, newest, node.settings.home)
    return _Acceptable(newest, newer, signer)


def accept(node: NodeContext, session: Session, digest: str) -> bool:
    """Sign the acceptance of a statement that two persons approved; return whether it is in force after the commit.

    With this party's own new key it takes effect when the node starts again.

    Raises:
        PolicyError: The log has no approval of it by two persons.
    """
    found = check_acceptance(node, session, digest)
    own_approvals.check_registry(session, digest)
    newest, newer, now = found.statement, found.registry, node.clock()
    stored.mark_accepted(session, newest, now)
    number = newest.message.number
    acceptance = RegistryAcceptance(party=node.code, number=number, statement=digest, accepted_at=now)
    stored.store_acceptance(session, acceptance, sign_statement(acceptance, found.signer))
    counts = {"number": number, "parties": len(newer.present())}
    node.journal.log(session, EntryKind.REGISTRY_ACCEPTED, digests={"registry": digest}, counts=counts)
    # Also of keys that were replaced before this party joined, else its log would have keys from nowhere.
    for code in sorted({*newer.former} - {node.code}):
        log_replaced(session, newer, code, node.code, now)
    # Before the commit: if we crash here, the file is ahead, and the same statement is approved again.
    stored.write_registry_file(node.settings.registry, newer)
    _LOG.info("registry_accepted", count=number)
    if found.signer is not node.party.identity:
        _LOG.warning("identity_waits_for_restart", party=node.code)
    return found.signer is node.party.identity


def adopt(node: NodeContext) -> None:
    """Take the statement that was accepted last into force, once that is committed."""
    with node.store.reading("registry.adopt") as session:
        accepted = stored.in_force(session, node.registry)
    assert accepted is not None  # as it was committed
    node.registry.adopt(accepted.message.registry())
    node.templates = accepted.message.templates or ()
    matcher = followed(node.settings.matcher, accepted, node.settings.home)
    if address_of(matcher) != address_of(node.peer.settings):
        node.peer = node.peer.moved(matcher)


def _check_rounds(session: Session, parties: set[str]) -> None:
    """Refuse to replace keys of parties in a round that is not over here."""
    for row in session.scalars(select(RoundRow).where(RoundRow.phase.not_in(ENDED_PHASES))):
        named = sorted(parties & {MATCHER, *(one.party for one in manifest_in(row.manifest).participants)})
        if named:
            raise PolicyError("key_replaced_in_open_round", party=named[0], round=row.round_id)


def _take(node: NodeContext, feed: RegistryFeed) -> bool:
    """Store the statements and acceptances of the matcher's answer, and return whether any was new."""
    keys = node.registry.keys_of(MATCHER)
    found = [open_statement(envelope.encode(), *keys) for envelope in feed.statements]
    with node.store.transaction("registry.take") as session:
        new = [stored.store_statement(session, statement) for statement in found]
        everyone = _everyone(_known(session, node), node.registry)
        newest = stored.newest_number(session)
        agreed = [
            (open_acceptance(envelope.encode(), everyone, newest), envelope.encode()) for envelope in feed.acceptances
        ]
        new += [stored.store_acceptance(session, *one) for one in agreed]
    if any(new):
        _LOG.info("registry_fetched", count=sum(new))
    return any(new)


def _pending(known: Sequence[SignedStatement], accepted: SignedStatement | None) -> list[SignedStatement]:
    """Return the statements that are not in force."""
    return [one for one in known if accepted is None or one.digest != accepted.digest]


def _newest_number(store: Store) -> int:
    """Return the number from which statements are fetched: that of the newest, so that another one of it is noticed."""
    with store.reading("registry.newest") as session:
        return stored.newest_number(session) or 1


def _own_acceptance(node: NodeContext) -> str | None:
    """Return the envelope of the own acceptance, or None before the first."""
    with node.store.reading("registry.own") as session:
        return stored.acceptance_of(session, node.code)


def _everyone(known: Sequence[SignedStatement], registry: Registry) -> Registry:
    """Return the registry whose parties' acceptances can be read: that of the newest statement, which names most."""
    return known[-1].message.registry() if known else registry


def _known(session: Session, node: NodeContext) -> list[SignedStatement]:
    """Return the statement in force and those after it, in their order; two of one number are both there."""
    accepted = stored.in_force(session, node.registry)
    first = 1 if accepted is None else accepted.message.number
    return stored.statements_from(session, node.registry, first)


def _obstacle(node: NodeContext, known: Sequence[SignedStatement], accepted: SignedStatement | None) -> Sentence | None:
    """Return why the newest statement cannot be accepted, or None."""
    pending = _pending(known, accepted)
    if not pending:
        return None
    try:
        check_order(known)
        keys = own_keys(node)
        check_acceptable(pending[-1], node.registry, node.code, *(key.public for key in keys))
    except (ProtocolError, PolicyError) as error:
        return error.sentence
    return None


def take_over(node: NodeContext) -> None:
    """Do at a start what follows from a new key that the registry in force names, once; nothing was signed with it yet.

    The log gets its entry, and own statements that the matcher does not have are signed again: their digests stay.
    """
    registry, identity = node.registry, node.party.identity
    if not registry.former.get(node.code) or registry.key_of(node.code) != identity.public:
        return
    with node.store.transaction("key.take_over") as session:
        if not log_replaced(session, registry, node.code, node.code, node.clock()):
            return
        unsent = select(StatementRow).where(StatementRow.own, ~StatementRow.sent)
        for row in session.scalars(unsent).all():
            opened = statements.open_statement(registry, row.envelope)
            row.envelope = sign_envelope(opened.payload_type, opened.payload, identity)
    _LOG.warning("identity_renewed", party=node.code)


def waiting_key(node: NodeContext) -> SigningKey | None:
    """Return the key that shall take the place of the own one, or None; raises as `read_next` does."""
    return read_next(node.settings.identity)


async def call_matcher(node: NodeContext, method: str, path: str, **options: Any) -> httpx.Response:
    """Call the matcher with the own key, or with the one that waits where the matcher knows that one already."""
    try:
        return await node.peer.call(method, path, **options)
    except SignatureError:
        key = await to_thread(waiting_key, node)
        if key is None:
            raise
        return await node.peer.call(method, path, auth=CallSigner(key, node.code, node.clock), **options)


def own_keys(node: NodeContext) -> tuple[SigningKey, ...]:
    """Return the own key, and the one that waits if there is one."""
    waiting = waiting_key(node)
    return (node.party.identity,) if waiting is None else (node.party.identity, waiting)


def address_of(matcher: PeerSettings) -> tuple[str, str | None]:
    """Return the matcher's address, and the CA's certificates in PEM or None where the system's CAs count."""
    try:
        ca = None if matcher.ca is None else matcher.ca.read_text("ascii")
    except (OSError, UnicodeDecodeError):
        ca = None  # the node could not have started with it; it is shown as a change
    return matcher.url.rstrip("/"), ca


def stated(matcher: PeerSettings, statement: SignedStatement | None, home: Path) -> PeerSettings:
    """Return the settings of calls to the matcher, with a statement's address and CA where they follow the registry."""
    if statement is None or not matcher.follow_registry:
        return matcher
    ca = None if statement.message.ca is None else home / CA_FILE
    content = matcher.model_dump() | {"url": statement.message.url, "ca": ca}
    try:
        return PeerSettings.model_validate(content)
    except ValidationError:
        raise PolicyError("matcher_address_unusable") from None


def followed(matcher: PeerSettings, statement: SignedStatement | None, home: Path) -> PeerSettings:
    """Return the settings of calls to the matcher as `stated`, and write the CA's certificates into the home."""
    found = stated(matcher, statement, home)
    if statement is None or not matcher.follow_registry:
        return found
    if found.ca is not None and address_of(found)[1] != statement.message.ca:
        write_secret(found.ca, str(statement.message.ca).encode())
    return found
