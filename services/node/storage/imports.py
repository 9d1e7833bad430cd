"""Stored lists, for all that use them: the row of one, counts of its names, and its duplicates as kept in memory."""

from dataclasses import dataclass

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from aquila.interface.hits import NameCount
from aquila.matching.own_list import DuplicatePair
from aquila.records.person import Record
from aquila.records.search import search_for
from services.kit.errors import NotFoundError
from services.node.storage.tables import ImportRow, RecordRow


def complete_import(session: Session, import_id: str) -> ImportRow:
    """Return the row of a list that is stored in full."""
    row = session.get(ImportRow, import_id)
    if row is None or not row.complete:
        raise NotFoundError("import_unknown")
    return row


_LONGEST_LIST = 100_000  # records whose words are read while a page is made: a twentieth of a second
_MOST_NAMES = 8


def newest_list() -> Select[ImportRow]:
    """Return the query for the party's newest list; the persons of a query are none."""
    query = select(ImportRow).where(ImportRow.complete, ~ImportRow.for_query)
    return query.order_by(ImportRow.imported_at.desc(), ImportRow.import_id).limit(1)


def name_counts(session: Session, import_id: str, position: int) -> tuple[tuple[NameCount, ...], int]:
    """Return for each word of a record's name how many records of its list have one that sounds so.

    The persons of a query are no list: for one of them, the party's newest list is counted.

    Returns:
        The counts in the order of the name, and the list's records; nothing and 0 where the list is deleted or long.
    """
    row = session.get(RecordRow, (import_id, position))
    stored = session.get(ImportRow, import_id)
    if stored is not None and stored.for_query:
        stored = session.scalar(newest_list())
    if row is None or stored is None or stored.records > _LONGEST_LIST:
        return (), 0
    record = Record.from_json(row.content)
    names = " ".join((*record.given_names, *record.family_names)) or record.full_name or ""
    wanted = {word: groups[0][-1] for word in names.split() if len(groups := search_for(word, alike=True)) == 1}
    if not wanted:
        return (), 0
    chosen = dict(list(wanted.items())[:_MOST_NAMES])
    sums = [func.sum(case((RecordRow.words.contains(sound), 1), else_=0)) for sound in chosen.values()]
    counts = session.execute(select(*sums).where(RecordRow.import_id == stored.import_id)).one()
    return tuple(
        NameCount(name=word, records=count) for word, count in zip(chosen, counts, strict=True)
    ), stored.records


@dataclass(frozen=True, slots=True)
class FoundDuplicates:
    """The result of a search in a stored list, without any identifier or value of a record."""

    records: int
    pairs: tuple[DuplicatePair, ...]
    """The surest, by the positions of their records in the list."""
    left_out: int
    """How many other pairs there are."""
    groups: int
    """How many groups of records the pairs make."""
    crowded: dict[str, int]
    """By rule, how many values were not compared because too many records share them."""
