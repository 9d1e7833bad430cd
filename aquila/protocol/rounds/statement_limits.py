"""Limits of the statements of a party in a round, and its last one (PROTOCOL.md 3.2.6).

Each record checks this when a statement comes, before its step, and not when stored statements are read back: a round
that is stored stays readable. What is refused here changes nothing, and nobody has to keep it.
"""

from collections import Counter
from functools import singledispatch

from aquila.errors import MalformedError, RepeatedError
from aquila.protocol.messages import (
    Alarm,
    Closing,
    Consent,
    Evaluation,
    FollowUp,
    Locks,
    Notes,
    Outcomes,
    Receipt,
    Refusal,
    ReportCheck,
    Statement,
    Submission,
    Tokens,
    WithheldAnswer,
    kind_of,
)
from aquila.protocol.rounds.follow_ups import hits_of_part, third_parties
from aquila.protocol.rounds.round_state import FollowUpKey, ReportKey, RoundState
from aquila.records.rules import InputClass

CHANGES_OF_A_HIT = 8
"""How often a party may say anew what came of a hit: it comes, is decided, decided anew, withdrawn."""

MOST_CHANGES_TOLD = 1_000
"""How often, for all these changes, it may tell a part of a follow-up anew: each telling is of all hits of the part."""

NOT_AFTER_THE_LAST = (
    Consent,
    Locks,
    Submission,
    Evaluation,
    Tokens,
    Receipt,
    ReportCheck,
    Alarm,
    WithheldAnswer,
    Closing,
    Refusal,
)
"""What a party does not say after its refusal or closing; notes, checks of queries and what follows hits still come."""


def check_bounds(round_: RoundState, message: Statement) -> None:
    """Refuse a statement that its party has made already, as often as the round can have it, or after its last one.

    Raises:
        RepeatedError: It has.
        MalformedError: It counts more or fewer hits than there are.
    """
    over = message.party in round_.refusals or message.party in round_.closings
    late = isinstance(message, ReportCheck) and message.submission_id is not None  # the owner waits for the asker's
    if over and isinstance(message, NOT_AFTER_THE_LAST) and not late:
        raise RepeatedError("party_already_ended", round=round_.round_id, party=message.party, kind=kind_of(message))
    _check(message, round_)


@singledispatch
def _check(_message: object, _round: RoundState) -> None:
    """All others come once by their own step, for each chunk, query or withdrawal."""


@_check.register(Submission)
def _submission(message: Submission, round_: RoundState) -> None:
    """Every chunk but the last of its class is full: as few chunks, evaluations and files as there can be."""
    for input_class in InputClass:
        sizes = [chunk.elements for chunk in message.chunks if chunk.input_class is input_class]
        if any(size < round_.manifest.chunk_elements for size in sizes[:-1]):
            raise MalformedError(
                "chunk_not_full",
                submission=message.submission_id,
                expected=round_.manifest.chunk_elements,
                got=min(sizes[:-1]),
                input_class=input_class.value,
            )


@_check.register(Receipt)
def _receipt(message: Receipt, round_: RoundState) -> None:
    report = ReportKey.of(message)
    if message.binding != round_.binding or round_.reports.get(report) != message.report_digest:
        return  # its step says what is wrong with it
    if report in round_.receipts:
        raise RepeatedError("report_already_acknowledged", party=message.party)
    reported = round_.reported.get(report, message.hits)
    if message.hits != reported:
        raise MalformedError(
            "acknowledged_hit_count_differs", party=message.party, expected=reported.total, got=message.hits.total
        )


@_check.register(ReportCheck)
def _checked(message: ReportCheck, round_: RoundState) -> None:
    """Refuse a check of other tags than the report's, so that no party can make the matcher's log look wrong."""
    report = ReportKey.of(message)
    if round_.met.get(report, message.met) != message.met:
        raise MalformedError("checked_tags_not_told", party=message.party)


@_check.register(Notes)
def _notes(message: Notes, round_: RoundState) -> None:
    report = ReportKey(message.party, message.to, message.submission_id)
    if not round_.sees_everything or report not in round_.reports:
        return  # a party is not shown the reports of others; without any, its step says so
    # A report's envelope goes once its party has acknowledged it: then the receipt says how many hits it had.
    receipt = round_.receipts.get(report)
    reported = round_.reported.get(report, receipt.hits if receipt else None)
    most = reported.total if reported else 0
    if len(round_.batches.get(report, ())) >= most:
        raise RepeatedError("batches_more_than_hits", party=message.party, expected=most)


@_check.register(Outcomes)
def _outcomes(message: Outcomes, round_: RoundState) -> None:
    most = 1 + CHANGES_OF_A_HIT * acknowledged_hits(round_, message.party)
    if round_.sees_everything and round_.outcomes_told[message.party] >= most:
        raise RepeatedError("reports_back_too_many", party=message.party, expected=most)


@_check.register(FollowUp)
def _follow_up(message: FollowUp, round_: RoundState) -> None:
    """It may be told anew for each change of a hit, and for each third party whose hits came."""
    key = FollowUpKey(message.party, message.to, message.part)
    third = len(third_parties(round_, message.party, message.to))
    hits = acknowledged_by_place(round_, message.party)
    total = sum(count for (counterpart, _), count in hits.items() if counterpart == message.to)
    most = 1 + third + min(MOST_CHANGES_TOLD, CHANGES_OF_A_HIT * hits_of_part(total, message.part))
    if round_.sees_everything and len(round_.follow_ups.get(key, ())) >= most:
        raise RepeatedError("reports_back_too_many", party=message.party, expected=most)


def acknowledged_hits(round_: RoundState, party: str) -> int:
    """Return the number of hits that a party's receipts acknowledge; only the matcher sees all receipts."""
    return acknowledged_by_place(round_, party).total()


def acknowledged_by_place(round_: RoundState, party: str) -> Counter[tuple[str, str]]:
    """Return the hits that a party's receipts acknowledge, by counterpart and level."""
    found: Counter[tuple[str, str]] = Counter()
    for report, receipt in round_.receipts.items():
        if report.party == party:
            found.update({(report.counterpart, level): hits for level, hits in receipt.hits.model_dump().items()})
    return found
