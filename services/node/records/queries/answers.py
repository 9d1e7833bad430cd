"""The queries of this node, and the answer to one: persons by parties."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from aquila.audit.roles import Action
from aquila.followup.lifecycle import Stage
from aquila.interface.hits import QueryReason
from aquila.interface.queries import (
    MOST_PERSONS,
    QueriedParty,
    QueriedPartyState,
    QueriedPerson,
    Queries,
    QueryAnswer,
    QueryEntry,
    QueryHit,
    QueryProgress,
    QueryRound,
    QueryTemplate,
    StandingTerms,
)
from aquila.interface.rounds import AnswerState, Awaited, SubmissionState
from aquila.matching.certainty import Level
from aquila.protocol.messages import Kind, Manifest, Mode
from aquila.protocol.rounds.round_state import ENDED_PHASES, ColumnKey
from aquila.protocol.rounds.verified_round import Round
from aquila.records.inputs import record_inputs
from aquila.records.person import Record
from aquila.records.rules import RuleTable
from services.kit.actor import Actor
from services.kit.errors import NotFoundError
from services.kit.people.accounts import names_of
from services.node.context import NodeContext, Signer
from services.node.hits.notes import UNCONFIRMED, state_of
from services.node.hits.views import log_consultation
from services.node.records.queries.standing_queries import takes_queries, terms_of
from services.node.round_memory import round_row
from services.node.rounds import progress
from services.node.rounds.attention import stored_manifest
from services.node.rounds.party_answers import answer_state, party_answers
from services.node.rounds.progress import Verified
from services.node.rounds.reported_hits import Reported, problems_of, reported
from services.node.rounds.requests import has_consented, submit_until
from services.node.rounds.views import problems
from services.node.safeguards.views import pair_checks
from services.node.storage.states import LocalRoundState
from services.node.storage.tables import (
    EXCHANGE_OF_HIT,
    ExchangeRow,
    HitRow,
    HitStatusRow,
    ImportRow,
    RecordRow,
    RoundRow,
    SubmissionRow,
)

_LISTED = 200


def list_queries(node: NodeContext, offset: int = 0, limit: int | None = None) -> Queries:
    """Return queries of this node, newest first, and what is needed to make another one."""
    of_queries = SubmissionRow.kind == Kind.QUERY.value
    newest = select(SubmissionRow).where(of_queries).offset(offset).limit(limit or _LISTED)
    newest = newest.order_by(SubmissionRow.wished_at.desc(), SubmissionRow.submission_id)
    taking = (
        select(RoundRow)
        .where(RoundRow.state == LocalRoundState.ACTIVE, RoundRow.phase.not_in(ENDED_PHASES))
        .where(RoundRow.refused.is_(None))
        .order_by(RoundRow.discovered_at.desc(), RoundRow.round_id)
    )
    with node.store.reading("query.list") as session:
        total = session.scalar(select(func.count()).select_from(SubmissionRow).where(of_queries)) or 0
        made = [_Made.of(session, row) for row in session.scalars(newest)]
        names = names_of(session, [one.officer for one in made])
        rounds = [row for row in session.scalars(taking) if has_consented(row)]
        earlier = list(_earlier(node, session))
    return Queries(
        rounds=tuple(found for row in rounds if (found := _taking(node, row.round_id))),
        earlier=tuple(earlier),
        templates=templates(),
        queries=tuple(_entry(node, one, names) for one in made),
        most_persons=MOST_PERSONS,
        offset=offset,
        total=total,
    )


def query_answer(node: NodeContext, actor: Actor, submission_id: str) -> QueryAnswer:
    """Return the answer to a query of this node: a consultation of its hits, which is logged."""
    with node.store.reading("query.find") as session:
        row = session.get(SubmissionRow, submission_id)
        if row is None or row.kind != Kind.QUERY.value:
            raise NotFoundError("query_unknown")
        round_id = row.round_id
    with node.rounds.reading(round_id) as round_, node.store.transaction("query.answer") as session:
        made = _Made.of(session, session.get_one(SubmissionRow, submission_id))
        entry = _entry(node, made, names_of(session, [made.officer]))
        parties = tuple(queried_parties(session, node.signer, round_, made.round, made.row))
        said = reported(node.rounds, node.code, round_id)
        hits, unseen = _hits(session, made.row, said)
        persons = tuple(_persons(session, made.row, node.table_of(round_.manifest), hits))
        seen = [hit.hit_id for person in persons for hit in person.hits]
        log_consultation(session, node.journal, actor, round_id, seen, Action.SEE_QUERIES)
        return QueryAnswer(
            entry=entry,
            parties=parties,
            persons=persons,
            minimum_certainty=round_.manifest.minimum_certainty,
            closes_at=round_.manifest.window.closes_at,
            seen_at=node.clock(),
            left=max(0, entry.persons - len(persons)),
            problems=(*problems_of(session, {round_id: said}, unseen), *problems(session, made.round)),
            checks=pair_checks(session, round_id, submission_id),
        )


@dataclass(frozen=True, slots=True)
class _Made:
    """A query of this node with its rows; the import is None once it is deleted."""

    row: SubmissionRow
    round: RoundRow
    imported: ImportRow | None

    @classmethod
    def of(cls, session: Session, row: SubmissionRow) -> _Made:
        return cls(row, round_row(session, row.round_id), session.get(ImportRow, row.import_id))

    @property
    def officer(self) -> str:
        """The pseudonymous id of who asked; nothing once the justification is erased."""
        return self.row.justification.get("officer", "")


def _taking(node: NodeContext, round_id: str) -> QueryRound | None:
    """Return a round as an officer chooses it, or None where it takes no query now."""
    with node.rounds.reading(round_id) as round_:
        manifest, participants = round_.manifest, round_.participants
    until = submit_until(manifest, Kind.QUERY)
    if manifest.mode is not Mode.LISTS_AND_QUERIES or node.clock() > until:
        return None
    return QueryRound.of_fields(manifest, participants=participants or _named(manifest), until=until)


def _earlier(node: NodeContext, session: Session) -> Iterator[QueryRound]:
    """Yield rounds of this party that take no query any more, the newest of each terms."""
    known = select(RoundRow).where(RoundRow.consent_digest.is_not(None))
    seen: list[StandingTerms] = []
    for row in session.scalars(known.order_by(RoundRow.discovered_at.desc(), RoundRow.round_id).limit(_LISTED)):
        manifest = stored_manifest(row)
        terms = terms_of(node.code, manifest)
        if manifest.mode is not Mode.LISTS_AND_QUERIES or terms in seen:
            continue
        seen.append(terms)
        is_going = row.state == LocalRoundState.ACTIVE and row.phase not in ENDED_PHASES
        if not (is_going and takes_queries(manifest, node.clock())):
            until = submit_until(manifest, Kind.QUERY)
            yield QueryRound.of_fields(manifest, participants=_named(manifest), until=until)


def _named(manifest: Manifest) -> tuple[str, ...]:
    return tuple(one.party for one in manifest.participants)


def _entry(node: NodeContext, made: _Made, names: Mapping[str, str]) -> QueryEntry:
    row = made.row
    with node.rounds.reading(row.round_id) as round_:
        title = round_.manifest.title
        failed = row.state is SubmissionState.FAILED
        answer = AnswerState.NEVER if failed else answer_state(node.signer, round_, made.round, row.submission_id)
    why = {name: text for name, text in row.justification.items() if name != "officer"}
    return QueryEntry(
        submission_id=row.submission_id,
        round_id=row.round_id,
        round_title=title,
        name=made.imported.name if made.imported else "",
        persons=made.imported.records if made.imported else 0,
        asked_at=row.wished_at,
        state=row.state.value,
        answer=answer,
        reason=QueryReason.model_validate(why) if why else None,
        officer=made.officer,
        officer_name=names.get(made.officer, ""),
    )


def _hits(
    session: Session, row: SubmissionRow, said: Reported
) -> tuple[dict[int, list[QueryHit]], list[tuple[str, str]]]:
    """Return the hits of a query by their place in its list, and the keys of those that are not shown."""
    found: dict[int, list[QueryHit]] = {}
    of_query = HitRow.round_id == row.round_id, HitRow.submission_id == row.submission_id
    unseen = {(row.round_id, hit_id) for hit_id in session.scalars(select(HitRow.hit_id).where(*of_query))}
    query = (
        select(HitRow, HitStatusRow, ExchangeRow)
        .join(HitStatusRow, (HitStatusRow.round_id == HitRow.round_id) & (HitStatusRow.hit_id == HitRow.hit_id))
        .outerjoin(ExchangeRow, EXCHANGE_OF_HIT)
        .where(*of_query)
        .order_by(HitRow.counterpart, HitRow.hit_id)
    )
    for hit, life, exchange in session.execute(query):
        if not said.agrees(hit):
            continue
        unseen.discard((hit.round_id, hit.hit_id))
        found.setdefault(hit.position, []).append(
            QueryHit.model_validate(
                {
                    "hit_id": hit.hit_id,
                    "party": hit.counterpart,
                    "certainty": Level(hit.certainty),
                    "stage": Stage(life.stage),
                    "exchange": state_of(exchange),
                }
            )
        )
    return found, sorted(unseen)


def _persons(
    session: Session, row: SubmissionRow, table: RuleTable, found: Mapping[int, Sequence[QueryHit]]
) -> Iterator[QueriedPerson]:
    """Yield the persons of a query with their hits, in the order in which they were asked for."""
    records = select(RecordRow).where(RecordRow.import_id == row.import_id).order_by(RecordRow.position)
    for record in session.scalars(records):
        yield QueriedPerson(
            record_id=record.record_id,
            record=json.loads(record.content),
            compared=bool(record_inputs(Record.from_json(record.content), table)),
            hits=tuple(found.get(record.position, ())),
        )


@cache
def templates() -> tuple[QueryTemplate, ...]:
    """Return the templates in the order of the file."""
    content = tomllib.loads(resources.files(__package__).joinpath("templates.toml").read_text("utf-8"))
    return tuple(QueryTemplate.model_validate(one) for one in content["templates"])


def queried_parties(
    session: Session, signer: Signer, round_: Round, row: RoundRow, query: SubmissionRow
) -> Iterator[QueriedParty]:
    """Yield the state of the answer of each other party of a round's manifest.

    Args:
        query: The query; one that was given up at this node is answered by nobody.
    """
    submission_id, failed = query.submission_id, query.state is SubmissionState.FAILED
    verified, never = progress.verified(session, round_), progress.never_come(session, round_, signer.code)
    known = {one.party: one for one in party_answers(session, signer, round_, row, submission_id)}
    for participant in round_.manifest.participants:
        party, awaited = participant.party, Awaited.NOTHING
        if party == signer.code:
            continue
        if not round_.manifest.may_match(party, signer.code):
            state = QueriedPartyState.NOT_COMPARED
        elif failed or (submission_id, party) in never:
            state = QueriedPartyState.NEVER
        elif party in known:
            state = QueriedPartyState(known[party].state.value)
        elif round_.participants:
            state = QueriedPartyState.LEFT_OUT
        else:
            state = QueriedPartyState(answer_state(signer, round_, row, submission_id).value)
        if state is QueriedPartyState.AWAITED:
            awaited = _awaited(round_, signer.code, party, submission_id, verified)
        since = known[party].since if party in known and not failed else None
        yield QueriedParty(party=party, state=state, since=since, awaited=awaited)


def _awaited(round_: Round, code: str, party: str, submission_id: str, verified: Verified) -> Awaited:
    """Return the first step of a party that the answer rests on and that is known to be missing."""
    own = round_.list_of(party)
    if own is None:
        return Awaited.LIST
    sent = round_.submissions.get(submission_id)
    if sent is None or verified[submission_id, party] < len(sent.chunks):
        return Awaited.EVALUATIONS
    return Awaited.NOTHING if ColumnKey(own, code) in round_.tokens else Awaited.TOKENS


_OPEN = {QueriedPartyState.AWAITED, QueriedPartyState.ON_HOLD}


def query_progress(node: NodeContext, submission_id: str) -> QueryProgress:
    """Return the progress of a query of this node; raises NotFoundError if the node has no such query."""
    with node.store.reading("query.find") as session:
        row = session.get(SubmissionRow, submission_id)
        if row is None or row.kind != Kind.QUERY.value:
            raise NotFoundError("query_unknown")
        round_id = row.round_id
    exchanges = (
        select(ExchangeRow)
        .select_from(HitRow)
        .outerjoin(ExchangeRow, EXCHANGE_OF_HIT)
        .where(HitRow.round_id == round_id, HitRow.submission_id == submission_id)
    )
    with node.rounds.reading(round_id) as round_, node.store.reading("query.progress") as session:
        query, of_round = session.get_one(SubmissionRow, submission_id), round_row(session, round_id)
        parties = tuple(queried_parties(session, node.signer, round_, of_round, query))
        states = [state_of(exchange) for exchange in session.scalars(exchanges)]
        unconfirmed = states.count(UNCONFIRMED)
        return QueryProgress(
            state=query.state.value,
            parties=parties,
            hits=len(states),
            unconfirmed=unconfirmed,
            pending=of_round.state is LocalRoundState.ACTIVE
            and (unconfirmed > 0 or any(one.state in _OPEN for one in parties)),
        )
