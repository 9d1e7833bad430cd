"""A service's own log: checkpoints over what is committed, files in the layout of C2SP tlog-tiles, cosignatures."""

import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from aquila.audit.checkpoint import (
    Checkpoint,
    check_growth,
    check_named,
    cosign,
    open_checkpoint,
    parse_note,
    parse_update,
    witness_name,
)
from aquila.audit.entries import Entry, EntryKind, Reason
from aquila.audit.merkle import (
    bundle_path,
    leaf_hash,
    read_bundle,
    read_statements,
    read_tile,
    statements_path,
    tile_path,
    tree_root,
)
from aquila.audit.proven_entry import read_proven_entry
from aquila.audit.roles import Role
from aquila.crypto.keys import IdentityKey
from aquila.errors import AuditError, BindingError, LogRewrittenError, OrderError, SignatureError
from aquila.interface.log import EntrySearch, EntrySignature
from aquila.protocol.messages import LogHead
from aquila.protocol.messages.feed import ProofRequest
from aquila.protocol.registry import RegisteredParty, Registry
from services.kit.actor import LOCAL_KEY, Actor
from services.kit.errors import NotFoundError, TooManyCallsError
from services.kit.log.entries import CHECKPOINTS, EDGE, ENTRIES, TABLES, append, frontier
from services.kit.log.publication import OwnLog
from services.kit.log.witness import Witness
from services.kit.log_access.use_cases import LogUseCases, NewestCosignatures
from services.kit.settings import DatabaseSettings
from services.kit.storage.files import ChunkFiles
from services.kit.storage.store import Store, database_url, declare, new_metadata

KEYS = {
    name: IdentityKey.generate(lambda count, seed=seed: bytes([seed]) * count)
    for seed, name in enumerate(("matcher", "SI", "AL"), start=1)
}
REGISTRY = Registry(
    KEYS["matcher"].public, {code: RegisteredParty(code, code, KEYS[code].public) for code in ("AL", "SI")}
)
AUDITOR = Actor(LOCAL_KEY, frozenset({Role.AUDITOR, Role.ADMINISTRATOR}))
ROUND = "0" * 32


@dataclass
class Side:
    store: Store
    folder: Path
    holder: str
    time: int = 1_800_000_000
    own: OwnLog = field(init=False)
    witness: Witness = field(init=False)

    def __post_init__(self) -> None:
        metadata = new_metadata()
        declare(metadata, TABLES)
        metadata.create_all(self.store.engine)
        files, key = ChunkFiles(self.folder / self.holder), KEYS[self.holder]
        self.own = OwnLog(
            self.store, files, self.holder, key, REGISTRY, lambda: self.time, statements, lambda *_: b"{}"
        )
        self.witness = Witness(self.store, files, self.holder, key, REGISTRY, lambda: self.time)

    @property
    def use_cases(self) -> LogUseCases:
        return LogUseCases(self.own, self.witness)

    def fill(self, count: int) -> None:
        with self.store.transaction("test.fill") as session:
            for number in range(count):
                append(session, Entry.of(EntryKind.IMPORT, number, "SI", round=ROUND, counts={"records": number}))

    def shown(self) -> Checkpoint:
        content = self.own.files.read("checkpoint")
        return open_checkpoint(content, self.own.origin, KEYS[self.holder].public)[0]


def statements(_session: Session, entries: Sequence[Entry]) -> list[bytes | None]:
    return [b"statement %d" % entry.time if entry.time % 2 else None for entry in entries]


@pytest.fixture
def side(store: Store, tmp_path: Path) -> Side:
    return Side(store, tmp_path, "SI")


def test_nothing_is_signed_over_nothing(side: Side) -> None:
    """An empty log has no checkpoint, nothing to show, and nothing to prove."""
    assert not side.own.publish()
    assert side.own.newest() is None
    assert side.own.update(0) is None
    assert side.use_cases.view().size == 0


def test_its_files_are_the_log(side: Side) -> None:
    """Tiles, entries and statements lead to the signed head, and only the newest partial ones stay."""
    side.fill(200)
    assert side.own.publish()
    assert not side.own.publish()
    side.fill(100)
    side.own.publish()
    files = side.own.files
    shown = side.shown()
    leaves = read_tile(files.read(tile_path(0, 0)), 256) + read_tile(files.read(tile_path(0, 1, 44)), 44)
    assert tree_root(leaves) == shown.root
    assert read_tile(files.read(tile_path(1, 0, 1)), 1) == [tree_root(leaves[:256])]
    entries = read_bundle(files.read(bundle_path(0)), 256) + read_bundle(files.read(bundle_path(1, 44)), 44)
    assert list(map(leaf_hash, entries)) == leaves
    assert read_statements(files.read(statements_path(1, 44)), 44)[:2] == [b"", b"statement 57"]
    assert not files.exists(bundle_path(0, 200))
    assert files.read("checkpoints/index") == b"200\n300\n"
    assert json.loads(files.read("registry.json"))["AL"] == KEYS["AL"].public.fingerprint
    assert files.exists(f"statistics/{ROUND}.json")


def test_a_crash_before_the_files_is_mended(side: Side) -> None:
    side.fill(3)
    side.own.publish()
    side.own.files.delete("checkpoint")
    assert side.own.publish()
    assert side.shown().size == 3


@pytest.mark.parametrize("published", [True, False])
def test_a_changed_entry_is_shown_as_such(side: Side, *, published: bool) -> None:
    """Content that is not its leaf's, and a leaf that is not the tree's, wherever they lie; the others hold."""
    side.fill(300)
    if published:
        side.own.publish()
    other = Entry.of(EntryKind.IMPORT, 5, "SI", round=ROUND, counts={"records": 7})

    def put(place: int, **values: Any) -> None:
        with side.store.transaction("test.change") as session:
            session.execute(update(ENTRIES).where(ENTRIES.c.index == place).values(values))

    def broken() -> set[int]:
        pages = [side.use_cases.page(AUDITOR, EntrySearch(below=below, limit=200)).broken for below in (None, 150)]
        return {index for page in pages for index in page}

    places = {0, 255, 256, 299}
    with side.store.reading("test.before") as session:
        before = select(ENTRIES).where(ENTRIES.c.index.in_(places))
        right = {row["index"]: dict(row) for row in session.execute(before).mappings()}
    for place in places:
        put(place, content=other.content())
    assert broken() == places
    for place in places:
        put(place, leaf_hash=other.leaf(), kind=other.kind.value, time=other.time)
    found = side.use_cases.round_entries(AUDITOR, ROUND)
    assert places & set(found.broken) == (places if published else set())
    assert all(found.entries[place].entry == other for place in places)
    for place in places:
        put(place, **right[place])
    assert broken() == set()


def test_an_entry_that_cannot_be_read_is_shown_as_changed(side: Side) -> None:
    side.fill(3)
    side.own.publish()
    with side.store.transaction("test.change") as session:
        session.execute(update(ENTRIES).where(ENTRIES.c.index == 1).values(content=b"<b>"))
    page = side.use_cases.page(AUDITOR, EntrySearch(limit=5))
    assert (page.broken, page.entries[1].entry) == ((1,), None)


def test_entries_are_found_by_day_party_role_and_text(side: Side) -> None:
    """Each filter leaves what it names; a search goes on below where it stopped."""
    reason = Reason(legal_basis="Article 5", purpose="Border control", case_reference="K-17/2026")
    with side.store.transaction("test.fill") as session:
        for number in range(6):
            fields = {"reason": reason} if number == 3 else {"recipient": "AL"} if number == 4 else {}
            role = {"person": "p-0123456789ab", "role": "officer"} if number % 2 else {}
            append(session, Entry.of(EntryKind.IMPORT, 100 + number, "SI", **fields, **role))

    def found(**wanted: Any) -> list[int]:
        return [item.index for item in side.use_cases.page(AUDITOR, EntrySearch(kind="import", **wanted)).entries]

    assert found(since=102, until=105) == [4, 3, 2]
    assert found(role=Role.OFFICER) == [5, 3, 1]
    assert found(party="AL") == [4]
    assert found(text="k-17") == [3]
    assert found(text="p-0123") == [5, 3, 1]
    assert found(text="BORDER", role=Role.ANALYST) == found(text="salt") == []
    page = side.use_cases.page(AUDITOR, EntrySearch(role=Role.OFFICER, limit=2))
    assert [item.index for item in page.entries] == [5, 3]
    assert page.earlier == 3
    assert [item.index for item in side.use_cases.page(AUDITOR, EntrySearch(role=Role.OFFICER, below=3)).entries] == [1]
    with side.store.transaction("test.change") as session:
        session.execute(update(ENTRIES).where(ENTRIES.c.index == 0).values(content=b"<b>"))
    assert found(text="BORDER") == [3, 0]  # what cannot be read may be what is looked for


def test_an_entry_comes_with_its_proof(side: Side) -> None:
    """The file is checked with the log's key alone; a byte of the entry more, and it proves nothing."""
    side.fill(5)
    assert side.use_cases.entry(AUDITOR, 2).proof == ""
    side.own.publish()
    view = side.use_cases.entry(AUDITOR, 2)
    proven = read_proven_entry(view.proof.encode())
    assert proven.verify(side.own.origin, *side.own.keys).size == 6
    assert proven.entry == view.numbered.entry
    with pytest.raises(AuditError, match="another head"):
        replace(proven, index=3).verify(side.own.origin, *side.own.keys)
    with side.store.transaction("test.change") as session:
        session.execute(update(ENTRIES).where(ENTRIES.c.index == 2).values(leaf_hash=bytes(32)))
    changed = side.use_cases.entry(AUDITOR, 2)
    assert (changed.broken, changed.proof) == (True, "")
    with pytest.raises(NotFoundError):
        side.use_cases.entry(AUDITOR, 99)


def test_the_log_is_checked_as_it_is_stored(side: Side) -> None:
    """A check counts what it looked at, and names an entry, a statement and a checkpoint that do not fit."""
    side.fill(3)
    side.own.publish()
    side.fill(3)
    side.own.publish()
    found = side.use_cases.check(AUDITOR)
    assert (found.size, found.newer, found.contents, found.checkpoints) == (6, 0, 6, 2)
    assert (found.broken, found.bad_checkpoints, found.statements) == ((), (), 0)
    assert found.keys["SI"] == KEYS["SI"].public.fingerprint
    with side.store.transaction("test.change") as session:
        said = Entry.of(EntryKind.CONSENT, 1, "SI", round=ROUND, digests={"statement": "0" * 64})
        append(session, said)
        append(session, said.model_copy(update={"time": 2}))
    side.own.publish()
    found = side.use_cases.check(AUDITOR)
    # Of the two one has an envelope, which nobody signed.
    assert (found.broken, found.not_kept) == ((7,), 1)
    (kept, not_kept) = side.use_cases.page(AUDITOR, EntrySearch(kind=EntryKind.CONSENT)).entries[::-1]
    assert (kept.signature, not_kept.signature) == (EntrySignature.WRONG, EntrySignature.NOT_KEPT)
    with side.store.transaction("test.change") as session:
        session.execute(delete(ENTRIES).where(ENTRIES.c.index == 4))
    assert set(side.use_cases.check(AUDITOR).bad_checkpoints) >= {6}


def test_a_log_is_not_checked_without_end(side: Side) -> None:
    use_cases = side.use_cases
    for _ in range(5):
        use_cases.check(AUDITOR)
    with pytest.raises(TooManyCallsError, match="five times"):
        use_cases.check(AUDITOR)


def test_a_check_finds_a_log_that_was_cut(side: Side) -> None:
    """Newest checkpoint and entries gone and the edge set back: the log fits itself, but not its files."""
    side.fill(1)
    side.own.publish()
    with side.store.reading("test.edge") as session:
        edge = dict(session.execute(select(EDGE)).mappings().one())
    side.fill(1)
    side.own.publish()
    assert not side.use_cases.check(AUDITOR).differs_from_files
    with side.store.transaction("test.cut") as session:
        session.execute(delete(ENTRIES).where(ENTRIES.c.index > 0))
        session.execute(delete(CHECKPOINTS).where(CHECKPOINTS.c.size > 1))
        session.execute(update(EDGE).values(edge))
    found = side.use_cases.check(AUDITOR)
    assert (found.broken, found.bad_checkpoints, found.differs_from_files) == ((), (), True)


@pytest.mark.parametrize("whole", [True, False])
def test_a_check_names_the_newest_checkpoint_if_it_was_changed(side: Side, *, whole: bool) -> None:
    """Whether it cannot be read any more, or has another size under the signatures of its log and of a witness."""
    side.fill(1)
    side.own.publish()
    side.fill(1)
    side.own.publish()
    note = side.own.newest()
    assert note is not None
    note = cosign(note, witness_name("AL", KEYS["AL"].public), KEYS["AL"], side.own.clock())
    changed = b"" if whole else note.to_bytes().replace(b"\n2\n", b"\n1\n", 1)
    with side.store.transaction("test.change") as session:
        session.execute(update(CHECKPOINTS).where(CHECKPOINTS.c.size == 2).values(note=changed))
    found = side.use_cases.check(AUDITOR)
    assert (found.bad_checkpoints, found.size, found.newer, found.witnesses) == ((2,), 1, 1, ())
    assert side.use_cases.view().size == 1


@pytest.mark.parametrize(
    "column",
    [{"kind": "sign_in"}, {"round_id": None}, {"time": 0}, {"account": LOCAL_KEY}],
    ids=lambda one: next(iter(one)),
)
def test_an_entry_that_was_filed_elsewhere_is_found(side: Side, column: dict[str, Any]) -> None:
    """What a row repeats of its entry decides what a search shows; nobody hides an entry by changing that alone."""
    with side.store.transaction("test.fill") as session:
        append(session, Entry.of(EntryKind.OPENING, side.time, "SI", round=ROUND))
    side.own.publish()
    assert side.use_cases.check(AUDITOR).broken == side.use_cases.page(AUDITOR, EntrySearch()).broken == ()
    with side.store.transaction("test.change") as session:
        session.execute(update(ENTRIES).where(ENTRIES.c.index == 0).values(column))
    assert side.use_cases.check(AUDITOR).broken == side.use_cases.page(AUDITOR, EntrySearch()).broken == (0,)


def test_cosignatures_are_kept(side: Side) -> None:
    """A witness's line is added to the checkpoint in database and file, and shown; another's is refused."""
    side.fill(2)
    side.own.publish()
    note = side.own.newest()
    assert note is not None
    now = side.own.clock()
    given = cosign(note, witness_name("AL", KEYS["AL"].public), KEYS["AL"], now)
    side.own.take_cosignature("AL", given.to_bytes())
    assert parse_note(side.own.files.read("checkpoint")) == given
    assert [(found.witness, found.size, found.at) for found in side.use_cases.view().witnesses] == [("AL", 2, now)]
    with pytest.raises(AuditError, match="not cosigned by its sender"):
        side.own.take_cosignature("matcher", given.to_bytes())
    with pytest.raises(SignatureError):
        side.own.take_cosignature("RS", given.to_bytes())
    side.fill(1)
    side.own.publish()
    side.own.take_cosignature("AL", given.to_bytes())
    assert parse_note(side.own.files.read("checkpoints/2")) == given
    with side.store.transaction("test.forget") as session:
        session.execute(delete(CHECKPOINTS).where(CHECKPOINTS.c.size == 2))
    with pytest.raises(NotFoundError):
        side.own.take_cosignature("AL", given.to_bytes())


def test_a_witness_that_is_away_is_not_forgotten(store: Store, tmp_path: Path) -> None:
    """Its newest cosignature is found however many checkpoints came since, and one that never came is missed."""
    side = Side(store, tmp_path, "matcher")

    def witnessed(code: str) -> tuple[str, int, int]:
        note = side.own.newest()
        assert note is not None
        given = cosign(note, witness_name(code, KEYS[code].public), KEYS[code], side.time)
        side.own.take_cosignature(code, given.to_bytes())
        return code, side.shown().size, side.time

    def published() -> None:
        side.time += 60
        side.fill(1)
        side.own.publish()

    published()
    seen, missed, newest = witnessed("AL"), ("SI", 0, side.time), NewestCosignatures(side.own)
    assert [(one.witness, one.size, one.at) for one in newest.current()] == [seen, missed]
    for _ in range(30):
        published()
    assert [(one.witness, one.size, one.at) for one in newest.current()] == [seen, missed]
    begun_anew = NewestCosignatures(side.own).current()
    assert [(one.witness, one.size, one.at) for one in begun_anew] == [seen, ("SI", 0, side.time)]
    later = witnessed("SI")
    for found in (newest, NewestCosignatures(side.own)):
        assert [(one.witness, one.size, one.at) for one in found.current()] == [seen, later]


def test_a_node_misses_the_matcher_alone(side: Side) -> None:
    assert [(one.witness, one.size) for one in NewestCosignatures(side.own).current()] == [("matcher", 0)]


def test_a_cosignature_of_another_time_is_refused(side: Side) -> None:
    """A witness whose clock is wrong would let an auditor doubt the times of entries."""
    side.fill(2)
    side.own.publish()
    note = side.own.newest()
    assert note is not None
    now = side.own.clock()
    for at in (now - 601, now + 601, 0, 1 << 60):
        given = cosign(note, witness_name("AL", KEYS["AL"].public), KEYS["AL"], at)
        with pytest.raises(AuditError, match="time is not between this checkpoint and the next"):
            side.own.take_cosignature("AL", given.to_bytes())
    for at in (now - 600, now + 600):
        given = cosign(note, witness_name("AL", KEYS["AL"].public), KEYS["AL"], at)
        side.own.take_cosignature("AL", given.to_bytes())


def test_a_database_behind_its_files_signs_nothing(side: Side) -> None:
    side.fill(3)
    side.own.publish()
    with side.store.transaction("test.restore") as session:
        for table in (ENTRIES, EDGE, CHECKPOINTS):
            session.execute(delete(table))
    with pytest.raises(LogRewrittenError, match="another log") as caught:
        side.own.publish()
    with pytest.raises(LogRewrittenError, match="another log"):
        side.own.check()
    followed: list[Session] = []
    side.witness.report_contradiction(caught.value, b"", followed.append)
    side.witness.report_contradiction(caught.value, b"", followed.append)
    assert len(followed) == 2
    (alarm,) = side.witness.alarms()
    with pytest.raises(LogRewrittenError):
        side.witness.seen_size("matcher")
    side.witness.acknowledge(AUDITOR, alarm.alarm_id)
    assert side.own.publish()
    assert side.shown().size == 2


def test_an_export_is_the_folder(side: Side) -> None:
    """The archive holds every file, and its newest entry says that it was exported."""
    side.fill(1)
    archive = io.BytesIO()
    side.use_cases.export(AUDITOR, archive)
    archive.seek(0)
    with tarfile.open(fileobj=archive) as opened:
        members = {member.name: member for member in opened.getmembers()}
        content = opened.extractfile(members[bundle_path(0, 2)])
        assert content is not None
        exported = read_bundle(content.read(), 2)[1]
    assert json.loads(exported)["kind"] == "log_exported"
    assert set(members) == set(side.own.files.names())


def test_looking_at_the_log_is_an_entry(side: Side) -> None:
    side.fill(2)
    with side.store.transaction("test.erase") as session:
        session.execute(update(ENTRIES).where(ENTRIES.c.index == 0).values(content=None))
    found = side.use_cases.round_entries(AUDITOR, ROUND).entries
    assert [item.entry is None for item in found] == [True, False]
    assert side.use_cases.round_entries(AUDITOR, ROUND).entries[2].entry is not None
    with pytest.raises(NotFoundError):
        side.use_cases.round_entries(AUDITOR, "f" * 32)


def test_bundles_are_written_anew_after_an_erasure(side: Side) -> None:
    side.fill(3)
    side.own.publish()
    with side.store.transaction("test.erase") as session:
        session.execute(update(ENTRIES).where(ENTRIES.c.index == 1).values(content=None))
    side.own.refresh([0, 1])
    assert read_bundle(side.own.files.read(bundle_path(0, 3)), 3)[1] == b""
    assert read_statements(side.own.files.read(statements_path(0, 3)), 3)[1] == b""
    assert len(read_tile(side.own.files.read(tile_path(0, 0, 3)), 3)) == 3


def test_a_witness_sees_a_log_grow(side: Side, tmp_path: Path) -> None:
    """It cosigns what is new, once, and remembers it in two places."""
    side.fill(2)
    side.own.publish()
    other = Witness(side.store, ChunkFiles(tmp_path / "AL"), "AL", KEYS["AL"], REGISTRY, lambda: 9)
    assert other.seen_size("SI") == 0
    shown = side.own.update(0)
    assert shown is not None
    cosigned = other.cosign("SI", shown.to_bytes())
    assert other.cosign("SI", shown.to_bytes()) == cosigned
    assert other.seen_size("SI") == 2
    assert hashlib.sha256(other.files.read("seen/SI")).digest() == hashlib.sha256(cosigned.to_bytes()).digest()
    other.vanished("AL")  # it was never seen: nothing is missing
    with pytest.raises(LogRewrittenError, match="to 0 entries"):
        other.vanished("SI")
    with pytest.raises(LogRewrittenError):
        other.cosign("SI", shown.to_bytes())
    (alarm,) = other.alarms()
    with pytest.raises(NotFoundError):
        other.acknowledge(AUDITOR, alarm.alarm_id + 1)
    other.acknowledge(AUDITOR, alarm.alarm_id)
    with pytest.raises(OrderError):
        other.acknowledge(AUDITOR, alarm.alarm_id)
    assert other.seen_size("SI") == 0
    assert other.cosign("SI", shown.to_bytes()) == cosigned
    assert other.seen_size("SI") == 2


def test_proofs_of_what_others_saw(side: Side) -> None:
    """One answer has the newest checkpoint, the proof since the caller's, and one for each other size that it has."""
    assert side.own.prove(ProofRequest(old=0, heads=(3,), statements=(), entries_from=None), "AL") is None
    side.fill(5)
    side.own.publish()
    smaller = side.shown()
    side.fill(6)
    side.own.publish()
    proofs = side.own.prove(ProofRequest(old=5, heads=(5, 11, 40), statements=(), entries_from=None), "AL")
    assert proofs is not None
    update = parse_update(proofs.update.encode())
    check_growth(smaller, side.shown(), update)
    assert [one.size for one in proofs.heads] == [5, 11]
    check_named(side.shown(), 5, smaller.root, [bytes.fromhex(one) for one in proofs.heads[0].hashes])
    assert proofs.heads[1].hashes == ()


def frontier_root(side: Side) -> bytes:
    with side.store.reading("test.frontier") as session:
        return frontier(session).root


def test_a_head_that_the_log_never_signed(side: Side) -> None:
    side.fill(4)
    head = LogHead(size=4, root=frontier_root(side).hex())
    with side.store.reading("test.unsigned") as session, pytest.raises(BindingError, match="AL names a checkpoint"):
        side.own.check_head(session, "AL", head)
    side.fill(2)
    side.own.publish()
    with side.store.reading("test.signed") as session:
        side.own.check_head(session, "AL", head)
        side.own.check_head(session, "AL", LogHead(size=6, root=side.shown().root.hex()))
        for wrong in ({"root": "ab" * 32}, {"size": 3}, {"size": 7}):
            with pytest.raises(BindingError, match="AL names a checkpoint"):
                side.own.check_head(session, "AL", head.model_copy(update=wrong))


def test_what_was_seen_last_is_known_after_a_start(side: Side, tmp_path: Path) -> None:
    """The newest checkpoint of another log is known without asking for it, also by a process that has just begun."""
    other = Side(Store(database_url(DatabaseSettings(), tmp_path / "other.db")), tmp_path, "matcher")
    assert side.witness.latest("matcher") is None
    for count in (3, 4):
        other.fill(count)
        other.own.publish()
        update = other.own.update(side.witness.seen_size("matcher"))
        assert update is not None
        side.witness.cosign("matcher", update.to_bytes())
        assert side.witness.latest("matcher") == other.shown()
    assert replace(side.witness, _latest={}).latest("matcher") == other.shown()
    other.store.close()
