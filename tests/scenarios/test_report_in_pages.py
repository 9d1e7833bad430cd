"""A report with more hits than one message tells comes in pages: what the parties find is the same."""

from collections.abc import Callable

import pytest

from aquila.errors import EquivocationError, MalformedError, OrderError
from aquila.protocol.messages import Fault, HitReport, LearnedWeight
from aquila.protocol.rounds.round_state import Phase, ReportKey
from tests.support.staged_round import StagedRound

LISTS = ReportKey("SI", "RS", None)


def pages_of(stage: StagedRound) -> list[HitReport]:
    """Return the pages of the report of SI with RS; nobody has any."""
    stage.finalized()
    found: list[HitReport] = []
    stage.deliver = lambda reports: iter(found.extend(reports) or ())  # type: ignore[method-assign, func-returns-value]
    stage.match()
    return [page for page in found if (page.party, page.counterpart) == LISTS[:2]]


def without_tags(report: HitReport) -> HitReport:
    """Return a report without what hangs on its round's locks, which no two rounds share."""
    basis = report.basis.model_copy(update={"met": None})
    return report.model_copy(update={"binding": "0" * 64, "basis": basis})


def test_the_same_round_in_pages(staged: Callable[..., StagedRound]) -> None:
    """Hits, their ids and what is found of them are the same as in a round whose reports are one message each."""
    whole = staged().reported()
    paged = staged(most_hits=1, most_notes=1).reported()
    for code, node in paged.nodes.items():
        for counterpart, told in node.told.items():
            hits = whole.nodes[code].told[counterpart].whole.hits
            assert [batch.index for batch in told.batches] == list(range(len(hits)))
            assert without_tags(told.whole) == without_tags(whole.report(code, counterpart))
            acknowledged = paged.round.receipts[code, counterpart, None].hits
            assert acknowledged.total == told.hits == len(told.whole.hits)
    paged.exchange_notes()
    paged.close()
    assert (paged.round.phase, paged.refuted) == (Phase.CLOSED, {})
    confirmed = sum(one.confirmed for one in paged.round.confirmations.values())
    assert confirmed == sum(node.hits for node in paged.nodes.values())
    assert all(not any(node.openings.values()) for node in paged.nodes.values())
    assert paged.restored().reports == paged.round.reports


def test_a_report_takes_the_place_of_another(staged: Callable[..., StagedRound]) -> None:
    """What a party keeps of a report, in pages or whole, goes when another one comes."""
    stage = staged(most_hits=1)
    node = stage.nodes["SI"]
    assert not node.told
    pages = pages_of(stage)
    for _ in range(2):
        for page in pages:
            node.take_report(page, 2)
        told = node.told["RS"]
        assert (told.whole.hits, told.hits) == (tuple(hit for page in pages for hit in page.hits), len(pages))
        assert sum(len(batch.hits.ids) for batch in told.batches) == 16 * len(pages)
    node.take_report(pages[0].model_copy(update={"page": None}), 2)
    assert (node.hits, node.told["RS"].whole.hits) == (1, pages[0].hits)


def test_how_often_hits_are_read(staged: Callable[..., StagedRound], monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement is read once for all who take it, and its hits never again."""
    read: list[int] = []

    def count(cls: type[HitReport], content: bytes) -> HitReport:
        report = super(HitReport, cls).model_validate_json(content)
        read.append(len(report.hits))
        return report

    monkeypatch.setattr(HitReport, "model_validate_json", classmethod(count))
    stage = staged(most_hits=2, most_notes=2).reported()
    hits = sum(node.hits for node in stage.nodes.values())
    assert sum(read) == hits
    stage.exchange_notes()
    assert sum(read) == hits


def test_a_hit_hidden_from_one_side(staged: Callable[..., StagedRound]) -> None:
    """Batches that are not alike on both sides wait for each other: the hidden hit is found, and all others hold."""
    stage = staged(most_notes=1).finalized()

    def lie(report: HitReport) -> HitReport:
        is_lied_to = (report.party, report.counterpart) == ("RS", "SI")
        return report.model_copy(update={"hits": report.hits[1:]}) if is_lied_to else report

    stage.lie = lie
    stage.match()
    (hidden,) = {hit.hit_id for hit in stage.report("SI", "RS").hits} - {
        hit.hit_id for hit in stage.report("RS", "SI").hits
    }
    stage.exchange_notes()
    assert stage.refuted == {hidden: Fault.UNREPORTED}


def test_all_pages_are_checked(staged: Callable[..., StagedRound]) -> None:
    stage = staged(most_hits=1, most_notes=3).reported()
    assert set(stage.checked) == {(a, b) for a in stage.nodes for b in stage.nodes if a != b}
    assert set(stage.checked.values()) == {None}


def test_pages_come_in_their_order(staged: Callable[..., StagedRound]) -> None:
    stage = staged(most_hits=1)
    first, *rest = pages_of(stage)
    later = [stage.matcher.report(page) for page in rest]
    assert len(later) > 1
    stage.refused(OrderError, later[0], "is not the next one")
    stage.publish(stage.matcher.report(first))
    assert not stage.publish(stage.matcher.report(first)).new
    assert LISTS not in stage.round.reports
    other = tuple(hit.model_copy(update={"hit_id": "0" * 32}) for hit in first.hits)
    stage.refused(EquivocationError, stage.matcher.report(first.model_copy(update={"hits": other})), "two different")
    stage.refused(OrderError, later[1], "is not the next one")
    accepted = [stage.publish(envelope) for envelope in later]
    assert stage.round.reports[LISTS] == accepted[-1].digest
    assert stage.round.reported[LISTS].total == 1 + len(accepted)
    assert LISTS not in stage.round.report_pages


def test_pages_of_different_reports(staged: Callable[..., StagedRound]) -> None:
    """Pages agree in their number and in what they say of the lists, and no hit comes twice or out of its order."""
    stage = staged(most_hits=1)
    first, second, *_ = pages_of(stage)
    stage.publish(stage.matcher.report(first))
    moved = (LearnedWeight(of="date", centibits=1),)
    for change in (
        {"page": second.page.model_copy(update={"pages": 9})},
        {"basis": second.basis.model_copy(update={"learned": moved})},
        {"hits": first.hits},
    ):
        stage.refused(MalformedError, stage.matcher.report(second.model_copy(update=change)), "not of one report")
    whole = stage.matcher.report(second.model_copy(update={"page": None}))
    stage.refused(OrderError, whole, "is not the next one")


def test_a_whole_report_ends_it(staged: Callable[..., StagedRound]) -> None:
    stage = staged(most_hits=1)
    first, *_ = pages_of(stage)
    stage.publish(stage.matcher.report(first.model_copy(update={"page": None})))
    stage.refused(OrderError, stage.matcher.report(first), "is not the next one")
