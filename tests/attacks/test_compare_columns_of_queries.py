"""A matcher stalls all answers, gathers the columns of 100 queries of both sides, and compares them all."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np

from aquila.crypto.keys import SecretBytes
from aquila.matching.list_rows import KeptRows
from aquila.protocol.messages import CheckFault, MetTags
from aquila.protocol.shadow.checks import ReportedPair, ToldPairs
from aquila.protocol.shadow.columns import Column, make_column, met_digest, query_dummies
from aquila.protocol.shadow.meeting import ColumnTerms, met_tags
from aquila.protocol.shadow.queries import AskedPair, asked_rows, check_query, make_query_column, told_rows
from aquila.protocol.shadow.token_rows import RecordRows
from tests.support.shadow_pairs import KEY, handle, plain_combinations, rows_of, token, tokens_of

Records = Sequence[Mapping[int, Collection[int]]]

SETS = ((1,), (2, 3), (2, 4))
QUERIES = 100
PARTIES = "AL", "RS"


@dataclass
class Side:
    """A party: what it sent, in order, its list first; and of each query what it was told, by its number."""

    code: str
    records: list[Records]
    rows: list[bytes] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)


def drawn(draw: Random) -> Mapping[int, Collection[int]]:
    """Return a record of few values, so that many meet."""
    return {rule: {draw.randrange(40) for _ in range(draw.randrange(3))} for rule in (1, 2, 3, 4)}


def played(seed: int, *, once: bool = True) -> tuple[SecretBytes, tuple[Side, Side]]:
    """Let two parties send lists and queries: new persons, and persons of both lists and of earlier queries again.

    Args:
        seed: Of all that is drawn.
        once: Whether a tag goes out once.
    """
    draw, key = Random(seed), SecretBytes(KEY)
    sides = tuple(Side(code, [[drawn(draw) for _ in range(30)]]) for code in PARTIES)
    for number, side in enumerate(sides):
        side.rows.append(rows_of(number, side.records[0]))
        asker = PARTIES[1 - number]
        side.columns.append(make_column(key, RecordRows([side.rows[0]]), SETS, asker))
    for query in range(QUERIES):
        for number, side in enumerate(sides):
            known = [record for one in (*sides[0].records, *sides[1].records) for record in one]
            again = [dict(record) for record in draw.sample(known, 2)]
            side.records.append([*again, drawn(draw)])
            side.rows.append(rows_of(10 + 2 * query + number, side.records[-1]))
            earlier = side.rows[:-1] if once else []
            rows = asked_rows(KeptRows([side.rows[-1]]), [KeptRows([one]) for one in earlier])
            terms = ColumnTerms(SETS, frozenset(), (frozenset(),) * len(earlier))
            side.columns.append(make_query_column(key, rows, terms, side.code, query))
    return key, sides  # type: ignore[return-value]  # two of them


def profiles(sides: tuple[Side, Side]) -> dict[bytes, tuple[tuple[int, ...], ...]]:
    """Return in which columns of both sides each tag is: all that a matcher can compare."""
    found: dict[bytes, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for number, side in enumerate(sides):
        for place, column in enumerate(side.columns):
            for tag in column.tags.tolist():
                found[tag][number].append(place)
    return {tag: (tuple(one), tuple(other)) for tag, (one, other) in found.items()}


def met_dummies_and_tags(
    key: SecretBytes, sides: tuple[Side, Side], asker: int, query: int
) -> tuple[set[bytes], set[bytes]]:
    """Return the dummies that met in a query, and the tags of persons."""
    met = set(met_tags(sides[asker].columns[1 + query].tags, sides[1 - asker].columns[0].tags).tolist())
    dummies = set(query_dummies(key, PARTIES[asker], range(query, query + 1)).tolist())
    assert dummies <= met
    return dummies, met - dummies


def test_each_tag_that_meets_is_in_one_column_of_each_side() -> None:
    """Persons' tags and dummies stand in the same columns: the query's and the list's, whatever was asked before."""
    key, sides = played(1)
    found, real = profiles(sides), 0
    for asker in (0, 1):
        for query in range(QUERIES):
            dummies, tags = met_dummies_and_tags(key, sides, asker, query)
            expected = ((1 + query,), (0,)) if asker == 0 else ((0,), (1 + query,))
            assert {found[tag] for tag in (*dummies, *tags)} == {expected}
            real += len(tags)
    assert real > 100


def test_tags_that_go_out_again_would_show() -> None:
    """Without that rule the same comparison tells tags of persons from dummies: so it is able to."""
    key, sides = played(1, once=False)
    found, shown, real = profiles(sides), 0, 0
    for asker in (0, 1):
        for query in range(QUERIES):
            dummies, tags = met_dummies_and_tags(key, sides, asker, query)
            assert all(len(found[tag][asker]) == 1 for tag in dummies)
            shown += sum(len(found[tag][asker]) > 1 for tag in tags)
            real += len(tags)
    assert shown > real / 2


def pairs_of(asked: Records, listed: Records, names: tuple[int, int]) -> list[tuple[ReportedPair, ReportedPair]]:
    """Return the pairs of records that meet a set, as the asker and as the owner sees them."""
    found = []
    for a, one in enumerate(asked):
        for b, other in enumerate(listed):
            shared = {(token(r, v), r) for r in one.keys() & other.keys() for v in set(one[r]) & set(other[r])}
            rules = {rule for _, rule in shared}
            if any(set(chosen) <= rules for chosen in SETS):
                handles = handle(names[0], a), handle(names[1], b)
                places = [
                    bytes(sorted(names_.index(met) for met in shared)) for names_ in (tokens_of(one), tokens_of(other))
                ]
                found.append(
                    (
                        ReportedPair(*handles, places[0], is_hit=True),
                        ReportedPair(*reversed(handles), places[1], is_hit=True),
                    )
                )
    return found


def test_each_hidden_hit_is_missed() -> None:
    """In all queries: honest reports hold on both sides, and each pair that is left out is missed by one of them."""
    key, sides = played(2)
    tried = again = 0
    for asker in (0, 1):
        owner = 1 - asker
        told: tuple[list[ToldPairs], list[ToldPairs]] = ([], [])
        for place, records in enumerate(sides[asker].records[:25]):
            name = asker if place == 0 else 10 + 2 * (place - 1) + asker
            pairs = pairs_of(records, sides[owner].records[0], (name, owner))
            met = met_tags(sides[asker].columns[place].tags, sides[owner].columns[0].tags)
            number = MetTags(tags=len(met), digest=met_digest(met))
            if place:
                check = checker(key, sides, asker, place)
                assert check(told, pairs, number) == (None, None)
                for hidden in pairs:
                    seen = check(told, [pair for pair in pairs if pair is not hidden], number)
                    assert any(seen)
                    again += seen == (CheckFault.PAIRS, None)
                    tried += 1
            for side in (0, 1):
                told[side].append(ToldPairs([pair[side] for pair in pairs], number))
    assert tried > again > 0


Told = tuple[list[ToldPairs], list[ToldPairs]]
Check = Callable[[Told, list[tuple[ReportedPair, ReportedPair]], MetTags], tuple[CheckFault | None, ...]]


def checker(key: SecretBytes, sides: tuple[Side, Side], asker: int, place: int) -> Check:
    """Return what lets asker and owner check a report of a query."""
    own = sides[asker].rows[: place + 1]
    rows = asked_rows(KeptRows([own[-1]]), [KeptRows([one]) for one in own[:-1]]).rows
    terms = ColumnTerms(SETS, frozenset(), (frozenset(),) * place)
    asked = AskedPair(PARTIES[asker], place - 1, terms)

    def check(
        told: Told, pairs: list[tuple[ReportedPair, ReportedPair]], met: MetTags
    ) -> tuple[CheckFault | None, ...]:
        now = [ToldPairs([pair[side] for pair in pairs], met) for side in (0, 1)]
        listed = told_rows(KeptRows([sides[1 - asker].rows[0]]), now[1].pairs)
        return (check_query(key, rows, asked, now[0], told[0]), check_query(key, listed, asked, now[1], told[1]))

    return check


def test_lengths_tell_what_the_rows_tell() -> None:
    """How long a query's column is follows from its asker's rows, with any key."""
    _, sides = played(3)
    for side in sides:
        sent: set[tuple[int, tuple[bytes, ...]]] = set()
        for place, records in enumerate(side.records):
            new = _combinations(records) - sent
            sent |= new
            if place:
                assert len(side.columns[place].tags) == len(new) + 128


def _combinations(records: Records) -> set[tuple[int, tuple[bytes, ...]]]:
    return {one for record in records for one in plain_combinations(tokens_of(record), SETS)}


def test_a_set_that_gives_too_many_tags() -> None:
    """A query leaves out whole sets above 128 tags a record, and its check goes by those that are left."""
    key = SecretBytes(KEY)
    many = [{2: list(range(40)), 3: list(range(40)), 1: [7]}]
    rows = rows_of(5, many)
    asked = asked_rows(KeptRows([rows]), [])
    column = make_query_column(key, asked, ColumnTerms(SETS, frozenset()), "AL", 0)
    assert column.left_out == (1,)
    assert len(column.tags) == 1 + 128
    assert isinstance(column.tags, np.ndarray)
