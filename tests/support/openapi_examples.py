"""An example of every JSON body that the operator interfaces take, by the name of its schema; all of them invented."""

from __future__ import annotations

from typing import Any

_ROUND = "5f1d7a84c2e9406bb1d80e6f3a9c2b57"
_TERMS = {
    "area": "counter-terrorism",
    "legal_basis": "PCC SEE, Article 17",
    "purpose": "prevention of terrorism",
    "category": "suspects",
}
_REASON = {"reason": "the list of the wrong year was submitted"}
_CODE = "492039"
_SPOKEN = "legal winner thank year wave sausage worth useful legal winner thank yellow"
_WORDS = "four invented words are enough"

EXAMPLES: dict[str, Any] = {
    "AbortReason": _REASON,
    "AcceptedRegistry": {"digest": "9b" * 32, "spoken": _SPOKEN},
    "Admittance": {"content": "{}", "spoken": _SPOKEN},
    "OwnRenewal": {"revoked": False},
    "RenewedKey": {"content": "{}", "spoken": _SPOKEN, "revoked": False},
    "NotificationChoice": {"channel": "mail", "address": "analyst@ministry.example", "language": "en"},
    "Admission": {"issuer": "https://id.example.org", "subject": "u-17", "name": "Officer One"},
    "Approve": {"digest": "9b" * 32},
    "AssignmentRequest": {"hits": [{"round_id": _ROUND, "hit_id": _ROUND}], "person": "p-0123456789ab", "remark": ""},
    "BeginEnrolment": {"login": "officer-1", "code": "AAAA-BBBB-CCCC-DDDD"},
    "CloseRequest": {"outcome": "confirmed", "remark": "answered by the counterpart"},
    "ConfirmEnrolment": {"login": "officer-1", "enrolment": "AAAA-BBBB-CCCC-DDDD", "password": _WORDS, "code": _CODE},
    "DecisionRequest": {"decision": "same", "remark": "same document number"},
    "ErasureRequest": {"record_id": "si-1"},
    "ErasureProposal": {"record_id": "si-1", "reason": "order of the court of 3 March"},
    "FollowUpRequest": {"channel": "siena", "reference": "SI-2026-17", "urgency": "normal", "remark": ""},
    "HitSearch": {"name": "Ana Novak", "stage": "new", "sort": "certainty"},
    "ManyClosingsRequest": {
        "hits": [{"round_id": "a" * 32, "hit_id": "b" * 32}],
        "outcome": "refuted",
        "remark": "another person of the same name",
    },
    "ManyDecisionsRequest": {
        "every": {"counterpart": "RS", "certainty": "low"},
        "total": 12,
        "decision": "not_the_same",
        "remark": "another year of birth",
    },
    "FileContent": {"content": '{"statements":[],"acceptances":[]}'},
    "NewMatcherAddress": {"url": "https://matcher.example.org:8700", "ca": None},
    "NewInvitation": {"party": "HR", "name": "Croatia", "days": 14},
    "NewAccount": {"login": "officer-1", "roles": ["officer"]},
    "NewFilter": {"name": "new and sure", "shows": {"stage": "new", "certainty": "high"}},
    "PasswordChange": {"password": _WORDS, "code": _CODE, "new_password": "other invented words are enough"},
    "PermissionRequest": {"reference": "SI-2026-18", "remark": "by letter"},
    "ProviderReturn": {"state": "s" * 43, "code": "c" * 32, "binding": "b" * 43},
    "QueryRequest": {
        "round_id": _ROUND,
        "persons": [{"given_names": "Ana", "family_names": "Novak", "date_of_birth": "1985-07-07"}],
        "justification": {
            "legal_basis": _TERMS["legal_basis"],
            "purpose": _TERMS["purpose"],
            "case_reference": "2026/17",
            "category": _TERMS["category"],
            "urgency": "urgent",
        },
    },
    "RecordCorrection": {"fields": {"given_names": ["Ana", "Anica"], "date_of_birth": ["1985-07-08"]}},
    "RecordSearch": {"name": "Ana Novak"},
    "ReferenceRequest": {"reference": "SIENA 2026/17"},
    "Refuse": _REASON,
    "RemarkRequest": {"remark": "asked by telephone, an answer comes on Monday"},
    "ReopenRequest": {"reason": "the counterpart found another document"},
    "ReplyRequest": {"date": "2026-11-26", "number": "SIENA 2026/18", "remark": ""},
    "RefusedAnswer": {"reason": "the case names two persons, and the query has fourteen"},
    "LanguageChoice": {"language": "sr-Cyrl"},
    "RoleChange": {"roles": ["officer", "analyst"]},
    "RoundProposal": {"participants": ["AL", "RS", "SI"], **_TERMS},
    "SignIn": {"login": "officer-1", "password": _WORDS, "code": _CODE},
    "ConsentRequest": {"records": 5_000, "queries": 50},
    "SubmissionRequest": {
        "import_id": _ROUND,
        "kind": "list",
        "justification": {
            "legal_basis": _TERMS["legal_basis"],
            "purpose": _TERMS["purpose"],
            "case_reference": "2026/17",
            "category": _TERMS["category"],
        },
    },
    "StandingQueryRequest": {
        "round_id": _ROUND,
        "persons": [{"given_names": "Ana", "family_names": "Novak", "date_of_birth": "1985-07-07"}],
        "justification": {
            "legal_basis": _TERMS["legal_basis"],
            "purpose": _TERMS["purpose"],
            "case_reference": "2026/17",
            "category": _TERMS["category"],
        },
        "until": 1_800_000_000,
    },
    "UndoRequest": {"number": 4_711},
    "WithdrawnStandingQuery": {"reason": "the case is closed"},
    "WithdrawRequest": {"ground": "incorrect", "reason": "the record was of another person"},
}
