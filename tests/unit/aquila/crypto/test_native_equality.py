"""All backends give the same bytes and the same errors: each native one is compared with libsodium.

AQUILA_EQUALITY_COUNT sets how many random values are compared; `make equality` takes 100,000.
"""

import hmac
import os
from collections.abc import Callable
from contextlib import suppress
from itertools import product
from operator import methodcaller
from typing import TypeVar

import pytest

from aquila.crypto.backend import BACKENDS, load_group
from aquila.crypto.group import GENERATOR, ORDER, Group
from aquila.crypto.native.batch import NATIVE_BACKENDS, NativeBackend, load_core
from aquila.errors import AquilaError, InputError

COUNT = int(os.environ.get("AQUILA_EQUALITY_COUNT", "1000"))
DST = b"equality"
PRIME = 2**255 - 19

Answer = TypeVar("Answer")

EDGE_NUMBERS = [
    *range(1, 18),
    *(ORDER - number for number in range(1, 18)),
    *(
        (1 << bit) + offset
        for bit in (50, 51, 52, 63, 64, 102, 104, 127, 128, 129, 208, 251, 252)
        for offset in (-1, 0, 1)
    ),
    *(0x8888 << shift for shift in range(0, 236, 4)),
    ORDER // 2,
    ORDER // 2 + 1,
    int("7" * 63, 16) % ORDER,
    int("8" * 63, 16) % ORDER,
    int("f" * 62, 16),
]
"""Scalars at which a carry, a sign or a window begins or ends."""

EXTREME_LIMBS = {51: (0, 2**50 - 1, 2**50, 2**51 - 19, 2**51 - 1), 52: (0, 1, 2**51, 2**52 - 19, 2**52 - 1)}
"""Limbs at an end of their range, for the two sizes of limbs that backends have."""


def scalar(number: int) -> bytes:
    return number.to_bytes(32, "little")


@pytest.fixture(scope="module")
def groups() -> list[Group]:
    """Every group that this machine can run, on two threads each, libsodium's last."""
    found = []
    for backend in BACKENDS:
        with suppress(InputError):
            found.append(load_group(2, backend))
    return found


@pytest.mark.parametrize("backend", NATIVE_BACKENDS)
def test_backend_is_compared(backend: NativeBackend, groups: list[Group]) -> None:
    """The tests of this file compare every backend that was built and that the processor can run."""
    try:
        load_core(backend)
    except InputError as absent:
        pytest.skip(str(absent))
    assert backend in [group.name for group in groups[:-1]]


def accepts(group: Group, encoding: bytes) -> bool:
    try:
        group.validate(encoding)
    except AquilaError:
        return False
    return True


def same(groups: list[Group], call: Callable[[Group], Answer]) -> Answer:
    *native, sodium = (call(group) for group in groups)
    for group, answer in zip(groups, native, strict=False):
        assert answer == sodium, group.name
    return sodium


def same_refusal(groups: list[Group], call: Callable[[Group], object]) -> None:
    refusals = set()
    for group in groups:
        with pytest.raises(AquilaError) as caught:
            call(group)
        refusals.add((type(caught.value), caught.value.message, tuple(caught.value.fields.items())))
    assert len(refusals) == 1


@pytest.fixture(scope="module")
def elements(groups: list[Group]) -> bytes:
    return groups[-1].hash_to_group(b"".join(scalar(number) for number in range(COUNT)), 32, b"elements")


@pytest.fixture
def scalars(groups: list[Group], random: Callable[[int], bytes]) -> bytes:
    return groups[-1].reduce_each(random(64 * COUNT))


@pytest.mark.parametrize("dst_bytes", [1, 46, 47, 255])
def test_messages_and_tags_around_a_block(groups: list[Group], random: Callable[[int], bytes], dst_bytes: int) -> None:
    """Messages and tags that just fill a block of SHA-512, or just do not, are hashed alike."""
    dst = random(dst_bytes)
    for width in (1, 64, 111, 112, 127, 128, 129, 500):
        same(groups, methodcaller("hash_to_group", random(width * 9), width, dst))


@pytest.mark.parametrize("key_bytes", [0, 1, 32, 127, 128])
def test_macs_around_a_block(groups: list[Group], random: Callable[[int], bytes], key_bytes: int) -> None:
    """Messages and keys that just fill a block of SHA-512, or just do not, have the HMAC that Python's own gives."""
    key = random(key_bytes)
    for width in (1, 47, 48, 63, 64, 111, 112, 127, 128, 129, 239, 240, 300):
        messages = random(width * 21)
        expected = [hmac.digest(key, messages[at : at + width], "sha512") for at in range(0, len(messages), width)]
        assert same(groups, methodcaller("mac", bytearray(key), messages, width)) == b"".join(expected)


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 255, 256, 257, COUNT])
def test_decoded_elements(groups: list[Group], elements: bytes, scalars: bytes, count: int) -> None:
    some, each, other = elements[: 32 * count], scalars[: 32 * count], elements[-32:]

    def of(group: Group, *, are_decoded: bool) -> tuple[bytes, ...]:
        batch = group.decode(some) if are_decoded else some
        answers = [group.multiply(batch, scalar(7)), group.unblind(batch, other, each)]
        if count:
            answers.append(group.weighted_sum(batch, each))
        return tuple(answers)

    assert same(groups, lambda group: of(group, are_decoded=True)) == of(groups[-1], are_decoded=False)


@pytest.mark.parametrize("bits", [1, 8, 128, 129, 253])
def test_random_weighted_sums(groups: list[Group], elements: bytes, scalars: bytes, bits: int) -> None:
    numbers = (int.from_bytes(scalars[start : start + 32], "little") for start in range(0, len(scalars), 32))
    weights = b"".join(scalar(number % (1 << bits) or 1) for number in numbers)
    same(groups, lambda group: group.weighted_sum(elements, weights))


def test_random_scalar_arithmetic(groups: list[Group], random: Callable[[int], bytes], scalars: bytes) -> None:
    wide = random(64 * COUNT) + bytes(64) + b"\xff" * 64 + scalar(ORDER) * 2
    same(groups, lambda group: group.reduce_each(wide))
    same(groups, lambda group: group.respond(scalars[:32], scalars[32:64], scalars[64:96]))


def test_edge_scalars(groups: list[Group], elements: bytes) -> None:
    """Scalars at which a carry, a sign or a window changes are no exception anywhere."""
    scalars = b"".join(map(scalar, EDGE_NUMBERS))
    some = elements[: len(scalars)]
    same(groups, lambda group: group.unblind(some, elements[-32:], scalars))
    same(groups, lambda group: group.blind(some, 32, DST, scalars))
    same(groups, lambda group: group.multiply_base(scalars))
    same(groups, lambda group: group.weighted_sum(some, scalars))
    for number in EDGE_NUMBERS:
        same(groups, lambda group, number=number: group.multiply(some[:288], scalar(number)))
        same(groups, lambda group, number=number: group.multiply_hashed(some[:288], 32, DST, scalar(number)))


def test_each_stored_multiple(groups: list[Group], elements: bytes) -> None:
    """Every entry of the table of a public key, and its opposite, is taken away alone; and one of an own multiple."""
    numbers = [times * 16**place % ORDER for place in range(63) for times in range(1, 9)]
    for chosen in (numbers, [ORDER - number for number in numbers]):
        scalars = b"".join(map(scalar, chosen))
        same(groups, lambda group, scalars=scalars: group.unblind(GENERATOR * len(numbers), elements[:32], scalars))
    multiple = groups[-1].multiply(elements[:32], scalar(77))
    same_refusal(groups, lambda group: group.unblind(elements[32:64] + multiple, elements[:32], scalar(77) * 2))
    for key in (bytes([1]) + bytes(31), bytes(32), b"", elements[:64]):
        same_refusal(groups, lambda group, key=key: group.unblind(elements[:32], key, scalar(77)))


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 15, 16, 17, 255, 256, 257])
def test_batch_sizes(groups: list[Group], elements: bytes, scalars: bytes, count: int) -> None:
    """A batch that does not fill a vector or a chunk gives what it gives element by element."""
    some, each = elements[: 32 * count], scalars[: 32 * count]
    same(groups, lambda group: group.hash_to_group(some, 32, DST))
    same(groups, lambda group: group.multiply(some, scalar(7)))
    same(groups, lambda group: group.unblind(some, GENERATOR, each))
    same(groups, lambda group: group.multiply_base(each))
    same(groups, lambda group: group.blind(some, 32, DST, each))
    same(groups, lambda group: group.multiply_hashed(some, 32, DST, scalar(7)))
    same(groups, lambda group: group.reduce_each(each[: 64 * (count // 2)]))
    same(groups, lambda group: group.validate(some))
    if count:
        same(groups, lambda group: group.weighted_sum(some, each))


def test_batch_across_chunks(groups: list[Group], elements: bytes, scalars: bytes) -> None:
    """A batch of at least 4,097, which leaves one element over everywhere, gives the same."""
    length = 32 * max(4_097, COUNT)
    some, each = ((part * (length // len(part) + 1))[:length] for part in (elements, scalars))
    same(groups, lambda group: group.hash_to_group(some, 32, DST))
    same(groups, lambda group: group.multiply(some, scalar(7)))
    same(groups, lambda group: group.multiply_base(each))
    same(groups, lambda group: group.validate(some))
    same(groups, lambda group: group.unblind(some, elements[:32], each))
    same(groups, lambda group: group.blind(some, 32, DST, each))
    same(groups, lambda group: group.multiply_hashed(some, 32, DST, scalar(7)))
    same(groups, lambda group: group.weighted_sum(some, each))


def test_sums_of_equal_and_opposite_elements(groups: list[Group], elements: bytes) -> None:
    """Doubles are sums like others; a weighted sum in which all opposites cancel is refused."""
    opposites = groups[-1].multiply(elements[:320], scalar(ORDER - 1))
    same_refusal(groups, lambda group: group.weighted_sum(elements[:320] + opposites, scalar(5) * 20))
    same(groups, lambda group: group.weighted_sum(elements[:320] + opposites[32:], scalar(5) * 19))
    same(groups, lambda group: group.weighted_sum(GENERATOR * 1000, scalar(3) * 1000))


@pytest.mark.parametrize("position", [0, 1, 8, 16, 300, 599])
@pytest.mark.parametrize("bad", [bytes(32), GENERATOR[:31] + b"\xf6", b"\x01" + bytes(31), b"\xff" * 32])
def test_refused_elements(groups: list[Group], elements: bytes, position: int, bad: bytes) -> None:
    """The identity, bit 255, negative and non-canonical encodings are refused by position in every operation."""
    spoiled = elements[: 32 * position] + bad + elements[32 * position : 32 * 599]
    ones = scalar(1) * 600
    calls: list[Callable[[Group], object]] = [
        lambda group: group.validate(spoiled),
        lambda group: group.multiply(spoiled, scalar(3)),
        lambda group: group.unblind(spoiled, GENERATOR, ones),
        lambda group: group.weighted_sum(spoiled, ones),
        lambda group: group.weighted_sum(group.decode(spoiled), ones),
        lambda group: group.multiply(group.decode(spoiled), scalar(3)),
        lambda group: group.unblind(group.decode(spoiled), GENERATOR, ones),
    ]
    for call in calls:
        same_refusal(groups, call)


def test_several_refused_elements(groups: list[Group], elements: bytes) -> None:
    spoiled = elements[:320] + b"\x01" + bytes(31) + elements[:3200] + bytes(32) + b"\x03" + bytes(31)
    same_refusal(groups, lambda group: group.validate(spoiled))
    same_refusal(groups, lambda group: group.multiply(spoiled, scalar(3)))


def test_encodings_with_extreme_limbs(groups: list[Group]) -> None:
    numbers = {PRIME + offset for offset in range(-20, 19)}
    for bits, ends in EXTREME_LIMBS.items():
        for limbs in product(ends, repeat=5):
            numbers.add(sum(limb << bits * place for place, limb in enumerate(limbs)) % 2**255)
    accepted = [number for number in sorted(numbers) if same(groups, lambda group, n=number: accepts(group, scalar(n)))]
    assert len(accepted) > 20
    elements = b"".join(map(scalar, accepted))
    same(groups, lambda group: group.multiply(elements, scalar(2)))
    same(groups, lambda group: group.weighted_sum(elements, scalar(3) * len(accepted)))


def test_random_encodings(groups: list[Group], random: Callable[[int], bytes]) -> None:
    for _ in range(500):
        encoding = random(32)
        same(groups, lambda group, encoding=encoding: accepts(group, encoding))
