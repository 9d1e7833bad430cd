"""The registry at the matcher: each change is a signed statement, and parties accept it (PROTOCOL.md 11).

An administrator asks for a change, and it is stated when another person has approved exactly this statement.

A matcher that was restored takes statements that it signed after the backup back from a party. Without them it would
sign other statements under the same numbers, which the parties refuse for good as evidence against it (PROTOCOL.md
11.5). Nothing has to be believed: this matcher's own signature is on each of them.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.entries import Entry, EntryKind, fields_at_fault
from aquila.audit.roles import Action, Role
from aquila.crypto.envelope import digest_of_payload
from aquila.errors import InputError, KeyMaterialError, OrderError, PolicyError, SignatureError
from aquila.interface.approval import ApprovalKind, PendingApproval
from aquila.interface.service.party import (
    FileContent,
    NewContact,
    NewInvitation,
    NewMatcherAddress,
    RegistryView,
    RenewedKey,
)
from aquila.protocol.messages import Manifest
from aquila.protocol.messages.templates import RoundTemplate
from aquila.protocol.registration import self_signed
from aquila.protocol.registration.spoken_words import check_spoken, spoken
from aquila.protocol.registration.statements import (
    MOST_STATEMENTS,
    RegistryFeed,
    RegistryStatement,
    check_order,
    check_restated,
    next_statement,
    open_acceptance,
    open_statement,
    sign_statement,
)
from aquila.protocol.registration.templates import read_templates
from aquila.protocol.registry import MATCHER, RegisteredParty, Registry
from aquila.protocol.rounds.round_state import ENDED_PHASES
from services.kit.actor import LOCAL_KEY, Actor
from services.kit.approvals.requests import Approvals, request, waiting_of
from services.kit.errors import NotFoundError
from services.kit.log import entries, own_approvals
from services.kit.log.entries import log_replaced
from services.kit.logging import Log
from services.kit.rounds import manifest_in
from services.kit.storage import registry as stored
from services.kit.storage.own_identity import prepare_renewal, read_next
from services.kit.storage.registry import content_of, party_views, statement_view
from services.matcher.context import MatcherContext
from services.matcher.settings import MatcherSettings
from services.matcher.storage.tables import RoundRow


def address_of(settings: MatcherSettings) -> tuple[str, str | None]:
    """Return the matcher's address, and its CA's certificates in PEM or None where the system's CAs know it."""
    listen, command = settings.listen, settings.command
    if not listen.public_url and listen.port == 0:
        raise InputError("matcher_address_unknown")
    host = f"[{listen.host}]" if ":" in listen.host else listen.host
    url = listen.public_url.rstrip("/") or f"{'http' if settings.tls is None else 'https'}://{host}:{listen.port}"
    if settings.tls is None or command is None or command.ca is None:
        return url, None
    try:
        return url, command.ca.read_text("ascii")
    except (OSError, UnicodeDecodeError):
        raise InputError("matcher_ca_unreadable", path=command.ca) from None


_LOG = Log("matcher.registry")
_DAY = 86_400


def invite(context: MatcherContext, actor: Actor, wanted: NewInvitation) -> FileContent:
    """Return the file of a new invitation; nothing of it is stored but its entry in the log.

    Raises:
        InputError: The matcher's own address or CA cannot be told from its settings.
    """
    if wanted.party in context.registry.parties:
        raise PolicyError("party_registered_already", party=wanted.party)
    url, ca = address_of(context.settings)
    invitation = self_signed.Invitation(
        invitation_id=context.random(16).hex(),
        party=wanted.party,
        name=wanted.name,
        matcher_key=context.registry.matcher.hex,
        url=url,
        ca=ca,
        expires_at=context.clock() + wanted.days * _DAY,
    )
    with context.store.transaction("registry.invite") as session:
        ids, by = {"invitation": invitation.invitation_id}, (actor, Action.MANAGE_REGISTRY)
        counts = {"days": wanted.days}
        context.journal.log(session, EntryKind.PARTY_INVITED, by, recipient=wanted.party, counts=counts, ids=ids)
    return FileContent(content=self_signed.sign_file(invitation, context.matcher.identity).decode())


def ask_admission(
    context: MatcherContext, approvals: Approvals, actor: Actor, content: str, heard: str
) -> PendingApproval:
    """Ask for the statement of a registry with the party of a request to join.

    1. The request is whole, and answers an invitation of this matcher for this party that has not expired.
    2. Its words are those that the party reads aloud, so the party made it, and holds the invitation as it was made.
    3. The party is not registered yet, or nobody knows that it is: the file was changed and nothing stated.

    Raises:
        InputError: The file or the words cannot be read.
        PolicyError: 1, 2 or 3 does not hold.
        AquilaError: As `_ask`.
    """
    # 1.
    asked = self_signed.open_request(content.encode())
    invited = self_signed.accepted_invitation(asked.message, context.registry.matcher, context.clock())
    # 2.
    check_spoken(asked.digest, heard)
    # 3.
    known = context.registry.parties.get(invited.party)
    if known is not None and (known.key != asked.key or known.left):
        raise PolicyError("party_registered_already", party=invited.party)
    party = RegisteredParty(invited.party, invited.name, asked.key)
    holders = {print_: holder for print_, (holder, _) in context.registry.by_fingerprint().items()}
    if holders.get(asked.key.fingerprint, invited.party) != invited.party:
        raise PolicyError("key_registered_to_another_party", party=invited.party, holder=holders[asked.key.fingerprint])
    newer = replace(context.registry, parties={**context.registry.parties, invited.party: party})
    return _ask(context, approvals, actor, newer, heard=spoken(asked.digest).sentence)


def ask_renewal(context: MatcherContext, approvals: Approvals, actor: Actor, wanted: RenewedKey) -> PendingApproval:
    """Ask for the statement of a registry with a party's new identity key in the place of its old one.

    From when it is stated nothing new counts here that the old key signs.

    1. The renewal is whole, and the words are those that the party reads aloud, so the party made it.
    2. The party is registered under the replaced key, and that key signed, too, unless it is to be revoked.
    3. Nobody has the new key, or had it before.

    Raises:
        InputError: The file or the words cannot be read.
        SignatureError: The replaced key did not sign what it is said to have signed.
        NotFoundError: The party is not registered, or has left.
        PolicyError: 1, 2 or 3 does not hold.
        AquilaError: As `_ask`.
    """
    # 1.
    renewal = self_signed.open_renewal(wanted.content.encode())
    check_spoken(renewal.digest, wanted.spoken)
    # 2.
    party = context.registry.parties.get(renewal.party)
    if party is None or party.left:
        raise NotFoundError("party_not_registered", party=renewal.party)
    former = context.registry.former
    if party.key != renewal.key:
        self_signed.check_renewal(renewal, party.key, revoked=wanted.revoked)
        # 3.
        if holder := context.registry.by_fingerprint().get(renewal.key.fingerprint):
            raise PolicyError("key_registered_to_another_party", party=renewal.party, holder=holder[0])
        former = {**former, renewal.party: context.registry.keys_of(renewal.party)}
    parties = {**context.registry.parties, renewal.party: replace(party, key=renewal.key)}
    newer = Registry(context.registry.matcher, parties, former)
    return _ask(context, approvals, actor, newer, renewal=renewal, heard=spoken(renewal.digest).sentence)


def ask_own_renewal(context: MatcherContext, approvals: Approvals, actor: Actor, *, revoked: bool) -> PendingApproval:
    """Ask for the statement of a registry with a new key of this matcher, which begins when the matcher starts again.

    Raises:
        KeyMaterialError, StoreError: A key cannot be read or written.
    """
    with context.store.reading("registry.rounds") as session:
        _check_rounds(session, {MATCHER})  # before a key is made
    renewal = prepare_renewal(context.settings.identity, context.registry, MATCHER, lost=revoked)
    former = {**context.registry.former, MATCHER: context.registry.keys_of(MATCHER)}
    return _ask(context, approvals, actor, Registry(renewal.key, context.registry.parties, former), renewal=renewal)


def ask_removal(context: MatcherContext, approvals: Approvals, actor: Actor, code: str) -> PendingApproval:
    """Ask for the statement of a registry in which a party has left; from then on its calls are refused."""
    if code not in context.registry.present():
        raise NotFoundError("party_not_registered", party=code)
    left = replace(context.registry.parties[code], left=True)
    newer = replace(context.registry, parties={**context.registry.parties, code: left})
    return _ask(context, approvals, actor, newer)


def ask_restatement(context: MatcherContext, approvals: Approvals, actor: Actor) -> PendingApproval:
    """Ask for the statement of the registry as its file has it; raises as `_ask` does."""
    return _ask(context, approvals, actor, context.registry)


def ask_move(context: MatcherContext, approvals: Approvals, actor: Actor, wanted: NewMatcherAddress) -> PendingApproval:
    """Ask for the statement of another address of the matcher; raises as `_ask` does."""
    return _ask(context, approvals, actor, context.registry, moved=(wanted.url.rstrip("/"), wanted.ca))


def ask_templates(context: MatcherContext, approvals: Approvals, actor: Actor, content: str) -> PendingApproval:
    """Ask to state the templates of a file in the place of those that are stated.

    Raises:
        InputError: The file cannot be read, or has too many templates or one of them twice.
    """
    return _ask(
        context, approvals, actor, context.registry, change=partial(_with_templates, read_templates(content.encode()))
    )


def ask_contact(
    context: MatcherContext, approvals: Approvals, actor: Actor, code: str, wanted: NewContact
) -> PendingApproval:
    """Ask to state the mail address at which the secretariat reminds a party, or that there is none."""
    if code not in context.registry.present():
        raise NotFoundError("party_not_registered", party=code)
    return _ask(context, approvals, actor, context.registry, change=partial(_with_contact, code, wanted.contact))


def as_file(context: MatcherContext) -> FileContent:
    """Return the newest statements as a file for the parties."""
    with context.store.reading("registry.file") as session:
        newest = stored.newest_number(session) or 1
    return FileContent(content=feed(context, max(1, newest - MOST_STATEMENTS + 1)).model_dump_json())


def show(context: MatcherContext) -> RegistryView:
    """Return the registry, its newest statement, and who has accepted it."""
    with context.store.reading("registry.show") as session:
        last = stored.in_force(session, context.registry)
        accepted = stored.acceptances(session, context.registry)
        asked = waiting_of(session, ApprovalKind.REGISTRY, context.clock())
        # Against the one before, so that the words stand beside who joined, left or changed its key with them.
        since = [] if last is None else stored.statements_from(session, context.registry, last.message.number - 1)
    before = since[0].message.registry() if len(since) > 1 else context.registry
    view = last and statement_view(last, before, accepted, (last.message.url, last.message.ca))
    parties = party_views(context.registry, accepted, last)
    restart = last is not None and last.message.registry().matcher != context.registry.matcher
    return RegistryView(
        parties=parties, in_force=view, waiting=None, obstacle=None, restart_needed=restart, asked=asked
    )


def feed(context: MatcherContext, first: int) -> RegistryFeed:
    """Return the statements from a number on, and everyone's newest acceptance."""
    with context.store.reading("registry.feed") as session:
        statements = stored.statements_from(session, context.registry, first)[:MOST_STATEMENTS]
        accepted = stored.acceptance_envelopes(session)
    return RegistryFeed(statements=tuple(one.envelope.decode() for one in statements), acceptances=tuple(accepted))


def take_acceptance(context: MatcherContext, caller: str, envelope: bytes) -> bool:
    """Store a party's acceptance, and return whether it is new."""
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
            fields = {"counts": {"number": acceptance.number}, "digests": {"registry": acceptance.statement}}
            entries.append(session, Entry.of(EntryKind.REGISTRY_ACCEPTED, context.clock(), caller, **fields))
    return new


def _ask(
    context: MatcherContext,
    approvals: Approvals,
    actor: Actor,
    newer: Registry,
    *,
    moved: tuple[str, str | None] | None = None,
    renewal: self_signed.Renewal | None = None,
    change: Callable[[RegistryStatement], RegistryStatement] = lambda message: message,
    heard: str = "",
) -> PendingApproval:
    """Ask for the statement of a registry, of which everything is fixed now.

    Raises:
        InputError: The matcher's own address or CA cannot be told from its settings, or templates cannot be stated.
        AquilaError: As `request` and `check_change`.
    """
    with context.store.reading("registry.last") as session:
        last = stored.in_force(session, context.registry)
    if renewal is not None and last is not None and renewal in last.message.renewals().get(renewal.party, ()):
        renewal = None  # stated already
    # An address once stated stays until it is moved: the settings may follow later.
    stated = (last.message.url, last.message.ca) if last else None
    address = moved or stated or address_of(context.settings)
    message = change(next_statement(newer, last, context.clock(), *address, renewal))
    same = {"number", "previous", "made_at"}
    if last is not None and last.message.model_dump(exclude=same) == message.model_dump(exclude=same):
        raise OrderError("registry_states_this")
    before = Registry(context.registry.matcher, {}) if last is None else last.message.registry()
    templates = last.message.templates or () if last else ()
    return request(approvals, actor, content_of(message, before, templates, stated, heard))


def _with_templates(templates: tuple[RoundTemplate, ...], message: RegistryStatement) -> RegistryStatement:
    """Return a statement with these templates and no others; raises InputError if they cannot be stated together."""
    try:
        return RegistryStatement.of_fields(message, templates=templates or None)
    except ValidationError as error:
        raise InputError("templates_unusable", fields=fields_at_fault(error)) from None


def _with_contact(code: str, contact: str | None, message: RegistryStatement) -> RegistryStatement:
    """Return a statement with this contact of a party."""
    parties = [one.model_copy(update={"contact": contact}) if one.party == code else one for one in message.parties]
    return message.model_copy(update={"parties": tuple(parties)})


def check_change(context: MatcherContext, session: Session, message: RegistryStatement) -> set[str]:
    """Refuse a statement that could not be stated now, and return those whom it changes.

    1. It follows the last one.
    2. It continues the registry in force, and no template has other content in a version that it ever had.
    3. No round that is not over names a party that leaves or whose key it replaces; of the matcher's key, none at all.
    4. It has the templates of all rounds that are not over.
    """
    # 1.
    last = stored.in_force(session, context.registry)
    follows = (1, None) if last is None else (last.message.number + 1, last.digest)
    if (message.number, message.previous) != follows:
        raise OrderError("registry_changed_meanwhile")
    # 2.
    registry, newer = context.registry, message.registry()
    registry.check_successor(newer)
    for one in stored.statements_from(session, registry):
        check_restated(one.message, message)
    # 3.
    changed = registry.replaced_in(newer) | ({*registry.present()} ^ {*newer.present()})
    _check_rounds(session, changed)  # who joins is in none
    # 4.
    kept = {one.reference for one in message.templates or ()}
    for round_id, manifest in _open_rounds(session):
        named = manifest.template
        if named is not None and named not in kept:
            raise PolicyError(
                "template_in_open_round", round=round_id, template=named.template_id, version=named.version
            )
    return changed


def state(context: MatcherContext, session: Session, message: RegistryStatement) -> None:
    """Sign and store a statement that two persons approved, and write the registry file; raises as `check_change` does.

    Raises:
        PolicyError: The log has no approval of it by two persons.
    """
    changed = check_change(context, session, message)
    digest = digest_of_payload(message.payload_type, message.payload())
    own_approvals.check_registry(session, digest)
    newer, now = message.registry(), context.clock()
    own = newer.matcher == context.registry.matcher
    key = context.matcher.identity if own else read_next(context.settings.identity)
    if key is None or key.public != newer.matcher:
        raise OrderError("registry_changed_meanwhile")
    statement = open_statement(sign_statement(message, key), *newer.keys_of(MATCHER))
    stored.store_statement(session, statement)
    stored.mark_accepted(session, statement, now)
    counts = {"number": message.number, "parties": len(newer.present())}
    party, digests = next(iter(changed)) if len(changed) == 1 else None, {"registry": statement.digest}
    context.journal.log(session, EntryKind.REGISTRY_CHANGED, counts=counts, digests=digests, recipient=party)
    former = sorted(newer.former) if own else []
    if [holder for holder in former if log_replaced(session, newer, holder, MATCHER, now)]:
        context.registry.adopt(newer)  # no statement of the replaced key is taken between its entry and the commit
    # Before the commit: if we crash here, the file is ahead of the statements, and the same change is approved again.
    stored.write_registry_file(context.settings.registry, newer)
    _LOG.info("registry_stated", count=message.number)


def adopt(context: MatcherContext, message: RegistryStatement) -> None:
    """Take a statement into force, once it is committed; one with another key of this matcher at its next start."""
    newer = message.registry()
    if newer.matcher == context.registry.matcher:
        context.registry.adopt(newer)
        context.wakeup.notify("registry")  # calls that are held look whether their key still counts


def _check_rounds(session: Session, holders: set[str]) -> None:
    """Refuse a change of those whom a round names that is not over, or of the matcher while there is such a round."""
    rows = _open_rounds(session)
    if MATCHER in holders and rows:
        raise PolicyError("matcher_key_with_open_rounds", count=len(rows), round=rows[0][0])
    for code in sorted(holders):
        named = [round_id for round_id, manifest in rows if code in {one.party for one in manifest.participants}]
        if named:
            raise PolicyError("party_in_open_rounds", party=code, count=len(named), round=named[0])


def _open_rounds(session: Session) -> list[tuple[str, Manifest]]:
    """Return the rounds that are not over, the oldest first."""
    query = select(RoundRow).where(RoundRow.phase.not_in(ENDED_PHASES)).order_by(RoundRow.created_at)
    return [(row.round_id, manifest_in(row.manifest)) for row in session.scalars(query)]


_ADMINISTRATOR = Actor(LOCAL_KEY, frozenset({Role.ADMINISTRATOR}))


def number_in_force(context: MatcherContext) -> int:
    """Return the number of the registry in force, or 0 where none was stated."""
    with context.store.reading("registry.number") as session:
        last = stored.in_force(session, context.registry)
    return 0 if last is None else last.message.number


def take_newer(context: MatcherContext, content: str) -> None:
    """Take the statements of a party's file into force that are newer than the one in force here.

    1. Each is signed by this matcher's key, or by one that follows from it.
    2. They follow one another, and the statement in force here.
    3. The newest continues the registry in force, and names the key with which this matcher runs.

    Raises:
        InputError: The file holds no statements.
        ProtocolError, PolicyError: 1 or 2 does not hold, or the newest does not continue the registry.
        KeyMaterialError: The newest names another key of this matcher: it was renewed after the backup.
    """
    try:
        feed = RegistryFeed.model_validate_json(content)
    except ValidationError:
        raise InputError("restore_statements_unreadable") from None
    now = context.clock()
    # 1.
    found = [open_statement(envelope.encode(), *context.registry.keys_of(MATCHER)) for envelope in feed.statements]
    with context.store.transaction("registry.restore") as session:
        last = stored.in_force(session, context.registry)
        before = 0 if last is None else last.message.number
        for statement in found:
            stored.store_statement(session, statement)
        # 2.
        known = stored.statements_from(session, context.registry, max(1, before))
        if known and known[0].message.number != max(1, before):
            raise OrderError("registry_statement_missing", number=max(1, before))
        check_order(known)
        newer = [one for one in known if one.message.number > before]
        if not newer:
            return
        # 3.
        newest = newer[-1].message
        registry = newest.registry()
        context.registry.check_successor(registry)
        if registry.matcher != context.matcher.identity.public:
            raise KeyMaterialError("restore_statements_of_newer_key")
        for envelope in feed.acceptances:
            acceptance = open_acceptance(envelope.encode(), registry, newest.number)
            stored.store_acceptance(session, acceptance, envelope.encode())
        for statement in newer:
            stored.mark_accepted(session, statement, now)
            message, digests = statement.message, {"registry": statement.digest}
            counts = {"number": message.number, "parties": len(message.registry().present())}
            by = (_ADMINISTRATOR, Action.MANAGE_REGISTRY)
            context.journal.log(session, EntryKind.REGISTRY_CHANGED, by, counts=counts, digests=digests)
        for holder in sorted(registry.former):
            log_replaced(session, registry, holder, MATCHER, now)
        stored.write_registry_file(context.settings.registry, registry)
    context.registry.adopt(registry)
