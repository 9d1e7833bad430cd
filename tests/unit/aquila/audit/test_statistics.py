"""Statistics come from entries alone."""

import json

from aquila.audit.entries import Entry, EntryKind
from aquila.audit.statistics import statistics_of

ROUND = "0" * 32


def entry(kind: EntryKind, party: str = "SI", **fields: object) -> Entry:
    return Entry.of(kind, 7, party, round=ROUND, **fields)


def test_a_round_is_counted() -> None:
    submitted = {"records": 100, "full": 3, "partial": 2, "coarse": 1, "chunks": 2}
    found = statistics_of(
        ROUND,
        [
            entry(EntryKind.PROPOSAL, "matcher"),
            entry(EntryKind.CONSENT),
            entry(EntryKind.SUBMISSION, counts=submitted, ids={"kind": "list"}),
            entry(EntryKind.SUBMISSION, counts=submitted, ids={"kind": "query"}),
            entry(
                EntryKind.MATCH,
                "matcher",
                ids={"left": "AL", "right": "SI", "of": "lists"},
                counts={"high": 2, "medium": 0, "low": 1},
            ),
            entry(EntryKind.REPORT, "matcher", recipient="SI"),
            entry(EntryKind.CONSULTATION),
            entry(EntryKind.ENDING, "matcher", ids={"outcome": "closed"}),
        ],
    )
    document = json.loads(found.to_bytes())
    assert document["pairs"] == [{"left": "AL", "right": "SI", "of": "lists", "high": 2, "medium": 0, "low": 1}]
    assert document["parties"] == [
        {"party": "AL", "hits": 3},
        {
            "party": "SI",
            "consents": 1,
            "lists": 1,
            "queries": 1,
            "records": 200,
            "full": 6,
            "partial": 4,
            "coarse": 2,
            "chunks": 4,
            "hits": 3,
            "reports": 1,
        },
    ]
    assert (document["proposed_at"], document["ended_at"], document["outcome"]) == (7, 7, "closed")
