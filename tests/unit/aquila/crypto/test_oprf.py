"""The oblivious function over batches; its values are checked against RFC 9497 in tests/vectors."""

import hashlib
from collections.abc import Callable

import pytest

from aquila.crypto import oprf
from aquila.crypto.group import GENERATOR, Group
from aquila.crypto.shares import new_share
from aquila.errors import InputError, KeyMaterialError, MalformedError


def test_batch_is_its_members(group: Group, random: Callable[[int], bytes]) -> None:
    inputs, share = random(32 * 3), new_share(group, random)
    blinds = group.reduce_each(random(64 * 3))
    evaluated = oprf.evaluate(group, oprf.blind(group, inputs, 32, blinds), share)
    values = oprf.unblind(group, evaluated, share.public_key, blinds)
    assert oprf.evaluate_inputs(group, inputs, 32, share) == values
    for index in range(3):
        one, scalar = inputs[32 * index : 32 * index + 32], blinds[32 * index : 32 * index + 32]
        alone = oprf.evaluate(group, oprf.blind(group, one, 32, scalar), share)
        assert alone == evaluated[32 * index : 32 * index + 32]
        assert oprf.unblind(group, alone, share.public_key, scalar) == values[32 * index : 32 * index + 32]


def test_closed_share_does_not_evaluate(group: Group, random: Callable[[int], bytes]) -> None:
    share = new_share(group, random)
    share.close()
    with pytest.raises(KeyMaterialError):
        oprf.evaluate(group, GENERATOR, share)
    with pytest.raises(KeyMaterialError):
        oprf.evaluate_inputs(group, bytes(32), 32, share)


def test_another_share_leaves_the_blinds_in(group: Group, random: Callable[[int], bytes]) -> None:
    """Under a key that is not the evaluator's no value is right: so the proof comes first, under the same key."""
    inputs, blinds = random(32 * 3), group.reduce_each(random(64 * 3))
    share, other = new_share(group, random), new_share(group, random)
    evaluated = oprf.evaluate(group, oprf.blind(group, inputs, 32, blinds), other)
    values = oprf.unblind(group, evaluated, share.public_key, blinds)
    for one in (share, other):
        right = oprf.evaluate_inputs(group, inputs, 32, one)
        assert not any(values[at : at + 32] == right[at : at + 32] for at in range(0, 96, 32))


def test_wrong_element_is_not_evaluated(group: Group, random: Callable[[int], bytes]) -> None:
    """An element that is refused stops the batch and is named by its position."""
    with pytest.raises(MalformedError) as caught:
        oprf.evaluate(group, GENERATOR * 2 + bytes(32), new_share(group, random))
    assert caught.value.fields == {"index": 2}


def test_unequal_numbers(group: Group, random: Callable[[int], bytes]) -> None:
    """Inputs, blinds and elements must be equally many, in whole numbers."""
    blinds = group.reduce_each(bytes(range(1, 129)))
    with pytest.raises(InputError):
        oprf.blind(group, bytes(32), 32, blinds)
    with pytest.raises(InputError):
        oprf.unblind(group, GENERATOR, GENERATOR, blinds)
    share = new_share(group, random)
    for width in (33, 63):
        with pytest.raises(InputError):
            oprf.evaluate_inputs(group, bytes(64), width, share)


def test_empty_batch(group: Group, random: Callable[[int], bytes]) -> None:
    assert oprf.blind(group, b"", 32, b"") == b""
    assert oprf.evaluate(group, b"", new_share(group, random)) == b""
    assert oprf.evaluate_inputs(group, b"", 32, new_share(group, random)) == b""
    assert oprf.unblind(group, b"", GENERATOR, b"") == b""
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
