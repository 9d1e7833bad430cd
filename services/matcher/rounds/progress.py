"""The received and the due items of a round, from its state and the bytes received (PROTOCOL.md 3.5 to 3.7)."""

from collections.abc import Collection, Iterator

from sqlalchemy import select

from aquila.interface.rounds import Awaited, PairState
from aquila.protocol.messages.feed import EventKind
from aquila.protocol.registry import MATCHER
from aquila.protocol.rounds.round_state import ColumnKey, ReportKey, RoundState
from services.matcher.events import TOKENS
from services.matcher.round_memory import CachedRound, RoundTransaction
from services.matcher.storage.tables import FaultRow


def has_all_blinded(known: CachedRound, submission_id: str) -> bool:
    """Return whether all blinded chunks of a submission came."""
    submission = known.round.submissions[submission_id]
    return known.stored[EventKind.BLINDED, submission_id, submission.party] == len(submission.chunks)


def waits_for(known: CachedRound, submission_id: str) -> tuple[str, ...]:
    """Return whose evaluations of a submission's chunks have not all come; bytes come after their statements."""
    chunks = len(known.round.submissions[submission_id].chunks)
    evaluators = known.round.evaluators_of(submission_id)
    return tuple(p for p in evaluators if known.stored[EventKind.EVALUATION, submission_id, p] < chunks)


def has_all_tokens(known: CachedRound, column: ColumnKey) -> bool:
    """Return whether all token chunks of a column came, and all pieces of its tags."""
    tokens = known.round.tokens.get(column)
    return tokens is not None and known.stored[TOKENS, *column] == len(tokens.column.parts)


def pairs_of(round_: RoundState, query: str | None) -> tuple[ReportKey, ...]:
    """Return the pairs of lists, or of a query and lists, by the report of one side.

    Of two lists it is the side that is earlier in the alphabet, of a query and a list the asker's.
    """
    asker = round_.submissions[query].party if query is not None else None
    return tuple(
        one
        for one in round_.reports_of(query)
        if (one.party < one.counterpart if asker is None else one.party == asker)
    )


def is_reported(round_: RoundState, pair: ReportKey) -> bool:
    """Return whether a pair was joined: then the reports of both its lists, or that of the list's owner, are events."""
    return pair in round_.reports or pair.other_side in round_.reports


def faulty_columns(turn: RoundTransaction) -> frozenset[ColumnKey]:
    """Return the columns of a round whose tokens cannot be joined."""
    faults = select(FaultRow.submission_id, FaultRow.counterpart).where(FaultRow.round_id == turn.row.round_id)
    return frozenset(ColumnKey(*column) for column in turn.session.execute(faults))


def is_due(known: CachedRound, faulty: Collection[ColumnKey], pair: ReportKey) -> bool:
    """Return whether a pair is to be joined: all bytes of its columns came, neither is faulty, nothing is reported."""
    columns = known.round.columns_of(pair)
    return (
        columns is not None
        and not is_reported(known.round, pair)
        and all(column not in faulty and has_all_tokens(known, column) for column in columns)
    )


def state_of(
    known: CachedRound, faulty: frozenset[ColumnKey], pair: ReportKey, now: int
) -> tuple[PairState, list[tuple[str, Awaited]]]:
    """Return the state of a pair, and the steps that it waits for, each with who takes it."""
    round_, columns = known.round, known.round.columns_of(pair)
    if is_reported(round_, pair):
        told = [side for side in (pair, pair.other_side) if side in round_.reports]
        missing = [side for side in told if side not in round_.receipts]
        # A report that an alarm holds back waits for a person.
        receipts = [(side.party, Awaited.RECEIPT) for side in missing if side not in round_.alarms]
        return PairState.REPORTED if missing else PairState.ACKNOWLEDGED, receipts
    if columns is not None and not faulty.isdisjoint(columns):
        return PairState.FAULTY, []
    if round_.ending is not None or round_.is_missed(pair._replace(submission_id=None), now):
        return PairState.OVER, []
    steps = list(dict.fromkeys(_steps(known, pair)))
    due = {step for _, step in steps}
    return next((state for step, state in _STATES.items() if step in due), PairState.TOKENS), steps


_STATES = {
    Awaited.LIST: PairState.LIST,
    Awaited.EVALUATIONS: PairState.EVALUATIONS,
    Awaited.TOKENS: PairState.TOKENS,
    Awaited.REPORT: PairState.JOINING,
}


def _steps(known: CachedRound, pair: ReportKey) -> Iterator[tuple[str, Awaited]]:
    """Yield the steps that a pair waits for before its report, by who takes them."""
    round_, lists = known.round, pair._replace(submission_id=None)
    columns = round_.columns_of(pair)
    if columns is None:
        yield from ((party, Awaited.LIST) for party in pair[:2] if round_.list_of(party) is None)
        return
    # A query's tokens follow the report of its lists.
    is_open = pair == lists or is_reported(round_, lists)
    for column in columns:
        submission = round_.submissions[column.submission_id]
        if not has_all_blinded(known, column.submission_id):
            yield submission.party, Awaited.LIST
        elif known.stored[EventKind.EVALUATION, *column] < len(submission.chunks):
            yield column.counterpart, Awaited.EVALUATIONS
        elif is_open and not has_all_tokens(known, column):
            yield submission.party, Awaited.TOKENS
    if is_open and all(has_all_tokens(known, column) for column in columns):
        yield MATCHER, Awaited.REPORT
