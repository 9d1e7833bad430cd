"""The matcher raises or lowers a level, or withholds rules that met: both sides recompute it."""

from collections.abc import Callable, Collection
from typing import Any

import pytest

from aquila.errors import MalformedError
from aquila.matching.certainty import Level
from aquila.protocol.messages import Fault, HitReport
from aquila.protocol.rounds.hit_columns import held_tokens
from aquila.protocol.submissions.submission import handles_of
from tests.support.prepared_notes import by_record
from tests.support.staged_round import StagedRound, regrade


def told(parties: Collection[str], hits: dict[str, Any], **report: Any) -> Callable[[HitReport], HitReport]:
    def lie(true: HitReport) -> HitReport:
        if true.party not in parties:
            return true
        return true.model_copy(update={"hits": tuple(hit.model_copy(update=hits) for hit in true.hits)} | report)

    return lie


def faults(stage: StagedRound) -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    for confirmation in stage.round.confirmations.values():
        place = confirmation.party, confirmation.to
        found.setdefault(place, set()).update(hit.fault for hit in confirmation.refuted)
    return found


def test_lowered_at_both_sides(stage: StagedRound) -> None:
    """A level that both sides are told alike does not follow from the rules that met."""
    stage.finalized().lie = told(("AL", "RS", "SI"), {"certainty": Level.LOW})
    stage.match()
    stage.exchange_notes()
    assert set(stage.refuted.values()) == {Fault.LEVEL}
    assert all(found == {Fault.LEVEL} for found in faults(stage).values())


def test_raised_at_one_side(stage: StagedRound) -> None:
    stage.finalized().lie = told(("SI",), {"certainty": Level.LOW})
    stage.match()
    stage.exchange_notes()
    found = faults(stage)
    assert found["SI", "RS"] == {Fault.LEVEL}
    assert found["RS", "SI"] == {Fault.TOLD}
    assert found["AL", "RS"] == set()


def test_rules_withheld_from_both_sides(stage: StagedRound) -> None:
    stage.finalized()

    def lie(true: HitReport) -> HitReport:
        node = stage.nodes[true.party]
        hits = []
        for hit in true.hits:
            # The tokens of a hit are in the same order on both sides: both are told of the last one.
            less = hit.model_copy(update={"met": hit.met[-2:]})
            rule = held(true.party, true.counterpart)[bytes.fromhex(hit.handle)].rules[int(less.met, 16)]
            grade = regrade(node.round, stage.table, true, less, [rule])
            hits.append(less.model_copy(update={"certainty": grade.level, "families": grade.families}))
        return true.model_copy(update={"hits": tuple(hits)})

    def held(code: str, counterpart: str) -> Any:
        node = stage.nodes[code]
        every = handles_of(node.seed, range(len(node.record_ids)), None)
        return by_record(held_tokens([every], node.finalized(counterpart)))

    stage.lie = lie
    stage.match()
    stage.exchange_notes()
    assert set(stage.refuted.values()) == {Fault.WITHHELD}
    assert all(found == {Fault.WITHHELD} for found in faults(stage).values())


def test_another_basis_at_one_side(stage: StagedRound) -> None:
    """What the matcher learned is told to both sides alike, or they find out."""
    stage.finalized()

    def lie(true: HitReport) -> HitReport:
        basis = true.basis.model_copy(update={"duplicates_per_million": 7})
        return true.model_copy(update={"basis": basis}) if true.party == "RS" else true

    stage.lie = lie
    stage.match()
    stage.exchange_notes()
    found = faults(stage)
    assert found["SI", "RS"] == found["RS", "SI"] == found["RS", "AL"] == {Fault.TOLD}
    assert found["AL", "SI"] == set()


@pytest.mark.parametrize("records", [1, 1_000_000])
def test_another_size_than_was_signed(stage: StagedRound, records: int) -> None:
    stage.finalized()
    true: list[HitReport] = []
    stage.lie = lambda report: true.append(report) or report
    stage.match()
    stage.forget()
    for envelope in stage.envelopes:
        if not any(kind in envelope[-400:] for kind in (b"aquila.hits", b"aquila.receipt", b"aquila.reportcheck")):
            for record in (stage.round, *(node.round for node in stage.nodes.values())):
                record.accept(envelope)
    lying = true[0].model_copy(update={"basis": true[0].basis.model_copy(update={"records": records})})
    stage.refused(MalformedError, stage.matcher.report(lying), "another size for the list")
