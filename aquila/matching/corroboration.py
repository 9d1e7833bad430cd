"""The certainty of the intelligence, from the 4x4 evaluations of two independent notes.

It is no part of the certainty of the match, and neither changes the other. The table is data with its source, Article
29 of Regulation (EU) 2016/794: `tables/corroboration.toml`, shown in `schemas/intelligence/`.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product

from aquila.errors import InputError

SOURCES, INFORMATION = "ABCX", "1234"
EVALUATIONS = tuple(map("".join, product(SOURCES, INFORMATION)))
"""Every evaluation, a source code and an information code."""

_UNRAISED = "the information is evaluated higher than what a second note could make of it"
_NOT_EVALUATED = "one of the two notes is not evaluated"


@dataclass(frozen=True, slots=True)
class Corroboration:
    """An evaluation before and after another, independent note was seen, and the reason in words."""

    before: str
    after: str
    sentence: str

    @property
    def raised(self) -> bool:
        """Return whether the note is worth more than before."""
        return self.after != self.before


@dataclass(frozen=True, slots=True)
class CorroborationTable:
    """The table, by own and other evaluation."""

    version: int
    source: str
    """Where the codes are defined."""
    assumption: str
    """What must hold for a raise to mean anything, and what no machine can check."""
    cells: dict[tuple[str, str], tuple[str, str]]
    """The information code that a note has afterwards, and why."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """Every reason that `apply` gives, once, with the assumption: what a page has to have in its languages."""
        given = [self.assumption, _UNRAISED, _NOT_EVALUATED, *(sentence for _, sentence in self.cells.values())]
        return tuple(dict.fromkeys(given))

    def apply(self, own: str | None, other: str | None) -> Corroboration:
        """Return an own note's certainty after a counterpart's note.

        Args:
            own: The own evaluation, such as `X4`, or None where the record has none.
            other: The counterpart's.

        Raises:
            InputError: A text that is no evaluation.
        """
        for evaluation in (own, other):
            if evaluation is not None and evaluation not in EVALUATIONS:
                raise InputError("evaluation_not_4x4")
        if own is None or other is None:
            return Corroboration(own or "", own or "", _NOT_EVALUATED)
        code, sentence = self.cells.get((own, other), (own[1], _UNRAISED))
        return Corroboration(own, own[0] + code, sentence)


@cache
def corroboration_table() -> CorroborationTable:
    """Return the table of this release."""
    document = tomllib.loads((files("aquila.matching") / "tables" / "corroboration.toml").read_text(encoding="utf-8"))
    cells: dict[tuple[str, str], tuple[str, str]] = {}
    for rule in document["rules"]:
        for pair in product(rule["own"], rule["other"]):
            cells.setdefault(pair, (rule["becomes"], rule["sentence"]))
    return CorroborationTable(document["version"], document["source"], document["assumption"], cells)
