"""A matcher leaves hits of a query out, or an asker lies about its column: both notice, but for one chance in 129."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from aquila.errors import AquilaError, BindingError, EquivocationError, OrderError, PolicyError
from aquila.matching.certainty import Level
from aquila.matching.list_rows import ReadRows
from aquila.protocol.messages import (
    Basis,
    BelowPair,
    CheckFault,
    HitReport,
    Kind,
    MetTags,
    Mode,
    ReportCheck,
    Withholding,
)
from aquila.protocol.rounds.round_state import ReportKey
from aquila.protocol.shadow.checks import ToldPairs
from aquila.protocol.shadow.columns import Column, met_digest, query_dummies
from aquila.protocol.shadow.meeting import met_tags
from aquila.protocol.shadow.queries import asked_pair, check_query, told_rows
from aquila.protocol.submissions import column_sizes
from aquila.protocol.submissions.column_sizes import PLANNED_QUERIES, QUERY_DUMMIES
from aquila.simulation import SimulatedParty
from tests.support.staged_round import LISTS, StagedRound, person

TAGS, PAIRS, COLUMNS, EARLIER = CheckFault.TAGS, CheckFault.PAIRS, CheckFault.COLUMNS, CheckFault.EARLIER
ASKED = LISTS["AL"][1:2]
"""A person whom AL knows, and nobody else."""


@pytest.fixture
def asked(staged: Callable[..., StagedRound]) -> StagedRound:
    """A round that takes queries, whose lists were reported and found whole."""
    return staged(changes={"mode": Mode.LISTS_AND_QUERIES}).reported()


def query(stage: StagedRound, code: str = "SI", records: object = ASKED) -> SimulatedParty:
    """Let a party ask, and send its tokens."""
    asker = stage.ask(code, records)  # type: ignore[arg-type]
    stage.answer(asker)
    return asker


def without(report: HitReport, *sides: str, most: int = 99) -> HitReport:
    """Return a report without hits between two parties, as far as it is one of theirs."""
    is_theirs = {report.party, report.counterpart} == {*sides}
    return report.model_copy(update={"hits": report.hits[most:]}) if is_theirs else report


def faults(found: dict[tuple[str, str], CheckFault | None]) -> dict[tuple[str, str], CheckFault]:
    """Return what was found wrong."""
    return {pair: fault for pair, fault in found.items() if fault is not None}


def test_everything_is_reported(asked: StagedRound) -> None:
    """Nothing was left out, and both sides say so of the same tags; of a query that hits nobody too."""
    for records, hits in ((ASKED, 1), ([person("q", "Nobody", "Atall", "1950-01-01")], 0)):
        asker = query(asked, records=records)
        assert asked.tell(asker) == {pair: None for a in ("AL", "RS") for pair in ((a, "SI"), ("SI", a))}
        for owner in ("AL", "RS"):
            report = ReportKey(owner, "SI", asker.submission_id)
            own, theirs = asked.round.checked[report.other_side], asked.round.checked[report]
            assert (own.met, own.below) == (theirs.met, theirs.below)
            assert len(asked.told_of[report].pairs) == (hits if owner == "AL" else 0)


def test_hits_left_out(asked: StagedRound) -> None:
    """Both sides find that more tags met than follow from the report, and no third one."""
    asked.lie = lambda report: without(report, "AL", "SI")
    assert faults(asked.tell(query(asked))) == {("AL", "SI"): TAGS, ("SI", "AL"): TAGS}


def test_hits_left_out_on_one_side(asked: StagedRound) -> None:
    """Whoever is told less notices."""
    asked.lie = lambda report: without(report, "AL", "SI") if report.party == "SI" else report
    assert faults(asked.tell(query(asked))) == {("SI", "AL"): TAGS}


@pytest.mark.parametrize("tags", [-1, 0])
def test_false_counts(asked: StagedRound, tags: int) -> None:
    """A number that fits is not enough: which tags met is told by their digest."""

    def lie(report: HitReport) -> HitReport:
        assert report.basis.met is not None
        met = MetTags(digest="0" * 64, tags=report.basis.met.tags + tags)
        basis = report.basis.model_copy(update={"met": met})
        return without(report.model_copy(update={"basis": basis}), "AL", "SI")

    asked.lie = lie
    found = asked.tell(query(asked))
    assert set(found.values()) == {TAGS}


def test_one_chance_in_129(asked: StagedRound) -> None:
    """A hit of one tag is hidden from both sides by exactly one of all 129 tags that met, which look alike."""
    asker = query(asked)
    column = asker.column_for("AL")
    met = met_tags(column, asked.nodes["AL"].column_for("SI"))
    assert len(met) == QUERY_DUMMIES + 1 == 129
    unseen = []
    asked.tell(asker)
    for place in range(len(met)):
        left = np.delete(met, place)
        told = ToldPairs((), MetTags(tags=len(left), digest=met_digest(left)))
        seen = []
        for code, other in (("SI", "AL"), ("AL", "SI")):
            node = asked.nodes[code]
            listed = ReadRows(asked.rows_of(node.submission_id, other))
            rows = asked.asked_rows(asker.submission_id, other).rows if code == "SI" else told_rows(listed, ())
            pair = asked_pair(node.round, asked.table, asker.submission_id, "AL")
            with node.pair_key(other) as key:
                seen.append(check_query(key, rows, pair, told, [asked.told_of[ReportKey(code, other, None)]]))
        assert seen in ([TAGS, TAGS], [None, None])
        unseen += [place] * (seen == [None, None])
    assert len(unseen) == 1


def test_told_as_below(asked: StagedRound) -> None:
    """A hit that is called too weak is no fault here; both sides see how many were, and sign the number."""

    def lie(report: HitReport) -> HitReport:
        weak = tuple(
            BelowPair(counterpart_handle=hit.counterpart_handle, handle=hit.handle, met=hit.met, pair_id=hit.hit_id)
            for hit in report.hits
        )
        return report.model_copy(update={"hits": (), "below": weak})

    asked.lie = lie
    asker = query(asked)
    assert faults(asked.tell(asker)) == {}
    report = ReportKey("AL", "SI", asker.submission_id)
    assert [asked.round.checked[side].below for side in (report, report.other_side)] == [1, 1]


def test_a_duplicate_of_the_owner(staged: Callable[..., StagedRound]) -> None:
    """One of the owner's two records of a person is left out, which costs no tag: the owner misses it."""
    lists = LISTS | {"AL": [*LISTS["AL"], replace(LISTS["AL"][1], record_id="al-again")]}
    stage = staged(lists=lists, changes={"mode": Mode.LISTS_AND_QUERIES}).reported()
    stage.lie = lambda report: without(report, "AL", "SI", most=1)
    found = faults(stage.tell(query(stage)))
    assert found == {("AL", "SI"): PAIRS}


def test_a_person_of_the_own_list(asked: StagedRound) -> None:
    """Who is on the asker's list and is asked for again has no new tag; left out, the asker misses what met before."""
    common = asked.nodes["RS"]
    records = LISTS["RS"]
    pairs = asked.told_of[ReportKey("RS", "AL", None)].pairs
    assert pairs
    for lied in (False, True):
        asker = query(asked, "RS", records)
        met = met_tags(asker.column_for("AL"), asked.nodes["AL"].column_for("RS"))
        assert len(met) == QUERY_DUMMIES
        if lied:
            asked.lie = lambda report: without(report, "AL", "RS", most=1)
        assert faults(asked.tell(asker)) == ({("RS", "AL"): PAIRS} if lied else {})
    assert ("RS", "AL", asker.submission_id) in common.round.checked


def test_a_person_asked_for_again(asked: StagedRound) -> None:
    """The second query for a person sends no tag of it, and its hit can be left out no more than the first one's."""
    first = query(asked)
    assert faults(asked.tell(first)) == {}
    second = query(asked)
    assert len(met_tags(second.column_for("AL"), asked.nodes["AL"].column_for("SI"))) == QUERY_DUMMIES
    sent = set(first.column_for("AL").tolist()) & set(second.column_for("AL").tolist())
    assert not sent
    asked.lie = lambda report: without(report, "AL", "SI")
    assert faults(asked.tell(second)) == {("SI", "AL"): PAIRS}


def test_after_a_lie_nothing_is_checked(asked: StagedRound) -> None:
    """What a query met before is not known where that report was not whole: the next one is not checked."""
    asked.lie = lambda report: without(report, "AL", "SI")
    asked.tell(query(asked))
    asked.lie = lambda report: report
    found = faults(asked.tell(query(asked)))
    assert found == {("AL", "SI"): EARLIER, ("SI", "AL"): EARLIER}


def test_tags_without_rows(asked: StagedRound) -> None:
    """A tag of a combination that no row of the query has asks nothing: its column does not fit, and nobody is told."""
    guessed = asked.nodes["AL"].column_for("SI")[:100]
    asked.alter = lambda column: Column(np.unique(np.concatenate([column.tags, guessed])), column.left_out)
    asker = query(asked, records=ASKED)
    found = asked.tell(asker)
    assert found["SI", "AL"] is found["AL", "SI"] is COLUMNS
    assert not asked.told_of[ReportKey("SI", "AL", asker.submission_id)].pairs
    assert not any(report.hits for report in asked.reports_of(asker) if "AL" in {report.party, report.counterpart})


def test_wrong_tags_tell_nothing_of_hits(asked: StagedRound) -> None:
    """An asker whose column does not fit is told what one is told that hits nobody, but that it does not fit."""

    def basis(records: object) -> Basis:
        reports = asked.reports_of(query(asked, records=records))
        return next(one.basis for one in reports if (one.party, one.counterpart) == ("SI", "AL"))

    nobody = basis([person("q", "Nobody", "Atall", "1950-01-01")])
    assert basis(ASKED).settled == 1
    asked.alter = lambda column: Column(column.tags[::2], ())
    wrong = basis([replace(ASKED[0], record_id="again")])
    assert wrong.met is None
    assert wrong == nobody.model_copy(update={"met": None})


def test_a_tag_in_place_of_a_dummy(asked: StagedRound) -> None:
    """An asker's false column can fit: both find other tags than are due, which does not show whose lie it is."""
    first = query(asked)
    assert faults(asked.tell(first)) == {}
    met = met_tags(first.column_for("AL"), asked.nodes["AL"].column_for("SI"))
    with asked.nodes["SI"].pair_key("AL") as key:
        again = np.setdiff1d(met, query_dummies(key, "SI", range(1)))
        due = query_dummies(key, "SI", range(1, 2))
    asked.alter = lambda column: Column(
        np.union1d(np.setdiff1d(column.tags, due[:1]), again[:1]) if due[0] in column.tags else column.tags, ()
    )
    found = faults(asked.tell(query(asked, records=[person("q", "Nobody", "Atall", "1950-01-01")])))
    assert found == {("AL", "SI"): TAGS, ("SI", "AL"): TAGS}


def test_too_few_tags(asked: StagedRound) -> None:
    """An asker that leaves its tags out is told nothing, and accuses nobody."""
    asked.alter = lambda column: Column(column.tags[:0].copy() if not len(column.tags) else column.tags[1:], ())
    found = asked.tell(query(asked))
    assert COLUMNS in {found["SI", "AL"], found["SI", "RS"]}


def test_rows_of_one_set(staged: Callable[..., StagedRound]) -> None:
    """A query whose person meets a set and is no hit is told to both programs: nobody asks silently."""
    stage = staged(changes={"mode": Mode.LISTS_AND_QUERIES, "minimum_certainty": Level.HIGH}, rules="default")
    stage.reported()
    asker = query(stage, records=[person("q", "Арбен", "Красничи", "1988-11-30")])
    assert faults(stage.tell(asker)) == {}
    report = ReportKey("AL", "SI", asker.submission_id)
    below = stage.told_of[report].below
    assert [stage.round.checked[side].below for side in (report, report.other_side)] == [below, below]


def test_in_their_order(asked: StagedRound) -> None:
    """An owner takes no report of a query before that of an earlier one of the same asker."""
    first, second = query(asked), query(asked)
    told = {one.party: one for one in asked.reports_of(second)}
    with pytest.raises(OrderError, match="before that of an earlier one"):
        asked.nodes["AL"].round.accept(asked.matcher.report(told["AL"]))
    assert faults(asked.tell(first)) == faults(asked.tell(second)) == {}


def test_statements_that_do_not_count(asked: StagedRound) -> None:
    """A check of a query is of a pair that it concerns, once, the owner's after the asker's, of the report sent."""
    asker = query(asked)
    asked.tell(asker)
    report = ReportKey("AL", "SI", asker.submission_id)
    records = (asked.round, *(node.round for node in asked.nodes.values()))
    said, theirs = asked.round.checked[report], asked.round.checked[report.other_side]
    asked.refused(EquivocationError, asked.changed("AL", said), "already", only={"AL", "SI"})
    for record in records:
        record.checked = {one: of for one, of in record.checked.items() if one.submission_id is None}
    asked.refused(OrderError, asked.changed("AL", said), "before its asker does")
    false = asked.changed("SI", theirs, report_digest="0" * 64)
    asked.refused(AquilaError, false, "not sent", only={"SI"})
    asked.refused(PolicyError, asked.changed("SI", theirs, counterpart="SI"), "may not")
    asked.refused(PolicyError, asked.changed("RS", theirs, party="RS"), "may not")
    asked.refused(PolicyError, asked.changed("SI", theirs, submission_id="0" * 32), "may not")
    for record in records:
        record.withheld[report] = Withholding.REFUSED
    asked.refused(OrderError, asked.changed("SI", theirs), "or of a refused answer")


def test_a_check_of_an_answer_that_is_held(asked: StagedRound) -> None:
    """An asker that says what it found before it was told is not heard, nor the owner before the asker."""
    asker = query(asked)
    name = asker.submission_id
    for report in asked.reports_of(asker):
        if report.party != "SI":
            asked.publish(asked.matcher.report(report), only={report.party})
    node = asked.nodes["AL"]
    alarm = node.party.alarm(node.round, node.next_sequence(), name, 40, 1.5)
    asked.publish(alarm, only={"AL"})
    found = {"submission_id": name, "below": 0, "fault": None}
    told = {"counterpart": "AL", "report_digest": "0" * 64, "met": "0" * 64}
    early = asked.statement("SI", ReportCheck, **found, **told)
    asked.refused(BindingError, asked.signed("SI", early), "was not sent", only=())
    key = ReportKey("AL", "SI", name)
    told = {"counterpart": "SI", "report_digest": asked.round.reports[key], "met": asked.round.met[key]}
    owns = asked.statement("AL", ReportCheck, **found, **told)
    asked.refused(OrderError, asked.signed("AL", owns), "before its asker does", only=())


def test_no_tokens_before_those_of_the_lists(staged: Callable[..., StagedRound]) -> None:
    """A query's column rests on the lists'; nor does a round take more queries than dummies are planned for."""
    stage = staged(changes={"mode": Mode.LISTS_AND_QUERIES}).evaluated()
    stage.finalize(stage.nodes["SI"])
    asker = stage.ask("SI", ASKED)
    with pytest.raises(OrderError, match="before those of both lists"):
        stage.answer(asker)
    submission = stage.round.submissions[asker.submission_id]
    records = (stage.round, *(node.round for node in stage.nodes.values()))
    for record in records:
        for number in range(PLANNED_QUERIES - 1):
            record.submissions[f"{number:032x}"] = submission
    more = stage.changed("SI", submission, submission_id="f" * 32)
    stage.refused(PolicyError, more, "the most that a round takes")


def test_as_many_dummies_as_claimed() -> None:
    """The numbers that the documents say."""
    assert (QUERY_DUMMIES, PLANNED_QUERIES) == (128, 256)
    assert column_sizes.planned_dummies(Mode.LISTS) == 0
    assert column_sizes.TAG_BYTES * column_sizes.planned_dummies(Mode.LISTS_AND_QUERIES) == 512 * 1024
    assert column_sizes.most_tags(Mode.LISTS, Kind.QUERY, 2) == 128 + 2 * 128
