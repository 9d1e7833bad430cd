"""Keys of notes, notes, and what is found when they are verified."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from aquila.crypto.sealing import MARK_BYTES, NoteKeys
from aquila.errors import InputError, KeyMaterialError, MalformedError
from aquila.matching.certainty import Level
from aquila.protocol.messages import Fault, HitReport, Note, ReportPage
from aquila.protocol.rounds import exchange
from aquila.protocol.rounds.hit_columns import NoteOpening, TokensByRecord, held_tokens, hit_batches
from aquila.protocol.submissions.submission import FinalizedChunk
from aquila.records.indicators import MOST_INDICATORS
from tests.support.prepared_notes import PreparedNote, by_record, prepare_each, seal_each, verify_each
from tests.support.staged_round import StagedRound, regrade

RANDOM = Random(5).randbytes
ONE, TWO = b"\x01" * 16, b"\x02" * 16


def chunk(*rows: tuple[bytes, int, int]) -> FinalizedChunk:
    content = b"".join(handle + bytes([rule]) + number.to_bytes(16, "big") for handle, rule, number in rows)
    return FinalizedChunk(content, b"".join(number.to_bytes(32, "big") for _, _, number in rows))


def held_of(stage: StagedRound, report: HitReport) -> TokensByRecord:
    """Return the tokens of the records that hit; a stranger has no column."""
    handles = {bytes.fromhex(hit.handle) for hit in report.hits}
    has_column = report.counterpart in stage.round.counterparts_of(report.party)
    return held_tokens(handles, stage.nodes[report.party].finalized(report.counterpart) if has_column else ())


def prepared(stage: StagedRound, code: str, **changes: Any) -> dict[str, PreparedNote]:
    """Prepare the hits of SI or RS with the other one by hit id, after the matcher told otherwise."""
    report = stage.report(code, "RS" if code == "SI" else "SI")
    told = report.model_copy(update={"hits": tuple(hit.model_copy(update=changes) for hit in report.hits)})
    found = prepare_each(stage.nodes[code].round, stage.table, told, held_of(stage, told), RANDOM)
    return {one.hit.hit_id: one for one in found}


def note(told: str, **changes: Any) -> Note:
    content = {
        "source_evaluation": "B",
        "information_evaluation": "2",
        "handling_code": "H0",
        "category": "suspects",
        "reference": "SI-0A1B-2C3D-4E5F",
        "contact": "the unit",
        "report": told,
    }
    return Note(**(content | changes))


def opened(opening: NoteOpening, content: bytes) -> Note | Fault:
    return verify_each([opening], (), [(opening.hit_id, content)])[opening.hit_id]


def sealed(one: PreparedNote, **changes: Any) -> bytes:
    """Return a sealed note as it stands behind its hit id."""
    marks = exchange.marks_needed(len(one.marks) // MARK_BYTES)
    (entry,) = seal_each([(one, note(one.opening.report_digest, **changes))], marks, RANDOM)
    return entry[16:]


def two_sides(stage: StagedRound, **changes: Any) -> tuple[PreparedNote, PreparedNote]:
    """Return a hit of SI and RS as both sides prepare it, SI after the matcher told it otherwise."""
    mine, theirs = prepared(stage, "SI", **changes), prepared(stage, "RS")
    hit_id = min(set(mine) & set(theirs))
    return mine[hit_id], theirs[hit_id]


def test_tokens_of_some_records() -> None:
    near = ONE[:8] + b"\x09" * 8  # another record whose handle begins alike
    chunks = [chunk((TWO, 1, 9), (ONE, 3, 7), (near, 1, 4)), chunk((ONE, 2, 3), (b"\x03" * 16, 1, 1))]
    held = held_tokens([ONE, b"\x07" * 16], chunks)
    found = by_record(held)
    assert set(found) == {ONE}
    assert found[ONE].rules == b"\x02\x03"
    assert found[ONE].tokens == (3).to_bytes(16, "big") + (7).to_bytes(16, "big")
    assert found[ONE].secrets == (3).to_bytes(32, "big") + (7).to_bytes(32, "big")
    assert held.columns_of(ONE + TWO + ONE).rules == [b"\x02\x03", b"", b"\x02\x03"]
    assert "HeldColumns(" not in repr(held.columns_of(ONE))
    none = held_tokens([ONE], [])
    assert (by_record(none), none.columns_of(ONE)) == ({}, ([b""], [b""], [b""]))


def test_each_side_opens_the_note_of_the_other(stage: StagedRound) -> None:
    """Both sides make the same keys of their own tokens, and each note opens at the other side only."""
    mine, theirs = two_sides(stage.reported())
    for one, other in ((mine, theirs), (theirs, mine)):
        found = opened(other.opening, sealed(one))
        assert isinstance(found, Note)
        assert found.source_evaluation == "B"
        assert opened(one.opening, sealed(one)) is Fault.SEALED
    assert mine.opening.met == theirs.opening.met == (1, 2)
    assert "met" not in repr(mine) + repr(mine.opening)


def test_what_is_kept_comes_back(stage: StagedRound) -> None:
    stage.reported()
    for one in [*prepared(stage, "SI").values(), *prepared(stage, "SI", met="09").values()]:
        content = one.opening.to_bytes()
        assert NoteOpening.from_bytes(content) == one.opening
        for wrong in (b"", content[:100], content[:-1], content + b"\x00", content[:112] + b"\xff" + content[113:]):
            with pytest.raises(KeyMaterialError):
                NoteOpening.from_bytes(wrong)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"met": ""}, id="no place"),
        pytest.param({"met": "0101"}, id="a place twice"),
        pytest.param({"met": "ff"}, id="no token there"),
        pytest.param({"handle": "0" * 32}, id="no such record"),
    ],
)
def test_a_hit_on_what_the_record_does_not_have(stage: StagedRound, changes: dict[str, str]) -> None:
    one, theirs = two_sides(stage.reported(), **changes)
    assert opened(one.opening, sealed(theirs)) is Fault.FOREIGN
    assert opened(theirs.opening, sealed(one)) is Fault.SEALED


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"certainty": Level.MEDIUM}, Fault.LEVEL),
        ({"families": ("names",)}, Fault.LEVEL),
        ({"second": True}, Fault.TOLD),
    ],
)
def test_a_level_that_does_not_follow(stage: StagedRound, changes: dict[str, Any], fault: Fault) -> None:
    """The level is recomputed from the rules that met; what only the matcher knows, both sides compare."""
    one, theirs = two_sides(stage.reported(), **changes)
    assert opened(one.opening, sealed(theirs)) is fault


def test_withheld_tokens(stage: StagedRound) -> None:
    """Where the matcher told both sides of fewer tokens than met, the marks tell."""
    stage.reported()
    one, theirs = two_sides(stage)
    # Both sides were told of the last token alone, at a level that follows from its rule.
    fewer = [side.opening._replace(places=side.opening.places[-1:]) for side in (one, theirs)]
    assert opened(fewer[0], sealed(theirs)) is Fault.WITHHELD


def test_a_counterpart_that_writes_nonsense(stage: StagedRound) -> None:
    one, theirs = two_sides(stage.reported())
    for content in (b"", b"\xff\xff{}", b"\x00\x02{}"):
        plain = content + bytes(exchange.NOTE_BYTES + 32 * MARK_BYTES - len(content))
        assert opened(one.opening, theirs.keys.seal_note(plain, bytes(12))) is Fault.UNREADABLE
    assert opened(one.opening, sealed(theirs._replace(marks=b""))) is Fault.UNREADABLE
    assert opened(one.opening, sealed(theirs, report="0" * 64)) is Fault.TOLD


def test_marks_of_many_notes(stage: StagedRound) -> None:
    """Marks that agree are found in each note of a batch by itself, however many there are and in any order."""
    one, theirs = two_sides(stage.reported())
    random = Random(6)
    notes = [[random.randbytes(MARK_BYTES) for _ in range(count)] for count in (0, 1, 7, 255, 32, 3)]
    held = [sorted(random.sample(range(len(marks)), len(marks) // 2)) for marks in notes]
    openings, entries = [], []
    for number, (marks, places) in enumerate(zip(notes, held, strict=True)):
        own = {"rules": bytes(len(marks)), "marks": b"".join(marks), "places": bytes(places)}
        told = one.opening._replace(hit_id=f"{number:032x}", **own)
        openings.append(told)
        # What the other note has besides is of this note's neighbour, and says nothing here.
        every = [marks[place] for place in places] + notes[number - 1]
        random.shuffle(every)
        content = note(told.report_digest).model_dump_json().encode()
        plain = (len(content).to_bytes(2, "big") + content).ljust(exchange.NOTE_BYTES, b"\x00") + b"".join(every)
        entries.append((told.hit_id, theirs.keys.seal_note(plain, bytes(12))))
    assert all(isinstance(found, Note) for found in verify_each(openings, (), entries).values())
    fewer = [told._replace(places=told.places[1:]) for told in openings]
    found = verify_each(fewer, (), entries)
    assert [found[told.hit_id] is Fault.WITHHELD for told in fewer] == [bool(places) for places in held]


def test_a_batch_with_strange_notes(stage: StagedRound) -> None:
    """A note of a hit that was not reported here, and a second one of a hit, are told apart from those that hold."""
    one, theirs = two_sides(stage.reported())
    hit_id, content = one.hit.hit_id, sealed(theirs)
    assert isinstance(opened(one.opening, content), Note)
    found = verify_each([one.opening], (), [(hit_id, content), ("0" * 32, content), (hit_id, content)])
    assert found == {hit_id: Fault.REPEATED, "0" * 32: Fault.UNREPORTED}
    assert verify_each([one.opening], [hit_id], [(hit_id, content)]) == {hit_id: Fault.REPEATED}


def test_every_note_of_a_report_is_as_long(stage: StagedRound) -> None:
    stage.reported()
    every = list(prepared(stage, "SI").values())
    marks = exchange.marks_needed(held_of(stage, stage.report("SI", "RS")).most)
    assert (marks, exchange.marks_needed(held_tokens([], []).most)) == (32, 32)
    longest = {"category": "č" * 60, "contact": '"' * 60}
    told = [note(one.opening.report_digest, **changes) for one in every for changes in (longest, {"category": None})]
    entries = seal_each(zip([one for one in every for _ in range(2)], told, strict=True), marks, RANDOM)
    assert len({len(entry) for entry in entries}) == 1
    assert [hit_id for hit_id, _ in exchange.entries_of(b"".join(entries), len(entries))][::2] == [
        one.hit.hit_id for one in every
    ]
    assert [exchange.marks_needed(most) for most in (33, 250, 300)] == [64, 256, 256]


def test_the_longest_note_has_room(stage: StagedRound) -> None:
    """Two texts of signs that take three bytes each, and as many indicators as a record has."""
    one, theirs = two_sides(stage.reported())
    codes = tuple(f"Z{number}" for number in range(99, 99 - MOST_INDICATORS, -1))
    told = opened(one.opening, sealed(theirs, category="\u201e" * 60, contact="\u201e" * 60, indicators=codes))
    assert isinstance(told, Note)
    assert told.indicators == codes


def test_a_note_that_is_too_long(stage: StagedRound) -> None:
    one, _ = two_sides(stage.reported())
    with pytest.raises(InputError, match="too long"):
        sealed(one, category="\U0001f5ff" * 60, contact="\U0001f5ff" * 60)


@pytest.mark.parametrize(("length", "hits"), [(0, 1), (700, 1), (684 + 5 * 257, 1), (2 * 844 + 1, 2), (844, 2)])
def test_a_batch_of_another_length(length: int, hits: int) -> None:
    """A batch holds as many whole notes as were signed, each with a number of marks that a note can have."""
    with pytest.raises(MalformedError, match="another number of notes"):
        list(exchange.entries_of(bytes(length), hits))


def test_batches_of_a_report(stage: StagedRound) -> None:
    report = stage.reported().report("SI", "RS")
    assert len(report.hits) > 2
    mixed = report.model_copy(update={"hits": report.hits[::-1]})
    batches = list(hit_batches([mixed], 1))
    assert [batch.index for batch in batches] == list(range(len(report.hits)))
    assert [hit for batch in batches for hit in batch.hits.hits()] == list(report.hits)
    assert [hit for batch in hit_batches([mixed], 2) for hit in batch.hits.hits()] == list(report.hits)
    (together,) = hit_batches([mixed], 9)
    assert list(together.hits.hits()) == list(report.hits)
    pages = [
        report.model_copy(update={"hits": (hit,), "page": ReportPage(number=number, pages=len(report.hits))})
        for number, hit in enumerate(report.hits)
    ]
    assert list(hit_batches(pages, 9)) == [together]
    assert list(hit_batches(pages[:-1], 9)) == []


def test_regrading(stage: StagedRound) -> None:
    """Confirmed rules give the level again, on what the report says."""
    stage.reported()
    one, _ = two_sides(stage)
    grade = regrade(stage.nodes["SI"].round, stage.table, stage.report("SI", "RS"), one.hit, one.opening.met)
    assert (grade.level, grade.families) == (one.hit.certainty, one.hit.families)


def test_keys_do_not_show_themselves() -> None:
    assert repr(NoteKeys(b"k" * 32, b"k" * 32)).startswith("<aquila.crypto.sealing.NoteKeys object")


def test_no_exchange_is_left(staged: Callable[..., StagedRound]) -> None:
    stage = staged().reported()
    waiting = exchange.unfinished(stage.round)
    assert ("AL", "RS") in waiting
    assert ("RS", "AL") in waiting
    stage.exchange_notes()
    assert (exchange.unfinished(stage.round), stage.refuted) == ((), {})
