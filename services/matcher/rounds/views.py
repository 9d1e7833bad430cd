"""Views of a round for the matcher's operator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from sqlalchemy import func, select

import aquila
from aquila.interface.rounds import MatcherRoundView, PairProgress, PairState, PartyProgress, Progress, RoundSummary
from aquila.interface.sentence import SentenceView
from aquila.interface.service.party import Parties, PartyView
from aquila.protocol.messages import CheckFault, StatementKind
from aquila.protocol.messages.feed import EventKind
from aquila.protocol.registration.templates import template_of
from aquila.protocol.rounds.round_state import ReportKey
from aquila.protocol.rounds.verified_round import Round
from aquila.protocol.shadow.checks import agree
from aquila.sentences import Sentence, quoted
from aquila.sentences.sentence import loads
from services.kit.log.entries import ENTRIES
from services.kit.rounds import party_status
from services.kit.storage.registry import templates_in_force
from services.matcher.context import MatcherContext
from services.matcher.events import TOKENS
from services.matcher.round_memory import CachedRound, RoundTransaction
from services.matcher.rounds.contacts import Contact
from services.matcher.rounds.held_reports import undecided_alarms
from services.matcher.rounds.progress import faulty_columns, pairs_of, state_of, waits_for
from services.matcher.storage.tables import EventRow, EvidenceRow, FaultRow, FlagRow, HitCountRow, RepeatedStatementRow


def round_view(context: MatcherContext, round_id: str) -> MatcherRoundView:
    """Return a round as the operator sees it; raises `NotFoundError` for an unknown one."""
    with context.round_cache.reading(round_id) as turn:
        counts = turn.session.scalars(select(HitCountRow).where(HitCountRow.round_id == round_id)).all()
        evidence = select(func.count()).select_from(EvidenceRow).where(EvidenceRow.round_id == round_id)
        by_certainty: Counter[str] = Counter()
        for count in counts:
            by_certainty[count.certainty] += count.hits
        record, pairs = turn.round, tuple(_pairs(turn, context.clock()))
        ended = [ReportKey(one.left, one.right, None) for one in pairs if one.state is PairState.OVER]
        over = {side for pair in ended for side in (pair, pair.other_side)}
        return MatcherRoundView.of_fields(
            record,
            entry=RoundSummary.of(record.manifest, turn.row.phase),
            binding=record.binding or None,
            parties=tuple(_progress(turn.cached, p.party, counts, over) for p in record.manifest.participants),
            pairs=pairs,
            hits_by_certainty=dict(by_certainty),
            ending=_ending(turn),
            evidence=turn.session.scalar(evidence) or 0,
            flags=tuple(map(SentenceView.of, _flags(turn))),
            problems=tuple(map(SentenceView.of, _problems(turn))),
            template=template_of(record.manifest, templates_in_force(turn.session, context.registry)),
        )


_OF_PAIRS = [
    StatementKind.SUBMISSION.value,
    StatementKind.EVALUATION.value,
    StatementKind.TOKENS.value,
    StatementKind.HIT_REPORT.value,
    StatementKind.RECEIPT.value,
]


def _pairs(turn: RoundTransaction, now: int) -> Iterator[PairProgress]:
    """Yield the progress of each pair of lists."""
    record, faulty = turn.round, faulty_columns(turn)
    lists = [one for party in record.participants if (one := record.list_of(party))]
    newest = (
        select(EventRow.party, EventRow.counterpart, func.max(ENTRIES.c.time))
        .join(ENTRIES, ENTRIES.c.index == EventRow.log_index)
        .where(EventRow.round_id == turn.row.round_id, EventRow.statement.in_(_OF_PAIRS))
        .where(EventRow.submission_id.is_(None) | EventRow.submission_id.in_(lists))
        .group_by(EventRow.party, EventRow.counterpart)
    )
    times = [({party, to or party}, at) for party, to, at in turn.session.execute(newest)]
    for pair in pairs_of(record, None):
        sides = pair[:2]
        state, _ = state_of(turn.cached, faulty, pair, now)
        since = max((at for of, at in times if of.issubset(sides)), default=None)
        yield PairProgress(left=pair.party, right=pair.counterpart, state=state, since=since)


def _repeated(turn: RoundTransaction) -> Iterator[tuple[str, int]]:
    """Yield the parties that repeated statements, and how often."""
    query = (
        select(RepeatedStatementRow)
        .where(RepeatedStatementRow.round_id == turn.row.round_id)
        .order_by(RepeatedStatementRow.party)
    )
    for row in turn.session.scalars(query):
        yield row.party, row.statements


def disputed_pairs(record: Round) -> Iterator[tuple[str, str]]:
    """Yield the pairs whose two sides do not both find, of the same tags, that nothing was left out."""
    disputed = {
        (report.party, report.counterpart)
        for report, said in record.checked.items()
        if report.party < report.counterpart
        and (theirs := record.checked.get(report.other_side)) is not None
        and CheckFault.EARLIER not in {said.fault, theirs.fault}  # a side that could not check finds nothing
        and not agree(said, theirs)
    }
    yield from sorted(disputed)


def _problems(turn: RoundTransaction) -> Iterator[Sentence]:
    """Yield the problems of a round."""
    record = turn.cached.round
    faults = select(FaultRow.sentence).where(FaultRow.round_id == turn.row.round_id)
    yield from map(loads, turn.session.scalars(faults.order_by(FaultRow.submission_id, FaultRow.counterpart)))
    for left, right in disputed_pairs(record):
        yield Sentence.of("checks_differ", left=left, right=right)
    for held in undecided_alarms(record):
        hits = record.alarms[held].hits
        yield Sentence.of("report_held_back", owner=held.party, asker=held.counterpart, hits=hits)
    for owner, asker, _ in sorted(report for report in record.withheld if record.is_refused(report)):
        yield Sentence.of("answer_refused", owner=owner, asker=asker)
    for party, statements in _repeated(turn):
        yield Sentence.of("statements_repeated", party=party, statements=statements)


def _flags(turn: RoundTransaction) -> Iterator[Sentence]:
    """Yield signs of guesses in the submissions' tokens, by the party that submitted them."""
    query = select(FlagRow).where(FlagRow.round_id == turn.row.round_id)
    for row in turn.session.scalars(query.order_by(FlagRow.submission_id, FlagRow.number)):
        submission = turn.round.submissions.get(row.submission_id)
        if submission is not None:
            yield Sentence.of(f"guesses_{submission.kind.value}", party=submission.party, sign=loads(row.sentence))


def parties_view(context: MatcherContext, contacts: Mapping[str, Contact]) -> Parties:
    """Return the parties that are registered here."""
    return Parties(
        matcher_fingerprint=context.registry.matcher.fingerprint,
        version=aquila.__version__,
        parties=tuple(
            PartyView(
                party=code,
                name=party.name,
                identity_fingerprint=party.key.fingerprint,
                called_at=contacts[code].at if code in contacts else None,
                release=contacts[code].release if code in contacts else "",
            )
            for code, party in sorted(context.registry.parties.items())
            if not party.left
        ),
    )


def _ending(turn: RoundTransaction) -> SentenceView | None:
    """Return how the round ended and why, or how it is going to."""
    ending, reason = turn.round.ending, loads(turn.row.reason or "")
    if ending is not None:
        why = reason if turn.row.reason else quoted(ending.reason)  # of an earlier release
        return SentenceView.of(Sentence.of(f"ended_{ending.outcome.value}", reason=why))
    if turn.row.wish is not None:
        return SentenceView.of(Sentence.of(f"to_be_{turn.row.wish}", reason=reason))
    return None


def _progress(
    known: CachedRound, party: str, counts: Sequence[HitCountRow], over: Collection[ReportKey]
) -> PartyProgress:
    record = known.round
    own = {i: s for i, s in record.submissions.items() if s.party == party}
    others = {i: s for i, s in record.submissions.items() if s.party != party}
    columns = {column: tokens for column, tokens in record.tokens.items() if tokens.party == party}
    takes_part = party in record.participants
    reported = any(report.party == party for report in record.reports)
    missing = {other for submission_id in own for other in waits_for(known, submission_id)}
    missing -= {report.counterpart for report in over if report.party == party}
    has_hits = any(report in record.receipts for report in record.list_reports(party))
    return PartyProgress(
        **party_status(record, party),
        blinded=Progress(
            done=sum(known.stored[EventKind.BLINDED, i, party] for i in own),
            of=sum(len(s.chunks) for s in own.values()),
        ),
        evaluated=Progress(
            done=sum(known.stored[EventKind.EVALUATION, i, party] for i in others) if takes_part else 0,
            of=sum(len(s.chunks) for s in others.values()) if takes_part else 0,
        ),
        tokens=Progress(
            done=sum(known.stored[TOKENS, *column] for column in columns),
            of=sum(len(tokens.column.parts) for tokens in columns.values()),
        ),
        waits_for=tuple(sorted(missing)),
        hits=sum(count.hits for count in counts if party in {count.left, count.right}) if reported else None,
        acknowledged=has_hits and record.has_its_hits(party, over),
        closed=party in record.closings,
    )
