"""Views of standing queries: where each was asked, what it found there, and what needs an officer."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session

from aquila.audit.entries import EntryKind, Word
from aquila.audit.roles import Action
from aquila.followup.lifecycle import Stage
from aquila.interface import queries as forms
from aquila.interface.hits import QueryReason
from aquila.interface.rounds import AnswerState, SubmissionState
from aquila.protocol.messages import Manifest
from services.kit.actor import Actor
from services.kit.people.accounts import names_of
from services.node.context import NodeContext
from services.node.records.queries import standing_queries
from services.node.round_memory import round_row
from services.node.rounds.attention import stored_manifest
from services.node.rounds.party_answers import answer_state
from services.node.storage.tables import (
    STATUS_OF_HIT,
    HitRow,
    HitStatusRow,
    ImportRow,
    RecordRow,
    RoundRow,
    StandingQueryRow,
    SubmissionRow,
)

_LISTED = 100


class _HitCounts(NamedTuple):
    """Hits of a query: all that were not withdrawn, those that are first, and of these the new ones."""

    hits: int = 0
    first: int = 0
    new: int = 0


def list_standing(node: NodeContext) -> forms.StandingQueries:
    """Return the standing queries of this node with what each found in which round, in numbers."""
    ended = (StandingQueryRow.state != forms.StandingQueryState.ACTIVE).asc()
    newest = select(StandingQueryRow).order_by(ended, StandingQueryRow.approved_at.desc(), StandingQueryRow.standing_id)
    with node.store.reading("standing.list") as session:
        rows = session.scalars(newest.limit(_LISTED)).all()
    return forms.StandingQueries(
        queries=_entries(node, rows), most_days=forms.MOST_DAYS, reminded_days=forms.REMINDED_DAYS
    )


def show_standing(node: NodeContext, actor: Actor, standing_id: str) -> forms.StandingQueryView:
    """Return a standing query with its persons: a consultation of own records, which is logged."""
    with node.store.reading("standing.find") as session:
        row = standing_queries.standing_row(session, standing_id)
    (entry,) = _entries(node, [row])
    with node.store.transaction("standing.show") as session:
        query = select(RecordRow).where(RecordRow.import_id == row.import_id).order_by(RecordRow.position)
        persons = tuple(
            forms.WatchedPerson(record_id=record.record_id, record=json.loads(record.content))
            for record in session.scalars(query)
        )
        ids = {"of": Word.RECORD, "standing": standing_id}
        by = (actor, Action.SEE_QUERIES)
        node.journal.log(session, EntryKind.CONSULTATION, by, counts={"records": len(persons)}, ids=ids)
    return forms.StandingQueryView(entry=entry, persons=persons)


class _Facts(NamedTuple):
    """Data that the views of several standing queries share."""

    rounds: Sequence[tuple[RoundRow, Manifest]]
    """Those that take queries now."""
    names: Mapping[str, str]
    answers: Mapping[str, AnswerState]
    """States of the answers, by submission id."""
    hits: Mapping[str, _HitCounts]
    """Their numbers, by submission id."""


def _entries(node: NodeContext, rows: Sequence[StandingQueryRow]) -> tuple[forms.StandingQueryEntry, ...]:
    """Return standing queries as they are listed."""
    with node.store.reading("standing.asked") as session:
        made = [one for row in rows for one in standing_queries.queries_of(session, row.import_id)]
        found = [(one, round_row(session, one.round_id)) for one in made]
    # Rounds are read before the next look at the database: a round may have to be built from its statements.
    answers = {made.submission_id: _answer(node, made, row) for made, row in found}
    with node.store.reading("standing.entries") as session:
        active = any(row.state is forms.StandingQueryState.ACTIVE for row in rows)
        people = [person for row in rows for person in (row.justification["officer"], row.ended_by)]
        facts = _Facts(
            rounds=standing_queries.open_rounds(session, node.clock()) if active else (),
            names=names_of(session, people),
            answers=answers,
            hits=_hits(session, answers),
        )
        return tuple(_entry(node, session, row, facts) for row in rows)


def _answer(node: NodeContext, made: SubmissionRow, row: RoundRow) -> AnswerState:
    if made.state is SubmissionState.FAILED:
        return AnswerState.NEVER
    with node.rounds.reading(made.round_id) as round_:
        return answer_state(node.signer, round_, row, made.submission_id)


def _entry(node: NodeContext, session: Session, row: StandingQueryRow, facts: _Facts) -> forms.StandingQueryEntry:
    stored, rounds, names = session.get(ImportRow, row.import_id), facts.rounds, facts.names
    officer, by = row.justification["officer"], row.ended_by or ""
    made = [one for one in standing_queries.queries_of(session, row.import_id) if one.submission_id in facts.answers]
    open_ = (
        standing_queries.unasked(session, node.code, row, rounds)
        if row.state is forms.StandingQueryState.ACTIVE
        else ()
    )
    return forms.StandingQueryEntry.of_fields(
        row,
        name=stored.name if stored else "",
        persons=stored.records if stored else 0,
        reason=QueryReason.model_validate(
            {name: text for name, text in row.justification.items() if name != "officer"}
        ),
        officer=officer,
        officer_name=names.get(officer, ""),
        terms=standing_queries.approved_terms(row),
        ended_by=by,
        ended_by_name=names.get(by, ""),
        ended_because=row.ended_because or "",
        rounds=tuple(_asked(session, one, facts) for one in made),
        unasked=tuple(_unasked(open_)),
        reminds=standing_queries.reminds(row, node.clock()),
    )


def _unasked(found: Iterator[tuple[RoundRow, Manifest, object]] | tuple[()]) -> Iterator[forms.SkippedRound]:
    for row, manifest, reason in found:
        if reason is not None:
            yield forms.SkippedRound.model_validate(
                {
                    "round_id": row.round_id,
                    "round_title": manifest.title,
                    "purpose": manifest.purpose,
                    "legal_basis": manifest.legal_basis,
                    "until": manifest.window.closes_at,
                    "reason": reason,
                }
            )


def _asked(session: Session, made: SubmissionRow, facts: _Facts) -> forms.StandingQueryRound:
    found = facts.hits.get(made.submission_id, _HitCounts())
    return forms.StandingQueryRound(
        round_id=made.round_id,
        round_title=stored_manifest(round_row(session, made.round_id)).title,
        submission_id=made.submission_id,
        asked_at=made.wished_at,
        state=made.state.value,
        answer=facts.answers[made.submission_id],
        hits=found.hits,
        first_hits=found.first,
        new_hits=found.new,
    )


def _hits(session: Session, made: Collection[str]) -> dict[str, _HitCounts]:
    """Return the number of hits of each query; nobody looks at one."""
    first, new = HitStatusRow.first, HitStatusRow.stage == Stage.NEW.value
    query = (
        select(
            HitRow.submission_id,
            func.count(),
            func.sum(case((first, 1), else_=0)),
            func.sum(case((and_(first, new), 1), else_=0)),
        )
        .join(HitStatusRow, STATUS_OF_HIT)
        .where(HitRow.submission_id.in_(made), HitStatusRow.stage != Stage.WITHDRAWN.value)
        .group_by(HitRow.submission_id)
    )
    return {str(row[0]): _HitCounts(*row[1:]) for row in session.execute(query)} if made else {}
