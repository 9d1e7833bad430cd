"""The number of records of a list that bear the names of one of them: the fewer, the more their agreement weighs."""

from __future__ import annotations

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from aquila.interface.hits import NameCount
from aquila.records.person import Record
from aquila.records.search import search_for
from services.node.storage.tables import ImportRow, RecordRow

_LONGEST_LIST = 100_000  # records whose words are read while a page is made: a twentieth of a second
_MOST_NAMES = 8
_NEWEST_LIST = (
    select(ImportRow)
    .where(ImportRow.complete, ~ImportRow.for_query)
    .order_by(ImportRow.imported_at.desc(), ImportRow.import_id)
    .limit(1)
)


def name_counts(session: Session, import_id: str, position: int) -> tuple[tuple[NameCount, ...], int]:
    """Return for each word of a record's name how many records of its list have one that sounds so.

    The persons of a query are no list: for one of them, the party's newest list is counted.

    Returns:
        The counts in the order of the name, and the list's records; nothing and 0 where the list is deleted or long.
    """
    row = session.get(RecordRow, (import_id, position))
    stored = session.get(ImportRow, import_id)
    if stored is not None and stored.for_query:
        stored = session.scalar(_NEWEST_LIST)
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
