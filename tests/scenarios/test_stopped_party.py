"""A party stops at some step: the pairs of all others finish, and when it comes back its own do, too."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from itertools import combinations

import pytest

from aquila.errors import OrderError
from aquila.protocol.messages import Mode, Outcome
from aquila.protocol.rounds.exchange import unfinished
from aquila.protocol.rounds.round_state import EvaluationKey, ReportKey
from aquila.protocol.rounds.rules import missing_evaluations
from aquila.protocol.shadow.queries import query_number
from tests.support.staged_round import WINDOW, StagedRound, person

CODES = ("AL", "ME", "RS")
SHARED = {
    code: (
        person(f"{code}-1", "Besnik", "Hoxha", "1979-05-06"),
        person(f"{code}-2", "Ana", f"Novak{code}", "1980-03-04"),
        *(
            person(f"{code}-{number}", "Goran", f"Petrović{left}{right}", "1969-08-08")
            for number, (left, right) in enumerate(combinations(CODES, 2))
            if code in (left, right)
        ),
    )
    for code in CODES
}
"""One person is in all three lists, and one in those of each two parties."""

EXPECTED = {
    (left, f"{left}-{one}", right, f"{right}-{one}")
    for number, (left, right) in enumerate(combinations(CODES, 2))
    for one in {1, number}
}


class Step(IntEnum):
    """The steps of a party, in their order."""

    CONSENT = 0
    LOCKS = 1
    LIST = 2
    SOME_EVALUATIONS = 3
    EVALUATIONS = 4
    TOKENS = 5
    REPORT = 6
    ALL = 7


class Pairs:
    """A round whose parties do whatever is due, pair by pair, but for what a stopped party no longer does."""

    def __init__(self, stage: StagedRound) -> None:
        self.stage, self.round, self.hits = stage, stage.round, set[tuple[str, str, str, str]]()
        self.last = dict.fromkeys(stage.nodes, Step.ALL)
        self.noted: set[tuple[str, str]] = set()
        stage.consent()

    def does(self, code: str, step: Step) -> bool:
        """Return whether a party has not stopped before a step."""
        return self.last[code] >= step

    def play(self) -> None:
        """Let everyone do what is due."""
        self._begin()
        for submission in list(self.round.submissions):
            for code in self.round.evaluators_of(submission):
                self._evaluate(submission, code)
        for left, right in combinations(CODES, 2):
            self._finalize(left, right)
            self._finalize(right, left)
            self._report(ReportKey(left, right, None))
            self._exchange(left, right)

    def _begin(self) -> None:
        """Sign Locks, and submit lists."""
        for node in self.stage.nodes.values():
            if self.does(node.code, Step.LOCKS) and node.code not in self.round.locks:
                assert node.secrets is not None
                self.stage.publish(node.party.locks(node.round, node.next_sequence(), node.secrets))
        for node in self.stage.nodes.values():
            if self.does(node.code, Step.LIST) and self.round.list_of(node.code) is None:
                self.stage.submit(node)

    def _evaluate(self, submission: str, code: str) -> None:
        origin = self.stage.nodes[self.round.submissions[submission].party]
        for index in range(len(origin.chunks)):
            step = Step.EVALUATIONS if index else Step.SOME_EVALUATIONS
            is_done = EvaluationKey(submission, index, code) in self.round.evaluations
            if self.does(code, step) and code in self.round.locks and not is_done:
                self.stage.evaluate_chunk(origin, index, self.stage.nodes[code])

    def _finalize(self, code: str, other: str) -> None:
        """Send the tokens of a column that is due: its counterpart's list and evaluations are there."""
        own = self.round.list_of(code)
        if own is None or self.round.list_of(other) is None or not self.does(code, Step.TOKENS):
            return
        if (own, other) not in self.round.tokens and not missing_evaluations(self.round, own, other):
            self.stage.finalize(self.stage.nodes[code], other)

    def _report(self, report: ReportKey) -> None:
        """Match a pair of which both columns are there, and let who is there acknowledge its report."""
        if self.round.can_be_joined(report) and report not in self.round.reports:
            self.hits |= {hit[:4] for hit in self.stage.match_pair(*report[:2])}
        for side in (report, report.other_side):
            if side in self.round.reports and side not in self.round.receipts and self.does(side.party, Step.ALL):
                self.stage.acknowledge({side.party: [side.counterpart]})

    def _exchange(self, left: str, right: str) -> None:
        """Exchange the notes of two parties that both have their reports."""
        sides = [(left, right), (right, left)]
        if not all(ReportKey(*side, None) in self.round.receipts for side in sides) or {*sides} <= self.noted:
            return
        nodes = [(self.stage.nodes[code], self.stage.nodes[code].told[other]) for code, other in sides]
        self.stage.exchange_notes(iter(nodes))
        self.noted |= {*sides}

    def end(self, now: int) -> bytes:
        """Return the matcher's word that the round is closed."""
        return self.stage.matcher.end(self.round, Outcome.CLOSED, "its pairs are over", now)

    def closed(self) -> str:
        """Close the round, and let every party that is there close; return its phase."""
        self.stage.publish(self.end(self.stage.now))
        for node in self.stage.nodes.values():
            if self.does(node.code, Step.ALL):
                self.stage.publish(node.party.close(node.round, node.next_sequence(), node.hits))
        return self.round.phase.value


def of(hits: set[tuple[str, str, str, str]], *without: str) -> set[tuple[str, str, str, str]]:
    return {hit for hit in hits if not {hit[0], hit[2]} & {*without}}


@pytest.fixture
def pairs(staged: Callable[..., StagedRound]) -> Pairs:
    return Pairs(staged(SHARED, chunk_elements=16))


def check(pairs: Pairs, away: str = "") -> None:
    """Check that all pairs but those of a party are finished: checked, acknowledged, and each note confirmed."""
    due = {report for report in pairs.round.reports_of(None) if away not in report}
    assert due <= pairs.round.receipts.keys()
    assert {report: pairs.round.checked[report].fault for report in due} == dict.fromkeys(due)
    assert of(pairs.hits, away) == of(EXPECTED, away)
    assert pairs.stage.refuted == {}
    assert {one for one in unfinished(pairs.round) if away not in one} == set()


@pytest.mark.parametrize("step", list(Step)[:-1], ids=lambda step: step.name.lower())
def test_stopped_and_back(pairs: Pairs, step: Step) -> None:
    """All other pairs finish, and the round may be closed when the time of the stopped party's pairs is over.

    When it comes back before that its pairs finish, too: the hits are those of a round in which nobody stopped.
    """
    pairs.last["ME"] = step
    pairs.play()
    check(pairs, "ME")
    told = {report.party for report in pairs.round.reports if "ME" in report}
    assert told == (set() if step < Step.TOKENS else set(CODES))
    # Of its reports it may send receipts until the round's time is over.
    last = WINDOW.submit_by if step < Step.LIST else WINDOW.closes_at if told else WINDOW.evaluate_by
    with pytest.raises(OrderError, match="cannot be closed yet"):
        pairs.end(last)
    assert pairs.end(last + 1)
    pairs.stage.now, pairs.last["ME"] = last, Step.ALL
    pairs.play()
    check(pairs)
    assert pairs.closed() == "closed"


def test_it_comes_back_too_late_for_its_list(pairs: Pairs) -> None:
    pairs.last["ME"] = Step.LOCKS
    pairs.play()
    pairs.stage.now, pairs.last["ME"] = WINDOW.submit_by + 1, Step.ALL
    with pytest.raises(OrderError, match="the time for a submission is over"):
        pairs.play()
    check(pairs, "ME")
    pairs.last["ME"] = Step.LOCKS
    assert pairs.closed() == "closed"
    assert pairs.round.closings.keys() == {*CODES} - {"ME"}


def test_nobody_has_any_pair(pairs: Pairs) -> None:
    """Where all but one have stopped there is no report, and the round can only be aborted."""
    pairs.last |= dict.fromkeys(CODES[1:], Step.LOCKS)
    pairs.play()
    assert not pairs.round.reports
    with pytest.raises(OrderError, match="cannot be closed yet"):
        pairs.end(WINDOW.closes_at + 1)
    pairs.stage.abort()
    assert pairs.round.phase.value == "aborted"


QUESTION = (person("q-1", "Besnik", "Hoxha", "1979-05-06"), person("q-2", "Nobody", "Atall", "1950-01-01"))
SECOND = (person("q-3", "Besnik", "Hoxha", "1979-05-06"), person("q-4", "Ana", "Novak", "1980-03-04"))


def test_a_query_without_one_owner(staged: Callable[..., StagedRound]) -> None:
    """The other owners answer; the one that comes back answers in the order of the tokens for it, whatever came first.

    Its second query has the numbers of a first one there: dummies and earlier queries are by owner.
    """
    stage = staged(changes={"mode": Mode.LISTS_AND_QUERIES}).reported()
    first, second = stage.ask("SI", QUESTION), stage.ask("SI", SECOND)
    for asker in (first, second):
        stage.answer(asker, "AL")
        found = stage.tell(asker)
        assert found == {("AL", "SI"): None, ("SI", "AL"): None}
    for asker in (second, first):
        stage.answer(asker, "RS")
    numbers = {
        owner: [query_number(stage.round, asker.submission_id, owner) for asker in (first, second)]
        for owner in ("AL", "RS")
    }
    assert numbers == {"AL": [0, 1], "RS": [1, 0]}
    (early,) = (report for report in stage.reports_of(first) if report.party == "RS")
    with pytest.raises(OrderError, match="comes before that of an earlier one"):
        stage.nodes["RS"].round.accept(stage.matcher.report(early))
    for asker in (second, first):
        assert stage.tell(asker) == {("RS", "SI"): None, ("SI", "RS"): None}
    reported = [stage.round.reported["RS", "SI", asker.submission_id].total for asker in (first, second)]
    assert reported == [1, 2]


def test_a_party_that_closed_answers_no_query(staged: Callable[..., StagedRound]) -> None:
    """It evaluates nothing any more; a query is submitted all the same, and the others answer it."""
    stage = staged(changes={"mode": Mode.LISTS_AND_QUERIES}).reported()
    node = stage.nodes["RS"]
    stage.publish(node.party.close(node.round, node.next_sequence(), node.hits))
    asker = stage.ask("SI", QUESTION)
    stage.answer(asker, "AL")
    assert stage.tell(asker) == {("AL", "SI"): None, ("SI", "AL"): None}
