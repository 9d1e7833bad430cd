"""Suggestions of rounds: parties send them, the secretariat proposes a round from one or sets it aside (9.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from aquila.audit.entries import Entry, EntryKind, Word
from aquila.audit.roles import Action
from aquila.errors import InputError, OrderError, PolicyError
from aquila.interface.proposal import Suggestions, SuggestionView
from aquila.interface.sentence import SentenceView
from aquila.protocol.messages.suggestions import (
    LARGEST_SUGGESTION,
    MOST_WAITING,
    Suggestion,
    SuggestionAnswer,
    SuggestionState,
)
from aquila.protocol.registry import MATCHER
from aquila.sentences import quoted
from services.kit.errors import BodyTooLargeError, NotFoundError
from services.kit.log import entries
from services.kit.logging import Log
from services.matcher.storage.tables import SuggestionRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from services.kit.people import Actor
    from services.matcher.context import MatcherContext

_LOG = Log("matcher.suggestions")
_SHOWN = 100
_TOLD = 50
_DAY = 86_400
_TOLD_SECONDS = 30 * _DAY
_WAITS = SuggestionRow.state == SuggestionState.WAITING


def accept_suggestion(context: MatcherContext, caller: str, suggestion_id: str, octets: bytes) -> bool:
    """Take a party's suggestion and return whether it was new.

    Args:
        context: The matcher's parts.
        caller: Whose it is.
        suggestion_id: By which the party knows it.
        octets: Its canonical JSON.

    Raises:
        BodyTooLargeError: It is larger than any.
        MalformedError: It is none.
        InputError: It names a party that is not registered, or not the caller.
        OrderError: The caller, or another, has sent something else under this id.
        PolicyError: As many of the caller's wait as may.
    """
    # 1. What it says, before anything is looked up.
    if len(octets) > LARGEST_SUGGESTION:
        raise BodyTooLargeError("suggestion_too_long", expected=LARGEST_SUGGESTION, got=len(octets))
    terms = Suggestion.from_payload(octets)
    if set(terms.participants) - set(context.registry.present()):
        raise InputError("suggestion_party_unknown")
    if caller not in terms.participants:
        raise InputError("suggestion_without_own_party", party=caller)
    content = terms.model_dump(mode="json")
    with context.store.transaction("suggestion.take") as session:
        # 2. The same again is known: the party may not have heard the answer.
        known = session.get(SuggestionRow, suggestion_id)
        if known is not None:
            if (known.party, known.terms) != (caller, content):
                raise OrderError("suggestion_id_taken", party=caller)
            return False
        # 3. A party cannot bury the secretariat in them.
        waiting = session.scalar(select(func.count()).where(_WAITS, SuggestionRow.party == caller)) or 0
        if waiting >= MOST_WAITING:
            raise PolicyError("party_suggestions_too_many", party=caller, expected=MOST_WAITING)
        session.add(
            SuggestionRow(
                suggestion_id=suggestion_id, party=caller, terms=content, state=SuggestionState.WAITING,
                made_at=context.clock(), reason="",
            )
        )  # fmt: skip
        why = {"legal_basis": terms.legal_basis, "purpose": terms.purpose, "category": terms.category}
        entries.append(
            session,
            Entry.of(
                EntryKind.SUGGESTION, context.clock(), caller, recipient=MATCHER, reason=why,
                counts={"parties": len(terms.participants)}, ids={"suggestion": suggestion_id},
            ),
        )  # fmt: skip
    _LOG.info("suggestion_taken", party=caller)
    return True


def list_suggestions(context: MatcherContext) -> Suggestions:
    """Return the suggestions; those that wait first, then the newest."""
    query = select(SuggestionRow).order_by(_WAITS.desc(), SuggestionRow.made_at.desc(), SuggestionRow.suggestion_id)
    with context.store.reading("suggestion.list") as session:
        shown = tuple(map(_view, session.scalars(query.limit(_SHOWN))))
    return Suggestions(parties=context.registry.present(), suggestions=shown)


def show_suggestion(context: MatcherContext, suggestion_id: str) -> SuggestionView:
    """Return a suggestion.

    Raises:
        NotFoundError: There is no such one.
    """
    with context.store.reading("suggestion.show") as session:
        return _view(_row(session, suggestion_id))


def set_aside(context: MatcherContext, actor: Actor, suggestion_id: str, reason: str) -> SuggestionView:
    """Set a suggestion aside with a reason, which its party reads.

    Raises:
        NotFoundError: There is no such one.
        OrderError: It was answered already.
    """
    with context.store.transaction("suggestion.set_aside") as session:
        row = waiting_row(session, suggestion_id)
        row.reason = reason
        who = entries.actor_fields(actor, Action.PROPOSE_ROUND)
        _answer(session, row, SuggestionState.SET_ASIDE, context.clock(), **who)
        return _view(row)


def waiting_row(session: Session, suggestion_id: str) -> SuggestionRow:
    """Return the row of a suggestion that may still be answered; raises as `set_aside` does."""
    row = _row(session, suggestion_id)
    if row.state != SuggestionState.WAITING:
        raise OrderError("suggestion_already_answered")
    return row


def proposed_from(session: Session, suggestion_id: str, round_id: str, now: int) -> None:
    """Note that a round was proposed from a suggestion, in the transaction that proposes it; raises as `set_aside`."""
    row = waiting_row(session, suggestion_id)
    row.round_id = round_id
    _answer(session, row, SuggestionState.PROPOSED, now, round=round_id)


def answers_for(session: Session, party: str, now: int) -> tuple[SuggestionAnswer, ...]:
    """Return the answers to a party's suggestions of the last month, for its node."""
    query = (
        select(SuggestionRow)
        .where(SuggestionRow.party == party, SuggestionRow.answered_at > now - _TOLD_SECONDS)
        .order_by(SuggestionRow.answered_at.desc(), SuggestionRow.suggestion_id)
        .limit(_TOLD)
    )
    return tuple(
        SuggestionAnswer(suggestion_id=row.suggestion_id, state=row.state, reason=row.reason, round_id=row.round_id)
        for row in session.scalars(query)
    )


def forget_suggestions(context: MatcherContext, retention_days: int) -> bool:
    """Erase suggestions after the log's retention, and return whether there were any."""
    old = SuggestionRow.made_at <= context.clock() - retention_days * _DAY
    with context.store.reading("suggestion.old") as session:
        due = session.scalar(select(func.count()).where(old)) or 0
    if due:
        with context.store.transaction("suggestion.erase") as session:
            session.execute(delete(SuggestionRow).where(old))
            erased = Entry.of(EntryKind.ERASURE, context.clock(), MATCHER, counts={"suggestions": due})
            entries.append(session, erased)
    return due > 0


def _answer(session: Session, row: SuggestionRow, state: SuggestionState, now: int, **fields: str) -> None:
    row.enter(state)
    row.answered_at = now
    how = Word.PROPOSAL if state is SuggestionState.PROPOSED else Word.SET_ASIDE
    ids = {"suggestion": row.suggestion_id, "how": how}
    entry = Entry.of(EntryKind.SUGGESTION_ANSWERED, now, MATCHER, recipient=row.party, ids=ids, **fields)
    entries.append(session, entry)


def _row(session: Session, suggestion_id: str) -> SuggestionRow:
    row = session.get(SuggestionRow, suggestion_id)
    if row is None:
        raise NotFoundError("suggestion_unknown")
    return row


def _view(row: SuggestionRow) -> SuggestionView:
    return SuggestionView(
        suggestion_id=row.suggestion_id,
        party=row.party,
        author="",
        terms=Suggestion.model_validate(row.terms),
        state=row.state,
        made_at=row.made_at,
        answered_at=row.answered_at,
        reason=SentenceView.of(quoted(row.reason)) if row.reason else None,
        round_id=row.round_id,
    )
