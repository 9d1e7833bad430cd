"""The messages of a round (PROTOCOL.md section 3), and nothing else.

Every message is immutable, refuses unknown fields and carries its payload type, under which its canonical JSON is
signed in a DSSE envelope. Values that only a whole round can judge (is the binding right, is it this party's turn?)
are judged in `aquila.protocol.rounds.verified_round`; what one message alone can tell is checked here.
"""

from collections.abc import Mapping
from enum import StrEnum

from aquila.protocol.messages.announcements import (
    MOST_HITS_OF_A_PAGE,
    Basis,
    BelowPair,
    ChanceHits,
    ConsentReference,
    Ending,
    Hit,
    HitReport,
    LearnedWeight,
    MetTags,
    Opening,
    Outcome,
    ReportPage,
)
from aquila.protocol.messages.base import MAX_CHUNK_ELEMENTS, ClassCounts, Message
from aquila.protocol.messages.manifest import (
    Manifest,
    Mode,
    Padding,
    Participant,
    PartyCap,
    TableReference,
    TemplateReference,
    Window,
)
from aquila.protocol.messages.notes import (
    MAX_NOTES,
    MOST_WITHDRAWN,
    Acknowledgement,
    Confirmation,
    Fault,
    FollowUp,
    HandlingCode,
    InformationCode,
    LevelOutcomes,
    Note,
    Notes,
    Outcomes,
    PairOutcomes,
    Reference,
    RefutedHit,
    SourceCode,
    Withdrawal,
)
from aquila.protocol.messages.statements import (
    Alarm,
    BoundStatement,
    CheckFault,
    ChunkReference,
    Closing,
    Consent,
    EarlierRound,
    EndingStatement,
    Evaluation,
    Justification,
    Kind,
    LevelCounts,
    Locks,
    LogHead,
    Receipt,
    Refusal,
    ReportCheck,
    RuleRows,
    SealedLock,
    SharePublic,
    Spent,
    Statement,
    Submission,
    TagPiece,
    TokenChunkReference,
    TokenColumn,
    Tokens,
    WithheldAnswer,
    Withholding,
)


class StatementKind(StrEnum):
    """The word under which a signed message is stored, announced in logs and counted; no part of what is signed.

    Statements of parties come first, then what the matcher announces.
    """

    CONSENT = "consent"
    LOCKS = "locks"
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
    FOLLOW_UP = "followup"
    MANIFEST = "manifest"
    OPENING = "opening"
    HIT_REPORT = "hitreport"
    ENDING = "ending"


_OF_PARTIES: Mapping[type[Statement], StatementKind] = {
    Consent: StatementKind.CONSENT,
    Locks: StatementKind.LOCKS,
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
    FollowUp: StatementKind.FOLLOW_UP,
}
_OF_THE_MATCHER: Mapping[type[Message], StatementKind] = {
    Manifest: StatementKind.MANIFEST,
    Opening: StatementKind.OPENING,
    HitReport: StatementKind.HIT_REPORT,
    Ending: StatementKind.ENDING,
}
KINDS: Mapping[type[Message], StatementKind] = dict([*_OF_PARTIES.items(), *_OF_THE_MATCHER.items()])
"""The kind of each message of a round."""

PARTY_STATEMENTS: tuple[type[Statement], ...] = tuple(_OF_PARTIES)
ANNOUNCEMENTS: tuple[type[Message], ...] = tuple(_OF_THE_MATCHER)


def kind_of(message: Message) -> StatementKind:
    """Return the kind of a signed message.

    Raises:
        KeyError: It is not a message of a round; callers have read it as one.
    """
    return KINDS[type(message)]
