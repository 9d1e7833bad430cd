"""What each rule adds, and what learning adds: the matching without it, graded anew."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from aquila.matching.certainty import GradingBasis, grade_on
from aquila.matching.learning import learn_share
from aquila.records.rules import Rule, RuleTable
from tests.quality.measuring.grading import Hit, footings_of, hits_of, hits_on
from tests.quality.measuring.labelled_sets import LabelledSet
from tests.quality.measuring.measures import Measured, measure
from tests.quality.measuring.plaintext_matching import Meeting


@dataclass(frozen=True, slots=True)
class Without:
    """What is measured if one rule is left out.

    Attributes:
        met: Pairs of one person that met under the rule, whatever other rules they met under.
        only: Of these, the pairs that met under no other rule.
    """

    rule: Rule
    measured: Measured
    met: int
    only: int


def without_each(meetings: Sequence[Meeting], table: RuleTable, labelled: LabelledSet) -> list[Without]:
    masks = [found.rules for meeting in meetings for found in meeting.met if found.pair in labelled.same]
    found = []
    for rule in table.rules:
        bit = 1 << (rule.number - 1)
        hits = hits_of(meetings, table, ~bit)
        met = sum(bool(mask & bit) for mask in masks)
        found.append(Without(rule, measure(hits, labelled), met, sum(mask == bit for mask in masks)))
    return found


def without_learning(meetings: Sequence[Meeting], table: RuleTable, labelled: LabelledSet) -> dict[str, Measured]:
    """Leave out what a round learns and sees, one thing after another."""
    learned = footings_of(meetings, table)
    shares = [_with_share(table, meeting, grading_basis) for meeting, grading_basis in _both(meetings, learned)]
    expected = table.common_per_million
    nothing = [replace(grading_basis, learned=(), common_per_million=expected) for grading_basis in learned]
    by_itself = [
        hit for meeting, grading_basis in _both(meetings, learned) for hit in _each_alone(meeting, table, grading_basis)
    ]
    return {
        "all": _measured(meetings, table, learned, labelled),
        "the table's weights, only the share learned": _measured(meetings, table, shares, labelled),
        "nothing learned": _measured(meetings, table, nothing, labelled),
        "learned, but each pair graded by itself": measure(by_itself, labelled),
    }


def _with_share(table: RuleTable, meeting: Meeting, grading_basis: GradingBasis) -> GradingBasis:
    """A grading basis of the table's weights and the share that they alone teach."""
    share = learn_share(table, meeting.patterns(), meeting.size_a, meeting.size_b)
    return replace(grading_basis, learned=(), common_per_million=share)


def _measured(
    meetings: Sequence[Meeting], table: RuleTable, grading_bases: Sequence[GradingBasis], labelled: LabelledSet
) -> Measured:
    return measure(
        (hit for one, grading_basis in _both(meetings, grading_bases) for hit in hits_on(one, table, grading_basis)),
        labelled,
    )


def _each_alone(meeting: Meeting, table: RuleTable, grading_basis: GradingBasis) -> Iterator[Hit]:
    """Yield the hits between two lists, each graded as if its records had no other partner."""
    for found in meeting.met:
        result = grade_on(table, found.rules, grading_basis)
        if result.level is not None:
            yield Hit(found.pair, result.level, result.probability, found.rules)


def _both(meetings: Sequence[Meeting], grading_bases: Sequence[GradingBasis]) -> Iterator[tuple[Meeting, GradingBasis]]:
    return zip(meetings, grading_bases, strict=True)
