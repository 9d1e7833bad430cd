"""The regional picture: how many persons are known to two, three and more parties, from hits alone.

Records that hit are taken for one person; nothing is joined over a pair of parties that may not be matched. What comes
out are numbers: which records were counted together is forgotten here.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import TypeAlias

Place: TypeAlias = "tuple[int, bytes]"
"""A record: the number of its list, and its handle."""

_SEVERAL = 2


def persons_by_parties(hits: Iterable[tuple[Place, Place]], allowed: Collection[tuple[int, int]]) -> Counter[int]:
    """Count persons by the number of parties that know them.

    Parties that may all be matched with each other make a group. Within each largest group, records that are connected
    by hits are one person; a person of one group that is wholly within a person of another is counted once. Where a
    pair may not be matched, its two parties are in no common group, so that what a third party knows of both stays
    two persons.

    Args:
        hits: The two records of each hit that is to count.
        allowed: The list numbers that may be matched, as pairs.
    """
    pairs = [hit for hit in hits if _is_allowed(hit[0][0], hit[1][0], allowed)]
    persons: set[frozenset[Place]] = set()
    for group in sorted(_groups(allowed), key=sorted):
        persons |= set(_connected([hit for hit in pairs if hit[0][0] in group and hit[1][0] in group]))
    of_record: dict[Place, list[frozenset[Place]]] = {}
    for person in persons:
        for place in person:
            of_record.setdefault(place, []).append(person)
    whole = [person for person in persons if not any(person < other for other in of_record[next(iter(person))])]
    counts = Counter(len({number for number, _ in person}) for person in whole)
    return Counter({parties: count for parties, count in counts.items() if parties >= _SEVERAL})


def _is_allowed(one: int, other: int, allowed: Collection[tuple[int, int]]) -> bool:
    return (one, other) in allowed or (other, one) in allowed


def _groups(allowed: Collection[tuple[int, int]]) -> list[frozenset[int]]:
    """Return the largest groups in which each two may be matched (Bron and Kerbosch 1973, with a pivot)."""
    near: dict[int, set[int]] = {}
    for one, other in allowed:
        near.setdefault(one, set()).add(other)
        near.setdefault(other, set()).add(one)
    return list(_grown(near, set(), set(near), set()))


def _grown(near: dict[int, set[int]], group: set[int], open_: set[int], done: set[int]) -> Iterator[frozenset[int]]:
    if not open_ and not done:
        if group:
            yield frozenset(group)
        return
    pivot = max(open_ | done, key=lambda one: len(near[one] & open_))
    for one in sorted(open_ - near[pivot]):
        yield from _grown(near, group | {one}, open_ & near[one], done & near[one])
        open_ = open_ - {one}
        done = done | {one}


def _connected(hits: Iterable[tuple[Place, Place]]) -> Iterator[frozenset[Place]]:
    """Yield the records that hits connect, group by group."""
    parent: dict[Place, Place] = {}

    def root(place: Place) -> Place:
        parent.setdefault(place, place)
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    for one, other in hits:
        parent[root(one)] = root(other)
    members: dict[Place, set[Place]] = {}
    for place in list(parent):
        members.setdefault(root(place), set()).add(place)
    yield from map(frozenset, members.values())
