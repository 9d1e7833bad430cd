"""The registry at the matcher: each change is a signed statement, and parties accept it (PROTOCOL.md 11)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from aquila.audit.entries import Entry, EntryKind
from aquila.audit.roles import Action
from aquila.errors import PolicyError, SignatureError
from aquila.interface.service.party import FileContent, RegistryView
from aquila.protocol.registration.invitations import Invitation, accepted_invitation, open_request, sign_file
from aquila.protocol.registration.renewals import check_renewal, open_renewal
from aquila.protocol.registration.spoken_words import check_spoken
from aquila.protocol.registration.statements import (
    MOST_STATEMENTS,
    RegistryFeed,
    next_statement,
    open_acceptance,
    open_statement,
    sign_statement,
)
from aquila.protocol.registry import MATCHER, RegisteredParty, Registry
from aquila.protocol.rounds.round_state import ENDED_PHASES
from services.kit.errors import NotFoundError
from services.kit.log import entries
from services.kit.log.key_changes import log_replaced
from services.kit.logging import Log
from services.kit.storage.own_identity import prepare_renewal, read_next
from services.kit.storage.registry import stored_statements as stored
from services.kit.storage.registry.views import party_views, statement_view
from services.kit.storage.stored_manifests import manifest_in
from services.matcher.administration.address import address_of
from services.matcher.storage.tables import RoundRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from aquila.interface.service.party import NewInvitation
    from aquila.protocol.registration.renewals import Renewal
    from services.kit.people import Actor
    from services.matcher.context import MatcherContext

_LOG = Log("matcher.registry")
_DAY = 86_400


def invite(context: MatcherContext, actor: Actor, wanted: NewInvitation) -> FileContent:
    """Return the file of a new invitation; nothing of it is stored but its entry in the log.

    Raises:
        PolicyError: The party is registered already.
        InputError: The matcher's own address or CA cannot be told from its settings.
    """
    if wanted.party in context.registry.parties:
        raise PolicyError("party_registered_already", party=wanted.party)
    url, ca = address_of(context.settings)
    invitation = Invitation(
        invitation_id=context.random(16).hex(), party=wanted.party, name=wanted.name,
        matcher_key=context.registry.matcher.hex, url=url, ca=ca, expires_at=context.clock() + wanted.days * _DAY,
    )  # fmt: skip
    with context.store.transaction("registry.invite") as session:
        _log_entry(
            session, context, EntryKind.PARTY_INVITED, actor, recipient=wanted.party,
            counts={"days": wanted.days}, ids={"invitation": invitation.invitation_id},
        )  # fmt: skip
    return FileContent(content=sign_file(invitation, context.matcher.identity).decode())


def admit(context: MatcherContext, actor: Actor, content: str, heard: str) -> RegistryView:
    """Register the party of a request to join, and state the registry that follows.

    1. The request is whole, and answers an invitation of this matcher for this party that has not expired.
    2. Its words are those that the party reads aloud, so the party made it, and holds the invitation as it was made.
    3. The party is not registered yet; if it is with the same key, nothing changes.

    Raises:
        InputError: The file or the words cannot be read.
        PolicyError: 1, 2 or 3 does not hold.
    """
    # 1.
    request = open_request(content.encode())
    invited = accepted_invitation(request.message, context.registry.matcher, context.clock())
    # 2.
    check_spoken(request.digest, heard)
    # 3.
    known = context.registry.parties.get(invited.party)
    if known is not None and (known.key != request.key or known.left):
        raise PolicyError("party_registered_already", party=invited.party)
    party = RegisteredParty(invited.party, invited.name, request.key)
    holders = {print_: holder for print_, (holder, _) in context.registry.by_fingerprint().items()}
    if holders.get(request.key.fingerprint, invited.party) != invited.party:
        raise PolicyError(
            "key_registered_to_another_party", party=invited.party, holder=holders[request.key.fingerprint]
        )
    newer = replace(context.registry, parties={**context.registry.parties, invited.party: party})
    if not _is_stated(context, newer):
        _state(context, actor, newer, invited.party)
    return show(context)


def renew(context: MatcherContext, actor: Actor, content: str, heard: str, *, revoked: bool) -> RegistryView:
    """Put a party's new identity key in the place of its old one, and state the registry that follows.

    From now on nothing new counts here that the old key signs.

    1. The renewal is whole, and the words are those that the party reads aloud, so the party made it.
    2. The party is registered under the replaced key, and that key signed, too, unless it is to be revoked.
    3. The new key is nobody's, and was nobody's before.
    4. No round that is not over names the party: a round goes on under the keys with which it began.

    Raises:
        InputError: The file or the words cannot be read.
        SignatureError: The replaced key did not sign what it is said to have signed.
        NotFoundError: The party is not registered, or has left.
        PolicyError: 1, 2, 3 or 4 does not hold.
    """
    # 1.
    renewal = open_renewal(content.encode())
    check_spoken(renewal.digest, heard)
    # 2.
    party = context.registry.parties.get(renewal.party)
    if party is None or party.left:
        raise NotFoundError("party_not_registered", party=renewal.party)
    if party.key == renewal.key and _is_stated(context, context.registry):
        return show(context)
    former = context.registry.former
    if party.key != renewal.key:
        check_renewal(renewal, party.key, revoked=revoked)
        # 3.
        if holder := context.registry.by_fingerprint().get(renewal.key.fingerprint):
            raise PolicyError("key_registered_to_another_party", party=renewal.party, holder=holder[0])
        former = {**former, renewal.party: context.registry.keys_of(renewal.party)}
    # 4.
    if named := _open_rounds(context, renewal.party):
        raise PolicyError("party_in_open_rounds", party=renewal.party, count=len(named), round=named[0])
    parties = {**context.registry.parties, renewal.party: replace(party, key=renewal.key)}
    _state(context, actor, Registry(context.registry.matcher, parties, former), renewal.party, renewal=renewal)
    return show(context)


def renew_own(context: MatcherContext, actor: Actor, *, revoked: bool) -> RegistryView:
    """State the registry with a new key of this matcher, which takes its place when the matcher starts again.

    Raises:
        PolicyError: A round is not over.
        KeyMaterialError, StoreError: A key cannot be read or written.
    """
    if rounds := _open_rounds(context, None):
        raise PolicyError("matcher_key_with_open_rounds", count=len(rounds), round=rounds[0])
    renewal = prepare_renewal(context.settings.identity, context.registry, MATCHER, lost=revoked)
    with context.store.reading("registry.own") as session:
        last = stored.in_force(session, context.registry)
    if last is None or last.message.registry().matcher != renewal.key:
        former = {**context.registry.former, MATCHER: context.registry.keys_of(MATCHER)}
        _state(context, actor, Registry(renewal.key, context.registry.parties, former), MATCHER, renewal=renewal)
    return show(context)


def remove(context: MatcherContext, actor: Actor, code: str) -> RegistryView:
    """Mark a party as having left, and state the registry that follows; its calls are refused from now on.

    Raises:
        NotFoundError: It is not registered, or has left before.
        PolicyError: A round that is not over names it.
    """
    if code not in context.registry.present():
        raise NotFoundError("party_not_registered", party=code)
    if named := _open_rounds(context, code):
        raise PolicyError("party_in_open_rounds", party=code, count=len(named), round=named[0])
    left = replace(context.registry.parties[code], left=True)
    _state(context, actor, replace(context.registry, parties={**context.registry.parties, code: left}), code)
    return show(context)


def restate(context: MatcherContext, actor: Actor) -> RegistryView:
    """State the registry again if its parties are not those of the last statement."""
    if not _is_stated(context, context.registry):
        _state(context, actor, context.registry, None)
    return show(context)


def move(context: MatcherContext, actor: Actor, url: str, ca: str | None) -> FileContent:
    """State another address of the matcher, and return the file for the parties, who reach it there once they accept.

    Raises:
        InputError: It is no address, or the CA is none.
    """
    _state(context, actor, context.registry, None, (url.rstrip("/"), ca))
    with context.store.reading("registry.moved") as session:
        newest = stored.newest_number(session) or 1
    return FileContent(content=feed(context, max(1, newest - MOST_STATEMENTS + 1)).model_dump_json())


def show(context: MatcherContext) -> RegistryView:
    """Return the registry, its newest statement, and who has accepted it."""
    with context.store.reading("registry.show") as session:
        last = stored.in_force(session, context.registry)
        accepted = stored.acceptances(session, context.registry)
        # Against the one before, so that the words stand beside who joined, left or changed its key with them.
        since = [] if last is None else stored.statements_from(session, context.registry, last.message.number - 1)
    before = since[0].message.registry() if len(since) > 1 else context.registry
    view = last and statement_view(last, before, accepted, (last.message.url, last.message.ca))
    parties = party_views(context.registry, accepted, last)
    restart = last is not None and last.message.registry().matcher != context.registry.matcher
    return RegistryView(parties=parties, in_force=view, waiting=None, obstacle=None, restart_needed=restart)


def feed(context: MatcherContext, first: int) -> RegistryFeed:
    """Return the statements from a number on, and everyone's newest acceptance."""
    with context.store.reading("registry.feed") as session:
        statements = stored.statements_from(session, context.registry, first)[:MOST_STATEMENTS]
        accepted = stored.acceptance_envelopes(session)
    return RegistryFeed(statements=tuple(one.envelope.decode() for one in statements), acceptances=tuple(accepted))


def take_acceptance(context: MatcherContext, caller: str, envelope: bytes) -> bool:
    """Store a party's acceptance, and return whether it is new.

    Raises:
        SignatureError: Another than the caller signed it.
        NotFoundError: There is no statement of its number.
        PolicyError: The statement of its number is another one: this party was shown another registry.
    """
    acceptance = open_acceptance(envelope, replace(context.registry, former={}))  # not by a key that was replaced
    if acceptance.party != caller:
        raise SignatureError("registry_acceptance_of_another_party", party=acceptance.party)
    with context.store.transaction("registry.acceptance") as session:
        found = stored.statements_from(session, context.registry, acceptance.number)
        if not found or found[0].message.number != acceptance.number:
            raise NotFoundError("registry_statement_missing", number=acceptance.number)
        if found[0].digest != acceptance.statement:
            raise PolicyError("registry_accepted_otherwise", party=caller, number=acceptance.number)
        new = stored.store_acceptance(session, acceptance, envelope)
        if new:
            entry = Entry.of(
                EntryKind.REGISTRY_ACCEPTED, context.clock(), caller, counts={"number": acceptance.number},
                digests={"registry": acceptance.statement},
            )  # fmt: skip
            entries.append(session, entry)
    return new


def _state(  # noqa: PLR0913, PLR0917 - what a statement consists of
    context: MatcherContext,
    actor: Actor,
    newer: Registry,
    changed: str | None,
    moved: tuple[str, str | None] | None = None,
    renewal: Renewal | None = None,
) -> None:
    """Sign and store the statement of a registry, write the registry file, and take it into force."""
    with context.store.transaction("registry.state") as session:
        last = stored.in_force(session, context.registry)
        # An address once stated stays until it is moved: the settings may follow later.
        stated = (last.message.url, last.message.ca) if last else address_of(context.settings)
        message = next_statement(newer, last, context.clock(), *(moved or stated), renewal)
        own = newer.matcher == context.registry.matcher
        key = context.matcher.identity if own else read_next(context.settings.identity)
        assert key is not None  # as it was made for this statement
        statement = open_statement(sign_statement(message, key), *newer.keys_of(MATCHER))
        stored.store_statement(session, statement, context.clock())
        stored.mark_accepted(session, statement, context.clock(), actor.person)
        _log_entry(
            session, context, EntryKind.REGISTRY_CHANGED, actor, recipient=changed,
            counts={"number": message.number, "parties": len(newer.present())}, digests={"registry": statement.digest},
        )  # fmt: skip
        if renewal is not None and own:
            log_replaced(session, newer, renewal.party, MATCHER, context.clock())
            context.registry.adopt(newer)  # no statement of the replaced key is taken between its entry and the commit
        # Before the commit: if we crash here, the file is ahead of the statements, and the same change is made again.
        stored.write_registry_file(context.settings.registry, newer)
    if own:  # else when the matcher starts again
        context.registry.adopt(newer)
        context.wakeup.notify("registry")  # calls that are held look whether their key still counts
    _LOG.info("registry_stated", count=message.number)


def _is_stated(context: MatcherContext, registry: Registry) -> bool:
    """Return whether the last statement states a registry, with the matcher's address."""
    with context.store.reading("registry.last") as session:
        last = stored.in_force(session, context.registry)
    return last is not None and last.message.registry() == registry


def _open_rounds(context: MatcherContext, code: str | None) -> list[str]:
    """Return the rounds that are not over and name a party, or all of them."""
    query = select(RoundRow).where(RoundRow.phase.not_in(ENDED_PHASES)).order_by(RoundRow.created_at)
    with context.store.reading("registry.rounds") as session:
        rows = [(row.round_id, manifest_in(row.manifest)) for row in session.scalars(query)]
    return [round_id for round_id, manifest in rows if code in {None, *(one.party for one in manifest.participants)}]


def _log_entry(session: Session, context: MatcherContext, kind: EntryKind, actor: Actor, **fields: Any) -> None:  # noqa: ANN401 - an entry's fields
    entry = Entry.of(kind, context.clock(), MATCHER, **fields, **entries.actor_fields(actor, Action.MANAGE_REGISTRY))
    entries.append(session, entry)
