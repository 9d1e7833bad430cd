"""The terms of the pages, each explained in two sentences: a `?` shows them where a term appears, the glossary all.

`docs/GLOSSARY.md` is the source of the terms.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from clients.web.i18n.languages import n_


class Term(NamedTuple):
    """A term."""

    name: str
    """As the pages write it, in English."""
    meaning: str
    """Two sentences, in English."""


TERMS: Mapping[str, Term] = MappingProxyType(
    {
        "cap": Term(
            n_("cap"),
            n_(
                "The largest amount that a party may have compared in a round. Whatever is beyond it is not evaluated "
                "by the other parties' nodes."
            ),
        ),
        "certainty": Term(
            n_("certainty"),
            n_(
                "How likely a hit is right: at high at least 99 of 100 such hits are, at medium 90, at low 50. It says "
                "nothing about what a person did."
            ),
        ),
        "consent": Term(
            n_("consent"),
            n_(
                "The party's signed agreement to the terms of one round. An officer asks for it, and an approver "
                "approves exactly what the officer read."
            ),
        ),
        "dual-control": Term(
            n_("dual control"),
            n_(
                "Two persons are needed: one requests, another approves exactly that content. Nobody can approve "
                "their own request."
            ),
        ),
        "fingerprint": Term(
            n_("fingerprint"),
            n_(
                "A short number that belongs to one key. Two parties compare it by telephone or in person, so that "
                "nobody can put another key in its place."
            ),
        ),
        "fishing": Term(
            n_("fishing"),
            n_(
                "A query that hits far more records than the lists explain. Its report is withheld until an approver "
                "of your party decides on it."
            ),
        ),
        "hit": Term(
            n_("hit"),
            n_(
                "Two parties may each hold a record of the same person. It is a reason to ask the other party, "
                "identifies nobody and proves nothing."
            ),
        ),
        "key": Term(
            n_("key of a round"),
            n_(
                "Each party makes one for each round, and tokens can be computed only with the keys of all of them. "
                "When it is destroyed, nothing of the round can be computed again."
            ),
        ),
        "log": Term(
            n_("log"),
            n_(
                "Every step is entered with the person's pseudonym, and entries cannot be changed without being "
                "noticed. It holds no record and no name."
            ),
        ),
        "shadow": Term(
            n_("shadow column"),
            n_(
                "Tags that only two nodes can make, and that the matcher compares as it compares tokens. The two nodes "
                "check that the tags that met are those of the reported hits, and so notice a hit that is left out."
            ),
        ),
        "token": Term(
            n_("token"),
            n_(
                "A number made from a part of a record with the keys of all parties. The matcher compares tokens and "
                "cannot read what they were made from."
            ),
        ),
    }
)
