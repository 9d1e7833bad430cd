"""The manifest keeps two parties apart: AL and SI may both be compared with RS, and not with one another."""

from collections.abc import Callable
from itertools import product

import pytest

from aquila.errors import OrderError, PolicyError
from aquila.octets import parted
from aquila.protocol.messages import Evaluation, Tokens
from tests.support.staged_round import StagedRound, person

APART = {"pairs": (("AL", "RS"), ("RS", "SI"))}
LISTS = {
    code: (person(f"{code}-1", "Besnik", "Hoxha", "1979-05-06"), person(f"{code}-2", "Ana", name, "1980-03-04"))
    for code, name in (("AL", "Novak"), ("RS", "Kos"), ("SI", "Zupan"))
}
"""One person is in all three lists."""


def rows_of(stage: StagedRound, code: str, counterpart: str) -> list[bytes]:
    return parted(b"".join(stage.tokens[stage.nodes[code].submission_id, counterpart]), 33)


def parts(rows: list[bytes]) -> set[bytes]:
    """Return all handles and tokens of rows, and each half of them."""
    whole = {part for row in rows for part in (row[:16], row[17:])}
    return whole | {part[start : start + 8] for part in whole for start in (0, 8)}


def test_neither_evaluates_for_the_other(staged: Callable[..., StagedRound]) -> None:
    """The party refuses the work, and every record refuses the statement; RS is the only one who is asked."""
    stage = staged(LISTS, changes=APART).evaluated()
    asked = {(key.evaluator, one.origin) for key, one in stage.round.evaluations.items()}
    assert asked == {("RS", "AL"), ("RS", "SI"), ("AL", "RS"), ("SI", "RS")}
    origin = stage.nodes["SI"]
    with pytest.raises(OrderError, match="not to be evaluated here"):
        stage.send_chunk("SI", "AL", 0, origin.chunks.elements(0))
    (honest, *_) = (one for one in stage.round.evaluations.values() if (one.party, one.origin) == ("RS", "SI"))
    fields = {name: getattr(honest, name) for name in Evaluation.model_fields if name not in ("party", "sequence")}
    said = stage.signed("AL", stage.statement("AL", Evaluation, **fields))
    stage.refused(PolicyError, said, "can have no hit with SI")


def test_a_column_for_the_other(staged: Callable[..., StagedRound]) -> None:
    stage = staged(LISTS, changes=APART).finalized()
    node = stage.nodes["SI"]
    assert [column for column in stage.round.tokens if column.submission_id == node.submission_id] == [
        (node.submission_id, "RS")
    ]
    column = stage.round.tokens[node.submission_id, "RS"].column.model_copy(update={"counterpart": "AL"})
    said = stage.signed("SI", stage.statement("SI", Tokens, submission_id=node.submission_id, column=column))
    stage.refused(PolicyError, said, "can have no hit with AL")


def test_equal_inputs_leave_nothing_equal_at_the_matcher(staged: Callable[..., StagedRound]) -> None:
    """What AL and SI send has no part in common, in no column; where they may be compared, the same lists have."""
    for changes, are_apart in ((APART, True), ({}, False)):
        stage = staged(LISTS, changes=changes).finalized()
        digests = [
            {row["digest"].tobytes() for index in range(len(node.chunks)) for row in node.chunks.rows(index)}
            for node in (stage.nodes["AL"], stage.nodes["SI"])
        ]
        assert digests[0] & digests[1]
        sent = [
            set().union(
                *(parts(rows_of(stage, code, other)) for other in stage.round.counterparts_of(code)),
                *(parted(node.chunks.elements(index), 32) for index in range(len(node.chunks))),
            )
            for code, node in stage.nodes.items()
            if code != "RS"
        ]
        assert (not sent[0] & sent[1]) is are_apart


def test_not_joined_through_the_third(staged: Callable[..., StagedRound]) -> None:
    """RS sends each of both other handles and other tokens of the same record, whose hits are with each apart."""
    stage = staged(LISTS, changes=APART).finalized()
    assert not parts(rows_of(stage, "RS", "AL")) & parts(rows_of(stage, "RS", "SI"))
    assert stage.matched() == {("AL", "AL-1", "RS", "RS-1"), ("RS", "RS-1", "SI", "SI-1")}
    node = stage.nodes["RS"]
    handles = {other: bytes.fromhex(stage.report("RS", other).hits[0].handle) for other in ("AL", "SI")}
    assert handles["AL"] != handles["SI"]
    for counterpart, handle in handles.items():
        assert node.record_ids_of(handles.values(), counterpart) == {handle: "RS-1"}


def test_chunks_do_not_join_them(staged: Callable[..., StagedRound]) -> None:
    """Where the rows of a record lie in one column says nothing of the other: each orders a whole class by its tokens.

    Were the rows of a chunk kept together, all 40 records would lie in the same two of 20 chunks in both columns; by
    chance that happens to one in a hundred.
    """
    names = product("bdgkmprt", "aeiou")
    persons = [person(f"RS-{a}{b}", f"Le{a}{b}", "Novak", f"19{50 + at}-03-04") for at, (a, b) in enumerate(names)]
    stage = staged(LISTS | {"RS": tuple(persons)}, changes=APART).finalized()
    seen: list[dict[str, list[int]]] = []
    for other in ("AL", "SI"):
        chunks = stage.tokens[stage.nodes["RS"].submission_id, other]
        assert len(chunks) == 20
        handles = {row[:16] for row in rows_of(stage, "RS", other)}
        ids = stage.nodes["RS"].record_ids_of(handles, other)
        found: dict[str, list[int]] = {record: [] for record in ids.values()}
        for number, rows in enumerate(chunks):
            for row in parted(rows, 33):
                found[ids[row[:16]]].append(number)
        seen.append(found)
    assert len(seen[0]) == 40
    assert sum(seen[1][record] == places for record, places in seen[0].items()) < 4


def test_one_handle_for_each_record_where_all_may_be_compared(staged: Callable[..., StagedRound]) -> None:
    stage = staged(LISTS).finalized()
    for code in stage.nodes:
        columns = [rows_of(stage, code, other) for other in stage.round.counterparts_of(code)]
        handles = [{row[:16] for row in rows} for rows in columns]
        assert handles[0] == handles[1]
        assert len(handles[0]) >= len(LISTS[code])
        assert not {row[17:] for row in columns[0]} & {row[17:] for row in columns[1]}
