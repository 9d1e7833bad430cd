"""The rules after the hits: withdrawals, acknowledgements, outcomes, follow-ups, until retention (PROTOCOL.md 3.11).

They change no hit in this record, which holds none: the record keeps who withdrew what, and that it was acknowledged.
Whether a withdrawn hit exists only its two parties know.
"""

from collections import Counter

from aquila.errors import BindingError, MalformedError, OrderError, PolicyError
from aquila.followup.lifecycle import Ground
from aquila.protocol.messages import Acknowledgement, BoundStatement, FollowUp, Kind, Outcomes, Withdrawal
from aquila.protocol.rounds.follow_ups import hits_of_part, sealed_length, third_parties
from aquila.protocol.rounds.round_state import FollowUpKey, ReportKey, RoundState, WithdrawnHit
from aquila.protocol.rounds.statement_limits import acknowledged_by_place, acknowledged_hits

DAY = 86_400


def apply_withdrawal(message: Withdrawal, round_: RoundState, payload_digest: str, now: int | None) -> None:
    """Take an owner's withdrawal of hits (PROTOCOL.md 3.11.1)."""
    _within_retention(round_, message, now)
    _counterpart(round_, message.party, message.counterpart)
    _is_told(round_, message)
    erased = message.ground is Ground.ERASED
    again = [hit for hit in message.hits if WithdrawnHit(message.party, hit, erased) in round_.withdrawn]
    if again:
        raise OrderError("hits_already_withdrawn", party=message.party, count=len(again))
    distinct = {hit for party, hit, _ in round_.withdrawn if party == message.party} | set(message.hits)
    _no_more_than_acknowledged(round_, message, len(distinct))
    round_.withdrawals[payload_digest] = message
    round_.withdrawn |= {WithdrawnHit(message.party, hit, erased): payload_digest for hit in message.hits}


def apply_acknowledgement(message: Acknowledgement, round_: RoundState, _digest: str, now: int | None) -> None:
    """Take a counterpart's acknowledgement of a withdrawal (PROTOCOL.md 3.11.3)."""
    _within_retention(round_, message, now)
    withdrawal = round_.withdrawals.get(message.withdrawal)
    if withdrawal is None or withdrawal.counterpart != message.party:
        raise BindingError("acknowledged_withdrawal_not_sent", party=message.party)
    if message.withdrawal in round_.acknowledgements:
        raise OrderError("withdrawal_already_acknowledged", party=message.party)
    if message.hits > len(withdrawal.hits):
        raise MalformedError(
            "acknowledged_hits_not_withdrawn", party=message.party, expected=len(withdrawal.hits), got=message.hits
        )
    round_.acknowledgements[message.withdrawal] = message


def apply_outcomes(message: Outcomes, round_: RoundState, _digest: str, now: int | None) -> None:
    """Store the outcomes of a party's hits, in place of those with a lower number (PROTOCOL.md 3.11.4)."""
    _within_retention(round_, message, now)
    for pair in message.pairs:
        _counterpart(round_, message.party, pair.counterpart)
    told = Counter(
        {(pair.counterpart, one.certainty.value): one.total for pair in message.pairs for one in pair.levels}
    )
    beyond = told - acknowledged_by_place(round_, message.party)
    if round_.sees_everything and beyond:
        raise OrderError("told_hits_not_acknowledged", party=message.party, got=beyond.total())
    known = round_.outcomes.get(message.party)
    if known is None or known.sequence < message.sequence:  # they come in any order
        round_.outcomes[message.party] = message
    round_.outcomes_told[message.party] += 1


def apply_follow_up(message: FollowUp, round_: RoundState, _digest: str, now: int | None) -> None:
    """Take a party's sealed word to a counterpart on their lists' hits (PROTOCOL.md 3.11.6)."""
    _within_retention(round_, message, now)
    _counterpart(round_, message.party, message.to)
    # A receiver has its own receipt alone: if the matcher told the two different numbers of hits, the teller is honest.
    if round_.sees_everything:
        _is_of_its_size(message, round_)
    round_.follow_ups.setdefault(FollowUpKey(message.party, message.to, message.part), []).append(message.sequence)


def kept_until(round_: RoundState) -> int:
    """Return until when the round's hits and statements are kept; seconds since 1970."""
    return round_.manifest.window.closes_at + round_.manifest.retention_days * DAY


def _within_retention(round_: RoundState, message: BoundStatement, now: int | None) -> None:
    """Refuse what comes when the hits should be erased everywhere; `now` is None when statements are read back."""
    if now is not None and now > kept_until(round_):
        raise OrderError(
            "round_retention_over", round=round_.round_id, party=message.party, expected=kept_until(round_), got=now
        )


def _counterpart(round_: RoundState, party: str, other: str) -> None:
    """Refuse a party with which the signer can have no hit."""
    if other not in round_.counterparts_of(party):
        raise PolicyError("counterpart_not_matchable", party=party, counterpart=other)


def _is_told(round_: RoundState, message: Withdrawal) -> None:
    """Refuse a withdrawal that would reveal hits of a query to the counterpart before its report does (3.11.1).

    Only the matcher sees every report. A party that refused its answer to the query never withdraws a hit of it: the
    asker has no report of them. A withdrawal that names no query is of the lists, whose hits both sides know.
    """
    query = message.submission_id
    if query is None:
        return
    submission = round_.submissions.get(query)
    if submission is None or submission.kind is not Kind.QUERY:
        raise BindingError("withdrawn_query_unknown", party=message.party)
    report = ReportKey(message.counterpart, message.party, query)
    if (round_.sees_everything and report not in round_.reports) or round_.is_refused(report):
        raise OrderError(
            "withdrawn_hits_not_reported",
            round=round_.round_id,
            party=message.party,
            submission=query,
            counterpart=message.counterpart,
        )


def _is_of_its_size(message: FollowUp, round_: RoundState) -> None:
    """Refuse a part of a follow-up that there is not, of another size, or before the receipts of both sides."""
    lists = ReportKey(message.party, message.to, None)
    if not {lists, lists.other_side} <= round_.receipts.keys():
        raise OrderError("follow_up_before_receipts", party=message.party, counterpart=message.to)
    hits = hits_of_part(round_.receipts[lists].hits.total, message.part)
    if not hits or len(message.sealed) != sealed_length(hits, len(third_parties(round_, message.party, message.to))):
        raise MalformedError("follow_up_of_another_size", party=message.party, counterpart=message.to)


def _no_more_than_acknowledged(round_: RoundState, message: BoundStatement, hits: int) -> None:
    """Refuse more hits than the signer's receipts acknowledge; only the matcher sees all receipts."""
    acknowledged = acknowledged_hits(round_, message.party)
    if round_.sees_everything and hits > acknowledged:
        raise OrderError("told_hits_not_acknowledged", party=message.party, expected=acknowledged, got=hits)
