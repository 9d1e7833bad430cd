"""One valid message of each kind, as the JSON content that is signed; tests change one thing in it."""

from __future__ import annotations

from typing import Any

from aquila.protocol.encoding import canonical
from aquila.protocol.messages import (
    Acknowledgement,
    Alarm,
    Closing,
    Confirmation,
    Consent,
    Ending,
    Evaluation,
    FollowUp,
    HitReport,
    Locks,
    Manifest,
    Message,
    Notes,
    Opening,
    Outcomes,
    Receipt,
    Refusal,
    ReportCheck,
    Submission,
    Tokens,
    Withdrawal,
    WithheldAnswer,
)

ROUND, OTHER = "0123456789abcdef" * 2, "f" * 32
DIGEST, ELEMENT, PROOF = "d" * 64, "e" * 64, "c" * 128

_SAID = {"round_id": ROUND, "party": "SI", "sequence": 1, "log_head": {"size": 17, "root": "ab" * 32}}
_BOUND = _SAID | {"binding": DIGEST}
_COUNTS = {"full": 3, "partial": 2, "coarse": 1}
_JUSTIFICATION = {
    "legal_basis": "PCC SEE, Article 7",
    "purpose": "prevention",
    "case_reference": "case 17",
    "category": "suspects",
    "officer": "officer 4",
}

SAMPLES: dict[type[Message], dict[str, Any]] = {
    Manifest: {
        "protocol": "aquila/2",
        "round_id": ROUND,
        "mode": "lists",
        "title": "2026-04 terrorism",
        "area": "terrorism",
        "legal_basis": "PCC SEE, Article 7",
        "purpose": "prevention",
        "category": "suspects",
        "participants": [
            {"party": "AL", "identity_fingerprint": "a" * 64},
            {"party": "RS", "identity_fingerprint": "b" * 64},
            {"party": "SI", "identity_fingerprint": "c" * 64},
        ],
        "pairs": [["AL", "RS"], ["AL", "SI"]],
        "rules": {"name": "default", "digest": DIGEST},
        "normalizer": {"name": "normalizer 1", "digest": DIGEST},
        "caps": [{"party": code, "elements": _COUNTS} for code in ("AL", "RS", "SI")],
        "window": {"consent_by": 1, "submit_by": 2, "evaluate_by": 3, "closes_at": 4},
        "chunk_elements": 16_384,
        "padding": {"inputs_per_record": [8, 16], "records_multiple": 100},
        "minimum_certainty": "low",
        "frequency_limit": 8,
        "retention_days": 1_095,
    },
    Consent: _SAID
    | {
        "manifest_digest": DIGEST,
        "elements": _COUNTS,
        "shares": [
            {"input_class": "full", "public_key": ELEMENT, "proof": PROOF},
            {"input_class": "partial", "public_key": "f" * 64, "proof": PROOF},
            {"input_class": "coarse", "public_key": "a" * 64, "proof": PROOF},
        ],
        "sealing_key": "ab" * 1216,
        "earlier_rounds": [{"round_id": OTHER, "spent": [{"origin": "RS", "elements": _COUNTS}]}],
    },
    Opening: {
        "round_id": ROUND,
        "consents": [{"party": "AL", "digest": DIGEST}, {"party": "SI", "digest": DIGEST}],
        "binding": DIGEST,
    },
    Locks: _BOUND
    | {"halves": [{"counterpart": "AL", "sealed": "cd" * 1168}, {"counterpart": "RS", "sealed": "ef" * 1168}]},
    Submission: _BOUND
    | {
        "submission_id": OTHER,
        "kind": "list",
        "justification": _JUSTIFICATION,
        "records": 2,
        "elements": _COUNTS,
        "chunks": [
            {"input_class": "full", "elements": 3, "digest": DIGEST},
            {"input_class": "partial", "elements": 2, "digest": DIGEST},
            {"input_class": "coarse", "elements": 1, "digest": DIGEST},
        ],
    },
    Evaluation: _BOUND
    | {
        "origin": "RS",
        "submission_id": OTHER,
        "index": 0,
        "input_class": "full",
        "elements": 3,
        "input_digest": DIGEST,
        "output_digest": DIGEST,
        "proof": PROOF,
    },
    Tokens: _BOUND
    | {
        "submission_id": OTHER,
        "column": {
            "counterpart": "AL",
            "rules": [{"rule": 1, "rows": 3}, {"rule": 4, "rows": 2}],
            "chunks": [{"rows": 3, "digest": DIGEST}, {"rows": 2, "digest": DIGEST}],
            "key": DIGEST,
            "left_out": [2],
            "pieces": [{"tags": 4_100, "digest": DIGEST}],
        },
    },
    Receipt: _BOUND
    | {"counterpart": "AL", "submission_id": None, "report_digest": DIGEST, "hits": {"high": 3, "medium": 0, "low": 1}},
    Notes: _BOUND | {"to": "AL", "submission_id": None, "index": 0, "hits": 1, "sealed": "c2VhbGVk"},
    Confirmation: _BOUND
    | {
        "to": "AL",
        "submission_id": OTHER,
        "notes": DIGEST,
        "notes_sequence": 1,
        "confirmed": 4,
        "refuted": [{"hit_id": OTHER, "fault": "sealed"}],
    },
    Alarm: _BOUND | {"submission_id": OTHER, "report_digest": DIGEST, "hits": 40, "expected": 1_500},
    WithheldAnswer: _BOUND | {"submission_id": OTHER, "state": "on_hold"},
    ReportCheck: _BOUND
    | {
        "counterpart": "AL",
        "submission_id": None,
        "report_digest": DIGEST,
        "met": DIGEST,
        "below": 3,
        "fault": "levels",
    },
    Closing: _SAID | {"binding": None, "destroyed": True, "hits": 0},
    Withdrawal: _BOUND | {"counterpart": "AL", "hits": [ROUND, OTHER], "ground": "incorrect"},
    Acknowledgement: _BOUND | {"withdrawal": DIGEST, "hits": 2, "erased": False},
    FollowUp: _BOUND | {"to": "AL", "part": 0, "sealed": "c2VhbGVk"},
    Outcomes: _BOUND
    | {
        "pairs": [
            {
                "counterpart": "AL",
                "levels": [
                    {"certainty": "low", "confirmed": 0, "refuted": 1, "unresolved": 0, "withdrawn": 0, "open": 2},
                    {"certainty": "high", "confirmed": 3, "refuted": 0, "unresolved": 0, "withdrawn": 1, "open": 0},
                ],
            }
        ]
    },
    Refusal: _SAID | {"reason": "the database is older than the round"},
    HitReport: {
        "round_id": ROUND,
        "binding": DIGEST,
        "party": "SI",
        "counterpart": "AL",
        "submission_id": OTHER,
        "basis": {
            "records": 100,
            "common_per_million": 30_000,
            "duplicates_per_million": 10_000,
            "settled": 3,
            "chance_hits": {"high": 2, "medium": 0, "low": 350},
            "learned": [{"of": "whole date", "centibits": -20}],
            "met": None,
        },
        "below": [],
        "hits": [
            {
                "hit_id": OTHER,
                "handle": ROUND,
                "counterpart_handle": OTHER,
                "certainty": "high",
                "families": ["names", "date"],
                "second": False,
                "met": "0003",
            }
        ],
    },
    Ending: {"round_id": ROUND, "outcome": "aborted", "reason": "a party vanished"},
}


def read(kind: type[Message], /, **changes: Any) -> Message:
    """Read a sample with some fields changed, as it would come in an envelope."""
    return kind.from_payload(canonical(SAMPLES[kind] | changes))
