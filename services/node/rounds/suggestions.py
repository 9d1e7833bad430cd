"""Suggestions of rounds: an officer writes one, the driver sends it, and the matcher's answer is kept (9.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from aquila.audit.entries import Entry, EntryKind, Word
from aquila.audit.roles import Action
from aquila.errors import InputError, PolicyError
from aquila.interface.proposal import Suggestions, SuggestionView
from aquila.interface.sentence import SentenceView
from aquila.protocol.messages.suggestions import MOST_WAITING, Suggestion, SuggestionState
from aquila.protocol.registry import MATCHER
from aquila.sentences import quoted
from aquila.sentences.sentence import dumps, loads
from services.kit.log import entries
from services.kit.logging import Log
from services.node.storage.tables import SuggestionRow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aquila.protocol.messages.suggestions import SuggestionAnswer
    from services.kit.people import Actor
    from services.node.context import Journal, NodeContext

_LOG = Log("node.suggestions")
_SHOWN = 50
_DAY = 86_400
_OPEN = (SuggestionState.WRITTEN, SuggestionState.WAITING)
_HOW = {SuggestionState.PROPOSED: Word.PROPOSAL, SuggestionState.SET_ASIDE: Word.SET_ASIDE}


def suggest(node: NodeContext, actor: Actor, wanted: Suggestion) -> SuggestionView:
    """Store an officer's suggestion with its log entry; the driver sends it.

    Raises:
        InputError: It names a party that is not registered here, or not this one.
        PolicyError: As many wait for an answer as may.
    """
    strangers = sorted(set(wanted.participants) - set(node.registry.present()))
    if strangers:
        raise InputError("parties_unknown_to_registry", listed=", ".join(strangers))
    if node.code not in wanted.participants:
        raise InputError("suggestion_without_own_party", expected=node.code)
    terms = wanted.model_copy(update={"participants": tuple(sorted(set(wanted.participants)))})
    if len(terms.participants) < 2:  # noqa: PLR2004 - as the message has it, whose tuple may name one twice
        raise InputError("round_parties_too_few")
    with node.store.transaction("suggestion.write") as session:
        waiting = select(func.count()).where(SuggestionRow.state.in_(_OPEN))
        if (session.scalar(waiting) or 0) >= MOST_WAITING:
            raise PolicyError("suggestions_too_many", expected=MOST_WAITING)
        row = SuggestionRow(
            suggestion_id=node.random(16).hex(), author=actor.person, terms=terms.model_dump(mode="json"),
            state=SuggestionState.WRITTEN, made_at=node.clock(), reason="",
        )  # fmt: skip
        session.add(row)
        why = {"legal_basis": terms.legal_basis, "purpose": terms.purpose, "category": terms.category}
        entry = Entry.of(
            EntryKind.SUGGESTION, node.clock(), node.code, recipient=MATCHER, reason=why,
            counts={"parties": len(terms.participants)}, ids={"suggestion": row.suggestion_id},
            **entries.actor_fields(actor, Action.SUGGEST_ROUND),
        )  # fmt: skip
        entries.append(session, entry)
        view = _view(node.code, row)
    node.wake()
    return view


def list_suggestions(node: NodeContext) -> Suggestions:
    """Return this party's suggestions; those that wait first, then the newest."""
    first = SuggestionRow.state.in_(_OPEN).desc()
    query = select(SuggestionRow).order_by(first, SuggestionRow.made_at.desc(), SuggestionRow.suggestion_id)
    with node.store.reading("suggestion.list") as session:
        shown = tuple(_view(node.code, row) for row in session.scalars(query.limit(_SHOWN)))
    return Suggestions(parties=node.registry.present(), suggestions=shown)


def take_answers(journal: Journal, answers: Iterable[SuggestionAnswer]) -> bool:
    """Store the matcher's answers to suggestions, each with its entry; return whether any was new.

    The matcher's word is all that there is of it: nothing depends on it, and an answer is taken once.
    """
    new = 0
    with journal.store.transaction("suggestion.answer") as session:
        for answer in answers:
            row = session.get(SuggestionRow, answer.suggestion_id)
            if row is None or row.state not in _OPEN or answer.state not in _HOW:
                continue
            row.enter(answer.state)
            row.reason, row.round_id = dumps(quoted(answer.reason)) if answer.reason else "", answer.round_id
            row.answered_at = journal.clock()
            entry = Entry.of(
                EntryKind.SUGGESTION_ANSWERED, journal.clock(), MATCHER, recipient=journal.code, round=answer.round_id,
                ids={"suggestion": row.suggestion_id, "how": _HOW[answer.state]},
            )  # fmt: skip
            entries.append(session, entry)
            new += 1
    if new:
        _LOG.info("suggestions_answered", count=new)
    return new > 0


def forget_suggestions(journal: Journal, retention_days: int) -> bool:
    """Erase suggestions after the log's retention, and return whether there were any."""
    old = SuggestionRow.made_at <= journal.clock() - retention_days * _DAY
    with journal.store.reading("suggestion.old") as session:
        due = session.scalar(select(func.count()).where(old)) or 0
    if due:
        with journal.store.transaction("suggestion.erase") as session:
            session.execute(delete(SuggestionRow).where(old))
            entries.append(
                session, Entry.of(EntryKind.ERASURE, journal.clock(), journal.code, counts={"suggestions": due})
            )
    return due > 0


def _view(code: str, row: SuggestionRow) -> SuggestionView:
    return SuggestionView(
        suggestion_id=row.suggestion_id,
        party=code,
        author=row.author,
        terms=Suggestion.model_validate(row.terms),
        state=row.state,
        made_at=row.made_at,
        answered_at=row.answered_at,
        reason=SentenceView.of(loads(row.reason)) if row.reason else None,
        round_id=row.round_id,
    )
