"""The messages of a round (PROTOCOL.md section 3), and nothing else.

Every message is immutable, refuses unknown fields and carries its payload type, under which its canonical JSON is
signed in a DSSE envelope. Values that only a whole round can judge (is the binding right, is it this party's turn?)
are judged in `aquila.protocol.rounds`; what one message alone can tell is checked here.
"""

from __future__ import annotations

from aquila.protocol.messages.announcements import (
    Basis,
    ChanceHits,
    ConsentReference,
    Ending,
    Hit,
    HitReport,
    LearnedWeight,
    Opening,
    Outcome,
)
from aquila.protocol.messages.base import MAX_CHUNK_ELEMENTS, ClassCounts, Message
from aquila.protocol.messages.corrections import (
    MOST_WITHDRAWN,
    Acknowledgement,
    LevelOutcomes,
    Outcomes,
    PairOutcomes,
    Withdrawal,
)
from aquila.protocol.messages.manifest import (
    Manifest,
    Mode,
    Padding,
    Participant,
    PartyCap,
    TableReference,
    Window,
)
from aquila.protocol.messages.statements import (
    Amendment,
    BoundStatement,
    ChunkReference,
    Closing,
    Consent,
    EarlierRound,
    Evaluation,
    Justification,
    Kind,
    Receipt,
    Refusal,
    SharePublic,
    Spent,
    Statement,
    Submission,
    TokenChunkReference,
    Tokens,
)

PARTY_STATEMENTS: tuple[type[Statement], ...] = (
    Consent,
    Amendment,
    Submission,
    Evaluation,
    Tokens,
    Receipt,
    Closing,
    Refusal,
    Withdrawal,
    Acknowledgement,
    Outcomes,
)
ANNOUNCEMENTS: tuple[type[Message], ...] = (Manifest, Opening, HitReport, Ending)

__all__ = [
    "ANNOUNCEMENTS",
    "MAX_CHUNK_ELEMENTS",
    "MOST_WITHDRAWN",
    "PARTY_STATEMENTS",
    "Acknowledgement",
    "Amendment",
    "Basis",
    "BoundStatement",
    "ChanceHits",
    "ChunkReference",
    "ClassCounts",
    "Closing",
    "Consent",
    "ConsentReference",
    "EarlierRound",
    "Ending",
    "Evaluation",
    "Hit",
    "HitReport",
    "Justification",
    "Kind",
    "LearnedWeight",
    "LevelOutcomes",
    "Manifest",
    "Message",
    "Mode",
    "Opening",
    "Outcome",
    "Outcomes",
    "Padding",
    "PairOutcomes",
    "Participant",
    "PartyCap",
    "Receipt",
    "Refusal",
    "SharePublic",
    "Spent",
    "Statement",
    "Submission",
    "TableReference",
    "TokenChunkReference",
    "Tokens",
    "Window",
    "Withdrawal",
]
