"""The oblivious function over batches; its values are checked against RFC 9497 in tests/vectors."""

import hashlib
from collections.abc import Callable

import pytest

from aquila.crypto import oprf
from aquila.crypto.group import GENERATOR, ORDER, Group
from aquila.crypto.shares import new_share
from aquila.errors import InputError, KeyMaterialError, MalformedError


def test_batch_is_its_members(group: Group, random: Callable[[int], bytes]) -> None:
    inputs, share = random(32 * 3), new_share(group, random)
    blinds = group.reduce_each(random(64 * 3))
    evaluated = oprf.evaluate(group, oprf.blind(group, inputs, 32, blinds), share)
    outputs = oprf.finalize(group, inputs, 32, blinds, evaluated)
    for index in range(3):
        one, scalar = inputs[32 * index : 32 * index + 32], blinds[32 * index : 32 * index + 32]
        alone = oprf.evaluate(group, oprf.blind(group, one, 32, scalar), share)
        assert alone == evaluated[32 * index : 32 * index + 32]
        assert oprf.finalize(group, one, 32, scalar, alone) == outputs[64 * index : 64 * index + 64]


def test_shares_that_cancel(group: Group, random: Callable[[int], bytes]) -> None:
    """A sum that is the identity is refused by its position; one that passes through it is not."""
    share, three, four = new_share(group, random), random(32 * 3), group.reduce_each(random(64 * 3))
    blinded = oprf.blind(group, three, 32, four)
    own = oprf.evaluate(group, blinded, share)
    opposite = group.multiply(own, (ORDER - 1).to_bytes(32, "little"))
    cancelling = blinded[:64] + opposite[64:]
    with pytest.raises(MalformedError) as caught:
        oprf.finalize_shared(group, three, 32, four, blinded, share, [cancelling])
    assert caught.value.fields == {"index": 2}
    through = oprf.finalize_shared(group, three, 32, four, blinded, share, [opposite, blinded])
    assert through == oprf.finalize(group, three, 32, four, blinded)


def test_closed_share_does_not_evaluate(group: Group, random: Callable[[int], bytes]) -> None:
    share = new_share(group, random)
    share.close()
    with pytest.raises(KeyMaterialError):
        oprf.evaluate(group, GENERATOR, share)
    with pytest.raises(KeyMaterialError):
        oprf.finalize_shared(group, bytes(32), 32, (1).to_bytes(32, "little"), GENERATOR, share, [])


def test_wrong_element_is_not_evaluated(group: Group, random: Callable[[int], bytes]) -> None:
    """An element that is refused stops the batch and is named by its position."""
    with pytest.raises(MalformedError) as caught:
        oprf.evaluate(group, GENERATOR * 2 + bytes(32), new_share(group, random))
    assert caught.value.fields == {"index": 2}


def test_unequal_numbers(group: Group) -> None:
    """Inputs, blinds and elements must be equally many, in whole numbers."""
    blinds = group.reduce_each(bytes(range(1, 129)))
    with pytest.raises(InputError):
        oprf.blind(group, bytes(32), 32, blinds)
    with pytest.raises(InputError):
        oprf.finalize(group, bytes(32), 32, blinds, GENERATOR * 2)
    with pytest.raises(InputError):
        oprf.finalize(group, bytes(64), 32, blinds, GENERATOR)
    for width in (0, 33):
        with pytest.raises(InputError):
            oprf.finalize(group, bytes(64), width, blinds, GENERATOR * 2)


def test_empty_batch(group: Group, random: Callable[[int], bytes]) -> None:
    assert oprf.blind(group, b"", 32, b"") == b""
    assert oprf.evaluate(group, b"", new_share(group, random)) == b""
    assert oprf.finalize(group, b"", 32, b"", b"") == b""
    assert oprf.split_output(b"") == (b"", b"")


def test_output_is_split() -> None:
    first, second = bytes(range(64)), bytes(range(64, 128))
    assert oprf.split_output(first + second) == (first[:16] + second[:16], first[32:] + second[32:])
    with pytest.raises(InputError):
        oprf.split_output(first[:-1])


def test_scalars_for_other_suffixes() -> None:
    assert oprf.hash_to_scalar(b"m") == oprf.hash_to_scalar(b"m", oprf.context_string())
    assert oprf.hash_to_scalar(b"m") != oprf.hash_to_scalar(b"m", b"other")


def test_modes_are_separated(group: Group) -> None:
    source = hashlib.sha256(b"input").digest()
    assert oprf.hash_inputs(group, source, 32) != oprf.hash_inputs(group, source, 32, oprf.MODE_OPRF)
