"""The entries that name a party, as its node gets them: in portions, of which each goes on where the last ended."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, insert

from aquila.audit.entries import Entry, EntryKind
from aquila.protocol.log_entries import match_entry
from aquila.protocol.messages.feed import MOST_ENTRIES
from services.kit.log.entries import ENTRIES
from services.kit.storage.store import Store
from services.matcher.log import entries_naming
from services.matcher.storage.tables import MatcherRows

ROUND = "ab" * 16
WINDOW = 5_000
OF_AL = match_entry(ROUND, 1, "AL", "RS", None, {"high": 1}, None)
OF_OTHERS = match_entry(ROUND, 1, "BA", "RS", None, {"high": 1}, None)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A matcher's database."""
    made = Store(URL.create("sqlite", database=str(tmp_path / "matcher.db")))
    MatcherRows.metadata.create_all(made.engine)
    yield made
    made.close()


def write(store: Store, entries: dict[int, Entry]) -> None:
    """Store entries of a log by their places; what is between them names nobody."""
    rows = [
        {
            "index": place,
            "leaf_hash": bytes(32),
            "content": entry.salted("0" * 32).content(),
            "kind": entry.kind.value,
            "time": entry.time,
            "round_id": entry.round,
        }
        for place, entry in entries.items()
    ]
    with store.transaction("test.log") as session:
        session.execute(insert(ENTRIES), rows)


def told(store: Store, size: int) -> list[tuple[list[int], int]]:
    """Return the portions that a party gets which asks until it has all: the places, and up to where these are all."""
    found: list[tuple[list[int], int]] = []
    start = 0
    while start < size:
        with store.reading("test.named") as session:
            some, end = entries_naming(lambda _: {}, session, "AL", start, size)
        assert all(start <= place < end for place in some)
        assert end > start
        found.append((list(some), end))
        start = end
    return found


def test_more_than_one_answer_holds(store: Store) -> None:
    """A portion ends before the first entry that has no room in it; none is left out, and none is told twice."""
    named = list(range(0, 3 * 450, 3))
    write(store, dict.fromkeys(named, OF_AL) | {place + 1: OF_OTHERS for place in named})
    portions = told(store, 1_350)
    assert [len(places) for places, _ in portions] == [MOST_ENTRIES, MOST_ENTRIES, 50]
    assert [end for _, end in portions] == [600, 1_200, 1_350]
    assert [place for places, _ in portions for place in places] == named


def test_a_long_log_is_looked_through_in_windows(store: Store) -> None:
    """One answer covers 5,000 entries at most, whether or not they name the party; borders belong to one window."""
    named = [0, WINDOW - 1, WINDOW, 2 * WINDOW + 7, 3 * WINDOW + 99]
    write(store, dict.fromkeys(named, OF_AL))
    assert told(store, 3 * WINDOW + 100) == [
        ([0, WINDOW - 1], WINDOW),
        ([WINDOW], 2 * WINDOW),
        ([2 * WINDOW + 7], 3 * WINDOW),
        ([3 * WINDOW + 99], 3 * WINDOW + 100),
    ]


def test_what_names_nobody_and_what_is_erased(store: Store) -> None:
    """Kinds that a statement of the party proves, and entries without content, are passed over."""
    write(store, {3: Entry.of(EntryKind.CLOSING, 1, "AL", round=ROUND), 4: OF_AL})
    with store.transaction("test.erased") as session:
        session.execute(ENTRIES.update().where(ENTRIES.c.index == 4).values(content=None))
    assert told(store, 10) == [([], 10)]
