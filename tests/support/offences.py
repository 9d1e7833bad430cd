"""What a party could sign in a round that nobody may take, each with its next number."""

import base64
import json
from collections.abc import Iterator, Sequence
from typing import Any

from aquila.crypto.envelope import sign_envelope
from aquila.crypto.keys import SigningKey
from aquila.protocol.messages import (
    Alarm,
    ChunkReference,
    Evaluation,
    Kind,
    LevelCounts,
    Message,
    Receipt,
    Refusal,
    ReportCheck,
    RuleRows,
    Statement,
    TagPiece,
    TokenChunkReference,
    TokenColumn,
    Tokens,
    WithheldAnswer,
    Withholding,
)
from aquila.protocol.rounds.round_state import ColumnKey, EvaluationKey, ReportKey
from aquila.protocol.rounds.verified_round import Round
from aquila.records.rules import InputClass
from aquila.simulation.round import NO_LOG
from tests.support.staged_round import BOTH_CLASSES
from tests.support.stepping_party import SteppingParty


def signed(identity: SigningKey, message: Message) -> bytes:
    """Return a message in an envelope of anybody; a statement names a checkpoint of the log."""
    if isinstance(message, Statement):
        message = message.model_copy(update={"log_head": NO_LOG})
    return sign_envelope(message.payload_type, message.payload(), identity)


def payload_in(envelope: bytes) -> bytes:
    return base64.b64decode(json.loads(envelope)["payload"])


def offences(party: SteppingParty, round_: Round) -> Iterator[bytes]:
    """Yield what a party could sign that nobody may take, as the record of the matcher is."""
    code, number, key = party.code, party.stored.number + 1, party.party.identity
    for said in _twice(code, number, round_):
        yield signed(key, said)
    if code in round_.participants:
        head = {"round_id": round_.round_id, "party": code, "sequence": number, "binding": round_.binding}
        for make in (_evaluations, _columns, _receipts, _answers):
            for statement in make(code, round_, head):
                yield signed(key, statement)


def _twice(code: str, number: int, round_: Round) -> Iterator[Statement]:
    """Yield what is said once: a consent, Locks, a list, and anything under a number."""
    own = round_.list_of(code)
    for known in (round_.consents.get(code), round_.locks.get(code)):
        if known is not None:
            yield known.model_copy(update={"sequence": number})
    if own is not None:
        yield round_.submissions[own].model_copy(update={"sequence": number, "submission_id": "ab" * 16})
    for said in sorted(round_.sequences.get(code, ()))[:1]:
        yield Refusal(round_id=round_.round_id, party=code, sequence=said, reason="nothing was said")


def _evaluations(code: str, round_: Round, head: dict[str, Any]) -> Iterator[Statement]:
    """Yield evaluations for itself, for a party with which it may not be compared, before its Locks, or once more."""
    for name, submission in round_.submissions.items():
        is_due = submission.party in round_.counterparts_of(code) and code in round_.locks
        if not is_due or EvaluationKey(name, 0, code) in round_.evaluations:
            chunk = submission.chunks[0]
            fields: dict[str, Any] = {
                "input_class": chunk.input_class,
                "elements": chunk.elements,
                "input_digest": chunk.digest,
            }
            place: dict[str, Any] = {"origin": submission.party, "submission_id": name, "index": 0}
            yield Evaluation(**head, **place, **fields, output_digest="00" * 32, proof="00" * 64)


def _columns(code: str, round_: Round, head: dict[str, Any]) -> Iterator[Statement]:
    """Yield columns for a party with which it may not be compared, that are not due, or once more."""
    own = {name: one for name, one in round_.submissions.items() if one.party == code}
    for name, submission in own.items():
        for other in round_.participants:
            evaluated = all((name, index, other) in round_.evaluations for index in range(len(submission.chunks)))
            rests_on = submission.kind is Kind.LIST or round_.can_be_joined(ReportKey(code, other, None))
            is_due = other in round_.counterparts_of(code) and round_.list_of(other) and evaluated and rests_on
            if not is_due or ColumnKey(name, other) in round_.tokens:
                yield Tokens(**head, submission_id=name, column=_column(submission.chunks, other))


def _receipts(code: str, round_: Round, head: dict[str, Any]) -> Iterator[Statement]:
    """Yield receipts of more hits than were reported."""
    for report, counts in round_.reported.items():
        if report.party == code and report not in round_.receipts:
            more = LevelCounts(high=counts.high + 1, medium=counts.medium, low=counts.low)
            told: dict[str, Any] = {"report_digest": round_.reports[report], "hits": more}
            yield Receipt(**head, counterpart=report.counterpart, submission_id=report.submission_id, **told)


def _answers(code: str, round_: Round, head: dict[str, Any]) -> Iterator[Statement]:
    """Yield what the owner of a list says of a query before its time, and what an asker says of its own query."""
    for name, submission in round_.submissions.items():
        report = ReportKey(code, submission.party, name)
        if submission.kind is Kind.LIST or not (submission.party == code or round_.compares(report)):
            continue
        if report not in round_.alarms:
            yield WithheldAnswer(**head, submission_id=name, state=Withholding.ON_HOLD)
        if submission.party == code:
            yield Alarm(**head, submission_id=name, report_digest="00" * 32, hits=20, expected=1_000)
        elif report in round_.reports and report.other_side not in round_.checked:
            said = {"counterpart": submission.party, "submission_id": name, "below": 0, "fault": None, "met": None}
            yield ReportCheck(**head, **said, report_digest=round_.reports[report])


def _column(chunks: Sequence[ChunkReference], counterpart: str) -> TokenColumn:
    """Return what a statement of tokens could say of a column; nobody has its bytes."""
    rows = {kind: sum(one.elements for one in chunks if one.input_class is kind) for kind in InputClass}
    rules = ((rule.number, rows[rule.input_class]) for rule in BOTH_CLASSES.rules)
    return TokenColumn(
        counterpart=counterpart,
        rules=tuple(RuleRows(rule=rule, rows=count) for rule, count in rules if count),
        chunks=tuple(TokenChunkReference(rows=one.elements, digest="00" * 32) for one in chunks),
        key="00" * 32,
        left_out=(),
        pieces=(TagPiece(tags=1, digest="00" * 32),),
    )
