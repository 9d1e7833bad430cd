"""The C module that digests inputs: every length of message, the order of inputs, and what it refuses."""

import hashlib
import hmac
from itertools import product
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from aquila.crypto.hashing import digests_core, hmac_each
from aquila.crypto.keys import SecretBytes
from aquila.errors import InputError
from aquila.protocol.submissions.padding import input_prefixes
from aquila.records.inputs import InputMaker
from aquila.records.person import PartialDate, Record, RecordColumns
from aquila.records.rule_parts import record_names
from aquila.records.rules import InputClass, Part, Rule, RuleTable


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
        table = RuleTable("table", 1, rules, str(len(rules)), 0.03, ())
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
