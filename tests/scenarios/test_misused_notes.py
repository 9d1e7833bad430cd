"""A counterpart swaps, reflects or repeats notes, or sends them where they do not belong."""

from collections.abc import Callable

import pytest

from aquila.errors import BindingError, EquivocationError, MalformedError, OrderError, PolicyError, SealError
from aquila.protocol.messages import Confirmation, Fault, Notes
from aquila.protocol.rounds.round_state import EXCHANGE_SECONDS
from aquila.protocol.rounds.verified_round import AcceptedStatement
from tests.support.staged_round import WINDOW, StagedRound


def batch(stage: StagedRound, sender: str, to: str) -> AcceptedStatement:
    (found,) = (one for one in stage.send_notes(stage.nodes[sender]) if notes_in(one).to == to)
    return found


def notes_in(sent: AcceptedStatement) -> Notes:
    assert isinstance(sent.message, Notes)
    return sent.message


def resent(stage: StagedRound, sender: str, to: str, entries: list[bytes], index: int = 90) -> AcceptedStatement:
    node = stage.nodes[sender]
    envelope = node.party.notes(node.round, node.next_sequence(), to, None, index, entries)
    return stage.publish(envelope, only={sender, to})


def opened(stage: StagedRound, sent: AcceptedStatement) -> list[tuple[str, bytes]]:
    node = stage.nodes[notes_in(sent).to]
    return node.party.open_notes(notes_in(sent), node.secrets.sealing)


def refuted_by(stage: StagedRound, sent: AcceptedStatement) -> set[str]:
    """Let the receiver verify a batch, and return what it found wrong."""
    stage.verify(sent)
    return {hit.fault for hit in stage.round.confirmations[sent.digest].refuted}


def test_swapped(stage: StagedRound) -> None:
    stage.reported()
    list(stage.send_notes(stage.nodes["SI"]))
    (first, one), (second, two), *rest = opened(stage, batch(stage, "RS", "SI"))
    assert rest == [] or len(rest) == 1
    swapped = resent(stage, "RS", "SI", [bytes.fromhex(first) + two, bytes.fromhex(second) + one])
    assert refuted_by(stage, swapped) == {Fault.SEALED}


def test_reflected(stage: StagedRound) -> None:
    """A note that comes back to its sender as if it were the counterpart's does not open."""
    stage.reported()
    own = opened(stage, batch(stage, "SI", "RS"))
    list(stage.send_notes(stage.nodes["RS"]))
    reflected = resent(stage, "RS", "SI", [bytes.fromhex(hit_id) + note for hit_id, note in own])
    assert refuted_by(stage, reflected) == {Fault.SEALED}


def test_from_an_earlier_round(stage: StagedRound, staged: Callable[..., StagedRound]) -> None:
    stage.reported()
    earlier = opened(stage, batch(stage, "RS", "SI"))
    later = staged(seed=7)
    later.restage({"round_id": "0" * 32})
    later.reported()
    for node in later.nodes.values():
        list(later.send_notes(node))
    ids = [hit.hit_id for hit in later.report("SI", "RS").hits]
    replayed = resent(later, "RS", "SI", [bytes.fromhex(h) + note for h, (_, note) in zip(ids, earlier, strict=True)])
    assert refuted_by(later, replayed) == {Fault.SEALED}


def test_repeated(stage: StagedRound) -> None:
    stage.reported()
    list(stage.send_notes(stage.nodes["SI"]))
    sent = batch(stage, "RS", "SI")
    assert refuted_by(stage, sent) == set()
    again = resent(stage, "RS", "SI", [bytes.fromhex(hit_id) + note for hit_id, note in opened(stage, sent)])
    assert refuted_by(stage, again) == {Fault.REPEATED}


def test_one_hit_several_times(stage: StagedRound) -> None:
    """The receiver's confirmation counts however often a batch names a hit: nobody can make it unable to answer."""
    stage.reported()
    (hit_id, note), *_rest = opened(stage, batch(stage, "RS", "SI"))
    named, unknown = bytes.fromhex(hit_id) + note, bytes(16) + note
    sent = resent(stage, "RS", "SI", [named, unknown, named, unknown, named])
    assert refuted_by(stage, sent) == {Fault.REPEATED}
    said = stage.round.confirmations[sent.digest]
    assert (said.confirmed, [hit.hit_id for hit in said.refuted]) == (3, sorted([hit_id, "0" * 32]))


def test_relayed_by_a_third_party(stage: StagedRound) -> None:
    stage.reported()
    sent = notes_in(batch(stage, "RS", "SI"))
    relayed = sent.model_copy(update={"party": "AL"})
    si = stage.nodes["SI"]
    with pytest.raises(SealError):
        si.party.open_notes(relayed, si.secrets.sealing)
    with pytest.raises(MalformedError, match="base64"):
        si.party.open_notes(sent.model_copy(update={"sealed": "A"}), si.secrets.sealing)


def test_the_same_batch_twice(stage: StagedRound) -> None:
    stage.reported()
    sent = batch(stage, "RS", "SI")
    for record in (stage.round, stage.nodes["SI"].round):
        with pytest.raises(EquivocationError, match="this batch of notes already"):
            record.accept(stage.changed("RS", notes_in(sent)))
    stage.send_notes(stage.nodes["SI"])
    stage.verify(sent)
    confirmation = stage.round.confirmations[sent.digest]
    envelope = stage.changed("SI", confirmation, confirmed=confirmation.confirmed + 1)
    with pytest.raises(EquivocationError, match="confirmed these notes already"):
        stage.round.accept(envelope)


def test_before_the_reports(stage: StagedRound) -> None:
    stage.finalized()
    fields = {"to": "RS", "submission_id": None, "index": 0, "hits": 1, "sealed": "AAAA"}
    envelope = stage.signed("SI", stage.statement("SI", Notes, **fields))
    with pytest.raises(OrderError, match="before both sides"):
        stage.round.accept(envelope)


def test_for_a_pair_that_may_not_be_matched(staged: Callable[..., StagedRound]) -> None:
    stage = staged(changes={"pairs": (("AL", "RS"), ("RS", "SI"))}).reported()
    fields = {"to": "AL", "submission_id": None, "index": 0, "hits": 1, "sealed": "AAAA"}
    stage.refused(PolicyError, stage.signed("SI", stage.statement("SI", Notes, **fields)), "may not be matched")


def test_confirmations_of_what_was_not_sent(stage: StagedRound) -> None:
    stage.reported()
    sent = batch(stage, "RS", "SI")
    fields = {"submission_id": None, "notes_sequence": 1, "confirmed": 1, "refuted": ()}
    unknown = stage.statement("SI", Confirmation, to="RS", notes="0" * 64, **fields)
    with pytest.raises(OrderError, match="no notes that were sent"):
        stage.round.accept(stage.signed("SI", unknown))
    for code, to in (("AL", "RS"), ("SI", "AL")):
        other = stage.statement(code, Confirmation, to=to, notes=sent.digest, **fields)
        with pytest.raises(BindingError, match="not for it"):
            stage.round.accept(stage.signed(code, other))
    number = notes_in(sent).sequence
    for change in ({"notes_sequence": number + 1}, {"notes_sequence": number, "confirmed": notes_in(sent).hits + 1}):
        other = stage.statement("SI", Confirmation, to="RS", notes=sent.digest, **fields | change)
        with pytest.raises(MalformedError, match="another number"):
            stage.round.accept(stage.signed("SI", other))


def test_after_their_time(stage: StagedRound) -> None:
    """Notes are taken for a week after the round's window, also when it has ended, and not later."""
    stage.reported()
    stage.now = WINDOW.closes_at + 1
    stage.close()
    early, late = stage.nodes["RS"], stage.nodes["SI"]
    assert early.round.notes_expire == WINDOW.closes_at + EXCHANGE_SECONDS
    stage.now = WINDOW.closes_at + EXCHANGE_SECONDS
    (sent, *_) = stage.send_notes(early)
    stage.now += 1
    with pytest.raises(OrderError, match="time for a note is over"):
        stage.send_notes(late)
    fields = {"submission_id": None, "confirmed": 1, "refuted": (), "to": "RS", "notes": sent.digest}
    fields["notes_sequence"] = notes_in(sent).sequence
    confirmation = stage.statement(notes_in(sent).to, Confirmation, **fields)
    with pytest.raises(OrderError, match="time for a confirmation is over"):
        stage.round.accept(stage.signed(notes_in(sent).to, confirmation), now=stage.now)
