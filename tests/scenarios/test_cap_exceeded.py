"""A party submits more elements than its caps allow, at once or little by little."""

from collections.abc import Callable

import pytest

from aquila.errors import CapError, MalformedError, PolicyError
from aquila.protocol.messages import ClassCounts, Kind, Mode, PartyCap, Submission
from aquila.protocol.rounds.rules import spent
from aquila.records.rules import InputClass
from aquila.simulation import DEFAULT_PADDING
from tests.support.staged_round import LISTS, StagedRound


def caps(full: int, partial: int, coarse: int = 0) -> dict[str, object]:
    """Return a change of the manifest: these caps for SI, and queries allowed."""
    large = ClassCounts.by(lambda _: 1_000)
    elements = {"AL": large, "RS": large, "SI": ClassCounts(full=full, partial=partial, coarse=coarse)}
    return {
        "caps": tuple(PartyCap(party=code, elements=counts) for code, counts in elements.items()),
        "mode": Mode.LISTS_AND_QUERIES,
    }


@pytest.mark.parametrize(("full", "partial", "kind"), [(4, 5, "full"), (5, 4, "partial")])
def test_one_element_too_many(staged: Callable[..., StagedRound], full: int, partial: int, kind: str) -> None:
    """A list of five records passes a cap of four elements in either class; nothing of it counts."""
    stage = staged(changes=caps(full, partial))
    stage.locked()
    with pytest.raises(CapError, match=f"cap of 4 {kind} elements with 5") as caught:
        stage.submit(stage.nodes["SI"])
    assert (caught.value.fields["expected"], caught.value.fields["got"]) == (4, 5)
    assert not stage.round.submissions


def test_exactly_the_cap(staged: Callable[..., StagedRound]) -> None:
    """As many elements as the cap says are allowed, and are all that is spent."""
    stage = staged(changes=caps(5, 5)).submitted()
    assert [spent(stage.round, "SI", kind) for kind in InputClass] == [5, 5, 0]


def test_guesses_at_names_are_counted_by_themselves(staged: Callable[..., StagedRound]) -> None:
    """Names alone have a cap of their own: room in the other classes is none for them, and each party has its own."""
    played = staged(rules="default").submitted()
    needed = {party: [spent(played.round, party, kind) for kind in InputClass] for party in ("AL", "SI")}
    coarse = needed["SI"][2]
    assert 0 < coarse < needed["AL"][2] + needed["SI"][2]
    stage = staged(rules="default", changes=caps(1_000, 1_000, coarse - 1))
    stage.locked()
    stage.submit(stage.nodes["AL"])
    with pytest.raises(CapError, match=f"cap of {coarse - 1} coarse elements with {coarse}"):
        stage.submit(stage.nodes["SI"])
    assert [one.party for one in stage.round.submissions.values()] == ["AL"]


def declaring(stage: StagedRound, full: int, partial: int) -> StagedRound:
    """Let SI consent for so many elements, and the others for all that the manifest allows; open the round."""
    for node in stage.nodes.values():
        elements = ClassCounts(full=full, partial=partial, coarse=0) if node.code == "SI" else None
        node.secrets, envelope = node.party.consent(node.round, node.next_sequence(), (), stage.random, elements)
        stage.publish(envelope)
    stage.publish(stage.matcher.open(stage.round, stage.now))
    stage.lock()
    return stage


def test_nobody_has_more_than_it_declared(staged: Callable[..., StagedRound]) -> None:
    """The manifest allows a thousand; SI consented for five, and a query of one person more is evaluated by nobody."""
    stage = declaring(staged(changes=caps(1_000, 1_000)), 5, 5)
    stage.submit(stage.nodes["SI"])
    assert [stage.round.cap_of("SI", kind) for kind in InputClass] == [5, 5, 0]
    with pytest.raises(CapError, match="cap of 5 full elements with 6"):
        stage.ask("SI", LISTS["SI"][:1])
    for record in (stage.round, *(node.round for node in stage.nodes.values())):
        assert [one.party for one in record.submissions.values()] == ["SI"]


@pytest.mark.parametrize("kind", InputClass)
def test_nobody_declares_more_than_the_manifest_allows(staged: Callable[..., StagedRound], kind: InputClass) -> None:
    stage = staged(changes=caps(5, 5, 5))
    node = stage.nodes["SI"]
    elements = ClassCounts.by(lambda one: 6 if one is kind else 5)
    _, envelope = node.party.consent(node.round, node.next_sequence(), (), stage.random, elements)
    stage.refused(CapError, envelope, f"declares 6 {kind} elements, and the manifest allows it 5")
    assert stage.round.cap_of("SI", InputClass.FULL) == 0


def test_queries_add_up(staged: Callable[..., StagedRound]) -> None:
    stage = staged(changes=caps(7, 7)).submitted()
    stage.ask("SI", LISTS["SI"][:1])
    stage.ask("SI", LISTS["SI"][:1])
    with pytest.raises(CapError, match="with 8"):
        stage.ask("SI", LISTS["SI"][:1])
    assert spent(stage.round, "SI", InputClass.FULL) == 7


def test_every_party_counts_by_itself(staged: Callable[..., StagedRound]) -> None:
    """A matcher that lets a submission over the cap through finds no evaluator."""
    stage = staged(changes=caps(4, 5))
    stage.locked()
    node = stage.nodes["SI"]
    with pytest.raises(CapError):
        stage.submit(node)
    references = node.chunks.references
    envelope = node.party.submit(node.round, node.sequence, node.submission_id, Kind.LIST, *_terms(stage), references)
    stage.refused(CapError, envelope, "would pass its cap")


def _terms(stage: StagedRound) -> tuple[object, int]:
    stage.submit(stage.nodes["AL"])
    submission = stage.round.submissions[stage.nodes["AL"].submission_id]
    return submission.justification, 5


def test_padding_counts(staged: Callable[..., StagedRound]) -> None:
    """A dummy is evaluated like a real record, and is counted like one."""
    stage = staged(changes=caps(5, 5) | {"padding": DEFAULT_PADDING})
    stage.locked()
    with pytest.raises(CapError):
        stage.submit(stage.nodes["SI"])


def test_a_chunk_larger_than_the_manifest_allows(stage: StagedRound) -> None:
    stage.submitted()
    submission = stage.round.submissions[stage.nodes["SI"].submission_id]
    content = submission.model_dump() | {
        "submission_id": "0" * 32,
        "sequence": 9,
        "elements": {"full": 5, "partial": 0, "coarse": 0},
    }
    content["chunks"] = [{"input_class": "full", "elements": 5, "digest": "0" * 64}]
    for record in (stage.round, *(node.round for node in stage.nodes.values())):
        record.submissions.clear()
    stage.refused(MalformedError, stage.signed("SI", Submission.model_validate(content)), "larger than the manifest")


def test_a_query_in_a_round_of_lists(stage: StagedRound) -> None:
    stage.submitted()
    with pytest.raises(PolicyError, match="takes no queries"):
        stage.ask("SI", LISTS["SI"][:1])
