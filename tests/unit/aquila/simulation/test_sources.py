"""Lists of a rehearsal from memory and from files, in batches that are read elsewhere."""

from pathlib import Path
from random import Random

import pytest

from aquila.crypto.group import Group
from aquila.errors import InputError
from aquila.matching.certainty import Level
from aquila.records.rules import load_rules
from aquila.simulation import ListFile, Rehearsal
from aquila.simulation.sources import Reading, named, read_batch
from tests.support.pickled import sent
from tests.support.record_lists import RecordList, in_memory
from tests.support.staged_round import LISTS, NOW

HEADER = "record_id,given_names,family_names,date_of_birth\n"
ANA = "s1,Ana,Novak,1980-03-04\n"


@pytest.fixture
def rehearsed(group: Group, tmp_path: Path) -> Rehearsal:
    (tmp_path / "scratch").mkdir()
    lists = {"RS": LISTS["RS"], "SI": ListFile(tmp_path / "si.csv")}
    terms = {"minimum": Level.LOW, "now": NOW}
    return Rehearsal(group, load_rules("exact"), in_memory(lists), Random(1).randbytes, tmp_path / "scratch", **terms)


def test_a_file_and_a_list_in_memory(rehearsed: Rehearsal, tmp_path: Path) -> None:
    (tmp_path / "si.csv").write_text(HEADER + "s0,,,\n" + ANA + "s2,Iva,Kos,1999-99-99\n")
    assert [hit[:4] for hit in rehearsed.run()] == [("RS", "rs-1", "SI", "s1")]
    node = rehearsed.nodes["SI"]
    assert list(node.record_ids) == ["s1", "s2"]
    assert (node.counts.accepted, node.counts.refused, node.counts.warnings) == (2, 1, 1)
    assert [(finding.line, record_id) for finding, record_id in node.findings] == [(2, "s0"), (4, "s2")]


def test_an_id_that_comes_twice(rehearsed: Rehearsal, tmp_path: Path) -> None:
    """The second record of an id is refused, also where other batches of the list lie between."""
    letters = "bcdfghjklmnprstvz"
    others = "".join(
        f"n{n},I{letters[n % 17]}a{letters[n // 17 % 17]},Ko{letters[n // 289]},{1950 + n % 50}-01-{n % 28 + 1:02}\n"
        for n in range(4_900)
    )
    (tmp_path / "si.csv").write_text(HEADER + ANA + others + "s1,Ana,Novak,1980-03-04\n" + "s3,Eva,Zupan,1970-01-01\n")
    assert [hit[:4] for hit in rehearsed.run()] == [("RS", "rs-1", "SI", "s1")]
    node = rehearsed.nodes["SI"]
    assert (node.counts.accepted, node.counts.refused) == (4_902, 1)
    assert [(finding.line, finding.field, record_id) for finding, record_id in node.findings] == [
        (4_903, "record_id", "s1")
    ]
    assert node.record_ids[4_901] == "s3"


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("", r"si\.csv: the list is empty"),
        (HEADER, r"si\.csv: the list has a header and no record"),
        ("colour\nred\n", r"si\.csv: the first line names no known column"),
        (HEADER + "s1,,,\n", r"si\.csv: no row can be used; 1 row refused"),
        (HEADER + "s1,,,\ns2,,,\n", r"si\.csv: no row can be used; 2 rows refused"),
        (None, r"si\.csv: No such file"),
    ],
)
def test_a_file_that_cannot_be_used(rehearsed: Rehearsal, tmp_path: Path, content: str | None, match: str) -> None:
    if content is not None:
        (tmp_path / "si.csv").write_text(content)
    with pytest.raises(InputError, match=match):
        rehearsed.run()


def test_batches_travel(group: Group) -> None:
    """A batch arrives in another process and gives the same there; printed, it says nothing of its records."""
    (_, batch), *_ = RecordList(LISTS["SI"]).batches()
    work = Reading(batch, bytes(32), load_rules("exact"))
    arrived = sent(work)
    made, remade = read_batch(group, work), read_batch(group, arrived)
    assert made.record_ids == remade.record_ids == tuple(record.record_id for record in LISTS["SI"])
    assert made.digested.to_bytes() == remade.digested.to_bytes()
    for thing in (batch, work, made):
        assert " object at 0x" in repr(thing)


def test_a_list_in_batches() -> None:
    batches = [(done, len(batch.records)) for done, batch in RecordList(LISTS["SI"], 2).batches()]
    assert batches == [(1, 2), (2, 2), (3, 1)]
    assert [len(batch.records) for _, batch in RecordList(()).batches()] == [0]


def test_a_list_in_memory_is_taken_as_it_is() -> None:
    records = RecordList(LISTS["SI"])
    (_, batch), *_ = records.batches()
    rows = batch.read().rows()
    assert list(records.watch(rows)) == rows
    assert records.admit(["si-1", "si-1"], 0)


def test_a_list_without_a_name_is_not_named() -> None:
    """A list in memory has none: what is refused about it stays as it is."""
    error = InputError("list_empty")
    with pytest.raises(InputError) as caught, named(RecordList(())):
        raise error
    assert caught.value is error
