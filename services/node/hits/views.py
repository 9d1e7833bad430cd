"""Analysts' views of hits: those of a round, and one hit with its history, its exchange, and its weights in the report.

Lists of hits are in `services.node.hits.review`. A submission is answered when its report is here (PROTOCOL.md 3.7.4):
before that nothing is known of its persons, and only then is a missing hit a no-hit.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import func, literal, select
from sqlalchemy.orm import Session

from aquila.audit.entries import EntryKind, Word
from aquila.audit.roles import Action
from aquila.followup.lifecycle import LifecycleStepKind
from aquila.interface import hits as forms
from aquila.interface.rounds import (
    AnswerState,
    AnswerView,
    Awaited,
    AwaitedStep,
    ChanceView,
    ExchangeView,
    Hits,
    IntelligenceView,
    NoteView,
    OwnHit,
    SubmissionState,
)
from aquila.interface.sentence import SentenceView
from aquila.matching.certainty import strongest_parts
from aquila.matching.corroboration import corroboration_table
from aquila.matching.weights import strangers_bits, weights_of
from aquila.protocol.messages import Fault, HitReport, Kind, StatementKind
from aquila.protocol.rounds.exchange import grading_basis_on, signed_sizes
from aquila.protocol.rounds.verified_round import ERASED, Round
from aquila.records.rules import CENTIBITS, Part, Rule, RuleTable, mask_of
from aquila.sentences import Sentence
from services.kit.actor import Actor
from services.kit.log.entries import Journal
from services.kit.people.accounts import names_of
from services.node.context import NodeContext, Signer
from services.node.hits import lifecycle
from services.node.hits.letter import conditions_of
from services.node.hits.notes import CONFIRMED, REFUTED, handling_of_note, references, state_of
from services.node.round_memory import ReportFacts, round_row
from services.node.rounds import party_answers, progress, statements
from services.node.rounds.reported_hits import problems_of, reported
from services.node.rounds.views import problems
from services.node.storage.imports import name_counts
from services.node.storage.tables import (
    EXCHANGE_OF_HIT,
    RECORD_OF_HIT,
    ExchangeRow,
    HitRow,
    HitStatusRow,
    HitStepRow,
    RecordRow,
    RoundRow,
    StatementRow,
    SubmissionRow,
    WithdrawalRow,
)

_NAMED_HITS = 32


def hits(node: NodeContext, actor: Actor, round_id: str) -> Hits:
    """Return the hits of a round, each with the node's own record: a consultation, which is logged."""
    with node.rounds.reading(round_id) as round_, node.store.transaction("round.hits") as session:
        table, said = node.table_of(round_.manifest), reported(node.rounds, node.code, round_id)
        query = (
            select(HitRow, RecordRow.content, ExchangeRow)
            .outerjoin(RecordRow, RECORD_OF_HIT)
            .outerjoin(ExchangeRow, EXCHANGE_OF_HIT)
        )
        order = HitRow.counterpart, HitRow.record_id, HitRow.hit_id
        found = session.execute(query.where(HitRow.round_id == round_id).order_by(*order)).all()
        found = [one for one in found if said.agrees(one[0])]
        ids = select(HitRow.hit_id).where(HitRow.round_id == round_id)
        unseen = set(session.scalars(ids)) - {hit.hit_id for hit, *_ in found}
        log_consultation(session, node.journal, actor, round_id, [row.hit_id for row, *_ in found])
        row = round_row(session, round_id)
        answered = tuple(answers(session, node.signer, round_, row))
        awaits = any(answer.state is AnswerState.AWAITED for answer in answered)
        return Hits(
            round_id=round_id,
            phase=row.phase,
            answers=answered,
            awaited=tuple(awaited_steps(session, node.signer, round_)) if awaits else (),
            hits=tuple(_own_hit(*one, table) for one in found),
            chance=tuple(chances(node, session, round_)),
            problems=(
                *problems_of(session, {round_id: said}, [(round_id, hit) for hit in unseen]),
                *problems(session, row),
            ),
        )


def log_consultation(
    session: Session,
    journal: Journal,
    actor: Actor,
    round_id: str,
    hit_ids: list[str],
    action: Action = Action.SEE_HITS,
) -> None:
    """Log a look at hits: their number, a digest over all their ids, and the ids where they are few."""
    ids = {f"hit_{number}": hit_id for number, hit_id in enumerate(sorted(hit_ids), start=1)}
    journal.log(
        session,
        EntryKind.CONSULTATION,
        (actor, action),
        round=round_id,
        counts={"hits": len(hit_ids)},
        digests={"hits": hashlib.sha256("".join(sorted(hit_ids)).encode()).hexdigest()},
        ids={"of": Word.HITS} | (ids if len(ids) <= _NAMED_HITS else {}),
    )


def _own_hit(row: HitRow, content: bytes | None, exchange: ExchangeRow | None, table: RuleTable) -> OwnHit:
    words, record = dict(table.families), json.loads(content) if content else {}
    return OwnHit.of_fields(
        row,
        families=tuple(row.families),
        sentences=tuple(words.get(family, family) for family in row.families),
        record=record,
        exchange=exchange_view(exchange, record, table),
    )


def hit_view(node: NodeContext, actor: Actor, round_id: str, hit_id: str) -> forms.HitView:
    """Return one hit with its history, without what lists say of it; that a person looked at it is logged."""
    with node.rounds.reading(round_id) as round_, node.store.transaction("hit.show") as session:
        hit = lifecycle.hit_row(session, round_id, hit_id)
        reported(node.rounds, node.code, round_id).check(hit)
        table = node.table_of(round_.manifest)
        log_consultation(session, node.journal, actor, round_id, [hit_id])
        life = lifecycle.lifecycle_of(session, hit)
        code, exchange = hit.handling_code, session.get(ExchangeRow, (round_id, hit_id))
        status = lifecycle.status_row(session, hit)
        [entry] = with_records(session, [(hit, status)], node.clock())
        graded_by, strangers = weights(node, session, round_, hit, exchange)
        place = hit.import_id, hit.position
        view = forms.HitView.of_fields(
            life,
            entry=entry,
            families=tuple(hit.families),
            sentences=why(hit.families, exchange, table),
            submission_id=hit.submission_id,
            handling_code=code,
            received=forms.ReceivedView.of_fields(life.received) if life.received else None,
            blocked_by=life.blocked_by(code),
            conditions=conditions_of([code, handling_of_note(exchange)]),
            possible=life.possible(),
            history=history_of(session, hit),
            withdrawals=tuple(withdrawals_of(session, node.code, hit)),
            exchange=exchange_view(exchange, entry.record, table),
            knows_indicators=node.has_indicators_of(round_.manifest),
            chance=_chance(node, session, round_, hit),
            earlier=_earlier(session, status),
            case=tuple(_case(session, hit)),
            weights=graded_by,
            strangers_centibits=strangers,
        )
    with node.store.reading("hit.names") as session:  # a list is counted: neither the round nor a writer waits for it
        own_names, own_records = name_counts(session, *place)
    return view.model_copy(update={"own_names": own_names, "own_records": own_records})


def with_records(session: Session, rows: Sequence[tuple[HitRow, HitStatusRow]], now: int) -> Iterator[forms.HitEntry]:
    """Yield hits with own records, which are read for these hits alone."""
    for hit, life in rows:
        record = session.get(RecordRow, (hit.import_id, hit.position))
        yield entry_of(hit, life, record.content if record else None, now)


def entry_of(hit: HitRow, life: HitStatusRow, content: bytes | None, now: int) -> forms.HitEntry:
    """Return a hit as a list shows it. There is no content where the list of the own record was deleted."""
    return forms.HitEntry.of_fields(
        life,
        counterpart=hit.counterpart,
        certainty=hit.certainty,
        overdue=life.due_at is not None and life.due_at < now,
        record_id=hit.record_id,
        record=json.loads(content) if content else {},
        assignee=life.assignee or "",
    )


def query_of(code: str, round_: Round, submission_id: str | None) -> forms.HitQuery | None:
    """Return the query that a hit comes from; None of a hit between lists, or where its asker was left out."""
    query = round_.submissions.get(submission_id or "")
    if query is None:
        return None
    why = query.justification
    reason = None if why == ERASED else forms.QueryReason(**why.model_dump(exclude={"officer"}))
    return forms.HitQuery(asker=query.party, own=query.party == code, reason=reason)


def _earlier(session: Session, status: HitStatusRow) -> forms.HitKey | None:
    """Return the hit whose decision one carries, unless it is erased."""
    if status.earlier_round_id is None or status.earlier_hit_id is None:
        return None
    key = forms.HitKey(round_id=status.earlier_round_id, hit_id=status.earlier_hit_id)
    return key if session.get(HitRow, (key.round_id, key.hit_id)) is not None else None


def _chance(node: NodeContext, session: Session, round_: Round, hit: HitRow) -> forms.ChanceOfHit | None:
    """Return the number of hits like this one expected by chance; None if its report is gone."""
    for said in chances(node, session, round_):
        if (said.counterpart, said.submission_id) == (hit.counterpart, hit.submission_id):
            alike = select(func.count()).where(
                HitRow.round_id == hit.round_id,
                HitRow.counterpart == hit.counterpart,
                HitRow.certainty == hit.certainty,
                HitRow.submission_id.is_not_distinct_from(hit.submission_id),
            )
            return forms.ChanceOfHit(
                hits=session.scalar(alike) or 0, expected=said.chance_hits.model_dump()[hit.certainty]
            )
    return None


def _case(session: Session, hit: HitRow) -> Iterator[forms.CaseLine]:
    """Yield the confirmed hits of lists on the own record of a hit, by counterpart."""
    mine = HitRow.round_id == hit.round_id, HitRow.import_id == hit.import_id, HitRow.position == hit.position
    query = select(ExchangeRow).join(HitRow, EXCHANGE_OF_HIT).where(*mine, HitRow.submission_id.is_(None))
    ordered = query.order_by(ExchangeRow.counterpart, ExchangeRow.hit_id)
    rows = [row for row in session.scalars(ordered) if state_of(row) == CONFIRMED]
    known = {row.counterpart for row in rows}
    for row in rows:
        own, other = references(row)
        also = tuple((party, line[1]) for party, line in (row.their_third or {}).items() if party in known)
        yield forms.CaseLine.of_fields(row, own_reference=own, reference=other, state=row.their_state, also=also)


def history_of(session: Session, hit: HitRow) -> tuple[forms.StepView, ...]:
    steps = lifecycle.steps_of(session, hit)
    assigned = [step.reference for step in steps if step.kind == LifecycleStepKind.ASSIGNED]
    names = names_of(session, [*(step.person for step in steps), *assigned])
    return tuple(_step_view(step, names) for step in steps)


def _step_view(row: HitStepRow, names: Mapping[str, str]) -> forms.StepView:
    assigned = row.kind == LifecycleStepKind.ASSIGNED
    return forms.StepView.of_fields(
        row, name=names.get(row.person, ""), to=names.get(row.reference, "") if assigned else ""
    )


def withdrawals_of(session: Session, code: str, hit: HitRow) -> Iterator[forms.WithdrawalView]:
    """Yield withdrawals by either party with their delivery state."""
    query = select(WithdrawalRow).where(WithdrawalRow.round_id == hit.round_id, WithdrawalRow.hit_id == hit.hit_id)
    for row in session.scalars(query.order_by(WithdrawalRow.withdrawal_id)):
        statement = session.get(StatementRow, (row.round_id, row.digest)) if row.digest else None
        told = statement is not None and statement.sent
        state = forms.WithdrawalState.TOLD if told else forms.WithdrawalState.WAITING
        if row.acknowledged_at is not None:
            state = forms.WithdrawalState.ACKNOWLEDGED
        yield forms.WithdrawalView.of_fields(row, by=code if row.own else row.counterpart, state=state)


def answers(session: Session, signer: Signer, round_: Round, row: RoundRow) -> Iterator[AnswerView]:
    """Yield the answer to this node's list, whether or not it was submitted, then those to its queries."""
    yield _answer_of(session, signer, round_, row, None)
    queries = select(SubmissionRow.submission_id).where(
        SubmissionRow.round_id == round_.round_id,
        SubmissionRow.kind == Kind.QUERY.value,
        SubmissionRow.state != SubmissionState.FAILED,
    )
    for query in session.scalars(queries.order_by(SubmissionRow.wished_at, SubmissionRow.submission_id)):
        yield _answer_of(session, signer, round_, row, query)


def awaited_steps(session: Session, signer: Signer, round_: Round) -> Iterator[AwaitedStep]:
    """Yield the pending steps of a round by party; the matcher's, if both columns of a pair came and no report did."""
    for one in progress.parties(session, signer.code, round_, progress.verified(session, round_), signer.clock()):
        if one.awaited not in {Awaited.NOTHING, Awaited.RECEIPT}:
            yield AwaitedStep(party=one.party, step=one.awaited)
    if progress.awaits_report(round_, signer.code):
        yield AwaitedStep(party=None, step=Awaited.REPORT)


def rounds_without_report(session: Session, round_id: str | None) -> int:
    """Return how many rounds, or whether the one named, this party consented to and has no report of."""
    # The kind is written out, because only then a database knows that the index of these receipts has them all.
    receipt = StatementRow.own, StatementRow.kind == literal(StatementKind.RECEIPT.value, literal_execute=True)
    acknowledged = select(StatementRow.round_id).where(StatementRow.round_id == RoundRow.round_id, *receipt)
    query = select(func.count()).select_from(RoundRow).where(RoundRow.consent_digest.is_not(None))
    query = query.where(RoundRow.hits_erased_at.is_(None), ~acknowledged.exists())
    return session.scalar(query.where(RoundRow.round_id == round_id) if round_id else query) or 0


def _answer_of(session: Session, signer: Signer, round_: Round, row: RoundRow, query: str | None) -> AnswerView:
    return AnswerView(
        kind=Kind.QUERY if query else Kind.LIST,
        submission_id=query or round_.list_of(signer.code),
        state=party_answers.answer_state(signer, round_, row, query),
        parties=party_answers.party_answers(session, signer, round_, row, query),
    )


def chances(node: NodeContext, session: Session, round_: Round) -> Iterator[ChanceView]:
    """Return the expected chance hits from this node's reports, for the lists first."""
    return (facts.chance for facts in _reports(node, session, round_) if facts.chance)


def weights(
    node: NodeContext, session: Session, round_: Round, hit: HitRow, exchange: ExchangeRow | None
) -> tuple[tuple[forms.WeightView, ...], int | None]:
    """Return the weights by which a confirmed hit was graded, and how many pairs of strangers agree like it.

    Returns:
        No weights and None where its rules or its report are not known; the number as hundredths of its log2.
    """
    rules, table = (exchange.rules if exchange else None) or (), node.table_of(round_.manifest)
    if state_of(exchange) != CONFIRMED or not {*rules} <= {rule.number for rule in table.rules}:
        return (), None
    place = hit.counterpart, hit.submission_id
    pages = [facts for facts in _reports(node, session, round_) if (facts.counterpart, facts.query) == place]
    basis = next((facts.basis for facts in pages), None)
    if basis is None or not rules:
        return (), None
    mask = mask_of(rules)
    second = any(hit.hit_id in page.second for page in pages)  # which page of the report has it
    found = weights_of(table, mask, basis, second=second)
    return tuple(map(forms.WeightView.of_fields, found)), round(CENTIBITS * strangers_bits(table, mask, basis))


def _reports(node: NodeContext, session: Session, round_: Round) -> Iterator[ReportFacts]:
    """Yield the facts of this node's reports, for the lists first; each is read once, and kept in memory."""
    round_id = round_.round_id
    known = node.rounds.of(round_id).reports
    mine = StatementRow.round_id == round_id, StatementRow.kind == StatementKind.HIT_REPORT.value
    for digest in session.scalars(select(StatementRow.digest).where(*mine).order_by(StatementRow.event_id)).all():
        if digest not in known:
            known[digest] = _read_report(node, round_, session.get_one(StatementRow, (round_id, digest)).envelope)
        yield known[digest]


def _read_report(node: NodeContext, round_: Round, envelope: bytes) -> ReportFacts:
    report = statements.message_of(statements.open_statement(node.registry, envelope))
    if not isinstance(report, HitReport) or report.party != node.code:
        return ReportFacts()
    place = {"counterpart": report.counterpart, "submission_id": report.submission_id}
    return ReportFacts(
        counterpart=report.counterpart,
        query=report.submission_id,
        # Each page says the same.
        chance=ChanceView(chance_hits=report.basis.chance_hits, **place) if report.is_complete else None,
        basis=grading_basis_on(report, signed_sizes(round_, report)),
        second=frozenset(hit.hit_id for hit in report.hits if hit.second),
    )


def exchange_view(row: ExchangeRow | None, record: Mapping[str, Any], table: RuleTable) -> ExchangeView:
    """Return the part of a hit's exchange that a person may see."""
    state = state_of(row)
    shown = row if state == CONFIRMED else None
    met = _met(shown, table)
    note = _note(shown.note) if shown is not None and shown.note else None
    return ExchangeView(
        state=state,
        sentence=SentenceView.of(_sentence(row, state)),
        blamed_by=row.blamed_by if row else None,
        reference=row.reference if row else None,
        rules=tuple(rule.sentence for rule in met),
        parts=tuple(tuple(part.name for part in rule.parts) for rule in met),
        note=note,
        intelligence=_intelligence(record, note) if note else None,
    )


def _sentence(row: ExchangeRow | None, state: str) -> Sentence:
    if row is None:
        return Sentence.of("neither_note_verified")
    if state == REFUTED:
        return Fault(row.fault or "").sentence
    if state == CONFIRMED:
        return Sentence.of("both_notes_verified")
    if row.verified:
        return Sentence.of("own_note_not_verified")
    return Sentence.of("note_awaited" if row.accepted else "neither_note_verified")


def why(families: Sequence[str], row: ExchangeRow | None, table: RuleTable) -> tuple[str, ...]:
    """Return why two records hit, in words: of a confirmed hit what agrees in each family, else which families do."""
    words = dict(table.families)
    agreeing = tuple(part.sentence for part in agreeing_parts(row, table))
    return agreeing or tuple(words.get(name, name) for name in families)


def agreeing_parts(row: ExchangeRow | None, table: RuleTable) -> tuple[Part, ...]:
    """Return the part of each family that agrees most strongly, of a confirmed hit; of others nothing is known."""
    return strongest_parts(_met(row, table)) if state_of(row) == CONFIRMED else ()


def _met(row: ExchangeRow | None, table: RuleTable) -> tuple[Rule, ...]:
    numbers = set(row.rules or ()) if row else set()
    return tuple(rule for rule in table.rules if rule.number in numbers)


def _note(content: Mapping[str, Any]) -> NoteView:
    codes = content["source_evaluation"], content["information_evaluation"]
    return NoteView(
        evaluation=_evaluation(*codes) or "",
        handling_code=content["handling_code"],
        category=content["category"],
        indicators=tuple(content.get("indicators") or ()),
        reference=content["reference"],
        contact=content["contact"],
    )


def _evaluation(source: str | None, information: str | None) -> str | None:
    return source + information if source and information else None


def _intelligence(record: Mapping[str, Any], note: NoteView) -> IntelligenceView:
    table = corroboration_table()
    own = _evaluation(record.get("source_evaluation"), record.get("information_evaluation"))
    return IntelligenceView.of_fields(table.apply(own, note.evaluation or None), assumption=table.assumption)
