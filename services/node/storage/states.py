"""The states of what a node stores, with their transitions; `docs/DATA_MODEL.md` draws them.

The phases of a round are the protocol's (`aquila.protocol.rounds.round_state`), the stages of a hit those of
`aquila.followup.lifecycle`.
"""

from collections.abc import Mapping
from enum import StrEnum

from aquila.interface.queries import StandingQueryState
from aquila.interface.rounds import SubmissionState


class LocalRoundState(StrEnum):
    """The remains of a round at a node: its key and files, or nothing; independent of the round's phase."""

    ACTIVE = "active"
    DESTROYING = "destroying"
    DESTROYED = "destroyed"


LOCAL_ROUND_TRANSITIONS: Mapping[LocalRoundState, frozenset[LocalRoundState]] = {
    LocalRoundState.ACTIVE: frozenset({LocalRoundState.DESTROYING}),
    LocalRoundState.DESTROYING: frozenset({LocalRoundState.DESTROYED}),
    # A party that has left a round may miss its consent in an opening that comes later: then all is destroyed again.
    LocalRoundState.DESTROYED: frozenset({LocalRoundState.DESTROYING}),
}


class Step(StrEnum):
    """A step of a round, in the order in which those of one round are taken; `docs/ARCHITECTURE.md` has them all."""

    LOOK = "look"
    FOLLOW_UP = "follow_up"
    WORK = "work"


class DestructionReason(StrEnum):
    """The reason for which a node destroys its key and files of a round."""

    CLOSED = "closed"
    ABORTED = "aborted"
    CLOSED_HERE = "closed by the operator"
    TIME_OVER = "time over"
    LEFT_OUT = "left out"


SUBMISSION_TRANSITIONS: Mapping[SubmissionState, frozenset[SubmissionState]] = {
    SubmissionState.WISHED: frozenset({SubmissionState.PREPARING, SubmissionState.FAILED}),
    SubmissionState.PREPARING: frozenset({SubmissionState.SUBMITTED, SubmissionState.FAILED}),
    # The matcher can refuse what was signed, as when it comes too late.
    SubmissionState.SUBMITTED: frozenset({SubmissionState.FINALIZED, SubmissionState.FAILED}),
    SubmissionState.FINALIZED: frozenset({SubmissionState.TOKENS_SENT}),
    SubmissionState.TOKENS_SENT: frozenset(),
    SubmissionState.FAILED: frozenset(),
}

UNSIGNED = frozenset({SubmissionState.WISHED, SubmissionState.PREPARING})
"""Submissions for which nothing is signed yet: they fail when the round ends here."""

STANDING_QUERY_TRANSITIONS: Mapping[StandingQueryState, frozenset[StandingQueryState]] = {
    StandingQueryState.ACTIVE: frozenset(StandingQueryState) - {StandingQueryState.ACTIVE},
    StandingQueryState.WITHDRAWN: frozenset(),
    StandingQueryState.EXPIRED: frozenset(),
    StandingQueryState.REPLACED: frozenset(),
    StandingQueryState.EMPTIED: frozenset(),
}


class ChunkDownloadState(StrEnum):
    """The state of another party's chunk at the matcher, which this node evaluates."""

    WAITING = "waiting"
    EVALUATED = "evaluated"
    FAILED = "failed"


CHUNK_DOWNLOAD_TRANSITIONS: Mapping[ChunkDownloadState, frozenset[ChunkDownloadState]] = {
    ChunkDownloadState.WAITING: frozenset({ChunkDownloadState.EVALUATED, ChunkDownloadState.FAILED}),
    ChunkDownloadState.EVALUATED: frozenset(),
    ChunkDownloadState.FAILED: frozenset(),
}


class EvaluationDownloadState(StrEnum):
    """The state of an evaluation at the matcher, which this node verifies, and acknowledges so that it is deleted."""

    WAITING = "waiting"
    VERIFIED = "verified"
    ACKNOWLEDGED = "acknowledged"
    FAILED = "failed"


EVALUATION_DOWNLOAD_TRANSITIONS: Mapping[EvaluationDownloadState, frozenset[EvaluationDownloadState]] = {
    EvaluationDownloadState.WAITING: frozenset({EvaluationDownloadState.VERIFIED, EvaluationDownloadState.FAILED}),
    EvaluationDownloadState.VERIFIED: frozenset({EvaluationDownloadState.ACKNOWLEDGED}),
    EvaluationDownloadState.ACKNOWLEDGED: frozenset(),
    EvaluationDownloadState.FAILED: frozenset(),
}

VERIFIED = frozenset({EvaluationDownloadState.VERIFIED, EvaluationDownloadState.ACKNOWLEDGED})
"""Evaluations that were verified and are stored here."""


class Promise(StrEnum):
    """The proof state of a statement that the matcher took or announced (PROTOCOL.md 10.5.2).

    An own one is signed, promised once the matcher took it, and proved; an announcement begins as promised. What stays
    unproved is an alarm, and excused once an administrator has acknowledged that.
    """

    SIGNED = "signed"
    PROMISED = "promised"
    PROVED = "proved"
    EXCUSED = "excused"


PROMISE_TRANSITIONS: Mapping[Promise, frozenset[Promise]] = {
    Promise.SIGNED: frozenset({Promise.PROMISED}),
    Promise.PROMISED: frozenset({Promise.PROVED, Promise.EXCUSED}),
    Promise.PROVED: frozenset(),
    # A look that began before the acknowledgement can still prove it.
    Promise.EXCUSED: frozenset({Promise.PROVED}),
}


EVIDENCE = "evidence"
"""The kind of a stored statement that does not count, whatever it says; all others are of a `StatementKind`."""
