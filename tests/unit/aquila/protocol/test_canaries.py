"""Canaries as both parties derive, carry, tell of and judge them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import combinations, permutations
from math import log2
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from aquila.crypto.keys import ExchangeKey, SecretBytes
from aquila.crypto.shares import new_share
from aquila.errors import BindingError, EquivocationError, MalformedError, OrderError
from aquila.matching.certainty import GradingBasis, Level, grade_on
from aquila.matching.learning import ListPair, learn
from aquila.protocol import canaries
from aquila.protocol.canaries import PlantedCanary, Verdict, canary_statement, drift_of, judge
from aquila.protocol.messages import Canaries, LevelCounts, Padding, PairCanaries
from aquila.records.rules import InputClass, load_rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from aquila.records.rules import RuleTable
    from tests.support.staged_round import StagedRound

PADDING = Padding(inputs_per_record=(), records_multiple=40)
TERMS: dict[str, Any] = {"padding": PADDING, "canaries": 8}


@pytest.fixture
def met(staged: Callable[..., StagedRound]) -> StagedRound:
    """A round with canaries whose reports are there."""
    stage = staged(**TERMS).finalized()
    stage.match()
    return stage


def told_by(stage: StagedRound, code: str) -> Any:
    """Return what a party told of its canaries."""
    return stage.round.canaries[code]


def verdict(stage: StagedRound, own: str, other: str, **changes: Any) -> Verdict:
    """Let a party judge another's canaries, with something changed in what it knows."""
    node = stage.nodes[own]
    known = {"report": node.report, "told": told_by(stage, other), "carried": node.carried} | changes
    terms = node.round, stage.table, own, node.secrets.exchange
    return judge(*terms, known["carried"], known["report"], known["told"])


def test_both_sides_derive_the_same(met: StagedRound) -> None:
    """Numbers, rules and digests of a pair are the same on both sides, and of no other pair."""
    derived = {
        code: canaries.canaries_of(node.round, met.table, code, node.secrets.exchange)
        for code, node in met.nodes.items()
    }
    mine = [one for one in derived["AL"] if one.counterpart == "RS"]
    theirs = [one for one in derived["RS"] if one.counterpart == "AL"]
    assert [replace(one, counterpart="") for one in mine] == [replace(one, counterpart="") for one in theirs]
    assert 6 <= len(mine) <= canaries.most_canaries(8) == 10
    inputs = [value for node in derived.values() for one in node for value in one.digests.values()]
    assert all(inputs.count(value) == 2 for value in inputs)
    assert {len(value) for value in inputs} == {32}
    assert "digests" not in repr(mine[0])


def test_numbers_and_patterns_are_drawn_from_the_table() -> None:
    """Over many pairs, the numbers are spread around what the manifest says, and the patterns as hits are."""
    table = load_rules("default")
    numbers, masks = [], []
    for pair in range(300):
        with SecretBytes(pair.to_bytes(32, "big")) as key:
            found = canaries._of_pair(table, key, "AL", 8)
        numbers.append(len(found))
        masks += [one.mask for one in found]
    assert set(numbers) == {6, 7, 8, 9, 10}
    assert abs(sum(numbers) / len(numbers) - 8) < 0.3
    total = sum(often for _, often in table.hits)
    for mask, often in table.hits[:5]:
        assert abs(masks.count(mask) / len(masks) - often / total) < 0.03


def test_hits_are_the_same_as_without(staged: Callable[..., StagedRound]) -> None:
    """A rehearsal with canaries has the hits of one without, and every pair is trustworthy on both sides."""
    plain = staged(padding=PADDING).finalized()
    stage = staged(**TERMS).finalized()
    assert stage.matched() == plain.matched()
    assert set(stage.verdicts) == {(a, b) for a in stage.nodes for b in stage.nodes if a != b}
    assert all(one.trustworthy and one.expected >= 6 for one in stage.verdicts.values())
    sizes = [{s.party: s.records for s in played.round.submissions.values()} for played in (plain, stage)]
    assert sizes[0] == sizes[1]


def test_only_pairs_that_may_be_matched(staged: Callable[..., StagedRound]) -> None:
    """Parties that may not be matched share no canaries, and a query carries none."""
    stage = staged(**TERMS, changes={"pairs": (("AL", "RS"), ("RS", "SI"))}).finalized()
    stage.match()
    assert {one.counterpart for one in stage.nodes["AL"].carried} == {"RS"}
    assert set(stage.verdicts) == {("AL", "RS"), ("RS", "AL"), ("RS", "SI"), ("SI", "RS")}


def test_after_a_party_left(staged: Callable[..., StagedRound]) -> None:
    """The canaries of an absent party's pairs meet nobody, and are missed by nobody."""
    stage = staged(**TERMS)
    stage.consent()
    for code in ("AL", "RS"):
        stage.submit(stage.nodes[code])
    stage.now = stage.manifest.window.submit_by + 1
    stage.leave_out("SI")
    stage.evaluate_all()
    stage.finalize_all()
    stage.match()
    assert set(stage.verdicts) == {("AL", "RS"), ("RS", "AL")}
    assert all(one.trustworthy for one in stage.verdicts.values())


def test_what_a_party_keeps(met: StagedRound) -> None:
    """It is read back as it was, shows nothing of itself, and its handles are of dummies."""
    node = met.nodes["SI"]
    again = canaries.from_bytes(canaries.to_bytes(node.carried))
    assert again == node.carried
    assert "handle" not in repr(node.carried[0])
    assert not node.record_ids_of([bytes.fromhex(one.handle) for one in node.carried])


def test_suppressed_hits_are_missing(met: StagedRound) -> None:
    """What of a pair's canaries is not in the report is missing; of another pair nothing is."""
    report = met.nodes["AL"].report
    assert report is not None
    kept = report.model_copy(update={"hits": tuple(hit for hit in report.hits if hit.counterpart != "RS")})
    found = verdict(met, "AL", "RS", report=kept)
    assert found.missing == found.expected >= 6
    assert not found.trustworthy
    assert verdict(met, "AL", "SI", report=kept).trustworthy


def test_a_report_that_says_nothing_of_a_pair(met: StagedRound) -> None:
    """Without the basis of a pair, every canary that has a rule is due at the least level."""
    report = met.nodes["AL"].report
    assert report is not None
    found = verdict(met, "AL", "RS", report=report.model_copy(update={"hits": (), "bases": ()}))
    assert found.missing == found.expected == len([o for o in met.nodes["AL"].carried if o.counterpart == "RS"])


def test_another_level_is_wrong(met: StagedRound) -> None:
    """A canary of another level than both compute is wrong."""
    report = met.nodes["AL"].report
    assert report is not None
    low = tuple(hit.model_copy(update={"certainty": Level.LOW}) for hit in report.hits)
    found = verdict(met, "AL", "RS", report=report.model_copy(update={"hits": low}))
    assert found.wrong == found.expected
    assert found.differing


def test_carriers_that_share_no_rule(met: StagedRound) -> None:
    """A canary of which the two dummies have no rule in common is no hit, and none is due."""
    carried = tuple(replace(one, mask=0) for one in met.nodes["AL"].carried)
    report = met.nodes["AL"].report
    assert report is not None
    found = verdict(met, "AL", "RS", carried=carried, report=report.model_copy(update={"hits": ()}))
    assert (found.expected, found.missing, found.wrong) == (0, 0, 0)
    assert not found.trustworthy
    assert verdict(met, "AL", "RS", carried=carried).wrong > 0


@pytest.mark.parametrize("size", [1_000, 20_000])
def test_no_honest_basis_is_below_the_floor(size: int) -> None:
    """What is due on the floor is a hit on what is learned of lists with few or many common persons."""
    table = load_rules("default")
    for common in (0, 3, 300):
        persons = Counter(Random(common).choices(*zip(*table.hits, strict=True), k=common)) if common else {}
        (basis,) = learn(table, [ListPair(persons, size, size)])
        floor = canaries._floor_of(table, basis)
        due = [mask for mask, _often in table.hits if grade_on(table, mask, floor).level]
        assert len(due) > 10
        assert all(grade_on(table, mask, basis).level for mask in due)


def test_what_the_other_says_cannot_be_read(met: StagedRound) -> None:
    """Masks under another key, of another number or of nobody make the two sides differ."""
    told = told_by(met, "RS")
    node = met.nodes["RS"]
    with canaries.pair_key(node.round, "RS", node.secrets.exchange, "AL", "carried") as key:
        short = canaries.seal_masks(key, "RS", [1]).hex()
    hits = told.pairs[0].hits
    for pairs in (
        (PairCanaries(counterpart="AL", hits=hits, carried="00" * 40),),
        (PairCanaries(counterpart="AL", hits=hits, carried=short),),
        (PairCanaries(counterpart="SI", hits=hits, carried=short),),
    ):
        found = verdict(met, "AL", "RS", told=told.model_copy(update={"pairs": pairs}))
        assert found.differing
        assert not found.trustworthy
        assert found.expected >= 6


def test_a_carrier_is_a_real_record_with_the_canarys_rules() -> None:
    """Of a few drawn records the first that has all rules is copied, or the one that has most of them."""
    digests = {rule: bytes([rule]) * 32 for rule in (1, 2, 3)}
    asked = [canaries.Canary("AL", 0, 0b111, digests), canaries.Canary("AL", 1, 0b001, digests)]
    counts = np.array([1, 2], dtype=np.uint8)
    rules = np.array([4, 2, 3], dtype=np.uint8)
    with SecretBytes(bytes(32)) as seed:
        most, none = canaries.choose_carriers(seed, asked, counts, rules)
        assert canaries.choose_carriers(seed, [], counts, rules) == ()
    assert (most.source, most.mask) == (1, 0b110)
    assert none.mask == 0


def test_telling_is_refused_out_of_turn(staged: Callable[..., StagedRound]) -> None:
    """Canaries are told once, after every list is in, of the own report and of each counterpart, under the binding."""
    early = staged(**TERMS).evaluated()
    pairs = tuple(
        PairCanaries(counterpart=code, hits=LevelCounts(high=0, medium=0, low=0), carried="00" * 16)
        for code in ("RS", "SI")
    )
    told = early.statement("AL", Canaries, report_digest="0" * 64, pairs=pairs)
    early.refused(OrderError, early.signed("AL", told), "have not met yet")
    without = staged().finalized()
    told = without.statement("AL", Canaries, report_digest="0" * 64, pairs=pairs)
    without.refused(OrderError, without.signed("AL", told), "no canaries")


def test_telling_is_refused_of_another_report(met: StagedRound) -> None:
    """A second word, another report, or not every counterpart: none of it counts."""
    told = told_by(met, "AL")
    met.refused(EquivocationError, met.changed("AL", told), "told of its canaries already")
    del met.round.canaries["AL"]
    for node in met.nodes.values():
        del node.round.canaries["AL"]
    other = met.changed("AL", told, report_digest="0" * 64)
    with pytest.raises(BindingError, match="that it was not sent"):
        met.round.accept(other)
    met.refused(MalformedError, met.changed("AL", told, pairs=told.pairs[:1]), "each of its counterparts")
    met.refused(BindingError, met.changed("AL", told, binding="0" * 64), "names another binding")


def test_an_exchange_key_of_small_order(staged: Callable[..., StagedRound]) -> None:
    """A key with which everyone shares the same secret is refused with its consent."""
    stage = staged()
    envelope = stage.consent_with("SI", *_shares(stage), exchange_key="00" * 32)
    stage.refused(MalformedError, envelope, "small order")


def test_masks_are_for_one_direction() -> None:
    """What one side seals the other opens, and nobody takes it for the other side's."""
    with SecretBytes(bytes(range(32))) as key:
        sealed = canaries.seal_masks(key, "AL", [5, 1 << 62])
        assert canaries.open_masks(key, "AL", sealed) == [5, 1 << 62]
        with pytest.raises(MalformedError):
            canaries.open_masks(key, "RS", sealed)
        with pytest.raises(MalformedError):
            canaries.open_masks(key, "AL", sealed[:3])


def test_a_footing_is_what_the_report_says(met: StagedRound) -> None:
    """Sizes, share, duplicates, settled records and weights come from the report, for the pair that it names."""
    report = met.nodes["AL"].report
    assert report is not None
    basis = next(basis for basis in report.bases if basis.counterpart == "RS")
    found = canaries.grading_basis_of(report, "RS", 40)
    assert found == GradingBasis(
        40, basis.records, basis.common_per_million, basis.duplicates_per_million, basis.settled,
        tuple((weight.of, weight.centibits) for weight in basis.learned),
    )  # fmt: skip
    assert canaries.grading_basis_of(report, "AT", 40) is None


def test_telling_counts_by_level(met: StagedRound) -> None:
    """What is told is what was reported, and both sides tell the same."""
    node = met.nodes["AL"]
    assert node.report is not None
    pairs = canary_statement(node.round, "AL", node.secrets.exchange, node.carried, node.report)
    assert [pair.counterpart for pair in pairs] == ["RS", "SI"]
    theirs = next(pair for pair in told_by(met, "RS").pairs if pair.counterpart == "AL")
    assert pairs[0].hits == theirs.hits
    assert sum(theirs.hits.model_dump().values()) >= 6
    assert pairs[0].carried != theirs.carried
    nothing = (PlantedCanary("RS", "0" * 32, 1),)
    assert canary_statement(node.round, "AL", node.secrets.exchange, nothing, node.report)[0].hits.high == 0


def test_two_parties_agree_and_others_do_not() -> None:
    """X25519 gives both the same secret, for one purpose; a key of small order gives none."""
    random = Random(1).randbytes
    one, two, three = (ExchangeKey.generate(random) for _ in range(3))
    assert one.agree(two.public, b"a") == two.agree(one.public, b"a")
    assert one.agree(two.public, b"a") != one.agree(two.public, b"b")
    assert one.agree(two.public, b"a") != three.agree(two.public, b"a")
    with pytest.raises(MalformedError, match="small order"):
        one.agree(bytes(32), b"a")


def _shares(stage: StagedRound) -> list[Any]:
    return [new_share(stage.group, stage.random) for _ in InputClass]


def learned_in(table: RuleTable, lists: int, common: int, size: int, seed: int) -> dict[tuple[int, int], GradingBasis]:
    """Return what one round learns of each two lists: always the same persons, and canaries drawn by the seed."""
    masks, often = zip(*table.hits, strict=True)
    pairs = list(combinations(range(lists), 2))
    counted = []
    for number, _pair in enumerate(pairs):
        persons, canaries = Random(number), Random(100 * seed + number)
        drawn = canaries.choices(masks, often, k=canaries.randint(6, 10))
        counted.append(ListPair(Counter(persons.choices(masks, often, k=common)) + Counter(drawn), size, size, 8))
    return dict(zip(pairs, learn(table, counted), strict=True))


def odds(table: RuleTable, grading_basis: GradingBasis) -> dict[int, float]:
    """Return what pairs are graded under each pattern of hits, in bits."""
    graded = {mask: grade_on(table, mask, grading_basis).probability for mask, _often in table.hits}
    return {mask: log2(one / (1 - one)) for mask, one in graded.items() if one < 0.9999}


@pytest.mark.parametrize(
    ("lists", "common", "size", "most"),
    [(3, 3, 300, 6.3), (6, 12, 1_000, 5.9), (3, 60, 2_000, 1.3), (2, 300, 9_000, 0.9)],
)
def test_the_same_lists_differ_by_their_canaries_within_what_is_said(
    lists: int, common: int, size: int, most: float
) -> None:
    """In no two of eight rounds do the odds of a pair differ by more than `drift_of` says; and they do differ."""
    table = load_rules("default")
    rounds = [learned_in(table, lists, common, size, seed) for seed in range(8)]
    own = [(0, other) for other in range(1, lists)]
    for one, other in permutations(rounds, 2):
        said = drift_of(table, [one[pair] for pair in own], 8, len(one))
        for drift, pair in zip(said, own, strict=True):
            here, there = odds(table, one[pair]), odds(table, other[pair])
            assert max(abs(here[mask] - there[mask]) for mask in here.keys() & there.keys()) <= drift <= most
    assert len({one[0, 1].common_per_million for one in rounds}) > 1
