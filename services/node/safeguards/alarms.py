"""Alarms: queries that hit this node's list far too often are held back until a person releases them (3.7.14).

The asker gets its report of a list when the list's owner has signed the receipt of its own; so an owner that withholds
that holds back its answer, and no other, and tells the asker so (3.7.16). A person of this node releases the report, or
refuses this party's answer: then the asker never gets it. Where nobody says anything until the round ends, nothing is
released.

The test has a memory: it is made for the query, for the sums of all queries of its asker in the round, and for those in
the node's window of days, so that many small queries are seen as the large one that they are. How many queries and
persons they are counts by itself too.

Records of one party that meet the same own record are reported, and nothing is withheld for them: both sides are told
of hits between lists. A list has a person once, or a few times; whoever looks for what a record holds sends many rows
that differ in one thing, and learns it from those that are hits.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import NamedTuple, Self

from sqlalchemy import Select, delete, desc, func, select, update
from sqlalchemy.orm import Session

from aquila.audit.entries import EntryKind
from aquila.audit.roles import Action
from aquila.matching.hit_rate import MOST_PERSONS, MOST_QUERIES, expected_hits, fewest_persons, is_alarming
from aquila.protocol.messages import HitReport, Kind, StatementKind, Submission, Withholding
from aquila.protocol.registry import Registry
from aquila.protocol.rounds.verified_round import Round
from aquila.sentences import Sentence
from services.kit.actor import Actor
from services.kit.errors import NotFoundError
from services.kit.logging import Log
from services.node.context import Clock, NodeContext
from services.node.logs import checks
from services.node.round_memory import round_row
from services.node.rounds import statements, work
from services.node.settings import EvaluationCaps
from services.node.storage.tables import DAY, AlarmRow, HitRow, QueryHitsRow, StatementRow

_LOG = Log("node.alarms")
_MILLION = 1_000_000
_MOST_TIMES = 10
_DIGITS = 4  # of the digest of a person that was nearly hit: enough to see that it comes again, and not who it is


class Asked(NamedTuple):
    """Queries of one party: the records of this node that they hit, what persons explain, and how much they asked."""

    hits: int
    expected: float
    queries: int
    persons: int

    def with_earlier(self, other: Self) -> Self:
        """Return the sums."""
        return type(self)(
            self.hits + other.hits,
            self.expected + other.expected,
            self.queries + other.queries,
            self.persons + other.persons,
        )


def raise_alarm(
    session: Session, node: NodeContext, round_: Round, report: HitReport, below: Collection[str] = ()
) -> bool:
    """Hold a query's report back where it hit this node's list far too often; return whether it did.

    Called in the transaction that stores the report, in place of signing the receipt.

    Args:
        below: The digests of own persons that it nearly hits, but for those that it hits.
    """
    query = round_.submissions.get(report.submission_id or "")
    if query is None or query.kind is not Kind.QUERY or query.party == node.code or round_.list_of(node.code) is None:
        return False
    earlier = _sums(session, node.clock, node.settings.caps, round_.round_id, query.party)
    this = _count(session, node, round_, query, report, below)
    found = _alarming(this, earlier, node.settings.caps.window_days) if this.hits else None  # else nothing to hold back
    if found is None:
        return False
    _hold_back(session, node, round_, query, found)
    return True


def _count(
    session: Session, node: NodeContext, round_: Round, query: Submission, report: HitReport, below: Collection[str]
) -> Asked:
    """Count the own records that a query hits, and what explains them; the counts are stored with the report."""
    persons = fewest_persons(query.records, round_.manifest.padding.records_multiple)
    usual = node.table_of(round_.manifest).common_per_million
    # A share that a matcher made up explains no more than ten times what the table expects.
    share = min(max(_shares(session, node.code, node.registry, query.party), default=0), _MOST_TIMES * usual)
    records = round_.submissions[round_.list_of(node.code) or ""].records
    expected = expected_hits(max(share, usual), persons, records)
    # A query with the rows of one set alone meets below the least certainty: its sender is told of it all the same.
    hits = len({hit.handle for hit in report.hits} | {pair.handle for pair in report.below})
    # Whether an asker's wrong tags fit tells it whether a person met, and no hit is reported: it counts as one.
    hits += report.basis.met is None
    weak = {person[:_DIGITS] for person in below}
    hits -= _told_before(session, _since(node.clock, node.settings.caps), query, weak)
    session.add(
        QueryHitsRow(
            round_id=round_.round_id,
            submission_id=query.submission_id,
            asker=query.party,
            hits=hits,
            expected=round(_MILLION * expected),
            persons=persons,
            reported_at=node.clock(),
            below=sorted(weak),
        )
    )
    return Asked(hits, expected, queries=1, persons=persons)


def _hold_back(
    session: Session, node: NodeContext, round_: Round, query: Submission, found: tuple[Asked, Sentence, str]
) -> None:
    """Sign the alarm, and that the asker's answer is on hold; a person of this node reads why (`_alarming`)."""
    asked, of, code = found
    session.add(
        AlarmRow(
            round_id=round_.round_id,
            submission_id=query.submission_id,
            asker=query.party,
            hits=asked.hits,
            expected=round(1_000 * asked.expected),
            raised_at=node.clock(),
        )
    )
    terms = query.submission_id, asked.hits, asked.expected
    statements.sign(session, node.signer, round_, node.party.alarm, *terms)
    _notify_asker(session, node, round_, query.submission_id, Withholding.ON_HOLD)
    numbers = asked._asdict() | {"expected": f"{asked.expected:.1f}"}
    problem = Sentence.of(code, of=of, party=query.party, **numbers)
    statements.report_problem(session, node.clock, round_.round_id, _place(query.submission_id), problem)
    _LOG.warning("fishing_alarm", round=round_.round_id, submission=query.submission_id, count=asked.hits)


def _notify_asker(session: Session, node: NodeContext, round_: Round, submission_id: str, state: Withholding) -> None:
    """Sign for a query's asker that this party's answer is on hold or refused."""
    statements.sign(session, node.signer, round_, node.party.withhold_answer, submission_id, state)


def _sums(
    session: Session, clock: Clock, caps: EvaluationCaps, round_id: str, asker: str
) -> list[tuple[Sentence, Asked]]:
    """Return the sums of a party's earlier queries: in this round, and in the window of days.

    Queries whose report, or the report of a later one, a person released are explained, and do not count any more. What
    is older than both is forgotten.
    """
    since = _since(clock, caps)
    session.execute(delete(QueryHitsRow).where(QueryHitsRow.reported_at < since, QueryHitsRow.round_id != round_id))
    days = Sentence.of("queries_in_days", days=caps.window_days)
    sums = []
    for of, chosen in (
        (Sentence.of("queries_in_round"), QueryHitsRow.round_id == round_id),
        # What stands after now came before the clock was set back: it counts too.
        (days, QueryHitsRow.reported_at >= since),
    ):
        sums_of = (QueryHitsRow.hits, QueryHitsRow.expected, QueryHitsRow.persons)
        hits, expected, persons = (func.coalesce(func.sum(one), 0) for one in sums_of)
        query = select(hits, expected, persons, func.count()).where(
            QueryHitsRow.asker == asker, ~QueryHitsRow.explained, chosen
        )
        found = session.execute(query).one()
        sums.append((of, Asked(int(found[0]), int(found[1]) / _MILLION, found[3], int(found[2]))))
    return sums


def _since(clock: Clock, caps: EvaluationCaps) -> int:
    """Return when the window of days began."""
    return (clock() // DAY - caps.window_days + 1) * DAY


def _told_before(session: Session, since: int, query: Submission, weak: set[str]) -> int:
    """Return how many of the own persons that a query hits its asker knew of already, from another query in the window.

    A standing query asks for the same persons again, and learns nothing by it. An answer that is held back or refused
    tells nothing. `weak` has the first digits of the digests of the persons that it nearly hits.
    """
    withheld = select(AlarmRow.submission_id).where(AlarmRow.released_at.is_(None))
    told = select(QueryHitsRow.submission_id).where(
        QueryHitsRow.asker == query.party,
        QueryHitsRow.reported_at >= since,
        QueryHitsRow.submission_id.not_in(withheld),
    )
    known = select(HitRow.person).where(HitRow.submission_id.in_(told), HitRow.person.is_not(None))
    nearly = select(QueryHitsRow.below).where(QueryHitsRow.submission_id.in_(told))
    before = {digits for one in session.scalars(nearly) for digits in one}
    digits = func.substr(HitRow.person, 1, _DIGITS)
    persons = select(func.count(HitRow.person.distinct())).where(HitRow.submission_id == query.submission_id)
    hits = session.scalars(persons.where(HitRow.person.in_(known) | digits.in_(before))).one()
    hit_before = session.scalars(select(digits).where(HitRow.submission_id.in_(told), digits.in_(weak)))
    return hits + len(weak & before.union(hit_before))


def _alarming(this: Asked, earlier: list[tuple[Sentence, Asked]], days: int) -> tuple[Asked, Sentence, str] | None:
    """Return the first numbers that are far too many, of what, and the problem: of this query alone, or with others."""
    together = [(Sentence.of("one_query"), this), *((of, this.with_earlier(asked)) for of, asked in earlier)]
    for of, asked in together:
        if is_alarming(asked.hits, asked.expected):
            return asked, of, "far_too_many_hits"
    for of, asked in together:
        if asked.queries > MOST_QUERIES * days or asked.persons > MOST_PERSONS * days:
            return asked, of, "far_too_many_queries"
    return None


def _shares(session: Session, code: str, registry: Registry, asker: str) -> Iterator[int]:
    """Yield the shares of common persons that this party's lists had with the asker's so far."""
    query = select(StatementRow.envelope).where(StatementRow.kind == StatementKind.HIT_REPORT.value)
    for envelope in session.scalars(query):
        report = statements.message_of(statements.open_statement(registry, envelope))
        if isinstance(report, HitReport) and (report.party, report.counterpart, report.submission_id) == (
            code,
            asker,
            None,
        ):
            yield report.basis.common_per_million


def release(node: NodeContext, round_id: str, submission_id: str, by: Actor) -> None:
    """Release a held report at a person's word: the receipt is signed, and the asker gets its report."""
    with _decided(node, round_id, submission_id, by, EntryKind.ALARM_RELEASED) as (session, row):
        row.released_at, row.released_by = node.clock(), by.person
        earlier = QueryHitsRow.asker == row.asker, QueryHitsRow.reported_at <= row.raised_at
        session.execute(update(QueryHitsRow).where(*earlier).values(explained=True))


def refuse(node: NodeContext, round_id: str, submission_id: str, by: Actor, because: str) -> None:
    """Refuse this party's answer to a query at a person's word: the asker is informed, and the round goes on."""
    with _decided(node, round_id, submission_id, by, EntryKind.ANSWER_REFUSED) as (_, row):
        row.refused_at, row.refused_by, row.refused_because = node.clock(), by.person, because


@contextmanager
def _decided(
    node: NodeContext, round_id: str, submission_id: str, by: Actor, kind: EntryKind
) -> Iterator[tuple[Session, AlarmRow]]:
    """Lend the alarm over a query to the block that decides on it; the decision is logged, and the driver woken."""
    with node.rounds.of(round_id).reading() as round_, node.store.transaction(f"alarm.{kind.value}") as session:
        round_row(session, round_id)
        row = _undecided(session, round_, submission_id)
        yield session, row
        work.wake(session, round_id)
        statements.clear_problem(session, round_id, _place(submission_id))
        by_right, ids = (by, Action.RELEASE_ALARM), {"submission": submission_id}
        node.journal.log(
            session, kind, by_right, round=round_id, recipient=row.asker, counts={"hits": row.hits}, ids=ids
        )
    node.wake()


def _undecided(session: Session, round_: Round, submission_id: str) -> AlarmRow:
    """Return the alarm over a query that nobody has decided on yet; raises NotFoundError if there is none."""
    row = session.get(AlarmRow, (round_.round_id, submission_id))
    if row is None or row.released_at is not None or row.refused_at is not None or round_.ending:
        raise NotFoundError("report_back_unknown")
    return row


def send_refusals(node: NodeContext, round_id: str) -> bool:
    """Sign for their askers that answers are refused, where a person refused them; return whether there was one."""
    query = select(AlarmRow).where(
        AlarmRow.round_id == round_id, AlarmRow.refused_at.is_not(None), ~AlarmRow.refusal_signed
    )
    with node.store.reading("alarm.refused") as session:
        if session.scalars(query).first() is None:
            return False
    with node.rounds.of(round_id).reading() as round_, node.store.transaction("alarm.tell_refusal") as session:
        for row in session.scalars(query):
            _notify_asker(session, node, round_, row.submission_id, Withholding.REFUSED)
            row.refusal_signed = True
    return True


def waits_for_receipt(node: NodeContext, round_id: str) -> bool:
    """Return whether a report was released and its receipt is not signed yet."""
    with node.store.reading("alarm.released") as session:
        return session.scalars(_released(round_id)).first() is not None


def acknowledge(node: NodeContext, round_id: str) -> bool:
    """Sign the receipts of reports that were released, and return whether that is allowed now."""
    with node.store.reading("alarm.may_sign") as session:
        if not checks.may_sign(session, round_id):
            return False
    with node.rounds.of(round_id).reading() as round_, node.store.transaction("alarm.acknowledge") as session:
        for row in session.scalars(_released(round_id)):
            statements.sign(session, node.signer, round_, node.party.receipt, row.asker, row.submission_id)
            row.acknowledged = True
    return True


def _released(round_id: str) -> Select[AlarmRow]:
    """Return a query for the alarms of a round whose report was released, and whose receipt is not signed."""
    return select(AlarmRow).where(
        AlarmRow.round_id == round_id, AlarmRow.released_at.is_not(None), ~AlarmRow.acknowledged
    )


def _place(submission_id: str) -> str:
    return f"alarm {submission_id}"


LEAST_MEETINGS = 8
"""In lists that were measured a record met few of another list, or up to sixteen where each alias has a row."""


def report_meetings(session: Session, clock: Clock, round_id: str) -> None:
    """Report for each party the own records that many different records of it meet, its list and queries together.

    Called in the transaction that stores a report, once all its hits are stored.
    """
    met = func.count().label("met")
    each = (
        select(HitRow.counterpart, met, func.min(HitRow.hit_id).label("hit"))
        .where(HitRow.round_id == round_id)
        .group_by(HitRow.counterpart, HitRow.import_id, HitRow.position)
        .having(met >= LEAST_MEETINGS)
        .subquery()
    )
    most: dict[str, tuple[int, str]] = {}
    own: dict[str, int] = {}
    for party, meetings, hit in session.execute(
        select(each).order_by(each.c.counterpart, desc(each.c.met), each.c.hit)
    ):
        most.setdefault(party, (meetings, hit))
        own[party] = own.get(party, 0) + 1
    for party, (meetings, hit) in most.items():
        problem = Sentence.of(
            "record_met_by_many", party=party, own=own[party], least=LEAST_MEETINGS, most=meetings, hit=hit
        )
        statements.report_problem(session, clock, round_id, f"meetings {party}", problem)
        _LOG.warning("record_met_by_many", round=round_id, count=meetings)
