"""A reader of everything that is published who wants a small count: one from 1 to 4, and so perhaps a person.

The attacker knows the rule, all numbers that are published together and over time, and everything about the lists that
could bound a count, but not the key. Each attack goes through every set of counts in its reach and every way in which a
key could round them, publishes them by the service's own code, and looks which counts gave the same publication.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import combinations_with_replacement, product
from typing import Any, TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from aquila.matching.certainty import Level
from aquila.matching.regional_counts import persons_by_parties
from aquila.matching.rounding import BASE, FEW, SMALL, Rounding
from aquila.protocol.messages import Kind
from services.matcher.statistics import RoundCounts, hit_tables, known, outcomes, records_sent

Name: TypeAlias = "tuple[str, ...]"
Pair: TypeAlias = "tuple[str, str]"
Cell: TypeAlias = "tuple[Pair, Level]"
Counts: TypeAlias = "tuple[int, ...]"

AL_RS, AL_SI, RS_SI, HR_SI = ("AL", "RS"), ("AL", "SI"), ("RS", "SI"), ("HR", "SI")
SMALL_COUNTS = frozenset(range(1, BASE))
MOST = 10  # of persons, in what an attacker reads; every count can be published as each number up to it
SHIFTS = range(-15, 25)  # what noise and rounding may add to a count of persons, as far as it matters below MOST


class Guessed(Rounding):
    """A key as the attacker imagines it: what it draws for a count and the cell's name."""

    def __init__(self, draw: Callable[[int, Name], tuple[int, int]]) -> None:
        super().__init__(b"")
        self._draw = draw

    def drawn(self, count: int, name: Name) -> tuple[int, int]:
        """Return what the attacker imagines."""
        return self._draw(count, name)


def round_of(hits: Mapping[Pair, Mapping[Level, int]], **more: Any) -> RoundCounts:
    """Return a round's counts: lists of all parties that the hits name."""
    parties = sorted({party for pair in hits for party in pair})
    given_ = {"parties": {Kind.LIST: parties}, "hits": {Kind.LIST: hits}} | more
    return RoundCounts(category="suspects", pairs=tuple(hits), **given_)


def pages(cells: Sequence[Cell], most: int) -> Iterator[tuple[Counts, Hashable]]:
    """Yield each table of counts with each page that a key can make of it: pairs, levels, parties, totals at once."""
    for counts in product(range(most + 1), repeat=len(cells)):
        yield from ((counts, page) for page in _pages_of(tuple(cells), counts))


@cache
def _pages_of(cells: tuple[Cell, ...], counts: Counts) -> frozenset[Hashable]:
    one = round_of(_hits(cells, counts))
    # Of what a key may add to a count before it is rounded down, the least and the most are all that matters.
    ways = [(0,) if count % BASE == 0 else (0, BASE - 1) for count in counts]
    found = set()
    for ups in product(*ways):
        drawn = {(*pair, level.value): up for (pair, level), up in zip(cells, ups, strict=True)}
        found.add(hit_tables(one, Guessed(lambda _, name, drawn=drawn: (drawn.get(name[-3:], 0), 0))))
    return frozenset(found)


def _hits(cells: Sequence[Cell], counts: Counts) -> dict[Pair, dict[Level, int]]:
    hits: dict[Pair, dict[Level, int]] = defaultdict(dict)
    for (pair, level), count in zip(cells, counts, strict=True):
        hits[pair][level] = count
    return dict(hits)


@cache
def persons_pages(persons: tuple[tuple[Level, tuple[tuple[int, int], ...]], ...]) -> frozenset[Hashable]:
    """Return all that can be published of persons known, by thresholds and numbers of parties, up to `MOST`."""
    numbers = sorted({parties for _, of in persons for parties, _ in of})
    return frozenset(product(*(_column(persons, number) for number in numbers)))


def _column(persons: tuple[tuple[Level, tuple[tuple[int, int], ...]], ...], number: int) -> frozenset[Counts]:
    """Return all that can be published of those known to so many parties: draws of other numbers do not matter."""
    pairs = {(one, other): dict.fromkeys(Level, 1) for one, other in zip("ABC"[: number - 1], "BCD", strict=False)}
    one = round_of(pairs, known={level: dict(of) for level, of in persons})
    blocks = sorted({_block(dict(of).get(number, 0)) for _, of in persons})
    found = set()
    for shifts in product(SHIFTS, repeat=len(blocks)):
        drawn = dict(zip(blocks, shifts, strict=True))
        key = Guessed(lambda count, _, drawn=drawn: (0, drawn.get(_block(count), 0)))
        figures = tuple(
            of.persons if isinstance(of.persons, int) else 0 for of in known(one, key) if of.parties == number
        )
        if max(figures) <= MOST:
            found.add(figures)
    return frozenset(found)


def _block(count: int) -> int:
    return -1 if count == 0 else count // BASE


def remaining(found: Iterable[tuple[Counts, Hashable]], *, knowing: bool = False) -> list[tuple[int, set[int]]]:
    """Return, of each publication and each place whose count may be small, the place and what the count may be.

    Args:
        knowing: Whether the attacker knows all counts but one exactly, as a party may that takes part in most pairs.
    """
    consistent: dict[tuple[Hashable, int, Counts], set[int]] = defaultdict(set)
    for counts, published in found:
        for place, count in enumerate(counts):
            others = (*counts[:place], *counts[place + 1 :]) if knowing else ()
            consistent[published, place, others].add(count)
    small = [(key[1], values) for key, values in consistent.items() if values & SMALL_COUNTS]
    assert small
    return small


TABLES: tuple[tuple[tuple[Cell, ...], int], ...] = (
    (tuple((pair, level) for pair in (AL_RS, AL_SI) for level in (Level.HIGH, Level.LOW)), 5),
    (tuple((pair, Level.HIGH) for pair in (AL_RS, AL_SI, RS_SI)), 6),
    (tuple((AL_RS, level) for level in Level), 6),
)


def test_from_totals_levels_and_parties() -> None:
    """Whatever the table, each of its small counts can still be 1, 2, 3 and 4, by all that stands on its page."""
    for cells, most in TABLES:
        assert all(values >= SMALL_COUNTS for _, values in remaining(pages(cells, most)))


def test_as_a_party_that_knows_all_other_counts() -> None:
    """Who knows every other count of the table exactly, and subtracts them from the totals, learns no more."""
    for cells, most in TABLES:
        assert all(values >= SMALL_COUNTS for _, values in remaining(pages(cells, most), knowing=True))


def test_from_persons_known() -> None:
    """Every way in which records of three parties can hit: persons known beside the hits leave each count open.

    Two parties with two records and one with one: so a count reaches 4 and 2 at most, and each value remains that it
    can reach.
    """
    pairs = (AL_RS, AL_SI, RS_SI)
    records = {"AL": ((0, b"0"), (0, b"1")), "RS": ((1, b"0"), (1, b"1")), "SI": ((2, b"0"),)}
    edges = [(pair, hit) for pair in pairs for hit in product(records[pair[0]], records[pair[1]])]
    cells = tuple((pair, Level.HIGH) for pair in pairs)

    def worlds() -> Iterator[tuple[Counts, Hashable]]:
        for chosen in product((False, True), repeat=len(edges)):
            hits = [edge for edge, taken in zip(edges, chosen, strict=True) if taken]
            counts = tuple(sum(pair == of for of, _ in hits) for pair in pairs)
            by_parties = persons_by_parties([hit for _, hit in hits], {(0, 1), (0, 2), (1, 2)})
            of = tuple((parties, by_parties[parties]) for parties in (2, 3))
            persons = persons_pages(tuple((level, of) for level in sorted(Level))) if hits else ()
            yield from ((counts, (page, figures)) for page in _pages_of(cells, counts) for figures in persons)

    reach = {0: {1, 2, 3, 4}, 1: {1, 2}, 2: {1, 2}}
    assert all(values >= reach[place] for place, values in remaining(worlds()))


def test_from_persons_known_where_nothing_is_twice_in_a_list() -> None:
    """Where each hit is a person of its own, persons known to two are the sum of all hits, and still tell none."""
    cells = ((AL_RS, Level.HIGH), (AL_RS, Level.LOW), (HR_SI, Level.HIGH))

    def worlds() -> Iterator[tuple[Counts, Hashable]]:
        for counts in product(range(BASE), repeat=3):
            high, all_ = counts[0] + counts[2], sum(counts)
            persons = tuple((level, ((2, all_ if level is Level.LOW else high),)) for level in sorted(Level))
            for page in _pages_of(cells, counts):
                yield from ((counts, (page, figures)) for figures in persons_pages(persons))

    assert all(len(values & SMALL_COUNTS) > 1 for _, values in remaining(worlds()))


def test_from_rounds_that_follow_each_other() -> None:
    """Lists that only grow, matched again and again: hits, totals and persons of all rounds leave two values at least.

    A small count stands in a total beside one that is known, and is the number of persons known as well.
    """
    growing = list(combinations_with_replacement(range(1, BASE + 2), 4))
    consistent: dict[Hashable, list[set[int]]] = defaultdict(lambda: [set() for _ in range(4)])
    for low, high, shift, other in product(range(BASE), (0, BASE - 1), range(BASE), range(-1, 2)):
        for counts in growing:
            published = tuple(
                _seen(count, low if count < BASE else high, shift if count < BASE else other) for count in counts
            )
            for place, count in enumerate(counts):
                consistent[published][place].add(count)
    small = [values for rounds in consistent.values() for values in rounds if values & SMALL_COUNTS]
    assert all(len(values & SMALL_COUNTS) > 1 for values in small)


@cache
def _seen(count: int, up: int, shift: int) -> Hashable:
    """Return what is seen of a round: the small count's place in a total beside 10 hits, and the persons."""
    one = round_of({AL_RS: {Level.HIGH: count}, AL_SI: {Level.HIGH: 10}}, known={level: {2: count} for level in Level})
    key = Guessed(lambda _, name: (up if name[0] == "hits" and AL_RS[1] in name else 0, shift))
    [table] = hit_tables(one, key)
    return table.hits.all, table.pairs[0].hits.all, next(of.persons for of in known(one, key) if of.parties == 2)


def test_by_the_size_of_a_question() -> None:
    """Neither the records of a query without padding nor its hits, of which each has one at most with a list."""
    cells = ((AL_RS, Level.HIGH), (AL_SI, Level.HIGH))

    def worlds() -> Iterator[tuple[Counts, Hashable]]:
        for records, up in product(range(1, 2 * BASE), (0, BASE - 1)):
            sent = records_sent(records, Guessed(lambda _, __, up=up: (up, 0)), "suspects", "AL", Kind.QUERY)
            for counts in product(range(min(records, BASE) + 1), repeat=2):
                yield from (((records, *counts), (sent, page)) for page in _pages_of(cells, counts))

    assert all(values >= SMALL_COUNTS for _, values in remaining(worlds()))


def test_by_what_became_of_the_hits() -> None:
    """Of a small cell no outcome is counted: whatever is said of its hits, the same outcomes are published."""
    hits = {AL_RS: {Level.HIGH: 40}, AL_SI: {Level.HIGH: 3}}
    said = {(AL_RS, Level.HIGH): Counter(confirmed=60, refuted=2)}
    key = Rounding(b"k" * 32)
    without = outcomes(round_of(hits, outcomes=said), key)
    told = said | {(AL_SI, Level.HIGH): Counter(confirmed=6)}
    assert outcomes(round_of(hits, outcomes=told), key) == without
    again = replace(round_of(hits, outcomes=told), known={Level.HIGH: {2: 43}})
    assert outcomes(again, key) == without  # the next round of the same lists is no second draw
    asked = {Kind.LIST: {AL_SI: {Level.HIGH: 40}}, Kind.QUERY: {AL_SI: {Level.HIGH: 3}}}
    assert outcomes(replace(round_of(hits, outcomes=told), hits=asked), key) == ((), ())


def test_by_the_bounds_of_outcomes() -> None:
    """Every outcome can be published as each number, so that their sum, which the hits bound, tells none of them."""
    hits = {AL_RS: {Level.HIGH: 8}}
    found = defaultdict(set)
    for refuted, shift in product(range(2 * 8), SHIFTS):
        one = round_of(hits, outcomes={(AL_RS, Level.HIGH): Counter(confirmed=2 * 8 - refuted, refuted=refuted)})
        [level], [pair] = outcomes(one, Guessed(lambda _, __, shift=shift: (0, shift)))
        found[level.refuted].add(refuted)
        assert level.refuted == pair.refuted
    assert all(found[figure] >= SMALL_COUNTS for figure in (FEW, 5, 10))


@given(
    st.lists(st.integers(0, 12) | st.integers(0, 20_000), min_size=18, max_size=18),
    st.integers(0, 17),
    st.sampled_from(sorted(SMALL_COUNTS)),
    st.binary(min_size=32, max_size=32),
)
def test_in_a_large_table(counts: list[int], place: int, other: int, key: bytes) -> None:
    """Four parties, three levels: for each small count and each other one there is a key that shows the same page."""
    names = ("AL", "HR", "RS", "SI")
    cells = [((left, right), level) for left in names for right in names if left < right for level in Level]
    counts[place] = counts[place] % (BASE - 1) + 1
    real = Rounding(key)
    page = hit_tables(round_of(_hits(cells, counts)), real)
    pair, level = cells[place]
    cell = real.cell(counts[place], "hits", "list", "suspects", *pair, level.value)
    changed = [other if place == at else count for at, count in enumerate(counts)]

    def draw(count: int, name: Name) -> tuple[int, int]:
        return (cell.rounded and BASE - 1, 0) if name[-3:] == (*pair, level.value) else real.drawn(count, name)

    assert hit_tables(round_of(_hits(cells, changed)), Guessed(draw)) == page
    shown = {(one.left, one.right): one.hits for one in page[0].pairs}
    for at, count in enumerate(counts):
        figure = getattr(shown[cells[at][0]], cells[at][1].value)
        assert figure == SMALL if 0 < count < BASE else abs(figure - count) < BASE


NOISE = range(-40, 41)


def _likely(noise: int) -> Fraction:
    """Return how likely a key draws a noise."""
    return Fraction(1, 2 * 3 ** abs(noise))


def test_by_guessing_what_is_likeliest() -> None:
    """Who knows how a key draws, and takes the likeliest count by total and persons, is right in 43 of 100 cases.

    In 25 without looking: each count is as likely before. In 40 by the total alone.
    """
    weight: dict[Hashable, dict[int, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    for count, up, noise, other in product(sorted(SMALL_COUNTS), range(BASE), NOISE, range(BASE)):
        weight[_seen(count, up, noise + other)][count] += _likely(noise) / (BASE * BASE * len(SMALL_COUNTS))
    guessed = float(sum(max(of.values()) for of in weight.values()))
    assert 0.25 < guessed < 0.44


def _weights(others: int) -> list[dict[int, Fraction]]:
    """Return how likely each small count is by each number that is published of it together with others."""
    weight: dict[Hashable, dict[int, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    for count, noise, up in product(sorted(SMALL_COUNTS), NOISE, range(BASE)):
        key = Guessed(lambda _, __, drawn=(up, noise): drawn)
        weight[key.perturbed(others + count, "persons")][count] += _likely(noise)
    # Farther away the noise that is drawn here ends for some of the counts.
    return [of for figure, of in weight.items() if figure == FEW or figure <= others + 6 * BASE]


def test_by_the_likeliest_count_where_all_others_are_known() -> None:
    """No number of persons makes anybody surer of a small count than 68 in 100, were all others known exactly."""
    surest = max(max(of.values()) / sum(of.values()) for others in range(3 * BASE) for of in _weights(others))
    assert 0.6 < surest < 0.68


def test_by_the_persons_of_three_levels_where_all_others_are_known() -> None:
    """Counts of three levels in three blocks are three draws: the rarest three make a reader surer, by 97 in 100."""
    levels = [_weights(others) for others in (0, BASE, 2 * BASE)]
    surest = Fraction(0)
    for high, medium, low in product(*levels):
        joint = [high[count] * medium[count] * low[count] for count in sorted(SMALL_COUNTS)]
        surest = max(surest, max(joint) / sum(joint))
    assert 0.9 < surest < 0.97


@given(st.integers(1, 10**6), st.text(), st.binary(min_size=32, max_size=32))
def test_noise_is_drawn_as_the_attacker_thinks(count: int, name: str, key: bytes) -> None:
    """What a key draws is within what was gone through above."""
    up, noise = Rounding(key).drawn(count, (name,))
    assert up in range(BASE)
    assert noise in NOISE
