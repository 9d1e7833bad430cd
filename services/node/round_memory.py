"""Memory of a round between steps; after a start all of it is rebuilt from the store.

The verified round (`verified_round.Round`), the opened round key and secrets, and what the matcher believes
to be due. The record changes only within a transaction: if that fails, the record is thrown away and read anew.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.crypto.group import Group
from aquila.crypto.keys import SecretBytes
from aquila.crypto.sealing import RoundKey
from aquila.errors import KeyMaterialError
from aquila.interface.rounds import ChanceView
from aquila.matching.certainty import GradingBasis
from aquila.protocol.messages import HitReport
from aquila.protocol.party import RoundSecrets
from aquila.protocol.registry import Registry
from aquila.protocol.rounds.round_state import ReportKey
from aquila.protocol.rounds.verified_round import Round, read_erased
from aquila.protocol.shadow.checks import ToldPairs
from aquila.protocol.submission_plan import SubmissionPlan
from aquila.records.rules import InputClass
from services.kit.errors import ExposedSecretError, NotFoundError
from services.kit.storage.files import destroy_secret, read_secret, secret_exists, write_secret
from services.kit.storage.store import Store
from services.kit.work.drivers import Failures
from services.kit.work.memory import KeptColumns, KeptResults
from services.node.storage.tables import RoundRow, SecretRow, StatementRow

ROUND_SECRETS = "round"
_KEPT_SECONDS = 60.0  # for which a record that nobody reads is kept where nothing is to be done in its round
_PAIRS = 100_000  # of reports, that are kept


@dataclass(frozen=True, slots=True)
class KeptReadings:
    """What queries read again and again of the submissions before them, of all rounds together: the newest of it.

    It is as secret as the round key under which it is stored, and goes with it.
    """

    rows: KeptColumns = field(default_factory=KeptColumns)
    """Token rows of own submissions."""
    told: KeptResults[ToldPairs] = field(default_factory=lambda: KeptResults(_PAIRS, lambda one: 1 + len(one.pairs)))
    """What reports for this node tell."""

    def forget(self, round_id: str) -> None:
        """Forget all of a round."""
        self.rows.forget(round_id.__eq__)
        self.told.forget(lambda subject: subject.startswith(round_id))


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a node from which a round's memory is rebuilt and its keys are made."""

    store: Store
    """Statements and sealed secrets."""
    registry: Registry
    """The pinned keys."""
    group: Group
    """The group of the round's elements."""
    keys: Path
    """The folder of round keys."""
    clock: Callable[[], int]
    """Seconds since 1970."""
    random: Callable[[int], bytes]
    """Gives random bytes."""
    code: str
    """This party's code."""
    kept: KeptReadings = field(default_factory=KeptReadings)
    """What was read for queries."""


@dataclass(slots=True)
class PreparedSubmission:
    """A submission being blinded; kept in memory between batches, and made again after a start."""

    plan: SubmissionPlan
    seed: SecretBytes
    records: int


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """Data of a report, or of a page of it, that are the same for many of its hits; the message is read once."""

    counterpart: str = ""
    """With whom its hits are; nobody where it is not for this node."""
    query: str | None = None
    """The query that it is about, or None for the lists."""
    chance: ChanceView | None = None
    """What it says of chance; of a report in pages the last one tells it."""
    basis: GradingBasis | None = None
    """On what its hits were graded."""
    second: frozenset[str] = frozenset()
    """Hits one of whose records has a partner that is more certain."""


class ReportedHit(NamedTuple):
    """The words of a signed report on one hit."""

    counterpart: str
    certainty: str
    families: tuple[str, ...]
    submission_id: str | None


class TakenStatement(NamedTuple):
    """An own statement that the matcher took: its kind, and the bytes that it names."""

    kind: str
    submission_id: str
    chunk: int = 0
    """Of an evaluation, of which chunk."""
    counterpart: str = ""
    """Of tokens, for whom."""


class RoundMemory:
    """One round in memory.

    Attributes:
        manifest_seen: Whether the matcher's manifest was compared with ours since the node started.
        synced: Whether the feed was read to its end since the node started. Before that nothing is signed: a database
            that is older than what this node has said would say it again otherwise.
        read_at: When the feed was read to its end last, in seconds since 1970; 0 before the first time since the start.
        brought: Bytes that came with the newest page of the feed, by submission, chunk and evaluator, or an empty text
            for a blinded chunk. Nothing says yet that they are those that were signed.
        taken: Own statements with bytes that the matcher took since the node started: their bytes may be sent, though
            the feed has not brought the statements back.
        failures: What stood in the way of lanes, apart from the first of them, whose failure is that of the step.
        destroyed: Whether the key, and all that goes with it, was destroyed and only the last words are to be signed.
        works: Submissions being blinded, by id.
        full_until: Until when nothing more is sent, because the matcher had no room; seconds since 1970.
        compared: Reports whose check by their party was compared with the own one since the node started.
        reports: What the reports for this node say of all their hits, by digest, once somebody asked.
        reported: What the reports for this node, as far as they came, say of each hit, by its id; part of the record.
        read_last: When the record was read last, by a clock that only counts, in seconds.
        no_room_for: For whom, and in which class, this node's own caps by day are used up; at first all, so that what
            was noted before a start is forgotten where it has passed.
    """

    def __init__(self, parts: Parts, round_id: str) -> None:
        self._parts = parts
        self.round_id = round_id
        self.manifest_seen = False
        self.synced = False
        self.read_at = 0
        self.brought: dict[tuple[str, int, str], bytes] = {}
        self.taken: set[TakenStatement] = set()
        self.failures = Failures(0)
        self.destroyed = False
        self.works: dict[str, PreparedSubmission] = {}
        self.full_until = 0
        self.compared: set[ReportKey] = set()
        self.reports: dict[str, ReportFacts] = {}
        self.reported: dict[str, ReportedHit] = {}
        self.no_room_for = frozenset((party, kind) for party in parts.registry.parties for kind in InputClass)
        self._round: Round | None = None
        self._key: RoundKey | None = None
        self._secrets: RoundSecrets | None = None
        self._lock = threading.RLock()
        self.read_last = 0.0

    @property
    def key_path(self) -> Path:
        """Return the path of the round key."""
        return self._parts.keys / f"{self.round_id}.key"

    @contextlib.contextmanager
    def reading(self) -> Iterator[Round]:
        """Lend the record, which does not change meanwhile.

        Raises:
            AquilaError: What is stored does not hold together.
        """
        with self._lock:
            if self._round is None:
                self._round = self._restored()
            self.read_last = time.monotonic()
            yield self._round

    def record(self) -> Round:
        """Return the record for a long step of the driver, which alone changes it and does so between its steps."""
        with self.reading() as round_:
            return round_

    @contextlib.contextmanager
    def changing(self) -> Iterator[Round]:
        """Lend the record for changes that belong to a transaction; where the block fails, it is read again."""
        with self.reading() as round_:
            try:
                yield round_
            except BaseException:
                self._round = None
                raise

    @property
    def has_record(self) -> bool:
        """Return whether the record is in memory, or has to be read from the store when it is next asked for."""
        return self._round is not None

    def forget_record(self) -> None:
        """Forget the record, what was read of reports and for queries, and which statements were taken.

        The last counts while bytes are left to be sent; the others are read again when somebody asks for them. To be
        called between steps of the driver, which keeps the record during one.
        """
        self._parts.kept.forget(self.round_id)
        with self._lock:
            self._round, self.reports, self.reported, self.taken = None, {}, {}, set()

    def take_report(self, report: HitReport) -> None:
        """Remember what a report, or a page of it, says of its hits, if it is for this node."""
        if report.party == self._parts.code:
            alike: dict[ReportedHit, ReportedHit] = {}  # a report has many hits, and few kinds of them
            for hit in report.hits:
                said = ReportedHit(report.counterpart, hit.certainty.value, hit.families, report.submission_id)
                self.reported[hit.hit_id] = alike.setdefault(said, said)

    def make_key(self) -> RoundKey:
        """Write a new round key.

        If we crash after this, the key lies there unused, and the next attempt writes another one in its place.
        """
        key = RoundKey.generate(self.round_id, self._parts.random)
        write_secret(self.key_path, key.to_bytes())
        self._key = key
        return key

    @property
    def note_key_path(self) -> Path:
        """Return the path of the note key, which outlives the round key until notes are collected or expire."""
        return self._parts.keys / f"{self.round_id}.notes.key"

    def note_key(self, *, make: bool = False) -> RoundKey:
        """Return the note key, for a `with` block that overwrites it.

        Raises:
            KeyMaterialError: Its file is missing or overwritten, so that it is lost.
            ExposedSecretError: Its file is open to others.
            StoreError: Its file cannot be read now.
        """
        if make and not secret_exists(self.note_key_path):
            with RoundKey.generate(self.round_id, self._parts.random) as fresh:
                write_secret(self.note_key_path, fresh.to_bytes())
        return self._read_key(self.note_key_path)

    def key(self) -> RoundKey:
        """Return the round key.

        Raises:
            KeyMaterialError: Its file is missing or overwritten, so that it is lost.
            ExposedSecretError: Its file is open to others.
            StoreError: Its file cannot be read now.
        """
        if self._key is None:
            # Read again each time the process starts: a key that was taken away is noticed.
            self._key = self._read_key(self.key_path)
        return self._key

    def seal(self, name: str, content: bytes) -> bytes:
        """Encrypt a secret of the round for storage under its name."""
        return self.key().seal(name, content, self._parts.random)

    def secrets(self) -> RoundSecrets:
        """Return the share and keys of the round; raises KeyMaterialError as `key` does."""
        with self._lock:  # several chunks ask for them at once
            if self._secrets is None:
                self._secrets = RoundSecrets.from_bytes(self._parts.group, self._opened(ROUND_SECRETS))
            return self._secrets

    def seed(self, submission_id: str) -> SecretBytes:
        """Return a submission's seed, which the caller closes; raises KeyMaterialError as `key` does."""
        return SecretBytes(self._opened(seed_name(submission_id)))

    def is_paused(self) -> bool:
        """Return whether sending waits for room at the matcher."""
        return self._parts.clock() < self.full_until

    def check_key(self) -> None:
        """Refuse a key file that is missing, even while the key is still in memory.

        Raises:
            StoreError: The disk does not say.
        """
        if not secret_exists(self.key_path):
            raise KeyMaterialError("round_key_missing", round=self.round_id)
        self.key()

    def destroy_key(self) -> None:
        """Overwrite the round key and everything opened with it, in memory and on the disk; can be repeated."""
        for work in self.works.values():
            work.seed.close()
        self.works = {}
        self._parts.kept.forget(self.round_id)
        if self._secrets is not None:
            self._secrets.close()
        if self._key is not None:
            self._key.close()
        self._secrets = self._key = None
        destroy_secret(self.key_path)

    def _read_key(self, path: Path) -> RoundKey:
        try:
            return RoundKey(read_secret(path), self.round_id)
        except ExposedSecretError:
            raise ExposedSecretError("round_key_exposed", round=self.round_id, path=path) from None

    def _opened(self, name: str) -> bytes:
        with self._parts.store.reading("secret.read") as session:
            row = session.get(SecretRow, (self.round_id, name))
        if row is None:
            raise KeyMaterialError("round_secret_missing", round=self.round_id)
        return self.key().open(name, row.sealed)

    def _restored(self) -> Round:
        parts = self._parts
        with parts.store.reading("round.restore") as session:
            manifest = round_row(session, self.round_id).manifest
            query = select(StatementRow).where(
                StatementRow.round_id == self.round_id, StatementRow.event_id.is_not(None)
            )
            statements = session.scalars(query.order_by(StatementRow.event_id)).all()
        restored = Round.from_manifest(parts.registry, parts.group, manifest)
        self.reported = {}
        for row in statements:
            if row.erased_at is None:
                message = restored.accept(row.envelope).message
                if isinstance(message, HitReport):
                    self.take_report(message)
            else:
                restored.accept_read(read_erased(row.envelope, row.digest))
        return restored


class RoundMemories:
    """The memories of a node's rounds, each made when it is first asked for.

    Attributes:
        kept_seconds: For how long a record that nobody reads is kept where nothing is to be done in its round.
        kept: What was read for queries.
    """

    def __init__(self, parts: Parts) -> None:
        self.kept_seconds = _KEPT_SECONDS
        self.kept = parts.kept
        self._parts = parts
        self._found: dict[str, RoundMemory] = {}

    def __contains__(self, round_id: str) -> bool:
        return round_id in self._found

    def of(self, round_id: str) -> RoundMemory:
        """Return the memory of a round, the same one each time."""
        return self._found.setdefault(round_id, RoundMemory(self._parts, round_id))

    @contextlib.contextmanager
    def reading(self, round_id: str) -> Iterator[Round]:
        """Lend a verified round to a handler, before its transaction begins: the driver takes both in this order."""
        known = self._found.get(round_id)
        if known is None or not known.has_record:
            with self._parts.store.reading("round.known") as session:
                round_row(session, round_id)
        with self.of(round_id).reading() as round_:
            yield round_

    def forget_resting(self, open_rounds: Collection[str]) -> None:
        """Forget the records of rounds in which nothing is to be done, once nobody reads them.

        A node has years of rounds. To be called between steps of the driver.
        """
        oldest = time.monotonic() - self.kept_seconds
        for round_id, memory in list(self._found.items()):
            if round_id not in open_rounds and memory.has_record and memory.read_last < oldest:
                memory.forget_record()

    def forget(self, round_id: str) -> None:
        """Forget a round, whose memory is made again from the store when it is next asked for."""
        self._found.pop(round_id, None)
        self.kept.forget(round_id)

    def clear(self) -> None:
        """Forget every round, as a start does."""
        for round_id in [*self._found]:
            self.forget(round_id)


def seed_name(submission_id: str) -> str:
    """Return the name of a submission's seed among the secrets."""
    return f"seed-{submission_id}"


def round_row(session: Session, round_id: str) -> RoundRow:
    """Return a round's row; raises NotFoundError if the node knows no such round."""
    row = session.get(RoundRow, round_id)
    if row is None:
        raise NotFoundError("round_unknown_to_node")
    return row
