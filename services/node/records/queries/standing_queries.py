"""Standing queries: how one begins and ends, and in which rounds it may be asked.

Two persons approve one for persons, a justification, an end, and the terms of a round. It is asked by itself in a round
only where area, legal basis, purpose and category are these, the round comes from the same template or, as the one that
was approved, from none, and no party takes part that was not among those approved (ADR 49).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.entries import Entry, EntryKind, Word
from aquila.audit.roles import Action
from aquila.errors import AquilaError, InputError, OrderError, PolicyError
from aquila.interface.queries import (
    MOST_DAYS,
    MOST_PERSONS,
    REMINDED_DAYS,
    SkipReason,
    StandingQueryState,
    StandingTerms,
)
from aquila.protocol.messages import Justification, Kind, Manifest, Mode
from aquila.protocol.rounds.round_state import ENDED_PHASES
from services.kit.actor import Actor
from services.kit.errors import NotFoundError
from services.kit.log import entries
from services.kit.log.entries import Journal
from services.kit.logging import Log
from services.node.context import NodeContext
from services.node.records.erasure import close_gaps, has_gaps_in_use
from services.node.records.stored_lists import following_removal, standing_queries_of, stored_digest
from services.node.round_memory import round_row
from services.node.rounds import requests
from services.node.rounds.attention import stored_manifest
from services.node.rounds.requests import has_consented, queries_are_used_up, submit_until
from services.node.storage.imports import complete_import
from services.node.storage.states import LocalRoundState
from services.node.storage.tables import ImportRow, RoundRow, StandingQueryRow, SubmissionRow

DAY = 86_400
_LOG = Log("node.standing")


def terms_of(code: str, manifest: Manifest) -> StandingTerms:
    """Return the terms of a round that two persons approve for a standing query of a party."""
    return StandingTerms.of_fields(
        manifest,
        parties=tuple(one.party for one in manifest.participants if one.party != code),
        template=manifest.template and manifest.template.template_id,
    )


def approved_terms(row: StandingQueryRow) -> StandingTerms:
    """Return the terms that were approved for a standing query."""
    return StandingTerms.model_validate(row.terms, strict=False)


def round_with_terms(session: Session, round_id: str) -> RoundRow:
    """Return a round whose terms a standing query can have; it may be over."""
    row = round_row(session, round_id)
    if stored_manifest(row).mode is not Mode.LISTS_AND_QUERIES:
        raise PolicyError("round_takes_no_queries", round=round_id)
    if not has_consented(row):
        raise OrderError("node_not_consented", round=round_id)
    return row


def open_rounds(session: Session, now: int) -> Sequence[tuple[RoundRow, Manifest]]:
    """Return the rounds that take a query of this party now, the newest first."""
    query = (
        select(RoundRow)
        .where(
            RoundRow.state == LocalRoundState.ACTIVE,
            RoundRow.refused.is_(None),
            RoundRow.abort_reason.is_(None),
            ~RoundRow.close_wished,
            RoundRow.phase.not_in(ENDED_PHASES),
        )
        .order_by(RoundRow.discovered_at.desc(), RoundRow.round_id)
    )
    rows = [(row, stored_manifest(row)) for row in session.scalars(query) if has_consented(row)]
    return [(row, manifest) for row, manifest in rows if takes_queries(manifest, now)]


def takes_queries(manifest: Manifest, now: int) -> bool:
    """Return whether a round is of queries too, and its time for them is not over."""
    return manifest.mode is Mode.LISTS_AND_QUERIES and now <= submit_until(manifest, Kind.QUERY)


def queries_of(session: Session, import_id: str) -> Sequence[SubmissionRow]:
    """Return the queries that were made of a list in any round, the newest first."""
    made = SubmissionRow.kind == Kind.QUERY.value, SubmissionRow.import_id == import_id
    query = select(SubmissionRow).where(*made)
    return session.scalars(query.order_by(SubmissionRow.wished_at.desc(), SubmissionRow.submission_id)).all()


def not_asked(
    session: Session, code: str, row: StandingQueryRow, round_id: str, manifest: Manifest
) -> SkipReason | None:
    """Return why a standing query is not asked in a round that takes queries, or None where it is."""
    approved, now = approved_terms(row), terms_of(code, manifest)
    if approved.model_copy(update={"parties": now.parties}) != now:
        return SkipReason.TERMS
    if not set(now.parties) <= set(approved.parties):
        return SkipReason.PARTIES
    if stored_digest(session, row.import_id) != row.records_digest:
        return SkipReason.PERSONS
    if queries_are_used_up(session, round_id):
        return SkipReason.USED_UP
    return SkipReason.LATER if has_gaps_in_use(session, row.import_id) else None


def unasked(
    session: Session, code: str, row: StandingQueryRow, rounds: Sequence[tuple[RoundRow, Manifest]]
) -> Iterator[tuple[RoundRow, Manifest, SkipReason | None]]:
    """Yield the rounds of these in which no query was made of a standing query's list, and why not, or None if due."""
    made = {query.round_id for query in queries_of(session, row.import_id)}
    for found, manifest in rounds:
        if found.round_id not in made:
            yield found, manifest, not_asked(session, code, row, found.round_id, manifest)


def needing(session: Session, code: str, now: int) -> int:
    """Return how many standing queries need an officer: their end is near, or a round needs another approval."""
    active = session.scalars(select(StandingQueryRow).where(StandingQueryRow.state == StandingQueryState.ACTIVE)).all()
    rounds = open_rounds(session, now) if active else []
    return sum(
        reminds(row, now)
        or any(
            reason not in {None, SkipReason.LATER, SkipReason.USED_UP}
            for *_, reason in unasked(session, code, row, rounds)
        )
        for row in active
    )


def reminds(row: StandingQueryRow, now: int) -> bool:
    """Return whether a standing query is active and its end is near."""
    return row.state is StandingQueryState.ACTIVE and row.until <= now + REMINDED_DAYS * DAY


def check_new(session: Session, import_id: str, until: int, now: int) -> None:
    """Refuse a standing query that has too many persons, or whose end has passed or is too far away."""
    records = complete_import(session, import_id).records
    if records > MOST_PERSONS:
        raise InputError("query_persons_too_many", most=MOST_PERSONS, got=records)
    if until > now + MOST_DAYS * DAY:
        raise InputError("standing_query_too_long", most=MOST_DAYS)
    if until <= now:
        raise OrderError("standing_query_over")


def begin(session: Session, journal: Journal, row: StandingQueryRow) -> None:
    """Begin a standing query that two persons approved; one for the same list of persons ends."""
    for before in standing_queries_of(session, row.import_id):
        end(session, journal, before, StandingQueryState.REPLACED)
    session.add(row)
    persons = complete_import(session, row.import_id).records
    entries.append(session, _entry(journal, row, Word.CREATED, counts={"records": persons}))


def end(
    session: Session, journal: Journal, row: StandingQueryRow, state: StandingQueryState, by: Actor | None = None
) -> None:
    """End a standing query in the caller's transaction; what was asked already stays as it is."""
    row.enter(state)
    row.ended_at, row.ended_by = journal.clock(), by.person if by else None
    fields = entries.actor_fields(by, Action.ASK_SUBMISSION) if by else {}
    entries.append(session, _entry(journal, row, Word(state.value), **fields))


def withdraw(journal: Journal, actor: Actor, standing_id: str, reason: str) -> None:
    """End a standing query at an officer's word."""
    with journal.store.transaction("standing.withdraw") as session:
        row = standing_row(session, standing_id)
        if row.state is not StandingQueryState.ACTIVE:
            raise OrderError("standing_query_has_ended")
        row.ended_because = reason
        end(session, journal, row, StandingQueryState.WITHDRAWN, actor)


def standing_row(session: Session, standing_id: str) -> StandingQueryRow:
    """Return a standing query; raises NotFoundError if there is no such one."""
    row = session.get(StandingQueryRow, standing_id)
    if row is None:
        raise NotFoundError("standing_query_unknown")
    return row


def asked_entry(journal: Journal, row: StandingQueryRow, round_id: str, submission_id: str) -> Entry:
    """Return the entry of a query that the node makes by itself under a standing approval."""
    return _entry(journal, row, Word.ASKED, submission_id, round=round_id)


def _entry(journal: Journal, row: StandingQueryRow, how: Word, submission: str = "", **fields: object) -> Entry:
    ids = {"how": how, "standing": row.standing_id, "author": row.justification["officer"]}
    ids |= {"submission": submission} if submission else {}
    return Entry.of(EntryKind.STANDING_QUERY, journal.clock(), journal.code, ids=ids, **fields)


def advance(node: NodeContext) -> bool:
    """Ask the standing queries that are due, and end those that are over; return whether any was asked."""
    now = node.clock()
    over: list[tuple[str, StandingQueryState]] = []
    due: list[tuple[str, str]] = []
    with node.store.reading("standing.due") as session:
        active = StandingQueryRow.state == StandingQueryState.ACTIVE
        rows = session.scalars(select(StandingQueryRow).where(active).order_by(StandingQueryRow.approved_at)).all()
        rounds = open_rounds(session, now) if rows else []
        for row in rows:
            if row.until <= now:
                over.append((row.standing_id, StandingQueryState.EXPIRED))
            elif session.get(ImportRow, row.import_id) is None:
                over.append((row.standing_id, StandingQueryState.EMPTIED))
            else:
                found = unasked(session, node.code, row, rounds)
                due += [(row.standing_id, one.round_id) for one, _, reason in found if reason is None]
    for standing_id, state in over:
        with node.store.transaction("standing.end") as session:
            row = standing_row(session, standing_id)
            if row.state is StandingQueryState.ACTIVE:
                end(session, node.journal, row, state)
    return bool([one for one in due if _ask(node, *one)])


def _ask(node: NodeContext, standing_id: str, round_id: str) -> bool:
    """Let the driver of rounds prepare a query under the standing approval, and return whether it will.

    What came between the look and this is looked for once more.
    """
    try:
        with node.rounds.reading(round_id) as round_, node.store.transaction("standing.ask") as session:
            row = standing_row(session, standing_id)
            found = [(round_row(session, round_id), round_.manifest)]
            reasons = [reason for *_, reason in unasked(session, node.code, row, found)]
            if row.state is not StandingQueryState.ACTIVE or reasons != [None]:
                return False
            with following_removal(session, row.import_id):
                close_gaps(session, row.import_id)
            wanted = requests.RequestedSubmission(
                submission_id=node.random(16).hex(),
                import_id=row.import_id,
                records_digest=row.records_digest,
                kind=Kind.QUERY,
                justification=Justification.model_validate(row.justification),
            )
            requests.request_submission(node.clock, session, round_, wanted)
            entries.append(session, asked_entry(node.journal, row, round_id, wanted.submission_id))
    except AquilaError as error:
        # The round ended or was refused meanwhile; what the database lacks now is there at the next look.
        _LOG.warning("standing_query_not_asked", round=round_id, error=error)
        return False
    _LOG.info("standing_query_asked", round=round_id, submission=wanted.submission_id)
    return True
