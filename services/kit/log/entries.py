"""The log of a service, in its database: entries are appended in the transaction of what they record (PROTOCOL.md 10).

`append` is called within `Store.transaction`, so there is no action without its entry and no entry without its action:
both are committed, or neither. The store has one writer at a time, so indices ascend without a gap in the order of
commits. Rows hold the entry's canonical JSON, until retention erases it, and its leaf hash, which stays; the tree's
right edge makes appending cheap, and the root over each 256 leaves makes proofs cheap.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from aquila.audit.entries import Entry, EntryKind, read_entry
from aquila.audit.merkle import HASH_BYTES, TILE_WIDTH, Frontier, leaf_hash, perfect_root, tree_root
from aquila.audit.roles import Action, role_table
from aquila.errors import AuditError
from aquila.interface.log import EntrySearch
from aquila.protocol.approvals import KINDS as APPROVAL_KINDS
from aquila.protocol.approvals import TwoPersons
from aquila.protocol.registry import Registry
from services.kit.actor import Actor
from services.kit.storage.row_seals import ROW_KEY, RowKey
from services.kit.storage.store import NAMING, Store

TABLES = sa.MetaData(naming_convention=NAMING)
_SALT_BYTES = 16
_AT_ONCE = 500
_BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")

ENTRIES = sa.Table(
    "log_entry",
    TABLES,
    sa.Column("index", _BIG, primary_key=True, autoincrement=False, comment="The entry's place in the log, from 0."),
    sa.Column(
        "leaf_hash", sa.LargeBinary, nullable=False, comment="Hash of the entry's leaf; stays when its content goes."
    ),
    sa.Column("content", sa.LargeBinary, comment="The entry's canonical JSON; nothing once retention has erased it."),
    sa.Column("kind", sa.String(32), nullable=False, comment="What happened."),
    sa.Column("time", sa.BigInteger, nullable=False, index=True, comment="Seconds since 1970, as the entry says."),
    sa.Column("round_id", sa.String(32), index=True, comment="The round that the entry names."),
    sa.Column("account", sa.String(14), index=True, comment="The account that it says was changed."),
    sa.Column("seal", sa.LargeBinary, comment="HMAC of what of it counts, under a key of the home."),
    comment="The log: one row for each entry, only ever added to; retention empties contents.",
)
_SEALED = ENTRIES.c.index, ENTRIES.c.leaf_hash, ENTRIES.c.account
EDGE = sa.Table(
    "log_edge",
    TABLES,
    sa.Column("edge_id", sa.Integer, primary_key=True, autoincrement=False, comment="1: there is one edge."),
    sa.Column("size", sa.BigInteger, nullable=False, comment="Entries of the log."),
    sa.Column(
        "peaks", sa.LargeBinary, nullable=False, comment="Roots of its perfect trees, largest first, 32 bytes each."
    ),
    comment="The right edge of the log's tree.",
)
NODES = sa.Table(
    "log_node",
    TABLES,
    sa.Column(
        "level", sa.Integer, primary_key=True, autoincrement=False, comment="Tile level, from 1: 256 to its power."
    ),
    sa.Column("number", _BIG, primary_key=True, autoincrement=False, comment="Place at that level, from 0."),
    sa.Column("hash", sa.LargeBinary, nullable=False, comment="Root of the perfect tree."),
    comment="Roots over 256, 65,536, ... entries, so that proofs need few rows.",
)
CHECKPOINTS = sa.Table(
    "log_checkpoint",
    TABLES,
    sa.Column("size", _BIG, primary_key=True, autoincrement=False, comment="Entries that it covers."),
    sa.Column("note", sa.LargeBinary, nullable=False, comment="The signed note, with the cosignatures that came."),
    sa.Column("signed_at", sa.BigInteger, nullable=False, comment="Seconds since 1970."),
    comment="Checkpoints that this log signed; all stay.",
)
NEWEST_NOTE = sa.select(CHECKPOINTS.c.note).order_by(CHECKPOINTS.c.size.desc()).limit(1)
WITNESSED = sa.Table(
    "log_witnessed",
    TABLES,
    sa.Column("origin", sa.String(128), primary_key=True, comment="Which other log."),
    sa.Column("size", _BIG, primary_key=True, autoincrement=False, comment="Entries that it covers."),
    sa.Column("note", sa.LargeBinary, nullable=False, comment="The note as it came, with the own cosignature."),
    sa.Column("seen_at", sa.BigInteger, nullable=False, comment="Seconds since 1970."),
    comment="Newest checkpoint of each other log, which was found consistent with all before, and cosigned.",
)
ALARMS = sa.Table(
    "log_alarm",
    TABLES,
    sa.Column("alarm_id", _BIG, primary_key=True, autoincrement=True, comment="Number."),
    sa.Column("origin", sa.String(128), nullable=False, index=True, comment="Whose log does not hold together."),
    sa.Column("what", sa.String(16), nullable=False, comment="fork, shrunk, missing, false or signature."),
    sa.Column("sentence", sa.Text, nullable=False, comment="What is wrong, in words."),
    sa.Column("seen", sa.LargeBinary, comment="The note that was seen before; evidence."),
    sa.Column("got", sa.LargeBinary, nullable=False, comment="The note that contradicts it; evidence."),
    sa.Column("found_at", sa.BigInteger, nullable=False, comment="Seconds since 1970."),
    sa.Column("acknowledged_at", sa.BigInteger, comment="Seconds since 1970 when an administrator let work go on."),
    sa.Column("acknowledged_by", sa.String(16), comment="The administrator's pseudonymous id."),
    comment="Logs that were found rewritten, with both checkpoints as evidence.",
)


def append(session: Session, entry: Entry) -> int:
    """Append an entry, with a fresh salt, within the caller's writing transaction, and return its index.

    Raises:
        AuditError: The stored edge of the tree does not hold together.
    """
    entry = entry.salted(secrets.token_hex(_SALT_BYTES))
    content = entry.content()
    leaf = entry.leaf()
    columns = _columns_of(entry)
    edge = frontier(session)
    index = edge.size
    session.execute(
        sa.insert(ENTRIES).values(
            index=index,
            leaf_hash=leaf,
            content=content,
            **columns,
            seal=_seal(session, index, leaf, columns["account"]),
        )
    )
    edge.append(leaf)
    values = {"size": edge.size, "peaks": b"".join(edge.peaks)}
    if index == 0:
        session.execute(sa.insert(EDGE).values(edge_id=1, **values))
    else:
        session.execute(sa.update(EDGE).where(EDGE.c.edge_id == 1).values(**values))
    _store_nodes(session, edge.size)
    return index


def _columns_of(entry: Entry) -> dict[str, Any]:
    """Return what a row repeats of its entry, for entries to be found by."""
    account = entry.ids.get("account") if entry.kind is EntryKind.ACCOUNT_CHANGED else None
    repeated = {"kind": entry.kind.value, "time": entry.time, "round_id": entry.round}
    return repeated | {"account": None if account is None else str(account)}


def _seal(session: Session, *sealed: int | bytes | str | None) -> bytes | None:
    key: RowKey | None = session.info.get(ROW_KEY)
    return None if key is None else key.seal(ENTRIES.name, sealed)


def check_seals(session: Session, start: int, end: int) -> None:
    """Refuse entries from `start` up to `end` that this service did not append.

    Raises:
        ForgedRowError: There is one.
    """
    key: RowKey | None = session.info.get(ROW_KEY)
    query = sa.select(*_SEALED, ENTRIES.c.seal)
    for *sealed, seal in session.execute(query.where(ENTRIES.c.index >= start, ENTRIES.c.index < end)):
        if key is not None:
            key.check(ENTRIES.name, sealed[0], sealed, seal)


def seal_entries_again(session: Session, old: RowKey | None, new: RowKey) -> None:
    """Seal every entry under another key, as `row_seals.seal_again` does with rows."""
    at, end = 0, size(session)
    query = sa.select(*_SEALED, ENTRIES.c.seal).order_by(ENTRIES.c.index)
    while at < end:
        found = session.execute(query.where(ENTRIES.c.index >= at, ENTRIES.c.index < at + _AT_ONCE)).all()
        for *sealed, seal in found:
            if old is None or seal == old.seal(ENTRIES.name, sealed):
                anew = new.seal(ENTRIES.name, sealed)
                session.execute(sa.update(ENTRIES).where(ENTRIES.c.index == sealed[0]).values(seal=anew))
        at += _AT_ONCE


def count_forged(session: Session, key: RowKey) -> int:
    """Return how many entries this service did not append, by their seals."""
    return len(_forged(session, key, 0))


def forged_from(session: Session, start: int) -> list[int]:
    """Return the indices of the entries from `start` on that this service did not append, by their seals."""
    key: RowKey | None = session.info.get(ROW_KEY)
    return [] if key is None else _forged(session, key, start)


def _forged(session: Session, key: RowKey, start: int) -> list[int]:
    query = sa.select(*_SEALED, ENTRIES.c.seal).where(ENTRIES.c.index >= start).order_by(ENTRIES.c.index)
    rows = session.execute(query.execution_options(yield_per=_AT_ONCE))
    return [sealed[0] for *sealed, seal in rows if seal != key.seal(ENTRIES.name, sealed)]


def newest_of_accounts(session: Session) -> dict[str, int]:
    """Return for each account the index of the newest entry that says it was changed."""
    account = ENTRIES.c.account
    query = sa.select(account, sa.func.max(ENTRIES.c.index)).where(account.is_not(None)).group_by(account)
    return {str(person): int(index) for person, index in session.execute(query)}


def approvals_of(session: Session, round_id: str | None) -> TwoPersons:
    """Return the requests and approvals of a round in this log, if one is given, and those of no round.

    Raises:
        ForgedRowError: One of these entries was not appended by this service, or was changed.
        AuditError: What is stored is not an entry.
    """
    key: RowKey | None = session.info.get(ROW_KEY)
    kinds = ENTRIES.c.kind.in_([kind.value for kind in APPROVAL_KINDS])
    rounds = sa.or_(ENTRIES.c.round_id == round_id, ENTRIES.c.round_id.is_(None))
    query = sa.select(ENTRIES.c.index, ENTRIES.c.account, ENTRIES.c.seal, ENTRIES.c.content)
    found: list[tuple[int, Entry]] = []
    for index, account, seal, content in session.execute(query.where(kinds, rounds).order_by(ENTRIES.c.index)):
        if content is None:
            continue
        if key is not None:
            key.check(ENTRIES.name, index, (index, leaf_hash(bytes(content)), account), seal)
        found.append((index, read_entry(bytes(content))))
    return TwoPersons(found)


def actor_fields(actor: Actor, action: Action) -> dict[str, str]:
    """Return the fields of an entry for its actor: the pseudonymous id, and the role that allows the action."""
    rows = role_table().rows.values()
    role = min(row.role.value for row in rows if row.role in actor.roles and action in row.actions)
    return {"person": actor.person, "role": role}


@dataclass(frozen=True, slots=True)
class Journal:
    """The writer of rows and log entries, with their time and author."""

    store: Store
    clock: Callable[[], int]
    code: str

    def log(self, session: Session, kind: EntryKind, by: tuple[Actor, Action] | None = None, **fields: object) -> None:
        """Append an entry to the log, with who did it and by which right, if it was a person."""
        person = {} if by is None else actor_fields(*by)
        append(session, Entry.of(kind, self.clock(), self.code, **fields, **person))


def frontier(session: Session) -> Frontier:
    """Return the right edge of the log's tree; raises AuditError if what is stored does not hold together."""
    row = session.execute(sa.select(EDGE.c.size, EDGE.c.peaks)).one_or_none()
    if row is None:
        return Frontier()
    size, peaks = row
    return Frontier(size, [peaks[start : start + HASH_BYTES] for start in range(0, len(peaks), HASH_BYTES)])


class TileReader:
    """Reads roots of perfect trees from the log's rows, for proofs (`aquila.audit.merkle.Reader`).

    A tile is one query, and is kept for the proofs that follow.
    """

    def __init__(self, session: Session) -> None:
        @cache
        def tile(tile_level: int, number: int) -> dict[int, bytes]:
            # By number: a row that somebody removed must not move the others.
            if tile_level == 0:
                place, query = ENTRIES.c.index, sa.select(ENTRIES.c.index, ENTRIES.c.leaf_hash)
            else:
                place, query = (
                    NODES.c.number,
                    sa.select(NODES.c.number, NODES.c.hash).where(NODES.c.level == tile_level),
                )
            first = number * TILE_WIDTH
            found = session.execute(query.where(place >= first, place < first + TILE_WIDTH))
            return {at: bytes(one) for at, one in found}

        self._tile = tile

    def __call__(self, level: int, number: int) -> bytes:
        """Return the root of a perfect tree; raises AuditError if the log has fewer entries."""
        return perfect_root(level, number, self.hash_at)

    def hash_at(self, tile_level: int, number: int) -> bytes:
        """Return a hash of a tile; raises as the reader does."""
        found = self._tile(tile_level, number // TILE_WIDTH).get(number)
        if found is None:
            raise AuditError("log_node_unknown", level=tile_level, number=number)
        return found


def leaves(session: Session, start: int, end: int) -> list[bytes]:
    """Return the hashes of the leaves from `start` up to `end`."""
    query = sa.select(ENTRIES.c.leaf_hash).where(ENTRIES.c.index >= start, ENTRIES.c.index < end)
    return [bytes(leaf) for leaf in session.scalars(query.order_by(ENTRIES.c.index))]


def contents_from(session: Session, start: int, end: int) -> list[bytes]:
    """Return the contents of the entries from `start` up to `end`; nothing in place of one that was erased."""
    query = sa.select(ENTRIES.c.content).where(ENTRIES.c.index >= start, ENTRIES.c.index < end)
    return [bytes(content or b"") for content in session.scalars(query.order_by(ENTRIES.c.index))]


def contents(session: Session, indices: Sequence[int]) -> Iterator[tuple[int, bytes]]:
    """Yield the contents of entries with their indices, but for those that retention erased."""
    for first in range(0, len(indices), _AT_ONCE):
        place = ENTRIES.c.index.in_(indices[first : first + _AT_ONCE])
        for index, content in session.execute(sa.select(ENTRIES.c.index, ENTRIES.c.content).where(place)):
            if content is not None:
                yield index, bytes(content)


def contents_of_kind(session: Session, kind: EntryKind) -> list[bytes]:
    """Return the contents of the entries of a kind in their order, but for those that retention erased."""
    query = sa.select(ENTRIES.c.content).where(ENTRIES.c.kind == kind.value, ENTRIES.c.content.is_not(None))
    return [bytes(content or b"") for content in session.scalars(query.order_by(ENTRIES.c.index))]


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry as its row has it, unread; without content where retention erased it."""

    index: int
    content: bytes | None
    leaf: bytes
    columns: Mapping[str, Any]
    """What the row repeats of the entry, for it to be found by; the leaf does not cover it."""

    def is_of(self, entry: Entry) -> bool:
        """Return whether the row is this entry's: else a search or a round's story would leave the entry out."""
        return leaf_hash(self.content or b"") == self.leaf and _columns_of(entry) == self.columns

    def unchanged(self) -> Entry | None:
        """Return the entry, or None where its content is gone, cannot be read, or is not of this row."""
        try:
            entry = None if self.content is None else read_entry(self.content)
        except AuditError:
            return None
        return entry if entry and self.is_of(entry) else None


_STORED = ENTRIES.c.index, ENTRIES.c.content, ENTRIES.c.leaf_hash
_COLUMNS = ENTRIES.c.kind, ENTRIES.c.time, ENTRIES.c.round_id, ENTRIES.c.account


def stored_entries(session: Session, *conditions: sa.ColumnElement[bool]) -> Iterator[StoredEntry]:
    """Yield the entries whose rows fulfil all conditions, in their order."""
    query = sa.select(*_STORED, *_COLUMNS).where(*conditions).order_by(ENTRIES.c.index)
    return _stored(session, query.execution_options(yield_per=_AT_ONCE))


def entries_of_round(session: Session, round_id: str) -> list[StoredEntry]:
    """Return the entries of a round in their order."""
    return list(stored_entries(session, ENTRIES.c.round_id == round_id))


def entries_down(session: Session, below: int | None, limit: int, wanted: EntrySearch) -> list[StoredEntry]:
    """Return entries from the newest down that have the kind, the round and the time that are wanted."""
    query = sa.select(*_STORED, *_COLUMNS)
    query = query.order_by(ENTRIES.c.index.desc()).limit(limit)
    kind = None if wanted.kind is None else wanted.kind.value
    conditions = (
        (kind, ENTRIES.c.kind == kind),
        (wanted.round_id, ENTRIES.c.round_id == wanted.round_id),
        (wanted.since, ENTRIES.c.time >= (wanted.since or 0)),
        (wanted.until, ENTRIES.c.time < (wanted.until or 0)),
        (below, ENTRIES.c.index < (below or 0)),
    )
    return list(_stored(session, query.where(*(condition for value, condition in conditions if value is not None))))


def entries_between(session: Session, start: int, end: int) -> list[StoredEntry]:
    """Return the entries from `start` up to `end` in their order."""
    return list(stored_entries(session, ENTRIES.c.index >= start, ENTRIES.c.index < end))


def newest_of_round(session: Session, round_id: str) -> dict[str, int]:
    """Return for each kind of entry of a round the time of the newest, in seconds since 1970."""
    query = sa.select(ENTRIES.c.kind, sa.func.max(ENTRIES.c.time)).where(ENTRIES.c.round_id == round_id)
    return {str(kind): int(at) for kind, at in session.execute(query.group_by(ENTRIES.c.kind))}


def statements_kept(session: Session, round_id: str, kind: EntryKind) -> set[str]:
    """Return the digests of a round's statements of a kind whose entries still have their contents."""
    query = sa.select(ENTRIES.c.content).where(
        ENTRIES.c.round_id == round_id, ENTRIES.c.kind == kind.value, ENTRIES.c.content.is_not(None)
    )
    return {read_entry(bytes(content)).digests["statement"] for content in session.scalars(query)}


def _stored(session: Session, query: sa.Select[Any]) -> Iterator[StoredEntry]:
    with session.execute(query) as rows:  # closed where a caller has found what it looked for
        for index, content, leaf, *columns in rows:
            repeated = dict(zip((column.key for column in _COLUMNS), columns, strict=True))
            yield StoredEntry(index, None if content is None else bytes(content), bytes(leaf), repeated)


def size(session: Session) -> int:
    return session.scalar(sa.select(sa.func.max(EDGE.c.size))) or 0


def _store_nodes(session: Session, entries_now: int) -> None:
    """Store the roots of the tiles that the last entry completed."""
    level, count = 1, entries_now
    while count and count % TILE_WIDTH == 0:
        count //= TILE_WIDTH
        number = count - 1
        below = hashes(session, level - 1, number * TILE_WIDTH, count * TILE_WIDTH)
        session.execute(sa.insert(NODES).values(level=level, number=number, hash=tree_root(below)))
        level += 1


def hashes(session: Session, level: int, start: int, end: int) -> list[bytes]:
    """Return hashes of a tile level in their order."""
    if level == 0:
        return leaves(session, start, end)
    query = sa.select(NODES.c.hash).where(NODES.c.level == level, NODES.c.number >= start, NODES.c.number < end)
    return [bytes(found) for found in session.scalars(query.order_by(NODES.c.number))]


def log_replaced(session: Session, registry: Registry, holder: str, logged_by: str, now: int) -> bool:
    """Append the entry that a holder's key was replaced, once; return whether it is new."""
    keys = registry.keys_of(holder)
    logged = map(read_entry, contents_of_kind(session, EntryKind.KEY_REPLACED))
    known = {entry.digests["key"] for entry in logged if entry.recipient == holder}
    if keys[-1].fingerprint in known:
        return False
    before = max((place for place, key in enumerate(keys[:-1]) if key.fingerprint in known), default=0)
    digests = {"former": keys[before].fingerprint, "key": keys[-1].fingerprint}
    append(session, Entry.of(EntryKind.KEY_REPLACED, now, logged_by, recipient=holder, digests=digests))
    return True
