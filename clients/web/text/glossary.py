"""The terms of the pages, each explained in two sentences: a `?` shows them where a term appears, the glossary all.

`docs/GLOSSARY.md` is the source of the terms.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Term(NamedTuple):
    """A term.

    Attributes:
        name: As the pages write it, in English.
        meaning: Two sentences, in English.
    """

    name: str
    meaning: str


def _n(message: str) -> str:
    """Mark a message for the catalogue; it is translated where it is shown."""
    return message


TERMS: Mapping[str, Term] = MappingProxyType(
    {
        "cap": Term(
            _n("cap"),
            _n(
                "The largest amount that a party may have compared in a round. Whatever is beyond it is not evaluated "
                "by the other parties' nodes."
            ),
        ),
        "certainty": Term(
            _n("certainty"),
            _n(
                "How likely a hit is right: at high at least 99 of 100 such hits are, at medium 90, at low 50. It says "
                "nothing about what a person did."
            ),
        ),
        "consent": Term(
            _n("consent"),
            _n(
                "The party's signed agreement to the terms of one round. An officer asks for it, and an approver "
                "approves exactly what the officer read."
            ),
        ),
        "dual-control": Term(
            _n("dual control"),
            _n(
                "Two persons are needed: one requests, another approves exactly that content. Nobody can approve an "
                "own request."
            ),
        ),
        "fingerprint": Term(
            _n("fingerprint"),
            _n(
                "A short number that belongs to one key. Two parties compare it by telephone or in person, so that "
                "nobody can put another key in its place."
            ),
        ),
        "fishing": Term(
            _n("fishing"),
            _n(
                "A query that hits far more records than the lists explain. Its report is withheld until an approver "
                "of your party decides on it."
            ),
        ),
        "hit": Term(
            _n("hit"),
            _n(
                "Two parties may each hold a record of the same person. It is a reason to ask the other party, "
                "identifies nobody and proves nothing."
            ),
        ),
        "key": Term(
            _n("key of a round"),
            _n(
                "Each party makes one for each round, and tokens can be computed only with the keys of all of them. "
                "When it is destroyed, nothing of the round can be computed again."
            ),
        ),
        "log": Term(
            _n("log"),
            _n(
                "Every step is entered with the person's pseudonym, and entries cannot be changed without being "
                "noticed. It holds no record and no name."
            ),
        ),
        "shadow": Term(
            _n("shadow column"),
            _n(
                "Tags that only two nodes can make, and that the matcher compares as it compares tokens. The two nodes "
                "check that the tags that met are those of the reported hits, and so notice a hit that is left out."
            ),
        ),
        "token": Term(
            _n("token"),
            _n(
                "A number made from a part of a record with the keys of all parties. The matcher compares tokens and "
                "cannot read what they were made from."
            ),
        ),
    }
)
