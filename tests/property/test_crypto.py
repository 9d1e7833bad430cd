"""Laws of the crypto package, for whatever batch."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aquila.crypto import dleq, oprf
from aquila.crypto.envelope import open_envelope, sign_envelope
from aquila.crypto.group import GENERATOR, ORDER
from aquila.crypto.keys import IdentityKey
from aquila.crypto.sealing import RoundKey
from aquila.crypto.shares import new_share
from aquila.crypto.sodium import SodiumGroup
from aquila.errors import KeyMaterialError, MalformedError, ProofError, SignatureError

ONE, SHARED = SodiumGroup(1), SodiumGroup(3)
few = settings(max_examples=15, deadline=None)
seeds = st.integers(0, 2**32)


@few
@given(inputs=st.lists(st.binary(min_size=32, max_size=32), max_size=5), seed=seeds)
def test_blinding_does_not_change_the_function(inputs: list[bytes], seed: int) -> None:
    """Blinding, evaluating and unblinding give the key times the input's element, as evaluating one's own inputs."""
    random, batch = Random(seed).randbytes, b"".join(inputs)
    share = new_share(ONE, random)
    blinds = ONE.reduce_each(random(64 * len(inputs)))
    evaluated = oprf.evaluate(ONE, oprf.blind(ONE, batch, 32, blinds), share)
    direct = ONE.multiply(oprf.hash_inputs(ONE, batch, 32), share.to_bytes())
    unblinded = oprf.unblind(ONE, evaluated, share.public_key, blinds)
    assert unblinded == oprf.evaluate_inputs(ONE, batch, 32, share) == direct


@few
@given(count=st.integers(1, 5), seed=seeds, draw=st.data())
def test_proof_holds_for_exactly_one_statement(count: int, seed: int, draw: st.DataObject) -> None:
    random = Random(seed).randbytes
    share, context, fresh = new_share(ONE, random), random(draw.draw(st.integers(1, 40))), random(32)
    inputs = oprf.hash_inputs(ONE, random(32 * count), 32)
    outputs = oprf.evaluate(ONE, inputs, share)
    proof = dleq.prove_chunk(ONE, share, context, inputs, outputs, fresh)
    dleq.verify_chunk(ONE, share.public_key, context, inputs, outputs, proof)

    place, other = 32 * draw.draw(st.integers(0, count - 1)), oprf.hash_inputs(ONE, random(32), 32)
    statements = [
        (share.public_key, context, inputs[:place] + other + inputs[place + 32 :], outputs, proof),
        (share.public_key, context, inputs, outputs[:place] + other + outputs[place + 32 :], proof),
        (share.public_key, context, inputs, outputs, flipped(proof, draw)),
        (share.public_key, flipped(context, draw), inputs, outputs, proof),
        (other, context, inputs, outputs, proof),
    ]
    for statement in statements:
        with pytest.raises(ProofError):
            dleq.verify_chunk(ONE, *statement)
    for inner in (inputs, outputs):  # a flipped bit is mostly no element at all
        left, right = (flipped(inner, draw), outputs) if inner is inputs else (inputs, flipped(inner, draw))
        with pytest.raises((ProofError, MalformedError)):
            dleq.verify_chunk(ONE, share.public_key, context, left, right, proof)


@pytest.mark.parametrize("count", [0, 1, 7, 8, 63, 64, 65, 200])
def test_threads_change_nothing(count: int) -> None:
    """However a batch is cut among threads, every operation gives what one thread gives."""
    random = Random(count).randbytes
    messages, wide = random(32 * count), random(64 * count)
    for group in (ONE, SHARED):
        scalars = group.reduce_each(wide)
        elements = group.hash_to_group(messages, 32, b"dst")
        products = group.multiply(elements, b"\x07" + bytes(31))
        answers = [
            scalars,
            elements,
            products,
            group.multiply_hashed(messages, 32, b"dst", b"\x07" + bytes(31)),
            group.multiply_base(scalars),
            group.blind(messages, 32, b"dst", scalars),
            group.unblind(group.decode(products), GENERATOR, scalars),
            group.weighted_sum(elements, scalars) if count else b"",
        ]
        group.validate(products)
        if group is ONE:
            expected = answers
    assert answers == expected
    assert [len(answer) for answer in answers[:-1]] == [32 * count] * 7


@few
@given(left=st.integers(1, ORDER - 1), right=st.integers(1, ORDER - 1))
def test_scalars_multiply_as_numbers(left: int, right: int) -> None:
    first, second = left.to_bytes(32, "little"), right.to_bytes(32, "little")
    product = (left * right % ORDER).to_bytes(32, "little")
    element = ONE.multiply_base(first)
    assert ONE.multiply(element, second) == ONE.multiply_base(product)


@few
@given(payload=st.binary(max_size=200), kind=st.text(max_size=20), draw=st.data())
def test_envelope_says_what_was_signed(payload: bytes, kind: str, draw: st.DataObject) -> None:
    """Any type and payload come back, and no envelope with one byte changed is accepted."""
    key = IdentityKey(bytes(range(32)))
    keys = {key.public.fingerprint: key.public}
    envelope = sign_envelope(kind, payload, key)
    opened = open_envelope(envelope, {kind}, keys)
    assert (opened.payload_type, opened.payload) == (kind, payload)
    with pytest.raises((MalformedError, SignatureError)):
        open_envelope(flipped(envelope, draw), {kind}, keys)


@few
@given(plaintext=st.binary(max_size=100), label=st.text(), seed=seeds, draw=st.data())
def test_vault_gives_back_what_was_sealed(plaintext: bytes, label: str, seed: int, draw: st.DataObject) -> None:
    """Any secret and label come back, and no sealed value with one bit changed opens."""
    random = Random(seed).randbytes
    key = RoundKey.generate("R-1", random)
    sealed = key.seal(label, plaintext, random)
    assert key.open(label, sealed) == plaintext
    with pytest.raises(KeyMaterialError):
        key.open(label, flipped(sealed, draw))


def flipped(octets: bytes, draw: st.DataObject) -> bytes:
    place, bit = draw.draw(st.integers(0, len(octets) - 1)), draw.draw(st.integers(0, 7))
    return octets[:place] + bytes([octets[place] ^ 1 << bit]) + octets[place + 1 :]
