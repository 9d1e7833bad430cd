"""RFC 9496, Appendix A: ristretto255."""

import ctypes
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aquila.crypto.group import GENERATOR, ORDER, Group
from aquila.crypto.sodium import load_library
from aquila.errors import MalformedError

VECTORS = json.loads(Path(__file__).with_name("rfc9496_ristretto255.json").read_text(encoding="utf-8"))
MULTIPLES = [bytes.fromhex(text) for text in VECTORS["generator_multiples_0_to_15"]]
IDENTITY, *ELEMENTS = MULTIPLES
TOP_BIT = bytes(31) + b"\x80"

REFUSED = [
    *(bytes.fromhex(text) for text in VECTORS["invalid_encodings"]),
    IDENTITY,
    bytes(a | b for a, b in zip(GENERATOR, TOP_BIT, strict=True)),  # bit 255 is set
]

ONE = (1).to_bytes(32, "little")
DECODING: dict[str, Callable[[Group, bytes], Any]] = {
    "validate": lambda group, elements: group.validate(elements),
    "multiply": lambda group, elements: group.multiply(elements, ONE),
    "unblind": lambda group, elements: group.unblind(elements, GENERATOR, ONE * (len(elements) // 32)),
    "weighted_sum": lambda group, elements: group.weighted_sum(elements, ONE * (len(elements) // 32)),
}


def scalar(number: int) -> bytes:
    return number.to_bytes(32, "little")


def test_multiples_of_the_generator(group: Group) -> None:
    """The multiples 1 to 15 come out of the base multiplication and of the general one."""
    scalars = b"".join(map(scalar, range(1, 16)))
    assert group.multiply_base(scalars) == b"".join(ELEMENTS)


def test_multiples_by_weighted_sum(group: Group) -> None:
    """1*1 + 2*2 + 3*2 is 11 times the generator."""
    weights = scalar(1) + scalar(2) + scalar(2)
    assert group.weighted_sum(b"".join(ELEMENTS[:3]), weights) == MULTIPLES[11]


def test_valid_encodings_are_accepted(group: Group) -> None:
    """All multiples but the identity are valid."""
    group.validate(b"".join(ELEMENTS))


@pytest.mark.parametrize("operation", DECODING.values(), ids=DECODING.keys())
def test_refused_encoding(group: Group, operation: Callable[[Group, bytes], Any]) -> None:
    """Every operation that decodes refuses every bad encoding and says where it stands."""
    for encoding in REFUSED:
        with pytest.raises(MalformedError) as caught:
            operation(group, GENERATOR + encoding + GENERATOR)
        assert caught.value.fields == {"index": 1}, encoding.hex()


@pytest.mark.parametrize("operation", DECODING.values(), ids=DECODING.keys())
def test_refused_encoding_in_a_shared_batch(group: Group, operation: Callable[[Group, bytes], Any]) -> None:
    """The position is right in whichever thread's slice the bad encoding lies, and the first one is named."""
    bad = bytes.fromhex(VECTORS["invalid_encodings"][6])
    for index in (0, 49, 50, 99):
        elements = GENERATOR * index + bad + GENERATOR * (98 - index) + (bad if index < 99 else b"")
        with pytest.raises(MalformedError) as caught:
            operation(group, elements)
        assert caught.value.fields == {"index": index}


@pytest.mark.parametrize("case", VECTORS["hash_to_group"], ids=lambda case: case["label"][:24])
def test_one_way_map(case: dict[str, str]) -> None:
    """The map from 64 uniform bytes, here SHA-512 of a label, is the RFC's."""
    uniform, out = hashlib.sha512(case["label"].encode()).digest(), ctypes.create_string_buffer(32)
    load_library().handle.crypto_core_ristretto255_from_hash(ctypes.addressof(out), uniform)
    assert out.raw.hex() == case["encoding"]


def test_order_of_the_group(group: Group) -> None:
    """ORDER - 1 times the generator is its negative: adding the generator gives the identity, which is refused."""
    negative = group.multiply_base(scalar(ORDER - 1))
    with pytest.raises(MalformedError):
        group.weighted_sum(negative + GENERATOR, ONE * 2)
