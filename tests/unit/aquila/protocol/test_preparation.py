"""A list on its way to a submission: batches that come out the same, limits, dummies."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from aquila.crypto.keys import SecretBytes
from aquila.errors import PolicyError
from aquila.protocol.preparation import BATCH_RECORDS, Preparation, spread
from aquila.protocol.submission import merge_runs
from aquila.records.inputs import Input, record_inputs
from aquila.records.rules import InputClass, load_rules
from aquila.rehearsal import RecordList
from tests.stage import BOTH_CLASSES, person

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aquila.protocol.messages import Manifest
    from aquila.records.person import Record
    from aquila.records.rules import RuleTable
    from tests.stage import Stage

BINDING = bytes(32)


@pytest.fixture
def prepare(staged: Callable[..., Stage]) -> Callable[..., Preparation]:
    """Prepare records under the terms of a manifest."""

    def prepared(
        records: Sequence[Record], table: RuleTable = BOTH_CLASSES, seed: bytes = b"\x07" * 32, **changes: object
    ) -> Preparation:
        stage = staged(changes=changes)
        manifest: Manifest = stage.manifest
        return Preparation(stage.group, manifest, BINDING, table, SecretBytes(seed), RecordList(records))

    return prepared


def people(count: int, name: str = "Novak") -> list[Record]:
    """Return so many different persons."""
    return [
        person(f"r{n}", "Ana" + chr(97 + n % 26) * (1 + n // 26 % 9), name, f"19{n % 100:02}-03-04")
        for n in range(count)
    ]


def rows(prepared: Preparation) -> dict[InputClass, list[tuple[int, int]]]:
    """Return number and rule of every row of the first batch, by class, in the order of their numbers."""
    run = prepared.batch(0, prepared.count_values())
    return {kind: sorted(zip(run[kind]["number"].tolist(), run[kind]["rule"].tolist(), strict=True)) for kind in run}


def test_an_empty_list(prepare: Callable[..., Preparation]) -> None:
    """There is nothing to submit, and that is said before anything is made."""
    empty = prepare([], padding={"inputs_per_record": (), "records_multiple": 10})
    assert (empty.records, empty.batches) == (0, 0)
    with pytest.raises(PolicyError, match="no record of this list gives an input"):
        empty.count_values()


def test_records_without_inputs(prepare: Callable[..., Preparation]) -> None:
    """Records that no rule can use are nothing to submit either."""
    with pytest.raises(PolicyError, match="no record"):
        prepare([person("r", "Ana", "Novak", "1980")], load_rules("exact")).count_values()


def test_a_batch_comes_out_the_same(prepare: Callable[..., Preparation]) -> None:
    """A batch that was interrupted is made again byte for byte, with all its dummies."""
    prepared = prepare(people(7), padding={"inputs_per_record": (4,), "records_multiple": 10})
    first, second = (prepared.batch(0, prepared.count_values()) for _ in range(2))
    assert all(first[kind].tobytes() == second[kind].tobytes() for kind in InputClass)
    assert sum(map(len, first.values())) == 40


def test_batches_make_one_list(prepare: Callable[..., Preparation]) -> None:
    """A list of several batches has every record once, whichever batch is made first."""
    count = BATCH_RECORDS + 3
    prepared = prepare(people(count), load_rules("exact"), frequency_limit=1_000)
    assert prepared.batches == 2
    held_back = prepared.count_values()
    runs = [prepared.batch(number, held_back)[InputClass.FULL] for number in (1, 0)]
    assert [len(run) for run in runs] == [3, BATCH_RECORDS]
    numbers = sorted(int(number) // 256 for chunk in merge_runs(runs, 500) for number in chunk["number"])
    assert numbers == list(range(count))


def test_dummies_stand_behind_the_records(prepare: Callable[..., Preparation]) -> None:
    """A list of three in a multiple of ten has seven dummies with the same rules, and says ten records."""
    prepared = prepare(people(3), padding={"inputs_per_record": (), "records_multiple": 10})
    assert prepared.records == 10
    found = rows(prepared)
    assert [number // 256 for number, _ in found[InputClass.FULL]] == list(range(10))
    assert [number // 256 for number, _ in found[InputClass.PARTIAL]] == list(range(10))


def test_values_that_too_many_share(prepare: Callable[..., Preparation]) -> None:
    """A value of more records than the limit is not sent under its rule; the others are."""
    same = [person(f"r{n}", "Ana", "Novak", f"1980-03-0{n + 1}") for n in range(3)]
    prepared = prepare([*same, person("r3", "Iva", "Kos", "1990-01-01")], frequency_limit=2)
    held_back = prepared.count_values()
    found = prepared.batch(0, held_back)
    assert (len(found[InputClass.FULL]), len(found[InputClass.PARTIAL])) == (4, 1)
    assert held_back.by_rule == {2: 3}


def test_dummies_are_held_back_like_what_they_copy(prepare: Callable[..., Preparation]) -> None:
    """A dummy sends no rule that its record could not send, or the matcher would know it by that."""
    same = [person(f"r{n}", "Ana", "Novak", f"1980-03-0{n + 1}") for n in range(3)]
    prepared = prepare(same, frequency_limit=2, padding={"inputs_per_record": (), "records_multiple": 10})
    held_back = prepared.count_values()
    found = prepared.batch(0, held_back)
    assert (len(found[InputClass.FULL]), len(found[InputClass.PARTIAL])) == (10, 0)
    assert held_back.by_rule == {2: 3}


def test_everything_is_held_back(prepare: Callable[..., Preparation]) -> None:
    """A list of one person many times has no row left."""
    prepared = prepare([person(f"r{n}", "Ana", "Novak", "1980-03-04") for n in range(3)], frequency_limit=2)
    assert rows(prepared) == {InputClass.FULL: [], InputClass.PARTIAL: []}


def test_a_person_of_many_aliases(prepare: Callable[..., Preparation]) -> None:
    """Someone with more inputs than can be sent does not stop the list: some of each rule go, the rest is counted."""
    aliases = tuple(f"Ana{chr(97 + n)}ka Nov{chr(97 + n)}r Kral{chr(97 + n)}" for n in range(20))
    record = person("r", "Ana", "Novak", "1980-03-04", aliases=aliases)
    table = load_rules("default")
    inputs = record_inputs(record, table)
    prepared = prepare([record], table, padding={"inputs_per_record": (8, 16, 24, 32), "records_multiple": 2})
    held_back = prepared.count_values()
    found = prepared.batch(0, held_back)
    sent = Counter(rule for run in found.values() for rule in run["rule"].tolist())
    assert len(inputs) > 255
    assert sum(sent.values()) == 2 * 224
    assert sum(held_back.by_rule.values()) == len(inputs) - 224
    assert set(sent) == {item.rule for item in inputs}


def test_the_first_of_every_rule_go_first() -> None:
    """What is left out is of the rules with the most inputs; the order stays."""
    inputs = (*(Input(1, bytes([n])) for n in range(6)), Input(2, b"x"), Input(3, b"y"), Input(3, b"z"))
    assert spread(inputs, 9) == inputs
    kept = spread(inputs, 5)
    assert [item.rule for item in kept] == [1, 1, 2, 3, 3]
    assert list(kept) == sorted(kept)
    assert spread(inputs, 0) == ()
