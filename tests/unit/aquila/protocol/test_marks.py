"""What the marks in a note tell a receiver that keeps more than it should: docs/THREAT_MODEL.md, "What a hit tells"."""

from collections.abc import Callable

import pytest

from aquila.crypto.sealing import MARK_BYTES
from aquila.protocol.messages import Note
from aquila.protocol.rounds import exchange
from aquila.protocol.rounds.hit_columns import TokensByRecord, held_tokens
from aquila.protocol.submissions.submission import HANDLE_BYTES, TOKEN_ROW
from aquila.records.rules import parse_rules
from tests.support.prepared_notes import PreparedNote, by_record, prepare_each, seal_each
from tests.support.staged_round import StagedRound, person

LISTS = {
    "RS": (
        person("rs-1", "Ana", "Novak", "1980-03-04", aliases=("Mira Zupan",)),
        person("rs-2", "Goran", "Petrović", "1969-08-08"),
    ),
    "SI": (
        person("si-1", "Ana", "Novak", "1980-03-04"),
        person("si-2", "Mira", "Zupan", "1980-11-12"),
        person("si-3", "Irena", "Kos", "1993-07-21"),
    ),
}
"""The record rs-1 is a hit of si-1; under another name it shares names and year with si-2, which makes no hit."""

RULES = parse_rules(
    """
name = "strong and weak"
version = 1
expected_share = 0.1
[families]
names = "names"
date = "date of birth"
[parts."all names"]
reads = "all:folded"
family = "names"
bits = 12.0
sentence = "all names agree"
[parts."same names"]
reads = "all:folded"
family = "names"
bits = 0.5
sentence = "all names agree"
[parts."date"]
reads = "birth:full"
family = "date"
bits = 14.0
sentence = "the date of birth agrees"
[parts."year"]
reads = "birth:year"
family = "date"
bits = 0.5
sentence = "the year of birth agrees"
[[rules]]
number = 1
name = "names and date"
input_class = "full"
parts = ["all names", "date"]
sentence = "Names and date agree."
[[rules]]
number = 2
name = "names and year"
input_class = "coarse"
parts = ["same names", "year"]
sentence = "Names and year agree, and that is taken for little."
"""
)


@pytest.fixture
def hit(
    staged: Callable[..., StagedRound], monkeypatch: pytest.MonkeyPatch
) -> tuple[StagedRound, PreparedNote, PreparedNote]:
    monkeypatch.setattr("tests.support.staged_round.BOTH_CLASSES", RULES)
    stage = staged(LISTS).reported()
    sides = []
    for code in ("SI", "RS"):
        (report,) = stage.reports_to(code)
        assert len(report.hits) == 1
        tokens = every_token(stage, code, report.counterpart)
        sides += prepare_each(stage.nodes[code].round, stage.table, report, tokens, stage.random)
    return stage, sides[0], sides[1]


def every_token(stage: StagedRound, code: str, counterpart: str) -> TokensByRecord:
    """Return the tokens of all records for a counterpart, which a node throws away but for those that hit."""
    chunks = list(stage.nodes[code].finalized(counterpart))
    handles = {
        chunk.rows[place : place + HANDLE_BYTES]
        for chunk in chunks
        for place in range(0, len(chunk.rows), TOKEN_ROW.itemsize)
    }
    return held_tokens(handles, chunks)


def marks_in(note: bytes, receiver: PreparedNote) -> set[bytes]:
    content = receiver.opening.keys.open_note(note)[exchange.NOTE_BYTES :]
    return parted(content)


def parted(marks: bytes) -> set[bytes]:
    return {marks[place : place + MARK_BYTES] for place in range(0, len(marks), MARK_BYTES)}


def test_a_receiver_can_try_all_its_own_tokens(hit: tuple[StagedRound, PreparedNote, PreparedNote]) -> None:
    stage, si, rs = hit
    note = Note(
        source_evaluation="B",
        information_evaluation="2",
        handling_code="H0",
        category="suspects",
        reference="RS-0A1B-2C3D-4E5F",
        contact="the unit",
        report=rs.opening.report_digest,
    )
    (entry,) = seal_each([(rs, note)], exchange.marks_needed(len(rs.marks) // MARK_BYTES), stage.random)
    theirs = marks_in(entry[16:], si)
    shared = {
        handle: len(parted(si.opening.keys.marks(held.tokens)) & theirs)
        for handle, held in by_record(every_token(stage, "SI", "RS")).items()
    }
    names = stage.nodes["SI"].record_ids_of(set(shared), "RS")
    assert {names[handle]: count for handle, count in shared.items()} == {"si-1": 2, "si-2": 1, "si-3": 0}


def test_a_node_keeps_the_marks_of_the_record_that_hit_alone(
    hit: tuple[StagedRound, PreparedNote, PreparedNote],
) -> None:
    stage, si, _ = hit
    tokens = by_record(every_token(stage, "SI", "RS"))
    mine = bytes.fromhex(si.hit.handle)
    own = tokens[mine]
    assert si.opening.marks == si.opening.keys.marks(own.tokens)
    others = b"".join(held.tokens for handle, held in tokens.items() if handle != mine)
    assert not parted(si.opening.marks) & parted(si.opening.keys.marks(others))
