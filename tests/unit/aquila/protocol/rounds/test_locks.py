"""Locks: once, in time, for each counterpart; the key of a pair follows from both sides' halves, and nothing less."""

import hmac
from collections.abc import Callable

import pytest

from aquila.crypto.sealing import seal_to
from aquila.errors import BindingError, EquivocationError, MalformedError, OrderError, RepeatedError, SealError
from aquila.protocol.encoding import framed
from aquila.protocol.messages import Kind, Locks, SealedLock
from aquila.protocol.rounds.locks import PAIR_KEY_BYTES, open_half, pair_key
from aquila.simulation import REHEARSED
from tests.support.staged_round import WINDOW, StagedRound

PURPOSES = ("shadow", "tokens")
ZEROS = bytes(32)


def key_of(stage: StagedRound, own: str, other: str, purpose: str = "shadow") -> bytes:
    node = stage.nodes[own]
    with pair_key(node.round, own, node.secrets, other, purpose) as found:
        return found.to_bytes()


def half_of(stage: StagedRound, sender: str, receiver: str) -> bytes:
    """Return a sender's half, which its receiver alone can open."""
    return open_half(stage.round, receiver, stage.nodes[receiver].secrets.sealing, sender)


def derived(stage: StagedRound, low: str, high: str, halves: bytes, purpose: str = "shadow") -> bytes:
    """Return what HKDF-SHA-512 (RFC 5869) makes of two halves, as PROTOCOL.md 3.3.8 says it."""
    digests = (bytes.fromhex(stage.round.locks_digests[party]) for party in (low, high))
    info = framed("aquila/2 lock", *digests, low.encode(), high.encode(), purpose.encode())
    return hmac.digest(hmac.digest(stage.round.binding_bytes, halves, "sha512"), info + b"\x01", "sha512")


def sealing(stage: StagedRound, sender: str, content: bytes, context: bytes | None = None, to: str = "") -> bytes:
    """Return Locks in which each half is this content, sealed in its own context or another, to its receiver or one."""
    halves = []
    for other in stage.round.counterparts_of(sender):
        key = bytes.fromhex(stage.round.consents[to or other].sealing_key)
        bound = framed("aquila/2 lock", stage.round.binding_bytes, sender.encode(), other.encode())
        sealed = seal_to(key, bound if context is None else context, content)
        halves.append(SealedLock(counterpart=other, sealed=sealed.hex()))
    return stage.signed(sender, stage.statement(sender, Locks, halves=halves))


def lock_all(stage: StagedRound, **others: bytes) -> StagedRound:
    """Let everyone sign its Locks, some of them others than their own."""
    for code, node in stage.nodes.items():
        node.next_sequence()
        stage.publish(others.get(code) or node.party.locks(node.round, node.sequence, node.secrets))
    return stage


def test_both_sides_have_it(stage: StagedRound) -> None:
    """Each pair has for each purpose a key of its own, the same on both sides, as the protocol writes it."""
    stage.locked()
    found = set()
    for low, high in (("AL", "RS"), ("AL", "SI"), ("RS", "SI")):
        halves = half_of(stage, low, high) + half_of(stage, high, low)
        for purpose in PURPOSES:
            key = key_of(stage, low, high, purpose)
            assert key == key_of(stage, high, low, purpose) == derived(stage, low, high, halves, purpose)
            found.add(key)
    assert len(found) == 3 * len(PURPOSES)
    assert {len(key) for key in found} == {PAIR_KEY_BYTES}


def test_the_order_of_the_parties_counts(stage: StagedRound) -> None:
    stage.locked()
    halves = half_of(stage, "AL", "SI") + half_of(stage, "SI", "AL")
    assert key_of(stage, "AL", "SI") == derived(stage, "AL", "SI", halves)
    assert key_of(stage, "AL", "SI") not in {
        derived(stage, "SI", "AL", halves),
        derived(stage, "AL", "SI", halves[32:] + halves[:32]),
    }


def test_one_half_is_not_enough(stage: StagedRound) -> None:
    """A generator that gives zeros gives its party's pairs away to nobody: the other half is as secret as before."""
    stage.consent()
    lock_all(stage, RS=sealing(stage, "RS", ZEROS))
    honest = half_of(stage, "AL", "RS")
    assert half_of(stage, "RS", "AL") == ZEROS != honest
    assert (
        key_of(stage, "AL", "RS") == derived(stage, "AL", "RS", honest + ZEROS) != derived(stage, "AL", "RS", 2 * ZEROS)
    )


def test_it_rests_on_both_statements(stage: StagedRound) -> None:
    """The same halves under another statement give another key: who was shown another statement finds it out."""
    stage.locked()
    before = key_of(stage, "AL", "SI")
    node = stage.nodes["AL"]
    node.round.locks_digests["SI"] = "0" * 64
    assert key_of(stage, "AL", "SI") != before == key_of(stage, "SI", "AL")


def test_a_third_party_opens_no_half(stage: StagedRound) -> None:
    """Whatever RS has, it opens neither half of the lock of AL and SI."""
    stage.locked()
    for sender, receiver in (("AL", "SI"), ("SI", "AL")):
        with pytest.raises(SealError):
            open_half(stage.round, receiver, stage.nodes["RS"].secrets.sealing, sender)


def test_no_key_from_one_side(stage: StagedRound) -> None:
    stage.consent()
    node = stage.nodes["AL"]
    with pytest.raises(OrderError, match="locks of AL, SI"):
        pair_key(node.round, "AL", node.secrets, "SI", "shadow")
    stage.publish(node.party.locks(node.round, node.next_sequence(), node.secrets))
    for own, other in (("AL", "SI"), ("SI", "AL")):
        with pytest.raises(OrderError, match="locks of SI"):
            pair_key(stage.nodes[own].round, own, stage.nodes[own].secrets, other, "shadow")


@pytest.mark.parametrize("wrong", ["another round", "another pair", "another direction", "another key", "changed"])
def test_a_half_that_does_not_open(stage: StagedRound, wrong: str) -> None:
    """The receiver names who made it."""
    stage.consent()
    first = stage.round.binding_bytes
    contexts = {
        "another round": framed("aquila/2 lock", ZEROS, b"RS", b"AL"),
        "another pair": framed("aquila/2 lock", first, b"RS", b"SI"),
        "another direction": framed("aquila/2 lock", first, b"AL", b"RS"),
    }
    locks = sealing(stage, "RS", bytes(31) + b"\x01", contexts.get(wrong), "SI" if wrong == "another key" else "")
    lock_all(stage, RS=locks)
    if wrong == "changed":
        message = stage.round.locks["RS"]
        first_half = message.halves[0]
        changed = SealedLock(counterpart=first_half.counterpart, sealed="00" + first_half.sealed[2:])
        stage.nodes["AL"].round.locks["RS"] = message.model_copy(update={"halves": (changed,)})
    node = stage.nodes["AL"]
    with pytest.raises(SealError, match="the lock that RS made") as caught:
        open_half(node.round, "AL", node.secrets.sealing, "RS")
    assert caught.value.fields["counterpart"] == "RS"
    with pytest.raises(SealError):
        key_of(stage, "AL", "RS")


def test_the_same_halves_again(stage: StagedRound) -> None:
    """Signed again, Locks are other bytes and the same halves; a node needs to keep nothing of them."""
    stage.locked()
    before, node = half_of(stage, "AL", "SI"), stage.nodes["AL"]
    again = stage.statement_in(node.party.locks(node.round, 9, node.secrets), Locks)
    assert again.halves != stage.round.locks["AL"].halves
    stage.round.locks["AL"] = again
    assert half_of(stage, "AL", "SI") == before


def test_only_for_those_that_may_be_compared(staged: Callable[..., StagedRound]) -> None:
    """A pair that the manifest forbids has no lock."""
    stage = staged(changes={"pairs": (("AL", "RS"), ("RS", "SI"))}).locked()
    named = {code: [half.counterpart for half in locks.halves] for code, locks in stage.round.locks.items()}
    assert named == {"AL": ["RS"], "RS": ["AL", "SI"], "SI": ["RS"]}


def test_halves_for_others_are_refused(stage: StagedRound) -> None:
    """One too few, one for nobody of the round, one for oneself."""
    stage.locked()
    al, si = stage.round.locks["RS"].halves
    for record in (stage.round, *(node.round for node in stage.nodes.values())):
        del record.locks["RS"]
    for halves in (
        (),
        (al,),
        (al, si.model_copy(update={"counterpart": "XK"})),
        (al, si.model_copy(update={"counterpart": "RS"})),
    ):
        message = stage.statement("RS", Locks, halves=tuple(sorted(halves, key=lambda half: half.counterpart)))
        stage.refused(MalformedError, stage.signed("RS", message), "not for exactly those")


def test_once(stage: StagedRound) -> None:
    stage.locked()
    node = stage.nodes["SI"]
    again = node.party.locks(node.round, node.sequence + 1, node.secrets)
    stage.refused(EquivocationError, again, "signed its locks already")


def test_in_time(stage: StagedRound) -> None:
    stage.consent()
    stage.now = WINDOW.submit_by + 1
    node = stage.nodes["SI"]
    stage.refused(OrderError, node.party.locks(node.round, node.sequence + 1, node.secrets), "time for a lock is over")
    stage.now = WINDOW.submit_by
    stage.lock()
    assert sorted(stage.round.locks) == sorted(stage.round.locks_digests) == ["AL", "RS", "SI"]


def test_before_the_opening_and_after_the_end(stage: StagedRound) -> None:
    stage.locked()
    locks = stage.round.locks["SI"]
    stage.abort()
    stage.refused(OrderError, stage.changed("SI", locks), r"has ended \(aborted\)")
    stage.restage({})
    stage.refused(OrderError, stage.changed("SI", locks), "not open yet")


def test_under_another_binding(stage: StagedRound) -> None:
    stage.consent()
    for code in ("RS", "SI"):
        stage.publish(
            stage.nodes[code].party.locks(stage.round, stage.nodes[code].next_sequence(), stage.nodes[code].secrets)
        )
    envelope = stage.nodes["AL"].party.locks(stage.round, 2, stage.nodes["AL"].secrets)
    stage.round.binding = "1" * 64
    with pytest.raises(BindingError, match="AL names another binding"):
        stage.round.accept(envelope, now=stage.now)


def test_not_after_the_last_word(stage: StagedRound) -> None:
    stage.consent()
    node = stage.nodes["SI"]
    locks = node.party.locks(node.round, 7, node.secrets)
    stage.publish(node.party.refuse(node.round, node.next_sequence(), "no"))
    stage.refused(RepeatedError, locks, "says no locks any more")


def test_nothing_is_submitted_before(stage: StagedRound) -> None:
    """Neither the party signs it, nor does anybody take it."""
    stage.submitted()
    submission = stage.round.submissions[stage.nodes["SI"].submission_id]
    for record in (stage.round, *(node.round for node in stage.nodes.values())):
        del record.submissions[submission.submission_id]
        del record.locks["SI"]
    stage.refused(OrderError, stage.changed("SI", submission), "SI submits before it has signed its locks")
    node = stage.nodes["SI"]
    with pytest.raises(OrderError, match="before it has signed its locks"):
        node.party.submit(node.round, 9, "a" * 32, Kind.LIST, REHEARSED, 5, submission.chunks)


def test_no_evaluation_before_the_own_locks(stage: StagedRound) -> None:
    """What SI evaluated could make no column: it has no key with anybody."""
    stage.evaluated()
    place, evaluation = next((place, one) for place, one in stage.round.evaluations.items() if one.party == "SI")
    for record in (stage.round, *(node.round for node in stage.nodes.values())):
        del record.evaluations[place], record.locks["SI"]
    stage.refused(OrderError, stage.changed("SI", evaluation), "locks of SI")
