"""Names of persons in free texts that leave the node or enter its log: refused, or confirmed by the officer first.

A text that names a person who is asked for, in this query or in an earlier one, is refused. One that names a person of
the own lists, or has a part of the name of a person asked for now, is refused until the officer confirms it: the word
may be a place, or the person somebody else. Neither the error nor the log has the name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import false, or_, select
from sqlalchemy.orm import Session

from aquila.errors import InputError
from aquila.records.person import Record
from aquila.records.search import name_in, part_in, words_of
from services.kit.storage.store import Store
from services.node.storage.tables import ImportRow, RecordRow

_BATCH = 4_096
_ASKED, _OWN = "text_names_asked_person", "text_may_name_own_person"


def check_texts(store: Store, texts: Mapping[str, str], *, asked: str | None = None, confirmed: bool) -> None:
    """Refuse texts that name a person.

    Args:
        store: The node's.
        texts: The texts, by the names of their fields.
        asked: The import with the persons who are asked for, if the texts are those of a query.
        confirmed: Whether an officer has confirmed that they name nobody of the own lists.

    Raises:
        InputError: They name a person asked for; or one of the own lists, and that is not confirmed.
    """
    words = {name: words_of(text) for name, text in texts.items()}
    every = frozenset[str]().union(*words.values())
    with store.reading("texts.names") as session:
        for code, found in _found(session, every, asked, confirmed=confirmed):
            if found:
                raise InputError(code, name=next(name for name, own in words.items() if own & found))


def _found(
    session: Session, every: frozenset[str], asked: str | None, *, confirmed: bool
) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield the words of texts that name somebody, each with the id of the sentence about them."""
    records: list[Record] = []
    if asked is not None:
        persons = select(RecordRow.content).where(RecordRow.import_id == asked)
        records = [Record.from_json(content) for content in session.scalars(persons)]
    yield from ((_ASKED, name_in(every, record, inflected=True)) for record in records)
    if not confirmed:
        yield from ((_OWN, part_in(every, record)) for record in records)
    query = select(RecordRow.import_id, RecordRow.position, RecordRow.words, ImportRow.for_query)
    query = query.join(ImportRow, ImportRow.import_id == RecordRow.import_id).where(ImportRow.complete)
    # The database leaves few of the records: it compares a word four times as fast as they could be read.
    query = query.where(or_(false(), *(RecordRow.words.contains(f" {word} ") for word in sorted(every))))
    if confirmed:
        query = query.where(ImportRow.for_query)
    rows = session.execute(query.order_by(ImportRow.for_query.desc()).execution_options(yield_per=_BATCH))
    for import_id, position, text, for_query in rows:
        if len(every.intersection(text.split())) > 1:
            record = Record.from_json(session.get_one(RecordRow, (import_id, position)).content)
            yield _ASKED if for_query else _OWN, name_in(every, record)
