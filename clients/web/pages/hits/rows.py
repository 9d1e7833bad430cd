"""Rows of the list of hits: an own person each, with all hits that the filter leaves, and what sets them apart."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aquila.followup.lifecycle import Stage
from aquila.interface.hits import HitEntry
from clients.web.i18n.languages import Language
from clients.web.text import labels

ENDS = frozenset({Stage.CLOSED, Stage.REPLACED, Stage.WITHDRAWN})
UNDECIDED = frozenset({Stage.NEW, Stage.ACKNOWLEDGED})
_LEAST = 3
"""Persons from which on a page has usual reasons."""


@dataclass(frozen=True, slots=True)
class Row:
    """An own person, with the hits that the filter leaves."""

    hits: Sequence[HitEntry]
    """The surest first."""
    reasons: Mapping[str, Sequence[str]]
    """How the hits differ from what is usual on the page, in words, with the parties of which it is so."""

    @property
    def open(self) -> Sequence[HitEntry]:
        return [hit for hit in self.hits if hit.stage not in ENDS]

    @property
    def meant(self) -> Sequence[HitEntry]:
        """The hits that a decision on the row is about: those without one, else all that are open."""
        return [hit for hit in self.open if hit.stage in UNDECIDED] or self.open

    @property
    def first(self) -> HitEntry:
        """The hit that the row is named for."""
        return (self.meant or self.hits)[0]

    @property
    def parties(self) -> Mapping[str, Sequence[HitEntry]]:
        """The hits of each party."""
        found: dict[str, list[HitEntry]] = {}
        for hit in self.hits:
            found.setdefault(hit.counterpart, []).append(hit)
        return found

    @property
    def lines(self) -> Sequence[str]:
        """The reasons, with their parties where these have different ones."""
        several = len(self.reasons) > 1
        return [f"{', '.join(of)}: {words}" if several else words for words, of in self.reasons.items()]

    @property
    def stages(self) -> Sequence[str]:
        return tuple(dict.fromkeys(hit.stage.value for hit in self.hits))

    @property
    def decisions(self) -> Sequence[str]:
        return tuple(dict.fromkeys(hit.decision.value for hit in self.hits if hit.decision))

    @property
    def assignees(self) -> Sequence[str]:
        return tuple(dict.fromkeys(hit.assignee_name or hit.assignee for hit in self.hits if hit.assignee))

    @property
    def due_at(self) -> int | None:
        return min((hit.due_at for hit in self.hits if hit.due_at is not None), default=None)


def rows_of(hits: Iterable[HitEntry], language: Language) -> tuple[str, list[Row]]:
    """Return what agrees in most hits of a page, in words, and its rows; the hits of one person come together."""
    persons: dict[int | None, list[HitEntry]] = {}
    for hit in hits:
        persons.setdefault(hit.person, []).append(hit)
    confirmed = [hit for listed in persons.values() for hit in listed if hit.parts]
    usual = _usual(confirmed) if len(persons) >= _LEAST else {}
    rows = []
    for listed in persons.values():
        reasons: dict[str, list[str]] = {}
        for hit in listed:
            found = reasons.setdefault(_apart(hit, usual, language), [])
            if hit.counterpart not in found:
                found.append(hit.counterpart)
        rows.append(Row(listed, reasons))
    return labels.plain_rule(usual.values(), language), rows


def _usual(hits: Sequence[HitEntry]) -> dict[str, str]:
    """Return the parts of rules that agree in more than half of some hits, by their families of evidence."""
    counted = Counter(part for hit in hits for part in hit.parts)
    return {labels.family_of(part): part for part, count in counted.most_common() if 2 * count > len(hits)}


def _apart(hit: HitEntry, usual: Mapping[str, str], language: Language) -> str:
    """Return what sets a hit apart from the usual ones; all of its reasons where it is not confirmed."""
    if not hit.parts:
        return " + ".join(language.say(reason) for reason in hit.reasons)
    own = {labels.family_of(part): part for part in hit.parts}
    other = [part for family, part in own.items() if usual.get(family) != part]
    lacking = [part for family, part in usual.items() if family not in own]
    words = [labels.plain_rule(other, language)] if other else []
    if lacking:
        words.append(language.say("without %(agreement)s", agreement=labels.plain_rule(lacking, language)))
    return ", ".join(words) or language.say("nothing else")
