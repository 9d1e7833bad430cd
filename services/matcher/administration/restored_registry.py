"""The registry of a matcher that was restored: statements that it signed after the backup come back from a party.

Without them it would sign other statements under the same numbers, which the parties refuse for good as evidence
against it (PROTOCOL.md 11.5). Nothing has to be believed: this matcher's own signature is on each of them.
"""

from __future__ import annotations

from pydantic import ValidationError

from aquila.audit.entries import Entry, EntryKind
from aquila.audit.roles import Action, Role
from aquila.errors import InputError, KeyMaterialError, OrderError
from aquila.protocol.registration.statements import RegistryFeed, check_order, open_acceptance, open_statement
from aquila.protocol.registry import MATCHER
from services.kit.actor import LOCAL_KEY, Actor
from services.kit.log import entries
from services.kit.log.entries import log_replaced
from services.kit.storage import registry as stored
from services.matcher.context import MatcherContext

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
            stored.store_statement(session, statement, now)
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
            entry = Entry.of(
                EntryKind.REGISTRY_CHANGED,
                now,
                MATCHER,
                digests={"registry": statement.digest},
                counts={"number": statement.message.number, "parties": len(statement.message.registry().present())},
                **entries.actor_fields(_ADMINISTRATOR, Action.MANAGE_REGISTRY),
            )
            entries.append(session, entry)
        for holder in sorted(registry.former):
            log_replaced(session, registry, holder, MATCHER, now)
        stored.write_registry_file(context.settings.registry, registry)
    context.registry.adopt(registry)
