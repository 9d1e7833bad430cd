"""The kinds of signed messages: the word under which each is stored, announced in logs and counted.

A kind is no part of what is signed: there the payload type names the message.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from aquila.protocol.messages.announcements import Ending, HitReport, Opening
from aquila.protocol.messages.base import Message
from aquila.protocol.messages.manifest import Manifest
from aquila.protocol.messages.notes import Acknowledgement, Confirmation, Notes, Outcomes, Withdrawal
from aquila.protocol.messages.statements import (
    Alarm,
    Amendment,
    Closing,
    Consent,
    Evaluation,
    Receipt,
    Refusal,
    ReportCheck,
    Submission,
    Tokens,
    WithheldAnswer,
)


class StatementKind(StrEnum):
    """The kind of a signed message: statements of parties first, then what the matcher announces."""

    CONSENT = "consent"
    AMENDMENT = "amendment"
    SUBMISSION = "submission"
    EVALUATION = "evaluation"
    TOKENS = "tokens"
    CHECKED = "reportcheck"
    ALARM = "alarm"
    WITHHELD_ANSWER = "withheldanswer"
    RECEIPT = "receipt"
    NOTES = "notes"
    CONFIRMATION = "confirmation"
    CLOSING = "closing"
    REFUSAL = "refusal"
    WITHDRAWAL = "withdrawal"
    ACKNOWLEDGEMENT = "acknowledgement"
    OUTCOMES = "outcomes"
    MANIFEST = "manifest"
    OPENING = "opening"
    HIT_REPORT = "hitreport"
    ENDING = "ending"


KINDS: Mapping[type[Message], StatementKind] = {
    Consent: StatementKind.CONSENT,
    Amendment: StatementKind.AMENDMENT,
    Submission: StatementKind.SUBMISSION,
    Evaluation: StatementKind.EVALUATION,
    Tokens: StatementKind.TOKENS,
    ReportCheck: StatementKind.CHECKED,
    Alarm: StatementKind.ALARM,
    WithheldAnswer: StatementKind.WITHHELD_ANSWER,
    Receipt: StatementKind.RECEIPT,
    Notes: StatementKind.NOTES,
    Confirmation: StatementKind.CONFIRMATION,
    Closing: StatementKind.CLOSING,
    Refusal: StatementKind.REFUSAL,
    Withdrawal: StatementKind.WITHDRAWAL,
    Acknowledgement: StatementKind.ACKNOWLEDGEMENT,
    Outcomes: StatementKind.OUTCOMES,
    Manifest: StatementKind.MANIFEST,
    Opening: StatementKind.OPENING,
    HitReport: StatementKind.HIT_REPORT,
    Ending: StatementKind.ENDING,
}
"""The kind of each message of a round."""


def kind_of(message: Message) -> StatementKind:
    """Return the kind of a signed message.

    Raises:
        KeyError: It is not a message of a round; callers have read it as one.
    """
    return KINDS[type(message)]
