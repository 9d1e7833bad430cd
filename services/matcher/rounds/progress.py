"""The received and the due items of a round, from its state and the bytes received (PROTOCOL.md 3.5 to 3.8)."""

from aquila.protocol.matcher import late_parties
from aquila.protocol.messages import Kind
from aquila.protocol.messages.feed import EventKind
from aquila.protocol.rounds.round_state import Phase
from aquila.protocol.rounds.verified_round import Round
from services.matcher.events import TOKENS
from services.matcher.round_memory import CachedRound


def has_all_blinded(known: CachedRound, submission_id: str) -> bool:
    """Return whether all blinded chunks of a submission came."""
    submission = known.round.submissions[submission_id]
    return known.stored[EventKind.BLINDED, submission_id, submission.party] == len(submission.chunks)


def waits_for(known: CachedRound, submission_id: str) -> tuple[str, ...]:
    """Return whose evaluations of a submission's chunks have not all come; bytes come after their statements."""
    chunks = len(known.round.submissions[submission_id].chunks)
    evaluators = known.round.evaluators_of(submission_id)
    return tuple(p for p in evaluators if known.stored[EventKind.EVALUATION, submission_id, p] < chunks)


def has_all_tokens(known: CachedRound, submission_id: str) -> bool:
    """Return whether all token chunks of a submission came, and its shadow columns."""
    tokens = known.round.tokens.get(submission_id)
    return tokens is not None and known.stored[TOKENS, submission_id, tokens.party] == len(tokens.parts)


def ready_submissions(known: CachedRound, party: str) -> tuple[str, ...]:
    """Return a party's submissions whose tokens may be sent (PROTOCOL.md 3.6).

    Tokens of the first list end the time of amendments, so no list's tokens are due before all lists are evaluated.
    A query's are due when its own evaluations are there and the lists were reported.
    """
    record = known.round
    if record.ending or not record.bindings:
        return ()
    own = [s for s in record.submissions.values() if s.party == party]
    lists_ready = _lists_are_evaluated(known)
    reported = record.phase is Phase.REPORTING
    return tuple(
        s.submission_id
        for s in own
        if (lists_ready if s.kind is Kind.LIST else reported and not waits_for(known, s.submission_id))
    )


def _lists_are_evaluated(known: CachedRound) -> bool:
    lists = [known.round.list_of(party) for party in known.round.participants]
    return all(found is not None and not waits_for(known, found) for found in lists)


def is_matched(round_: Round, submission_id: str) -> bool:
    """Return whether a query was matched: then its reports to the owners are events."""
    asker = round_.submissions[submission_id].party
    return all(report in round_.reports for report in round_.reports_of(submission_id) if report.counterpart == asker)


def late(known: CachedRound, now: int) -> tuple[str, ...]:
    """Return the parties that missed a deadline, as the bytes show it too (PROTOCOL.md 3.8.1).

    Whoever signed evaluations and did not send them is as late as one who signed none.
    """
    record = known.round
    if record.phase is not Phase.OPEN or record.tokens or now <= record.manifest.window.submit_by:
        return ()
    incomplete = {i for i in record.submissions if not has_all_blinded(known, i)}
    found = set(late_parties(record, now, incomplete))
    if now > record.manifest.window.evaluate_by:
        found |= {p for i in record.submissions if i not in incomplete for p in waits_for(known, i)}
    return tuple(sorted(found))
