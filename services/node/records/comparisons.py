"""Lists compared: likely duplicates within one, and the difference to the list that was stored before it.

Duplicates are counted when a list comes in, and named when the operator asks. The search keeps digests of the list's
values in a folder of its own below the home, as telling as the list beside it; the folder goes with the search, or at
the next start. The difference is by the party's own identifiers, and contents are compared byte for byte.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from aquila.audit.entries import EntryKind, Word
from aquila.audit.roles import Action
from aquila.interface.records import MOST_NAMED, DuplicatePairView, DuplicateRecords, ListDifference
from aquila.matching.own_list import DuplicatePair, DuplicateSearch
from aquila.records.person import Record
from aquila.records.rules import RuleTable
from services.kit.actor import Actor
from services.kit.storage.store import Store
from services.node.context import NodeContext
from services.node.records.stored_lists import recorded_digest
from services.node.storage.imports import FoundDuplicates, complete_import
from services.node.storage.tables import ImportRow, RecordRow

_FOLDER = "duplicates-"
_MEMORY_MIB = 256
_BATCH = 2_048
_SHOWN = 10_000
_AT_ONCE = 500


@contextmanager
def searching(home: Path, table: RuleTable) -> Iterator[DuplicateSearch]:
    """Search one list, in a folder that is gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix=_FOLDER, dir=home) as folder,
        DuplicateSearch(table, Path(folder), memory_mib=_MEMORY_MIB) as search,
    ):
        yield search


def remove_leftovers(home: Path) -> None:
    """Remove what searches left that a crash ended."""
    for folder in home.glob(f"{_FOLDER}*"):
        shutil.rmtree(folder)


def list_duplicates(
    node: NodeContext, actor: Actor, import_id: str, rules: str, offset: int = 0, limit: int | None = None
) -> DuplicateRecords:
    """Return the records of a stored list that are likely the same person, the surest first; a consultation.

    A list is searched once as long as it does not change and the node runs; results for the newest lists are kept.

    The surest `offset` pairs are left out; without a limit, all others that are named are returned.

    Raises:
        InputError: There is no such rule table.
    """
    table = node.table_named(rules)
    version = f"{recorded_digest(node.store, import_id)} {table.digest}"
    found = node.duplicates.get(import_id, version, lambda: _search(node.store, node.settings.home, import_id, table))
    pairs = found.pairs[offset : None if limit is None else offset + limit]
    wanted = sorted({position for pair in pairs for position in (pair.first, pair.second)})
    with node.store.transaction("duplicates.consult") as session:
        record_ids = _record_ids(session, import_id, wanted)
        by, ids = (actor, Action.COMPARE_RECORDS), {"import": import_id, "of": Word.DUPLICATES}
        node.journal.log(session, EntryKind.CONSULTATION, by, counts={"records": found.records}, ids=ids)
    return DuplicateRecords(
        import_id=import_id,
        records=found.records,
        # A record that was erased just now is no longer named.
        pairs=tuple(_view(pair, record_ids) for pair in pairs if {pair.first, pair.second} <= record_ids.keys()),
        pairs_left_out=found.left_out,
        offset=offset,
        total=len(found.pairs),
        groups=found.groups,
        values_not_compared=found.crowded,
    )


def _search(store: Store, home: Path, import_id: str, table: RuleTable) -> FoundDuplicates:
    """Compare a stored list with itself."""
    positions = list[int]()
    with searching(home, table) as search:
        for position, content in stored_records(store, import_id):
            positions.append(position)
            search.add(Record.from_json(content))
        found = search.found()
    named = [replace(pair, first=positions[pair.first], second=positions[pair.second]) for pair in found.pairs[:_SHOWN]]
    left_out = max(0, len(found.pairs) - _SHOWN)
    return FoundDuplicates(len(positions), tuple(named), left_out, len(found.groups), found.crowded)


def _record_ids(session: Session, import_id: str, positions: list[int]) -> dict[int, str]:
    """Return the identifiers of a list's records by their positions."""
    found: dict[int, str] = {}
    query = select(RecordRow.position, RecordRow.record_id).where(RecordRow.import_id == import_id)
    for first in range(0, len(positions), _AT_ONCE):
        rows = session.execute(query.where(RecordRow.position.in_(positions[first : first + _AT_ONCE])))
        found.update((position, record_id) for position, record_id in rows)
    return found


def _view(pair: DuplicatePair, record_ids: dict[int, str]) -> DuplicatePairView:
    assert pair.grade.level is not None  # a search names no pair below every level
    return DuplicatePairView(
        record_id_a=record_ids[pair.first],
        record_id_b=record_ids[pair.second],
        position_a=pair.first,
        position_b=pair.second,
        certainty=pair.grade.level,
        sentences=pair.grade.sentences,
    )


def stored_records(store: Store, import_id: str) -> Iterator[tuple[int, bytes]]:
    """Yield position and content of a list's records in their order, a batch at a time."""
    with store.reading("import.size") as session:
        records = complete_import(session, import_id).records
    for first in range(0, records, _BATCH):
        query = select(RecordRow.position, RecordRow.content).where(
            RecordRow.import_id == import_id, RecordRow.position >= first, RecordRow.position < first + _BATCH
        )
        with store.reading("import.records") as session:
            rows = session.execute(query.order_by(RecordRow.position)).all()
        yield from ((row.position, row.content) for row in rows)


def difference(store: Store, import_id: str) -> ListDifference:
    """Return the difference of a list to the one that was stored before it, which is empty if there was none."""
    with store.reading("import.difference") as session:
        row = complete_import(session, import_id)
        before = _before(session, row)
        if before is None:
            return ListDifference(import_id=import_id)
        added = _ids(session, _missing(import_id, before.import_id))
        removed = _ids(session, _missing(before.import_id, import_id))
        changed = _ids(session, _changed(import_id, before.import_id))
        return ListDifference(
            import_id=import_id,
            previous=before.import_id,
            previous_name=before.name,
            added=added[0],
            removed=removed[0],
            changed=changed[0],
            unchanged=row.records - added[0] - changed[0],
            added_ids=added[1],
            removed_ids=removed[1],
            changed_ids=changed[1],
        )


def _before(session: Session, row: ImportRow) -> ImportRow | None:
    """Return the list that was stored before another one; None before the persons of a query."""
    if row.for_query:
        return None
    query = select(ImportRow).where(
        ImportRow.complete,
        ~ImportRow.for_query,
        ImportRow.import_id != row.import_id,
        ImportRow.imported_at <= row.imported_at,
    )
    return session.scalars(query.order_by(ImportRow.imported_at.desc(), ImportRow.import_id).limit(1)).first()


def _missing(import_id: str, other: str) -> Select[str]:
    """Return a query for the identifiers of a list that another list does not have."""
    elsewhere = aliased(RecordRow)
    found = select(elsewhere.record_id).where(elsewhere.import_id == other, elsewhere.record_id == RecordRow.record_id)
    return select(RecordRow.record_id).where(RecordRow.import_id == import_id, ~found.exists())


def _changed(import_id: str, other: str) -> Select[str]:
    """Return a query for the identifiers that two lists have with different contents."""
    elsewhere = aliased(RecordRow)
    return (
        select(RecordRow.record_id)
        .join(elsewhere, elsewhere.record_id == RecordRow.record_id)
        .where(RecordRow.import_id == import_id, elsewhere.import_id == other, elsewhere.content != RecordRow.content)
    )


def _ids(session: Session, query: Select[str]) -> tuple[int, tuple[str, ...]]:
    """Return how many identifiers a query finds, and the first ones."""
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    named = query.order_by(RecordRow.position).limit(MOST_NAMED)
    return total, tuple(session.scalars(named))
