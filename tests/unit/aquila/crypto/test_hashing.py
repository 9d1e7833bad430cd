"""Hashing to bytes and scalars.

Bytes derived from a seed by label and number.

The C module that digests inputs: every length of message, the order of inputs, and what it refuses.
"""

import hashlib
import hmac
from itertools import product
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB

from aquila.crypto.group import ORDER
from aquila.crypto.hashing import (
    derive,
    digests_core,
    expander,
    hash_secret,
    hash_to_scalar,
    hmac_each,
    prefixed,
    reduce_public,
)
from aquila.crypto.keys import SecretBytes
from aquila.errors import InputError, KeyMaterialError
from aquila.protocol.submissions.padding import input_prefixes
from aquila.records.inputs import InputMaker
from aquila.records.person import PartialDate, Record, RecordColumns
from aquila.records.rule_parts import record_names
from aquila.records.rules import InputClass, Part, Rule, RuleTable


def expand_by_the_book(message: bytes, dst: bytes) -> bytes:
    """Write RFC 9380 section 5.3.1 down literally, for SHA-512 and 64 bytes."""
    dst_prime = dst + len(dst).to_bytes(1, "big")
    b_0 = hashlib.sha512(bytes(128) + message + (64).to_bytes(2, "big") + b"\x00" + dst_prime).digest()
    return hashlib.sha512(b_0 + b"\x01" + dst_prime).digest()


@pytest.mark.parametrize("message", [b"", b"abc", b"q" * 500], ids=len)
@pytest.mark.parametrize("dst", [b"d", b"QUUX-V01-CS02-with-expander-SHA512-256", b"l" * 255], ids=len)
def test_expander_is_the_rfcs(message: bytes, dst: bytes) -> None:
    """The precomputed state changes nothing, and the function can be called again."""
    expand = expander(dst)
    assert expand(message) == expand(message) == expand_by_the_book(message, dst)


@pytest.mark.parametrize("dst", [b"", b"l" * 256], ids=len)
def test_tag_of_impossible_length(dst: bytes) -> None:
    with pytest.raises(InputError):
        expander(dst)


def test_scalars_are_reduced() -> None:
    wide = bytes(range(64))
    assert int.from_bytes(reduce_public(wide), "little") == int.from_bytes(wide, "little") % ORDER
    assert hash_to_scalar(b"m", b"dst") == reduce_public(expand_by_the_book(b"m", b"dst"))


def test_parts_are_unambiguous() -> None:
    """A part stands behind its length, so that moving a byte between parts changes the bytes."""
    assert prefixed(b"ab", b"") == b"\x00\x02ab\x00\x00"
    assert prefixed(b"a", width=4) == b"\x00\x00\x00\x01a"
    assert prefixed(b"a", b"b") != prefixed(b"ab", b"")
    assert hash_secret(b"l", b"a", b"b") != hash_secret(b"l", b"ab", b"")
    assert hash_secret(b"l", bytearray(b"a")) == hashlib.sha512(prefixed(b"l", b"a", width=4)).digest()


def test_part_that_is_too_long() -> None:
    with pytest.raises(InputError) as caught:
        prefixed(b"", bytes(65536))
    assert caught.value.fields == {"got": 65536}


SEED = bytes(range(32))


def test_bytes_are_blocks_of_numbered_counters() -> None:
    """Block j of number i is AES-256 of both as 8 bytes little endian, under the label's HMAC key."""
    cipher = Cipher(AES256(hmac.digest(SEED, b"label", "sha256")), ECB()).encryptor()
    blocks = [
        number.to_bytes(8, "little") + block.to_bytes(8, "little") for number in (7, 2**64 - 1) for block in (0, 1)
    ]
    expected = cipher.update(b"".join(blocks))
    assert derive(SecretBytes(SEED), b"label", [7, 2**64 - 1], 32) == expected


def test_any_order_gives_the_same() -> None:
    """A number's bytes do not depend on the numbers around it, and wider ones begin with narrower ones."""
    seed, numbers = SecretBytes(SEED), np.array([5, 3, 3, 2**40], dtype=np.uint64)
    together = derive(seed, b"label", numbers, 64)
    assert together == b"".join(derive(seed, b"label", [int(number)], 64) for number in numbers)
    assert derive(seed, b"label", [5], 16) == together[:16]


def test_labels_and_seeds_are_separated() -> None:
    streams = {derive(SecretBytes(key), label, [1], 16) for key in (SEED, bytes(32)) for label in (b"a", b"b", b"")}
    assert len(streams) == 6


def test_no_numbers() -> None:
    assert derive(SecretBytes(SEED), b"label", [], 16) == b""


@pytest.mark.parametrize("width", [-16, 0, 8, 20])
def test_width_that_is_no_block(width: int) -> None:
    with pytest.raises(InputError, match="whole blocks"):
        derive(SecretBytes(SEED), b"label", [1], width)


def test_closed_seed() -> None:
    seed = SecretBytes(SEED)
    seed.close()
    with pytest.raises(KeyMaterialError):
        derive(seed, b"label", [1], 16)


@pytest.fixture(scope="module")
def core() -> ModuleType:
    found = digests_core()
    if found is None:
        pytest.skip("the C module was not built")
    return found


def test_module_that_was_not_built() -> None:
    assert digests_core("aquila_absent_core") is None


def test_module_of_other_sources() -> None:
    """A module that lacks one of the functions, because it was built before, is none."""
    assert digests_core("hashlib") is None


@pytest.mark.parametrize("portable", [False, True], ids=["instructions", "portable"])
def test_messages_of_every_length(core: ModuleType, *, portable: bool) -> None:
    values = [("ш" * (length // 2) + "a" * (length % 2)) for length in range(200)]
    column = [((value,),) for value in values]
    for length in range(150):
        prefix = bytes(range(length))
        counts, rules, digests = core.digest_records(((7, prefix, ((0, 0),)),), (column,), 200, portable)
        assert counts == b"\1\0" * 200
        assert rules == b"\7" * 200
        assert digests == b"".join(hashlib.sha256(prefix + value.encode()).digest() for value in values)


def test_products_are_in_order_and_come_once(core: ModuleType) -> None:
    """Of each rule every combination of its parts' values, ascending as bytes, a shorter one before a longer."""
    first, second, third = ("b", "a", "ab", "č", "", "b"), ("2", "10"), ("y", "x", "y")
    rules = ((1, b"one", ((0, 0), (1, 0), (0, 1))), (2, b"two", ((1, 1),)), (250, b"", ((0, 1),)))
    counts, numbers, digests = core.digest_records(rules, ([(first, third)], [(second, ())]), 1)
    joined = sorted({"\x1e".join(chosen).encode() for chosen in product(first, second, third)})
    expected = [hashlib.sha256(b"one" + value).digest() for value in joined]
    expected += [hashlib.sha256(value).digest() for value in (b"x", b"y")]
    assert int.from_bytes(counts, "little") == len(expected) == len(numbers)
    assert numbers == b"\1" * len(joined) + b"\xfa" * 2
    assert digests == b"".join(expected)


def test_nothing_to_digest(core: ModuleType) -> None:
    assert core.digest_records((), (), 0) == (b"", b"", b"")
    assert core.digest_records((), (), 2) == (bytes(4), b"", b"")


RULE = (1, b"prefix", ((0, 0),))


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ([RULE], ([(("a",),)],), 1),
        ((RULE,), [[(("a",),)]], 1),
        (([1],), ([(("a",),)],), 1),
        (((1, "text", ((0, 0),)),), ([(("a",),)],), 1),
        (((256, b"", ((0, 0),)),), ([(("a",),)],), 1),
        (((1, b"", ()),), ([(("a",),)],), 1),
        (((1, b"", ((0, 0), (0,))),), ([(("a",),)],), 1),
        (((1, b"", (5,)),), ([(("a",),)],), 1),
        (((1, b"", ((1, 0),)),), ([(("a",),)],), 1),
        (((1, b"", ((-1, 0),)),), ([(("a",),)],), 1),
        (((1, b"", ((0, 1),)),), ([(("a",),)],), 1),
        ((RULE,), ([(("a",),)],), 2),
        ((RULE,), ((("a",),),), 1),
        ((RULE,), ([["a"]],), 1),
        ((RULE,), ([("a",)],), 1),
        ((RULE,), ([((b"a",),)],), 1),
        ((RULE,), ([(("\ud800",),)],), 1),
    ],
)
def test_what_is_no_rule_or_value_is_refused(core: ModuleType, arguments: tuple[Any, ...]) -> None:
    """Whatever stands where another type or place is due raises, and ends no process."""
    with pytest.raises((TypeError, ValueError, IndexError, OverflowError, SystemError)):
        core.digest_records(*arguments)


def test_too_many_inputs_of_one_record(core: ModuleType) -> None:
    parts = tuple(Part(read, read, "family", 1.0, "") for read in ("nationality", "document", "national", "phone"))
    together = tuple(Rule(number, str(number), InputClass.FULL, parts[1:], "") for number in (1, 2))
    many = tuple(map(str, range(12_345_678, 12_345_718)))
    record = Record(
        "1",
        ("Ana",),
        ("Ilić",),
        nationality=("RS", "AL"),
        date_of_birth=PartialDate(1980),
        document_numbers=many,
        national_numbers=many,
        phones=many,
    )
    for rules in ((Rule(1, "1", InputClass.FULL, parts, ""),), together):
        table = RuleTable("table", 1, rules, str(len(rules)), 30_000, ())
        for maker in (InputMaker(table), InputMaker(table, core=core)):
            with pytest.raises(InputError, match="more inputs than can be sent"):
                maker.digest(RecordColumns.of([record]), [record_names(record)], input_prefixes(bytes(32), table))


@pytest.mark.parametrize("portable", [False, True], ids=["instructions", "portable"])
@pytest.mark.parametrize("width", [1, 16, 100])
def test_hmac_of_every_length(core: ModuleType, width: int, *, portable: bool) -> None:
    """Messages of up to eight blocks have the HMAC of hashlib, on every processor, whatever the key's length."""
    parts = np.random.default_rng(1).integers(0, 256, (9, width), dtype=np.uint8)
    for length in range(130):
        prefix, key, places = bytes(range(length)), bytes(range(length % 65)), np.array([[0, 8], [3, 3]])
        lead = bytes(length % 7)
        made = core.hmac_each(key, prefix, lead, parts, places, width, 2, 32, portable)
        messages = (prefix + b"".join(lead + parts[place].tobytes() for place in row) for row in places)
        assert made == b"".join(hmac.digest(key, message, "sha256") for message in messages)


@pytest.mark.parametrize("count", [0, 3])
def test_hmac_with_and_without_the_module(count: int) -> None:
    parts = np.random.default_rng(1).integers(0, 256, (9, 16), dtype=np.uint8)
    places = np.arange(2 * count).reshape(-1, 2)[:, ::-1]
    with SecretBytes(b"key") as key:
        made = [hmac_each(key, b"prefix", b"lead", parts, places, 5, used) for used in (None, digests_core())]
    joined = [b"prefix" + b"".join(b"lead" + parts[place].tobytes() for place in row) for row in places]
    assert made == [b"".join(hmac.digest(b"key", message, "sha256")[:5] for message in joined)] * 2


@pytest.mark.parametrize(
    ("place", "value", "error"),
    [
        (0, bytes(65), ValueError),
        (1, bytes(256), ValueError),
        (2, bytes(256), ValueError),
        (3, bytes(17), ValueError),
        (4, bytes(9), ValueError),
        (5, 0, ValueError),
        (5, 256, ValueError),
        (6, 0, ValueError),
        (6, 256, ValueError),
        (7, 0, ValueError),
        (7, 33, ValueError),
        (4, (2).to_bytes(8, "little"), IndexError),
        (4, b"\xff" * 8, IndexError),
        (0, "text", TypeError),
    ],
)
def test_hmac_of_what_does_not_fit(core: ModuleType, place: int, value: object, error: type[Exception]) -> None:
    arguments: list[object] = [b"key", b"prefix", b"lead", bytes(32), bytes(8), 16, 1, 16]
    assert core.hmac_each(*arguments) == hmac.digest(b"key", b"prefixlead" + bytes(16), "sha256")[:16]
    arguments[place] = value
    with pytest.raises(error):
        core.hmac_each(*arguments)
