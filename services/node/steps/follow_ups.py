"""What this node tells its counterparts of the hits of lists, and what they tell it (PROTOCOL.md 3.11.6 and 3.11.7).

What a counterpart tells of a third party is held against this node's own reports, as far as they are here, and again
when another one comes. Nothing is answered: who does not bear out what it says is for people to find out.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.entries import EntryKind
from aquila.crypto.keys import SecretBytes
from aquila.crypto.sealing import NONCE_BYTES
from aquila.errors import ProtocolError
from aquila.followup.lifecycle import FollowUpState, Stage
from aquila.protocol.messages import MAX_NOTES, FollowUp
from aquila.protocol.rounds.follow_ups import (
    MOST_FOLLOWED,
    FollowedHit,
    MetRules,
    ThirdParty,
    hits_of_part,
    open_part,
    read_part,
    third_parties,
    write_part,
)
from aquila.protocol.rounds.round_state import FollowUpKey, ReportKey
from aquila.protocol.rounds.verified_round import Round
from aquila.protocol.shadow.meeting import meets_a_set
from aquila.protocol.shadow.triangles import is_closed, sets_of, told_sets
from aquila.sentences import Sentence
from aquila.sentences.sentence import dumps
from services.kit.logging import Log
from services.node.context import NodeContext
from services.node.hits import notes
from services.node.rounds import statements
from services.node.safeguards.left_out import PERSON_DIGITS
from services.node.storage.tables import (
    EXCHANGE_OF_HIT,
    STATUS_OF_HIT,
    ExchangeRow,
    HitRow,
    HitStatusRow,
    NoteBatchRow,
    PairCheckRow,
    PreparedReportRow,
    ProblemRow,
)

_LOG = Log("node.follow_ups")
Record: TypeAlias = tuple[str, int]
"""An own record: its import and its place there."""


class _Hit(NamedTuple):
    """A confirmed hit of lists."""

    counterpart: str
    hit_id: str
    record: Record
    state: FollowUpState
    met: MetRules
    reference: str


def tell(session: Session, node: NodeContext, round_: Round) -> bool:
    """Sign a follow-up to each counterpart that has something new to hear; return whether there was one."""
    if not node.has_rules_of(round_.manifest):
        return False
    hits = list(_hits(session, round_.round_id))
    by_record = defaultdict[Record, list[_Hit]](list)
    for hit in hits:
        by_record[hit.record].append(hit)
    table, told = node.table_of(round_.manifest), False
    for row in _pairs(session, round_.round_id):
        mine = [hit for hit in hits if hit.counterpart == row.counterpart]
        if mine and row.follow_up_key is not None:
            third = third_parties(round_, node.code, row.counterpart)
            sets = {other: told_sets(round_, table, row.counterpart, other) for other in third}
            parts = parts_of(session, round_.round_id, row.counterpart)
            followed = defaultdict[int, list[FollowedHit]](list)
            for hit in mine:
                followed[parts[hit.hit_id]].append(_followed(hit, by_record[hit.record], sets))
            told |= _tell(session, node, round_, row, followed, third)
    return told


def parts_of(session: Session, round_id: str, counterpart: str) -> dict[str, int]:
    """Return by hit of the lists the part of a follow-up to which it belongs, which no erasure of another changes."""
    mine = {"round_id": round_id, "counterpart": counterpart, "submission_id": "", "own": True}
    batches = session.execute(select(NoteBatchRow.index, NoteBatchRow.hits).filter_by(**mine))
    return {hit_id: index * MAX_NOTES // MOST_FOLLOWED for index, hits in batches for hit_id in hits}


def _tell(
    session: Session,
    node: NodeContext,
    round_: Round,
    row: PreparedReportRow,
    hits: Mapping[int, Sequence[FollowedHit]],
    third: Sequence[str],
) -> bool:
    """Sign the parts of a follow-up that are not as they were told last; return whether there was one."""
    to, said = row.counterpart, dict(row.follow_ups or {})
    total = round_.receipts[ReportKey(node.code, to, None)].hits.total
    for part, some in sorted(hits.items()):
        content = write_part(some, hits_of_part(total, part), third)
        digest = hashlib.sha256(content).hexdigest()
        if said.get(str(part)) == digest:
            continue
        with SecretBytes(row.follow_up_key or b"") as key:
            terms = to, part, key, content, node.random(NONCE_BYTES)
            statements.sign(session, node.signer, round_, node.party.follow_up, *terms)
        said[str(part)] = digest
    if said == (row.follow_ups or {}):
        return False
    row.follow_ups = said
    _LOG.info("follow_up_signed", round=round_.round_id, counterpart=to)
    return True


def _followed(hit: _Hit, of_record: Sequence[_Hit], sets: Mapping[str, Sequence[int]]) -> FollowedHit:
    """Return a hit as its counterpart is told of it.

    Args:
        of_record: All hits of its own record.
        sets: By third party, `told_sets`.
    """
    lines = dict[str, ThirdParty]()
    for other in of_record:
        common = hit.met.common(other.met)
        best = lines.get(other.counterpart)
        is_more = best is None or common.bit_count() > best.rules.bit_count()
        if is_more and meets_a_set(common, sets.get(other.counterpart, ())):
            lines[other.counterpart] = ThirdParty(common, other.reference)
    return FollowedHit(hit.hit_id, hit.state, lines)


def _hits(session: Session, round_id: str) -> Iterator[_Hit]:
    """Yield the confirmed hits of lists in the order of their ids."""
    query = (
        select(HitRow.import_id, HitRow.position, HitStatusRow.stage, HitStatusRow.outcome, ExchangeRow)
        .join(HitStatusRow, STATUS_OF_HIT)
        .join(ExchangeRow, EXCHANGE_OF_HIT)
        .where(HitRow.round_id == round_id, HitRow.submission_id.is_(None))
    )
    for import_id, position, stage, outcome, row in session.execute(query.order_by(HitRow.hit_id)):
        if notes.state_of(row) == notes.CONFIRMED:
            state = FollowUpState.ASKED if stage == Stage.FOLLOW_UP else FollowUpState(notes.outcome_of(stage, outcome))
            met = MetRules(row.met, row.whole)
            yield _Hit(row.counterpart, row.hit_id, (import_id, position), state, met, row.reference)


def _pairs(session: Session, round_id: str) -> Sequence[PreparedReportRow]:
    """Return the prepared reports of lists."""
    of_lists = PreparedReportRow.round_id == round_id, PreparedReportRow.submission_id == ""
    return session.scalars(select(PreparedReportRow).where(*of_lists).order_by(PreparedReportRow.counterpart)).all()


def take(session: Session, node: NodeContext, round_: Round, message: FollowUp) -> None:
    """Store what a counterpart tells, in the transaction that takes its statement, and hold it against own reports."""
    place = session.get(PreparedReportRow, (message.round_id, "", message.party))
    if place is None or place.follow_up_key is None:
        return  # this node could not prepare the hits: they stay unconfirmed
    if message.sequence < max(round_.follow_ups[FollowUpKey(message.party, message.to, message.part)]):
        return  # the matcher gives them in any order, and the later one stands
    third = third_parties(round_, node.code, message.party)
    try:
        with SecretBytes(place.follow_up_key) as key:
            told = read_part(open_part(key, message), message.party, third)
    except ProtocolError as error:
        name = f"follow-up {message.party} {message.part}"
        statements.report_problem(session, node.clock, message.round_id, name, error.sentence)
        return
    rows = notes.exchange_rows(session, message.round_id, [hit.hit_id for hit in told])
    for hit in told:
        row = rows.get(hit.hit_id)
        if row is None or (row.counterpart, row.submission_id) != (message.party, ""):
            continue
        third_of_hit = {party: (line.rules, line.reference) for party, line in hit.third.items()}
        known = {party: tuple(line) for party, line in (row.their_third or {}).items()}
        if (row.their_state, known) != (hit.state.value, third_of_hit):  # a hit that is told as before is no news
            row.their_state, row.told_at, row.their_third = hit.state.value, node.clock(), third_of_hit
    _LOG.info("follow_up_taken", round=message.round_id, counterpart=message.party, count=len(told))
    session.flush()
    compare(session, node, round_, message.party)


def compare(session: Session, node: NodeContext, round_: Round, teller: str | None = None) -> None:
    """Hold what one counterpart told of third parties, or what all did, against the own reports that are here."""
    if not node.has_rules_of(round_.manifest):
        return
    of_lists = HitRow.round_id == round_.round_id, HitRow.submission_id.is_(None), HitRow.person.is_not(None)
    columns = HitRow.person, ExchangeRow.counterpart, ExchangeRow.met, ExchangeRow.their_third
    hits = select(*columns).join(ExchangeRow, EXCHANGE_OF_HIT).where(*of_lists)
    told_by = ExchangeRow.told_at.is_not(None) if teller is None else ExchangeRow.counterpart == teller
    told = session.execute(hits.where(told_by)).all()
    thirds = {party for *_, lines in told for party in lines or ()}
    ready = {row.counterpart for row in _pairs(session, round_.round_id) if row.follow_up_key is not None}
    for third in sorted(thirds & ready):
        check = session.get(PairCheckRow, (round_.round_id, "", third))
        sets = sets_of(round_, node.table_of(round_.manifest), node.code, third)
        if check is None or sets is None:
            continue
        met, weak = defaultdict[str, list[int]](list), defaultdict[str, list[int]](list)
        for digits, rules in check.below_met:
            weak[digits].append(rules)
        for person, _, rules, _ in session.execute(hits.where(ExchangeRow.counterpart == third)):
            met[person or ""].append(rules)
        open_by = Counter[str]()
        for person, counterpart, own, lines in told:
            line, one = (lines or {}).get(third), person or ""
            if line is not None and not is_closed(line[0], own, sets, met[one] + weak[one[:PERSON_DIGITS]]):
                open_by[counterpart] += 1
        for counterpart, count in open_by.items():
            _report(session, node, round_.round_id, counterpart, third, count)


def _report(session: Session, node: NodeContext, round_id: str, counterpart: str, third: str, count: int) -> None:
    """Report, and log, that what a counterpart tells of a third party is not so in the own report.

    It stays reported whatever is told later: honest parties never tell such a thing, and a liar could take it back.
    """
    place = f"triangle {counterpart} {third}"
    problem = Sentence.of("triangle_not_closed", counterpart=counterpart, third=third, count=count, party=node.code)
    known = session.get(ProblemRow, (round_id, place))
    if known is not None and known.sentence == dumps(problem):
        return
    statements.report_problem(session, node.clock, round_id, place, problem)
    counts, ids = {"triangle": count}, {"counterpart": counterpart}
    node.journal.log(session, EntryKind.HITS_LEFT_OUT, round=round_id, recipient=third, counts=counts, ids=ids)
    _LOG.error("triangle_not_closed", round=round_id, counterpart=counterpart, count=count)
