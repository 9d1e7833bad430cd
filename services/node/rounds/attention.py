"""Rounds that need a person's attention: alarms first, then deadlines. Reads table rows only, limited in number.

Nobody looks at a hit or a record here, and no round's record is built up for it.
"""

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session, aliased

from aquila.interface.attention import AttentionKind, AttentionList, RoundAttention
from aquila.interface.rounds import SubmissionState
from aquila.protocol.messages import Kind, Manifest, Receipt, StatementKind, WithheldAnswer, Withholding
from aquila.protocol.rounds.round_state import ENDED_PHASES, Phase
from services.kit.log.entries import Journal
from services.kit.rounds import manifest_in
from services.node.rounds.requests import consent_until, rounds_with_list, submit_until
from services.node.storage.states import LocalRoundState
from services.node.storage.tables import AlarmRow, PairCheckRow, ProblemRow, RoundRow, StatementRow, SubmissionRow

MOST = 40
"""What a page takes; each look reads no more rows than that, but for withheld answers, which are few."""

REMEMBERED = 30 * 86_400
"""How long hits that were left out stand on the first page: the round may be over by then."""

_ACTIVE = (RoundRow.state == LocalRoundState.ACTIVE, RoundRow.phase.not_in(ENDED_PHASES))
_FREE = (RoundRow.refused.is_(None), RoundRow.abort_reason.is_(None))
_ELSEWHERE = ("alarm %", "check %", "submission %")  # problems that are needs of their own


@dataclass(frozen=True, slots=True)
class _Found:
    """A need before its round's terms are read."""

    kind: AttentionKind
    round_id: str
    parties: tuple[str, ...] = ()
    count: int = 1


def attention_list(journal: Journal) -> AttentionList:
    """Return the rounds that need a person's attention, the most pressing first."""
    now = journal.clock()
    with journal.store.reading("needs.list") as session:
        found = [*_alarms(session, now), *_troubles(session), *_withheld(session), *_duties(session)]
        query = select(RoundRow.round_id, RoundRow.manifest).where(
            RoundRow.round_id.in_({one.round_id for one in found[:MOST]})
        )
        terms = {round_id: manifest_in(envelope) for round_id, envelope in session.execute(query)}
    shown = [need for one in found[:MOST] if (need := _with_terms(terms[one.round_id], one, now)) is not None]
    return AttentionList(needs=tuple(shown), left_out=max(0, len(found) - MOST))


def _alarms(session: Session, now: int) -> Iterator[_Found]:
    """Yield pairs of which hits were left out, and answers that wait for a person's word."""
    judged = (
        select(PairCheckRow.round_id, PairCheckRow.counterpart.label("party"))
        .where(PairCheckRow.checked_at > now - REMEMBERED, PairCheckRow.failed())
        .order_by(PairCheckRow.checked_at.desc(), PairCheckRow.round_id, PairCheckRow.counterpart)
    )
    yield from _by_round(AttentionKind.LEFT_OUT, session.execute(judged.limit(MOST)))
    held = (
        select(AlarmRow.round_id, AlarmRow.asker.label("party"))
        .join(RoundRow, RoundRow.round_id == AlarmRow.round_id)
        .where(*_ACTIVE, AlarmRow.released_at.is_(None), AlarmRow.refused_at.is_(None))
        .order_by(AlarmRow.raised_at, AlarmRow.round_id, AlarmRow.asker)
    )
    yield from _by_round(AttentionKind.HELD_BACK, session.execute(held.limit(MOST)))


def _troubles(session: Session) -> Iterator[_Found]:
    """Yield rounds that this node refused, submissions that it gave up, and other obstacles."""
    for round_id in _rounds(session, RoundRow.refused.is_not(None)):
        yield _Found(AttentionKind.REFUSED, round_id)
    for round_id in _rounds(session, *_FREE, RoundRow.round_id.in_(_failed())):
        yield _Found(AttentionKind.FAILED, round_id)
    others = [ProblemRow.place.not_like(place) for place in _ELSEWHERE]
    counted = (
        select(ProblemRow.round_id, func.count().label("problems"))
        .join(RoundRow, RoundRow.round_id == ProblemRow.round_id)
        .where(*_ACTIVE, RoundRow.refused.is_(None), *others)
        .group_by(ProblemRow.round_id)
        .order_by(func.max(ProblemRow.noted_at).desc(), ProblemRow.round_id)
    )
    for row in session.execute(counted.limit(MOST)):
        yield _Found(AttentionKind.PROBLEM, row.round_id, count=row.problems)


def _withheld(session: Session) -> Iterator[_Found]:
    """Yield the parties that withhold their answer to a query of this node, until it is there; a refused one stays."""
    # By the rounds that go on: their statements are few among those of all rounds.
    active = StatementRow.round_id.in_(select(RoundRow.round_id).where(*_ACTIVE))
    said = select(StatementRow.round_id, StatementRow.kind, StatementRow.envelope).where(active)
    withheld: dict[tuple[str, str, str], Withholding] = {}
    of_others = (StatementRow.kind == StatementKind.WITHHELD_ANSWER.value, ~StatementRow.own)
    for row in session.execute(said.where(*of_others).order_by(StatementRow.event_id)):
        message = WithheldAnswer.from_payload(_payload(row.envelope))
        withheld[row.round_id, message.submission_id, message.party] = message.state
    if not withheld:
        return
    receipts = (StatementRow.kind == StatementKind.RECEIPT.value, StatementRow.own)
    reported = set()
    for row in session.execute(said.where(*receipts)):
        receipt = Receipt.from_payload(_payload(row.envelope))
        reported.add((row.round_id, receipt.submission_id, receipt.counterpart))
    parties: dict[str, set[str]] = {}
    for (round_id, query, party), state in withheld.items():
        if state is Withholding.REFUSED or (round_id, query, party) not in reported:
            parties.setdefault(round_id, set()).add(party)
    for round_id, named in parties.items():
        yield _Found(AttentionKind.WITHHELD, round_id, tuple(sorted(named)), len(named))


def stored_manifest(row: RoundRow) -> Manifest:
    """Return the manifest of a round as it was stored: a key that the registry no longer names hides nothing of it."""
    return manifest_in(row.manifest)


def _payload(envelope: bytes) -> bytes:
    """Return the payload of a stored envelope, without a look at the registry, which may lack its key by now."""
    return base64.b64decode(json.loads(envelope)["payload"])


def _duties(session: Session) -> Iterator[_Found]:
    """Yield rounds that wait for this party's consent or list; where it cannot consent, none is waited for."""
    unfit = select(ProblemRow.round_id).where(ProblemRow.place == "manifest")
    open_to_it = (RoundRow.consent_digest.is_(None), ~RoundRow.consent_wished, RoundRow.round_id.not_in(unfit))
    for round_id in _rounds(session, *_FREE, *open_to_it, RoundRow.phase == Phase.PROPOSED.value):
        yield _Found(AttentionKind.CONSENT, round_id)
    early = RoundRow.phase.in_([Phase.PROPOSED.value, Phase.OPEN.value])
    for round_id in _rounds(
        session, *_FREE, early, RoundRow.consent_digest.is_not(None), RoundRow.round_id.not_in(rounds_with_list())
    ):
        yield _Found(AttentionKind.LIST, round_id)


def _rounds(session: Session, *where: object) -> Sequence[str]:
    """Return the newest rounds that are not over here and of which something holds."""
    query = select(RoundRow.round_id).where(*_ACTIVE, *where)  # type: ignore[arg-type]  # conditions, all of them
    return session.scalars(query.order_by(RoundRow.discovered_at.desc(), RoundRow.round_id).limit(MOST)).all()


def _failed() -> Select[str]:
    """Return the rounds with a failed submission that no later one of its kind replaces."""
    other = aliased(SubmissionRow)
    later = (
        (other.round_id == SubmissionRow.round_id)
        & (other.kind == SubmissionRow.kind)
        & (other.state != SubmissionState.FAILED)
        & (other.wished_at >= SubmissionRow.wished_at)
    )
    return select(SubmissionRow.round_id).where(
        SubmissionRow.state == SubmissionState.FAILED, ~select(other.submission_id).where(later).exists()
    )


def _by_round(kind: AttentionKind, rows: Iterable[Row[tuple[str, str]]]) -> Iterator[_Found]:
    """Yield one need for each round, with the parties that its rows name."""
    parties: dict[str, list[str]] = {}
    for row in rows:
        parties.setdefault(row.round_id, []).append(row.party)
    for round_id, named in parties.items():
        yield _Found(kind, round_id, tuple(dict.fromkeys(named)), len(named))


def _with_terms(manifest: Manifest, found: _Found, now: int) -> RoundAttention | None:
    """Return a need with its round's title; None where its time is over."""
    ends = {AttentionKind.CONSENT: consent_until(manifest), AttentionKind.LIST: submit_until(manifest, Kind.LIST)}
    until = ends.get(found.kind)
    if until is not None and until < now:
        return None
    return RoundAttention.of_fields(found, round_title=manifest.title, until=until)
