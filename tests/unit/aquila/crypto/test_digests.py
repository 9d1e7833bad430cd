"""The C module that digests inputs: every length of message, the order of inputs, and what it refuses."""

from __future__ import annotations

import hashlib
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from aquila.errors import InputError
from aquila.protocol.submissions.padding import input_prefixes
from aquila.records.inputs import InputMaker, digests_core
from aquila.records.person import PartialDate, Record, RecordColumns
from aquila.records.rule_parts import record_names
from aquila.records.rules import InputClass, Part, Rule, RuleTable

if TYPE_CHECKING:
    from types import ModuleType


@pytest.fixture(scope="module")
def core() -> ModuleType:
    """The C module, where it was built."""
    found = digests_core()
    if found is None:
        pytest.skip("the C module was not built")
    return found


def test_module_that_was_not_built() -> None:
    """Without the C module there is none, and Python does its work."""
    assert digests_core("aquila_absent_core") is None


@pytest.mark.parametrize("portable", [False, True], ids=["instructions", "portable"])
def test_messages_of_every_length(core: ModuleType, *, portable: bool) -> None:
    """Prefixes and values of up to three blocks have the digests of hashlib, on every processor."""
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
    """No records and no rules give nothing."""
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
)  # fmt: skip
def test_what_is_no_rule_or_value_is_refused(core: ModuleType, arguments: tuple[Any, ...]) -> None:
    """Whatever stands where another type or place is due raises, and ends no process."""
    with pytest.raises((TypeError, ValueError, IndexError, OverflowError, SystemError)):
        core.digest_records(*arguments)


def test_too_many_inputs_of_one_record(core: ModuleType) -> None:
    """A record of more inputs than can be counted is refused, in one rule and in all together, with C and without."""
    parts = tuple(Part(read, read, "family", 1.0, "") for read in ("nationality", "document", "national", "phone"))
    together = tuple(Rule(number, str(number), InputClass.FULL, parts[1:], "") for number in (1, 2))
    many = tuple(map(str, range(12_345_678, 12_345_718)))
    record = Record(
        "1", ("Ana",), ("Ilić",), nationality=("RS", "AL"), date_of_birth=PartialDate(1980), document_numbers=many,
        national_numbers=many, phones=many,
    )  # fmt: skip
    for rules in ((Rule(1, "1", InputClass.FULL, parts, ""),), together):
        table = RuleTable("table", 1, rules, str(len(rules)), 0.03, ())
        for maker in (InputMaker(table), InputMaker(table, core=core)):
            with pytest.raises(InputError, match="more inputs than can be sent"):
                maker.digest(RecordColumns.of([record]), [record_names(record)], input_prefixes(bytes(32), table))
