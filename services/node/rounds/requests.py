"""Requests of people: stored at once, done by the driver. `approvals` stores those that need dual control."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from aquila.audit.entries import EntryKind, Word
from aquila.audit.roles import Action
from aquila.errors import OrderError, PolicyError
from aquila.interface.rounds import ConsentRequest, SubmissionState
from aquila.protocol.messages import ClassCounts, Justification, Kind, Manifest, Mode
from aquila.protocol.registration.templates import check_template
from aquila.protocol.rounds.round_state import ENDED_PHASES, Phase
from aquila.protocol.rounds.verified_round import Round
from aquila.protocol.submissions.caps import elements_for
from aquila.protocol.submissions.column_sizes import PLANNED_QUERIES
from aquila.records.conformance import normalizer_reference
from aquila.sentences import Sentence
from aquila.sentences.sentence import loads
from services.kit.actor import Actor
from services.kit.log.entries import Journal
from services.node.context import Clock, NodeContext
from services.node.round_memory import RoundMemories, round_row
from services.node.rounds import work
from services.node.rounds.own_reports import on_hold
from services.node.storage.imports import complete_import
from services.node.storage.states import LocalRoundState
from services.node.storage.tables import ImportRow, RoundRow, SubmissionRow

_RECORDS, _QUERIES = 1_000, 100
"""What a consent is for at least where its officer says nothing: a list of so many records, and so many queries."""


def manifest_problem(node: NodeContext, manifest: Manifest) -> Sentence | None:
    """Return the obstacle to this node's participation in a round, or None if there is none (3.3.1, 11.6, 11.10)."""
    left = {one.party for one in manifest.participants} - set(node.registry.present())
    if left:
        return Sentence.of("manifest_names_left_party", parties=", ".join(sorted(left)))
    pinned = node.registry.key_of
    former = {one.party for one in manifest.participants if pinned(one.party).fingerprint != one.identity_fingerprint}
    if former:
        return Sentence.of("manifest_names_replaced_key", parties=", ".join(sorted(former)))
    try:
        node.party.check_manifest(manifest, node.table_of(manifest), normalizer_reference())
        check_template(manifest, node.templates)
    except PolicyError as error:
        return error.sentence
    if manifest.indicators is not None and manifest.indicators.digest != node.indicators.digest:
        return Sentence.of("node_indicators_differ", table=manifest.indicators.name)
    return None


def has_consented(row: RoundRow) -> bool:
    """Return whether this node has consented to a round, or will when the driver comes to it."""
    return row.consent_digest is not None or row.consent_wished


def is_consent_due(row: RoundRow) -> bool:
    """Return whether two persons want a consent that is not signed yet."""
    return row.consent_wished and row.consent_digest is None


def late_consent(round_: Round, now: int) -> Sentence | None:
    """Return why a round takes no consent at a time, or None."""
    if round_.phase is not Phase.PROPOSED:
        return Sentence.of("consents_over")
    return Sentence.of("time_for_consent_is_over") if now > consent_until(round_.manifest) else None


def consent_until(manifest: Manifest) -> int:
    """Return until when a round takes consents; seconds since 1970."""
    return manifest.window.consent_by


def submit_until(manifest: Manifest, kind: Kind) -> int:
    """Return until when a round takes a list, or a query; seconds since 1970."""
    return manifest.window.submit_by if kind is Kind.LIST else manifest.window.closes_at


def may_lock(round_: Round, own: str, now: int) -> bool:
    """Return whether a round takes the Locks of this node, which it does not have yet."""
    return own not in round_.locks and now <= submit_until(round_.manifest, Kind.LIST)


def deadlines(manifest: Manifest) -> tuple[int, ...]:
    """Return the times after which a round takes fewer steps; seconds since 1970."""
    window = manifest.window
    return window.consent_by, window.submit_by, window.evaluate_by, window.closes_at


def check_submission_time(round_: Round, kind: Kind, now: int) -> None:
    """Refuse to request, begin or sign a submission after its deadline by our own clock."""
    if now > submit_until(round_.manifest, kind):
        raise OrderError("submission_time_over", round=round_.round_id)


def rounds_with_list() -> Select[str]:
    """Return a query for the rounds in which this node has a list that was not given up; a round takes one of each."""
    return select(SubmissionRow.round_id).where(
        SubmissionRow.kind == Kind.LIST.value, SubmissionRow.state != SubmissionState.FAILED
    )


def queries_are_used_up(session: Session, round_id: str) -> bool:
    """Return whether a round takes no further query of this node (3.4.1); those that were given up do not count."""
    query = select(func.count()).where(
        SubmissionRow.round_id == round_id,
        SubmissionRow.kind == Kind.QUERY.value,
        SubmissionRow.state != SubmissionState.FAILED,
    )
    return (session.scalar(query) or 0) >= PLANNED_QUERIES


def check_consent(node: NodeContext, session: Session, round_: Round) -> RoundRow:
    """Refuse a consent that could not be signed now, and return the round's row."""
    row = _active(session, round_.round_id)
    if has_consented(row):
        raise OrderError("node_already_consented", round=row.round_id)
    problem = manifest_problem(node, round_.manifest)
    if problem:
        raise PolicyError("round_cannot_be_consented_to", round=row.round_id, reason=problem)
    if late_consent(round_, node.clock()):
        raise OrderError("consents_over", round=row.round_id)
    return row


def request_consent(node: NodeContext, session: Session, round_: Round, declared: ClassCounts) -> None:
    """Store that two persons consent, and what they declare; raises as `check_consent` does."""
    row = check_consent(node, session, round_)
    row.consent_wished = True
    row.declared_full, row.declared_partial, row.declared_coarse = declared.full, declared.partial, declared.coarse
    work.wake(session, round_.round_id)


def declared_elements(session: Session, round_: Round, code: str, wanted: ConsentRequest) -> ClassCounts:
    """Return the elements that a consent declares, for a list and queries of this length (PROTOCOL.md 3.3.7).

    Where the officer names no length it is a fourth more than the longest list here, and at least 1,000 records.
    """
    longest = session.scalar(select(func.max(ImportRow.records)).where(ImportRow.complete, ~ImportRow.for_query)) or 0
    records = max(_RECORDS, longest * 5 // 4) if wanted.records is None else wanted.records
    asks = round_.manifest.mode is Mode.LISTS_AND_QUERIES
    queries = (_QUERIES if wanted.queries is None else wanted.queries) if asks else 0
    needed, most = elements_for(round_.manifest.padding, records, queries), round_.manifest.caps_of(code)
    return ClassCounts.by(lambda kind: min(needed.of(kind), most.of(kind)))


def check_submission(clock: Clock, session: Session, round_: Round, import_id: str, kind: Kind) -> ImportRow:
    """Refuse a submission that could not be prepared now, and return the import's row.

    Raises:
        NotFoundError: The node knows no such round or import.
        PolicyError: The round takes no such submission or no further query, or the node refuses the round for good.
    """
    row = _active(session, round_.round_id)
    imported = complete_import(session, import_id)
    if not has_consented(row):
        raise OrderError("node_not_consented", round=row.round_id)
    _check_kind(session, clock, round_, kind)
    return imported


@dataclass(frozen=True, slots=True)
class RequestedSubmission:
    """A submission that two persons want."""

    submission_id: str
    """Its identifier."""
    import_id: str
    """The list."""
    records_digest: str
    """SHA-256 of the list's records; see `records.digests`."""
    kind: Kind
    """A list or a query."""
    justification: Justification
    """Why it is submitted."""


def request_submission(clock: Clock, session: Session, round_: Round, wanted: RequestedSubmission) -> None:
    """Store that two persons submit an import; raises as `check_submission` does."""
    check_submission(clock, session, round_, wanted.import_id, wanted.kind)
    session.add(
        SubmissionRow(
            submission_id=wanted.submission_id,
            round_id=round_.round_id,
            import_id=wanted.import_id,
            records_digest=wanted.records_digest,
            kind=wanted.kind.value,
            justification=wanted.justification.model_dump(mode="json"),
            wished_at=clock(),
            state=SubmissionState.WISHED,
            held_back={},
        )
    )
    work.wake(session, round_.round_id)


def _check_kind(session: Session, clock: Clock, round_: Round, kind: Kind) -> None:
    if kind is Kind.QUERY and round_.manifest.mode is not Mode.LISTS_AND_QUERIES:
        raise PolicyError("round_takes_no_queries", round=round_.round_id)
    check_submission_time(round_, kind, clock())
    if kind is Kind.QUERY and queries_are_used_up(session, round_.round_id):
        raise PolicyError("node_queries_used_up", round=round_.round_id, expected=PLANNED_QUERIES)
    lists = rounds_with_list().where(SubmissionRow.round_id == round_.round_id)
    if kind is Kind.LIST and session.scalars(lists).first() is not None:
        raise OrderError("node_list_already_in_round")


def request_close(journal: Journal, rounds: RoundMemories, actor: Actor, round_id: str) -> None:
    """Store that the round's keys are to be destroyed, and who wants it, once the matcher has our receipt."""
    with rounds.reading(round_id) as round_, journal.store.transaction("wish.close") as session:
        row = round_row(session, round_id)
        if row.state != LocalRoundState.ACTIVE:
            return  # it is closed already
        if not round_.binding or any(report not in round_.reports for report in round_.list_reports(journal.code)):
            raise OrderError("round_hits_not_here", round=round_id)
        if on_hold(session, round_id):
            raise OrderError("round_report_on_hold", round=round_id)
        if not row.close_wished:
            by = (actor, Action.CLOSE_ROUND)
            journal.log(session, EntryKind.END_ASKED, by, round=round_id, ids={"what": Word.CLOSE})
        row.close_wished = True
        work.wake(session, round_id)


def request_abort(journal: Journal, actor: Actor, round_id: str, reason: str) -> None:
    """Store that the party leaves the round, and who wants it.

    One that was destroyed by this node's own clock can be left too: a restored matcher that does not know it never ends
    it.
    """
    with journal.store.transaction("wish.abort") as session:
        row = round_row(session, round_id)
        if row.state == LocalRoundState.ACTIVE or row.phase not in ENDED_PHASES:
            row.abort_reason = reason
            work.wake(session, round_id)
            by = (actor, Action.ABORT_ROUND)
            journal.log(session, EntryKind.END_ASKED, by, round=round_id, ids={"what": Word.ABORT})


def _active(session: Session, round_id: str) -> RoundRow:
    row = round_row(session, round_id)
    if row.refused is not None:
        raise PolicyError("node_part_refused", round=round_id, reason=loads(row.refused))
    if row.state != LocalRoundState.ACTIVE:
        raise OrderError("round_over_at_node", round=round_id)
    return row
