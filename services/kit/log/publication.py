"""A service's own log, shown to others: signed checkpoints, and tiles as static files (PROTOCOL.md 10.3 and 10.4).

The files lie in a folder of the home, `log/`, in the layout that `aquila audit verify` reads, so the folder, a copy of
it and an export are one and the same: `checkpoint` (the newest), `checkpoints/` (all of them, by size, and an index),
`tile/` (hashes, entries and the statements that they are about), `statistics/` and `registry.json`. They follow the
database: what a crash left out is written at the next publication. A checkpoint is in the database before it is in a
file, and in a file after everything that it covers.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from aquila.audit import merkle
from aquila.audit.checkpoint import (
    CLOCK_SKEW,
    Checkpoint,
    Note,
    Update,
    cosignature_of,
    cosigned_at,
    open_checkpoint,
    parse_checkpoint,
    parse_note,
)
from aquila.audit.entries import Entry, read_entry
from aquila.crypto.keys import SigningKey, VerifyKey
from aquila.errors import AuditError, BindingError, LogRewrittenError
from aquila.protocol.messages import LogHead
from aquila.protocol.messages.feed import EntryProof, HeadProof, ProofRequest, Proofs, StatementProof
from aquila.protocol.registry import Registry
from services.kit.errors import NotFoundError
from services.kit.log.entries import (
    CHECKPOINTS,
    ENTRIES,
    NEWEST_NOTE,
    TileReader,
    check_seals,
    contents,
    contents_from,
    frontier,
    hashes,
)
from services.kit.logging import Log
from services.kit.storage.files import ChunkFiles
from services.kit.storage.store import Store

_LOG = Log("kit.own_log")
CHECKPOINT_FILE = "checkpoint"
INDEX_FILE = "checkpoints/index"
REGISTRY_FILE = "registry.json"
_LOCK = ".lock"


def _no_places(_session: Session, _caller: str, _digests: Sequence[str]) -> dict[str, int]:
    """Know no statement's place: this log proves none."""
    return {}


def _no_entries(_session: Session, _caller: str, _start: int, size: int) -> tuple[dict[int, bytes], int]:
    """Name nobody: this log shows no entries to parties."""
    return {}, size


@dataclass(frozen=True, slots=True)
class OwnLog:
    """The log of this service."""

    store: Store
    files: ChunkFiles
    holder: str
    """Whose log it is: a party's code, or `matcher`."""
    key: SigningKey
    registry: Registry
    clock: Callable[[], int]
    statements: Callable[[Session, Sequence[Entry]], list[bytes | None]]
    """Gives for entries the envelopes of the statements that they are about; None where there is none."""
    statistics: Callable[[Session, str], bytes | None]
    """Gives what the service publishes of a round that ended, or None."""
    places: Callable[[Session, str, Sequence[str]], dict[str, int]] = _no_places
    """Gives the indices of the entries of statements, by digest, that a caller may have proved to it."""
    naming: Callable[[Session, str, int, int], tuple[dict[int, bytes], int]] = _no_entries
    """Gives the contents of entries that name a caller, by index, from one up to a size, and up to which index these
    are all."""

    @property
    def origin(self) -> str:
        return self.registry.origin_of(self.holder)

    @property
    def keys(self) -> tuple[VerifyKey, ...]:
        """The keys that signed its checkpoints, the oldest first; one that waits for its registry is among them."""
        return self.registry.log_keys(self.holder, self.key.public)

    def publish(self) -> bool:
        """Sign a checkpoint if there are new entries, and write entries missing in the files; return whether any was.

        Raises:
            LogRewrittenError: The files have a later or another log than the database: it was restored or changed.
            StoreError: The database or the disk failed; it is done at the next publication.
        """
        with self._turn():
            shown = self._shown()
            with self.store.transaction("log.checkpoint") as session:
                newest = self._signed(session, shown)
            if newest is None or (shown is not None and shown.size == newest.size):
                return False
            with self.store.reading("log.publish") as session:
                self._write(session, shown.size if shown else 0, newest.size)
        _LOG.info("checkpoint_signed", count=newest.size)
        return True

    def check(self) -> None:
        """Compare the database with what the files have shown; raises LogRewrittenError as `publish` does."""
        with self._turn(), self.store.reading("log.check") as session:
            shown = self._shown()
            if shown is not None:
                self._check_shown(session, frontier(session).size, shown)

    def newest(self) -> Note | None:
        """Return the newest checkpoint with the cosignatures that came, or None while the log is empty."""
        with self.store.reading("log.newest") as session:
            note = session.scalar(NEWEST_NOTE)
        return None if note is None else parse_note(note)

    def update(self, old: int) -> Update | None:
        """Return the newest checkpoint with a proof that the log only grew since it had `old` entries, or None."""
        with self.store.reading("log.update") as session:
            return self._update(session, old)

    def prove(self, asked: ProofRequest, caller: str) -> Proofs | None:
        """Return the newest checkpoint with every proof up to it that was asked for, or None while the log is empty.

        A checkpoint is signed first where none covers all of it yet, so that a statement that was taken is proved at
        once.

        Args:
            caller: To whom; of statements that are not for its eyes nothing is said.
        """
        with self.store.reading("log.places") as session:
            places = self.places(session, caller, asked.statements)
            content = session.scalar(NEWEST_NOTE)
        if content is None or max(places.values(), default=-1) >= parse_checkpoint(parse_note(content).text).size:
            self.publish()
        with self.store.reading("log.prove") as session:
            update = self._update(session, asked.old)
            if update is None:
                return None
            size, read = parse_checkpoint(update.note.text).size, cache(TileReader(session))
            named: tuple[dict[int, bytes], int | None] = {}, None
            if asked.entries_from is not None:
                named = self.naming(session, caller, asked.entries_from, size)
            return Proofs(
                update=update.to_bytes().decode(),
                heads=tuple(
                    HeadProof(size=old, hashes=_hex(merkle.prove_consistency(old, size, read)))
                    for old in asked.heads
                    if old <= size
                ),
                statements=tuple(_statement_proofs(session, places, size, read)),
                entries=tuple(
                    EntryProof(
                        index=index, content=content.decode(), hashes=_hex(merkle.prove_inclusion(index, size, read))
                    )
                    for index, content in named[0].items()
                ),
                entries_to=named[1],
            )

    def check_head(self, session: Session, party: str, head: LogHead) -> None:
        """Refuse a head that a party names and this log does not begin with, as far as it has signed."""
        newest = session.scalar(NEWEST_NOTE)
        signed = 0 if newest is None else parse_checkpoint(parse_note(newest).text).size
        if head.size > signed or _head(session, head.size).hex() != head.root:
            raise BindingError("seen_checkpoint_not_signed", party=party, expected=signed, got=head.size)

    def take_cosignature(self, witness: str, content: bytes) -> None:
        """Keep a witness's cosignature of one of the checkpoints."""
        key, name = self.registry.key_of(witness), self.registry.witness_of(witness)
        came, given = open_checkpoint(content, self.origin, *self.keys)
        at, signature = cosigned_at(given, name, key), cosignature_of(given, name, key)
        if at is None or signature is None:
            raise AuditError("checkpoint_not_cosigned_by_sender", witness=witness)
        with self._turn(), self.store.transaction("log.cosignature") as session:
            stored = session.scalar(select(CHECKPOINTS.c.note).where(CHECKPOINTS.c.size == came.size))
            if stored is None or parse_note(stored).text != given.text:
                raise NotFoundError("checkpoint_unknown_to_log", size=came.size)
            self._check_clock(session, came.size, at)
            note = parse_note(stored).with_signature(signature).to_bytes()
            session.execute(update(CHECKPOINTS).where(CHECKPOINTS.c.size == came.size).values(note=note))
            # If we crash here, the file has a cosignature that the witness sends again.
            shown = self._shown()
            self.files.write(f"checkpoints/{came.size}", note)
            if shown is not None and shown.size == came.size:
                self.files.write(CHECKPOINT_FILE, note)

    def _check_clock(self, session: Session, size: int, at: int) -> None:
        """Refuse a cosignature whose time cannot be: an auditor holds the times of entries against it."""
        signed = session.scalar(select(CHECKPOINTS.c.signed_at).where(CHECKPOINTS.c.size == size))
        later = session.scalar(select(func.min(CHECKPOINTS.c.signed_at)).where(CHECKPOINTS.c.size > size))
        if not (signed or 0) - CLOCK_SKEW <= at <= (later or self.clock()) + CLOCK_SKEW:
            raise AuditError("cosignature_time_out_of_range", size=size, got=at)

    @contextlib.contextmanager
    def reading_files(self) -> Iterator[ChunkFiles]:
        """Lend the folder while nothing in it changes."""
        with self._turn():
            yield self.files

    def refresh(self, numbers: Iterable[int]) -> None:
        """Write bundles again, after contents in them were erased; others use the log between two of them."""
        for number in numbers:
            with self._turn(), self.store.reading("log.refresh") as session:
                newest = self._shown()
                width = min(merkle.TILE_WIDTH, (newest.size if newest else 0) - number * merkle.TILE_WIDTH)
                if width > 0:
                    self._write_bundles(session, number, width)

    @staticmethod
    def _update(session: Session, old: int) -> Update | None:
        content = session.scalar(NEWEST_NOTE)
        if content is None:
            return None
        note = parse_note(content)
        size = parse_checkpoint(note.text).size
        proof = merkle.prove_consistency(old, size, TileReader(session)) if 0 < old < size else []
        return Update(old, tuple(proof), note)

    def _shown(self) -> Checkpoint | None:
        """Return the newest checkpoint of the files, or None."""
        try:
            content = self.files.read(CHECKPOINT_FILE)
        except NotFoundError:
            return None
        return open_checkpoint(content, self.origin, *self.keys)[0]

    def _signed(self, session: Session, shown: Checkpoint | None) -> Checkpoint | None:
        """Return the checkpoint over everything that is committed, signed and stored."""
        edge = frontier(session)
        if shown is not None:
            self._check_shown(session, edge.size, shown)
        if edge.size == 0:
            return None
        checkpoint = Checkpoint(self.origin, edge.size, edge.root)
        known = select(CHECKPOINTS.c.size).where(CHECKPOINTS.c.size == edge.size)
        if session.scalar(known) is None:
            last = session.scalar(select(func.max(CHECKPOINTS.c.size))) or 0
            check_seals(session, last, edge.size)
            note = checkpoint.sign(self.key).to_bytes()
            session.execute(insert(CHECKPOINTS).values(size=edge.size, note=note, signed_at=self.clock()))
        return checkpoint

    def _check_shown(self, session: Session, size: int, shown: Checkpoint) -> None:
        """Refuse to sign anything where the database does not hold what its log has shown already."""
        stored = session.scalar(select(CHECKPOINTS.c.note).where(CHECKPOINTS.c.size == shown.size))
        if stored is None or parse_checkpoint(parse_note(stored).text).root != shown.root or size < shown.size:
            raise LogRewrittenError("database_log_differs_from_files", what="shrunk", expected=shown.size, got=size)

    def _write(self, session: Session, start: int, size: int) -> None:
        """Write what came between two sizes, and the checkpoint last."""
        for level, number, width in merkle.tiles_of(size):
            if (number + 1) << (merkle.TILE_LEVELS * (level + 1)) > start:
                first = number * merkle.TILE_WIDTH
                self._replace(
                    merkle.tile_path, (level, number), width, b"".join(hashes(session, level, first, first + width))
                )
                if level == 0:
                    self._write_bundles(session, number, width)
        # Not as distinct values: an index of all rounds would be read for them.
        rounds = select(ENTRIES.c.round_id).where(ENTRIES.c.index >= start, ENTRIES.c.round_id.is_not(None))
        for round_id in dict.fromkeys(session.scalars(rounds)):
            published = self.statistics(session, round_id)
            if published is not None:
                self.files.write(f"statistics/{round_id}.json", published)
        self._write_registry()
        sizes = select(CHECKPOINTS.c.size).where(CHECKPOINTS.c.size <= size).order_by(CHECKPOINTS.c.size)
        index = "".join(f"{number}\n" for number in session.scalars(sizes))
        # More than one where the files are not there, after a restore, or an earlier publication failed.
        unwritten = select(CHECKPOINTS.c.size, CHECKPOINTS.c.note).where(
            CHECKPOINTS.c.size > start, CHECKPOINTS.c.size <= size
        )
        note = b""
        for number, note in session.execute(unwritten.order_by(CHECKPOINTS.c.size)):
            self.files.write(f"checkpoints/{number}", note)
        self.files.write(INDEX_FILE, index.encode())
        self.files.write(CHECKPOINT_FILE, note)

    def _write_registry(self) -> None:
        """Write the fingerprints of the pinned keys, where they are new."""
        fingerprints = {"matcher": self.registry.matcher.fingerprint} | {
            code: party.key.fingerprint for code, party in sorted(self.registry.parties.items())
        }
        content = json.dumps(fingerprints, indent=2, sort_keys=True).encode() + b"\n"
        if not self.files.exists(REGISTRY_FILE) or self.files.read(REGISTRY_FILE) != content:
            self.files.write(REGISTRY_FILE, content)

    def _write_bundles(self, session: Session, number: int, width: int) -> None:
        """Write an entry bundle and the bundle of its statements; an erased entry leaves nothing in both."""
        first = number * merkle.TILE_WIDTH
        found = contents_from(session, first, first + width)
        envelopes = iter(self.statements(session, [_read(content) for content in found if content]))
        said = [next(envelopes) or b"" if content else b"" for content in found]
        self._replace(merkle.bundle_path, (number,), width, merkle.write_bundle(found))
        self._replace(merkle.statements_path, (number,), width, merkle.write_statements(said))

    def _replace(self, path: Callable[..., str], place: tuple[int, ...], width: int, content: bytes) -> None:
        """Write a tile, and remove the narrower ones of its place that readers of older checkpoints had."""
        name = path(*place, width)
        self.files.write(name, content)
        folder = path(*place) + ".p"
        for narrower in self.files.names(folder):
            if narrower != name:
                self.files.delete(narrower)

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """Take the one turn at the folder; a lock on a file, which ends with the process that holds it."""
        descriptor = os.open(self.files.root / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


@lru_cache(maxsize=2 * merkle.TILE_WIDTH)
def _read(content: bytes) -> Entry:
    """Read an entry, which the bundle that grows is written with again and again; raises as `read_entry` does."""
    return read_entry(content)


def _statement_proofs(
    session: Session, places: Mapping[str, int], size: int, read: merkle.Reader
) -> Iterator[StatementProof]:
    """Yield a proof for each statement whose entry is among the first `size`, by its digest and place."""
    found = dict(contents(session, [index for index in places.values() if index < size]))
    for digest, index in places.items():
        if index in found:
            entry = read_entry(found[index])
            proof = _hex(merkle.prove_inclusion(index, size, read))
            yield StatementProof(digest=digest, index=index, time=entry.time, salt=entry.salt, hashes=proof)


def _hex(hashes: Sequence[bytes]) -> tuple[str, ...]:
    return tuple(one.hex() for one in hashes)


def _head(session: Session, size: int) -> bytes:
    """Return the head of the first entries, from the checkpoint of this size where there is one."""
    note = session.scalar(select(CHECKPOINTS.c.note).where(CHECKPOINTS.c.size == size))
    return (
        merkle.span_root(0, size, cache(TileReader(session)))
        if note is None
        else parse_checkpoint(parse_note(note).text).root
    )
