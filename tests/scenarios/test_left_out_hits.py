"""A matcher leaves hits out, lies about their basis or their tags, or a party about its columns: both sides notice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from aquila.errors import EquivocationError, MalformedError, OrderError, PolicyError
from aquila.matching.certainty import Level
from aquila.matching.learning import least_common_per_million
from aquila.protocol.messages import BelowPair, CheckFault, Hit, HitReport, MetTags, Outcome, ReportCheck
from aquila.protocol.rounds.round_state import ColumnKey, ReportKey
from aquila.protocol.shadow.token_rows import RecordRows
from aquila.records.rules import ShadowSets
from aquila.simulation.scratch_files import Spool
from tests.support.staged_round import StagedRound, person

FAMILIES = ("Hoxha", "Shehu", "Petrović", "Novak", "Zupan", "Kos")
NAMES = [(given, family) for family in FAMILIES for given in ("Arben", "Drita", "Goran", "Milena", "Petar")]
HONEST = {(a, b): None for a in ("AL", "RS", "SI") for b in ("AL", "RS", "SI") if a != b}
TAGS = CheckFault.TAGS
AL = ReportKey("AL", "RS", None)


def told(stage: StagedRound, lie: Callable[[HitReport], HitReport]) -> dict[tuple[str, str], CheckFault | None]:
    """Let a matcher tell something else than it found, and return what the parties find of each pair."""
    stage.lie = lie
    stage.match()
    return {pair: fault for pair, fault in stage.checked.items() if fault is not None}


def without(report: HitReport, party: str, other: str, most: int) -> HitReport:
    return report.model_copy(update={"hits": report.hits[most:]}) if is_between(report, party, other) else report


def is_between(report: HitReport, *sides: str) -> bool:
    return {report.party, report.counterpart} == {*sides}


def below(hit: Hit) -> BelowPair:
    return BelowPair(counterpart_handle=hit.counterpart_handle, handle=hit.handle, met=hit.met, pair_id=hit.hit_id)


def test_everything_is_reported(stage: StagedRound) -> None:
    """Nothing was left out, both sides say so of the same tags, and of two lists that share nobody too."""
    assert told(stage.finalized(), lambda report: report) == {}
    assert stage.checked == HONEST
    for report, said in stage.round.checked.items():
        assert said.met == stage.round.checked[report.other_side].met is not None


@pytest.mark.parametrize("most", [1, 99])
def test_hits_left_out_on_both_sides(stage: StagedRound, most: int) -> None:
    """One hit or all of a pair: both sides find that more tags met than follow from the report."""
    found = told(stage.finalized(), lambda report: without(report, "RS", "SI", most))
    assert found == {("RS", "SI"): TAGS, ("SI", "RS"): TAGS}


def test_hits_left_out_on_one_side(stage: StagedRound) -> None:
    found = told(stage.finalized(), lambda r: without(r, "RS", "SI", 1) if r.party == "RS" else r)
    assert found == {("RS", "SI"): TAGS}


@pytest.mark.parametrize("tags", [-1, 0])
def test_tags_left_out_with_a_hit(stage: StagedRound, tags: int) -> None:
    """A number that fits is not enough: which tags met is told by their digest, and the matcher has to guess them."""

    def lie(report: HitReport) -> HitReport:
        if not is_between(report, "RS", "SI"):
            return report
        assert report.basis.met is not None
        met = MetTags(digest="0" * 64, tags=report.basis.met.tags + tags)
        basis = report.basis.model_copy(update={"met": met})
        return without(report.model_copy(update={"basis": basis}), "RS", "SI", 1)

    assert told(stage.finalized(), lie) == {("RS", "SI"): TAGS, ("SI", "RS"): TAGS}


def test_places_left_out(stage: StagedRound) -> None:
    def lie(report: HitReport) -> HitReport:
        hits = tuple(hit.model_copy(update={"met": hit.met[:-2]}) for hit in report.hits)
        return report.model_copy(update={"hits": hits}) if report.party == "AL" else report

    assert set(told(stage.finalized(), lie).values()) <= {TAGS}


def test_a_report_without_tags(stage: StagedRound) -> None:
    """A report that says that the columns do not fit is refused by nobody, and its pair is not shown as checked."""

    def lie(report: HitReport) -> HitReport:
        basis = report.basis.model_copy(update={"met": None})
        return without(report, "AL", "SI", 99).model_copy(update={"basis": basis}) if report.party == "SI" else report

    found = told(stage.finalized(), lie)
    assert found == {("SI", "AL"): CheckFault.COLUMNS, ("SI", "RS"): CheckFault.COLUMNS}


@pytest.mark.parametrize("most", [1, 99])
def test_hits_called_too_weak(staged: Callable[..., StagedRound], most: int) -> None:
    """A matcher whose basis makes hits too weak is found out by the basis of either side: in short lists over one."""
    lists = {
        code: [person(f"{code}-{n}", *NAMES[n], f"19{n:02}-05-{n:02}") for n in range(11, 29)] for code in ("AL", "RS")
    }

    def lie(report: HitReport) -> HitReport:
        weak = sorted(hit.hit_id for hit in report.hits)[:most]
        basis = report.basis.model_copy(update={"common_per_million": 600})
        hits = tuple(hit for hit in report.hits if hit.hit_id not in weak)
        told_weak = tuple(below(hit) for hit in report.hits if hit.hit_id in weak)
        return report.model_copy(update={"hits": hits, "below": told_weak, "basis": basis})

    stage = staged(lists=lists, rules="default", chunk_elements=1_000).finalized()
    assert told(stage, lie) == dict.fromkeys((("AL", "RS"), ("RS", "AL")), CheckFault.LEVELS)


def test_a_share_below_the_least_is_refused(stage: StagedRound) -> None:
    """No lists give a smaller share of common persons than the least one: nobody takes a report that says so."""
    stage.finalized().match()
    report = stage.report("AL", "RS")
    lower = report.basis.model_copy(update={"common_per_million": least_common_per_million(stage.table) - 1})
    with pytest.raises(PolicyError, match="fewer persons are common"):
        stage.nodes["AL"].party.check_report(report.model_copy(update={"basis": lower}), stage.table)


def test_a_column_without_its_tags(stage: StagedRound) -> None:
    """A party that leaves tags out gains nothing: the matcher reports nothing of the pair, and accuses nobody."""
    stage.finalized()
    node = stage.nodes["SI"]
    kept = node.column_for("RS")[::2]
    node.columns["RS"] = Spool(node.directory / "other")
    node.columns["RS"].append(kept.tobytes())
    found = told(stage, lambda report: report)
    assert found == dict.fromkeys((("RS", "SI"), ("SI", "RS")), CheckFault.COLUMNS)
    assert not stage.report("RS", "SI").hits
    assert stage.report("RS", "AL").hits


def test_statements_that_do_not_count(stage: StagedRound) -> None:
    """A column is not too long; a check comes once, after the two columns of its pair."""
    stage.evaluated()
    found = {"counterpart": "RS", "met": None, "below": 0, "fault": None}
    check = stage.statement("AL", ReportCheck, submission_id=None, report_digest="0" * 64, **found)
    stage.refused(OrderError, stage.signed("AL", check), "before the tokens are in")
    stage.finalize_all()
    key = ColumnKey(stage.nodes["AL"].submission_id, "RS")
    said = stage.round.tokens[key]
    records = (stage.round, *(node.round for node in stage.nodes.values()))
    for record in records:
        del record.tokens[key]
    long = said.column.model_copy(update={"pieces": (said.column.pieces[0],) * 9_000})
    stage.refused(MalformedError, stage.changed("AL", said, column=long, sequence=99), "more tags")
    for record in records:
        record.tokens[key] = said
    stage.match()
    again = stage.round.checked[AL].model_copy(update={"sequence": 98})
    stage.refused(EquivocationError, stage.signed("AL", again), "checked its report already")


def test_a_check_that_crosses_the_end(stage: StagedRound) -> None:
    stage.finalized().match()
    own = next(one for one in stage.envelopes if ReportCheck.payload_type.encode() in one)
    said = stage.statement_in(own, ReportCheck)
    record = stage.restored([one for one in stage.envelopes if one != own], sees_everything=True)
    record.accept(stage.matcher.end(record, Outcome.ABORTED, "its time is over", stage.now))
    assert record.accept(own, now=stage.now).new
    assert record.checked[said.party, said.counterpart, None] == said


def test_a_check_of_another_report(stage: StagedRound) -> None:
    stage.finalized().match()
    said = stage.round.checked[AL]
    for record in (stage.round, *(node.round for node in stage.nodes.values())):
        del record.checked[AL]
    with pytest.raises(Exception, match="that it was not sent"):
        stage.round.accept(stage.changed("AL", said, report_digest="0" * 64))
    stage.refused(PolicyError, stage.changed("AL", said, counterpart="XK"), "may not be matched")
    stage.refused(MalformedError, stage.changed("AL", said, met="0" * 64), "than its report tells", only={"AL"})


def _word(draw: Random) -> str:
    """Return a name of four syllables."""
    return "".join(draw.choice("bdfgklmnprstvz") + draw.choice("aeiou") for _ in range(4))


@pytest.mark.parametrize("larger", [True, False], ids=["with larger sets", "without"])
def test_hits_told_with_few_of_their_rules(staged: Callable[..., StagedRound], *, larger: bool) -> None:
    """Hits are called too weak, with the rules of the least sets alone: what is missing are the tags of larger sets."""
    draw = Random(3)
    lists = {
        code: [person(f"{code}-{n}", *NAMES[n], f"{1960 + more + n}-05-{n:02}") for n in range(11, 14)]
        + [person(f"{code}-{n}", _word(draw), _word(draw), f"{1900 + n % 99}-03-{1 + n % 28:02}") for n in range(200)]
        for code, more in (("AL", 0), ("RS", 1))
    }
    stage = staged(lists=lists, rules="default", chunk_elements=1_000, minimum=Level.HIGH)
    sets = stage.table.shadow_sets(len(lists["AL"]))
    least = tuple(rules for rules in sets if not any({*one} < {*rules} for one in sets))
    if not larger:
        stage.table = replace(stage.table, shadow=(ShadowSets(1, least),))

    def lie(report: HitReport) -> HitReport:
        (other,) = stage.round.counterparts_of(report.party)
        rows, weak = RecordRows(stage.tokens[stage.nodes[report.party].submission_id, other]), []
        for hit in report.hits:
            places = bytes.fromhex(hit.met)
            rules = rows.at([bytes.fromhex(hit.handle)], [places]).rules.tolist()
            kept = {rule for one in least if {*one} <= {*rules} for rule in one}
            met = bytes(place for place, rule in zip(places, rules, strict=True) if rule in kept)
            weak.append(below(hit).model_copy(update={"met": met.hex()}))
        hidden.append(len(weak))
        return report.model_copy(update={"hits": (), "below": tuple(weak)})

    hidden: list[int] = []
    found = told(stage.finalized(), lie)
    assert hidden == [3, 3]
    assert found == (dict.fromkeys((("AL", "RS"), ("RS", "AL")), TAGS) if larger else {})
