"""Statements of counterparts about hits, and what follows: notes, confirmations, withdrawals, acknowledgements.

What this node says itself is signed by `services.node.steps`.
"""

import contextlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from aquila.audit.entries import EntryKind
from aquila.errors import OrderError
from aquila.followup.lifecycle import Ground, LifecycleStep, LifecycleStepKind, Stage, is_late
from aquila.matching.certainty import Level
from aquila.protocol import messages
from aquila.protocol.log_entries import statement_entry
from aquila.records.indicators import MOST_INDICATORS
from aquila.sentences import Sentence
from aquila.sentences.sentence import dumps
from services.kit.log import entries
from services.kit.log.entries import Journal
from services.kit.logging import Log
from services.node.context import Clock, NodeContext
from services.node.hits import lifecycle
from services.node.rounds import statements
from services.node.storage.tables import (
    STATUS_OF_HIT,
    ErasedOutcomeCountRow,
    ExchangeRow,
    HitRow,
    HitStatusRow,
    NoteBatchRow,
    ProblemRow,
    WithdrawalRow,
)

_LOG = Log("node.notes")
UNCONFIRMED, CONFIRMED, REFUTED = "unconfirmed", "confirmed", "refuted"
_AT_ONCE = 500
_SOON = 300  # seconds, in which most batches of notes of a round come
_LONGEST = 60


def state_of(row: ExchangeRow | None) -> str:
    """Return whether a hit is unconfirmed, confirmed or refuted (PROTOCOL.md 3.7.8)."""
    if row is None:
        return UNCONFIRMED
    if row.fault is not None:
        return REFUTED
    return CONFIRMED if row.verified and row.accepted else UNCONFIRMED


def references(row: ExchangeRow | None) -> tuple[str, str]:
    """Return this party's own number of a hit and the counterpart's; both empty where the hit is not confirmed."""
    if row is None or not row.note or state_of(row) != CONFIRMED:
        return "", ""
    return row.reference, row.note["reference"] or ""


def handling_of_note(row: ExchangeRow | None) -> str | None:
    """Return the handling code of the counterpart's note, which binds this side as soon as it is known here."""
    return row.note.get("handling_code") if row is not None and row.note else None


def draw_reference(code: str, random: Callable[[int], bytes]) -> str:
    """Return a random number of an own hit, which names neither person nor record."""
    drawn = random(6).hex().upper()
    return f"{code}-{drawn[:4]}-{drawn[4:8]}-{drawn[8:]}"


def note_of(
    node: NodeContext, manifest: messages.Manifest, record: Mapping[str, Any], reference: str, told: str
) -> messages.Note:
    """Return the note on a record of this node; for a record that is gone it holds only the reference."""
    codes = node.indicators.known(record.get("indicators", ())) if node.has_indicators_of(manifest) else ()
    contact = node.settings.contact or node.settings.name
    return messages.Note(
        source_evaluation=record.get("source_evaluation"),
        information_evaluation=record.get("information_evaluation"),
        handling_code=record.get("handling_code"),
        category=_text(record.get("category")) or None,
        indicators=codes[:MOST_INDICATORS] or None,
        reference=reference,
        contact=_text(contact) or node.code,
        report=told,
    )


def _text(value: str | None) -> str:
    """Return a text as a note can hold it: one line, not too long."""
    return "".join(letter for letter in value or "" if letter.isprintable())[:_LONGEST]


def exchange_rows(session: Session, round_id: str, hit_ids: Collection[str]) -> dict[str, ExchangeRow]:
    """Return the rows of some hits by their ids; those that were not reported here are left out."""
    ids, found = sorted(set(hit_ids)), dict[str, ExchangeRow]()
    for first in range(0, len(ids), _AT_ONCE):
        some = ExchangeRow.hit_id.in_(ids[first : first + _AT_ONCE])
        rows = session.scalars(select(ExchangeRow).where(ExchangeRow.round_id == round_id, some))
        found |= {row.hit_id: row for row in rows}
    return found


def keep_note(row: ExchangeRow, note: messages.Note, rules: Iterable[int], manifest: messages.Manifest) -> None:
    """Store the contents of a verified note; it is shown when the hit is confirmed.

    Codes that the manifest names no table of are passed over: this node would show them in words of its own.
    """
    row.verified, row.rules = True, list(rules)
    row.note = note.model_dump(mode="json", exclude={"report"} | ({"indicators"} if not manifest.indicators else set()))


def forget_note(session: Session, round_id: str, hit_id: str) -> None:
    """Erase what a counterpart told of a hit whose record is erased there; a note still in transit stays sealed."""
    row = session.get(ExchangeRow, (round_id, hit_id))
    if row is not None:
        row.note = row.opening = row.their_state = row.told_at = row.their_third = None


def apply_notes(session: Session, message: messages.Notes, digest: str) -> None:
    """Remember a counterpart's batch, in the transaction that takes its statement; a step of the driver opens it."""
    session.add(
        NoteBatchRow(
            round_id=message.round_id,
            counterpart=message.party,
            submission_id=message.submission_id or "",
            index=message.index,
            own=False,
            hits=[],
            digest=digest,
        )
    )


def apply_confirmation(session: Session, journal: Journal, message: messages.Confirmation) -> None:
    """Take what a counterpart found in this node's notes, in the transaction that takes its statement."""
    mine = NoteBatchRow.round_id == message.round_id, NoteBatchRow.own, NoteBatchRow.digest == message.notes
    batch = session.scalars(select(NoteBatchRow).where(*mine)).first()
    if batch is None or batch.counterpart != message.party or batch.done:
        problem = Sentence.of("confirms_notes_not_sent", party=message.party)
        statements.report_problem(
            session, journal.clock, message.round_id, f"confirmation {message.notes[:16]}", problem
        )
        return
    batch.done = True
    rows = exchange_rows(session, message.round_id, batch.hits)
    refuted = {hit.hit_id: hit.fault for hit in message.refuted if hit.hit_id in rows}
    for fault in sorted(set(refuted.values())):
        refute(session, journal, [rows[h] for h, found in refuted.items() if found is fault], fault, message.party)
    accepted = [row for hit_id, row in rows.items() if hit_id not in refuted]
    for row in accepted:
        row.accepted = True
    record_confirmation(session, journal, message.round_id, accepted)


def refute(session: Session, journal: Journal, rows: Sequence[ExchangeRow], fault: messages.Fault, party: str) -> None:
    """Mark hits as refuted, and report it to the operator and in the log; the first finding is kept."""
    fresh = [row for row in rows if row.fault is None]
    for row in fresh:
        row.fault, row.blamed_by, row.note, row.rules = fault.value, party, None, None
    for counterpart, count in sorted(Counter(row.counterpart for row in fresh).items()):
        round_id = fresh[0].round_id
        alike = ExchangeRow.counterpart == counterpart, ExchangeRow.fault == fault.value, ExchangeRow.blamed_by == party
        total = session.scalar(select(func.count()).where(ExchangeRow.round_id == round_id, *alike))
        code = "hits_refuted_here" if party == journal.code else "hits_refuted_by_counterpart"
        problem = Sentence.of(code, counterpart=counterpart, party=party, hits=total or 0, fault=fault.sentence)
        statements.report_problem(
            session, journal.clock, round_id, f"refuted {counterpart} {fault.value} {party}", problem
        )
        journal.log(session, EntryKind.HIT_REFUTED, round=round_id, recipient=counterpart, counts={fault.value: count})


def report_hidden(session: Session, journal: Journal, batch: NoteBatchRow, hits: int) -> None:
    """Report that the matcher hid hits from this node, as a counterpart's notes show."""
    problem = Sentence.of("hits_hidden_by_matcher", counterpart=batch.counterpart, hits=hits)
    statements.report_problem(session, journal.clock, batch.round_id, f"hidden {batch.digest}"[:200], problem)
    journal.log(
        session,
        EntryKind.HIT_REFUTED,
        round=batch.round_id,
        recipient=batch.counterpart,
        counts={messages.Fault.UNREPORTED.value: hits},
    )


def record_confirmation(session: Session, journal: Journal, round_id: str, rows: Iterable[ExchangeRow]) -> None:
    """Put into the log how many hits are confirmed by now, of those that just got the other half."""
    confirmed = Counter(row.counterpart for row in rows if state_of(row) == CONFIRMED)
    for counterpart, count in sorted(confirmed.items()):
        journal.log(session, EntryKind.HIT_CONFIRMED, round=round_id, recipient=counterpart, counts={"hits": count})
        _LOG.info("hits_confirmed", round=round_id, counterpart=counterpart, count=count)
    if confirmed:
        lifecycle.tell_later(session, journal.clock, round_id, _SOON)


def report_late(journal: Journal, round_id: str) -> bool:
    """Report once which counterparts have unconfirmed hits after the round's time; return whether that was new."""
    unconfirmed = ExchangeRow.fault.is_(None), ~(ExchangeRow.verified & ExchangeRow.accepted)
    query = select(ExchangeRow.counterpart, func.count()).where(ExchangeRow.round_id == round_id, *unconfirmed)
    new = False
    with journal.store.transaction("exchange.late") as session:
        for counterpart, count in session.execute(query.group_by(ExchangeRow.counterpart)).all():
            problem = Sentence.of("hits_unconfirmed", counterpart=counterpart, hits=count)
            known = session.get(ProblemRow, (round_id, f"unconfirmed {counterpart}"))
            if known is None or known.sentence != dumps(problem):
                statements.report_problem(session, journal.clock, round_id, f"unconfirmed {counterpart}", problem)
                new = True
    return new


def apply_withdrawal(session: Session, journal: Journal, message: messages.Withdrawal, digest: str) -> None:
    """Mark the hits that a counterpart withdraws, in the transaction that takes its statement.

    The acknowledgement is signed by a step of the driver. Hits that this node does not hold are counted as unknown
    there, and shown: they may be erased here already, or the counterpart is wrong.
    """
    now, unknown = journal.clock(), 0
    entries.append(session, statement_entry(message, digest, now))
    for hit_id in message.hits:
        hit, life = (session.get(table, (message.round_id, hit_id)) for table in (HitRow, HitStatusRow))
        known, late = False, False
        if isinstance(hit, HitRow) and isinstance(life, HitStatusRow) and hit.counterpart == message.party:
            known, late = True, is_late(life.arrived_at, now)
            with contextlib.suppress(OrderError):  # this party withdrew it first: there is no more to mark
                step = LifecycleStep(LifecycleStepKind.WITHDRAWN, now, message.party, message.ground.value)
                lifecycle.apply_step(session, journal, hit, step, None)
            if message.ground is Ground.ERASED:
                forget_note(session, message.round_id, hit_id)
        unknown += not known
        session.add(
            WithdrawalRow(
                round_id=message.round_id,
                hit_id=hit_id,
                counterpart=message.party,
                own=False,
                ground=message.ground.value,
                late=late,
                at=now,
                known=known,
                digest=digest,
            )
        )
    if unknown:
        problem = Sentence.of("withdraws_unknown_hits", party=message.party, hits=unknown)
        statements.report_problem(session, journal.clock, message.round_id, f"withdrawal {digest[:16]}", problem)
    _LOG.info("withdrawal_taken", round=message.round_id, counterpart=message.party, count=len(message.hits))


def apply_acknowledgement(session: Session, clock: Clock, message: messages.Acknowledgement, digest: str) -> None:
    """Note that a counterpart has marked what this node withdrew."""
    own = WithdrawalRow.own & (WithdrawalRow.digest == message.withdrawal)
    session.execute(update(WithdrawalRow).where(own).values(acknowledged_at=clock()))
    entries.append(session, statement_entry(message, digest, clock()))
    _LOG.info("withdrawal_acknowledged", round=message.round_id, counterpart=message.party, count=message.hits)


def outcome_of(stage: str, outcome: str | None) -> str:
    """Return as what a hit counts: its outcome once closed, withdrawn, or open."""
    if stage == Stage.WITHDRAWN:
        return "withdrawn"
    return outcome or "open"


def outcomes_of(session: Session, round_id: str, held: Collection[str] = ()) -> list[messages.PairOutcomes]:
    """Return the outcomes of a round's hits so far, erased ones included, by counterpart and level.

    Hits of the queries in `held` are left out, because no receipt says yet that this node has them.
    """
    counts: Counter[tuple[str, str, str]] = Counter()
    lived = (
        select(HitRow.counterpart, HitRow.certainty, HitStatusRow.stage, HitStatusRow.outcome, func.count())
        .join(HitStatusRow, STATUS_OF_HIT)
        .where(HitRow.round_id == round_id, HitRow.submission_id.is_(None) | HitRow.submission_id.not_in(held))
        .group_by(HitRow.counterpart, HitRow.certainty, HitStatusRow.stage, HitStatusRow.outcome)
    )
    for counterpart, certainty, stage, outcome, hits in session.execute(lived):
        counts[counterpart, certainty, outcome_of(stage, outcome)] += hits
    for row in session.scalars(select(ErasedOutcomeCountRow).where(ErasedOutcomeCountRow.round_id == round_id)):
        counts[row.counterpart, row.certainty, row.outcome] += row.hits
    counterparts = sorted({counterpart for counterpart, _, _ in counts})
    return [messages.PairOutcomes(counterpart=other, levels=tuple(_levels(counts, other))) for other in counterparts]


def _levels(counts: Counter[tuple[str, str, str]], counterpart: str) -> list[messages.LevelOutcomes]:
    words = ("confirmed", "refuted", "unresolved", "withdrawn", "open")
    found = [
        messages.LevelOutcomes(certainty=level, **{word: counts[counterpart, level.value, word] for word in words})
        for level in sorted(Level)
    ]
    return [one for one in found if one.total]
