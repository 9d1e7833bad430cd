"""Backups of a small home: what is refused, what is left behind, and what goes from one database to another."""

import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import URL, insert, select

import aquila
from aquila.audit.checkpoint import Checkpoint, log_name
from aquila.crypto.keys import IdentityKey, SealingKey
from aquila.errors import AquilaError, AuditError, InputError, KeyMaterialError, SealError, SignatureError
from aquila.protocol.registry import RegisteredParty, Registry, write_registry
from clients.cli.offline.backups import _missing
from services.kit.administration.backup.archive import Head, HomeFile, Row, TableHead, read_archive, writing
from services.kit.administration.backup.make import back_up
from services.kit.administration.backup.restore import LogVerification, Source, restoring
from services.kit.errors import StoreError
from services.kit.log import entries
from services.kit.storage.files import write_secret
from services.kit.storage.migrate import head_revision, migrate, revision_of
from services.matcher.storage import home as matcher_home
from services.node.backup import back_up_node, check_node, restore_node
from services.node.main import BACKED, PACKAGE
from services.node.storage import home as node_home
from services.node.storage.tables import ImportRow, RecordRow
from tests.support import stored_log
from tests.support.backups import KEY
from tests.support.clock import Clock
from tests.support.databases import lay_tables
from tests.support.migration_packages import add_migrations_of_next_release

CLOCK = Clock()
IMPORT = {
    "import_id": "a" * 32,
    "name": "list",
    "format": "csv",
    "records": 1,
    "refused": 0,
    "imported_at": 1,
    "complete": True,
    "digest": None,
    "for_query": False,
}
RECORD = {"import_id": "a" * 32, "position": 0, "record_id": "x\n'\"", "content": b"\x00\xff", "words": "љубав"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A node's home with a list of one record."""
    path = tmp_path / "home"
    key = node_home.create(path, "SI", "Slovenia", "http://127.0.0.1:8700", port=0)
    matcher = matcher_home.create(tmp_path / "matcher", port=0)
    registry = Registry(matcher, {"SI": RegisteredParty("SI", "SI", key)})
    (path / "registry.toml").write_bytes(write_registry(registry))
    lay_tables(path)
    return path


@pytest.fixture
def backup(home: Path, tmp_path: Path) -> Path:
    back_up_node(home, KEY.public, tmp_path / "backup", CLOCK)
    return tmp_path / "backup"


def source(backup: Path, home: Path, settings: Path | None = None) -> Source:
    """Return what a restore needs."""
    return Source(backup, KEY, [home / "identity.pem"], settings)


def forged(into: Path, change: Callable[[list[object]], None], identity: IdentityKey, backup: Path) -> Path:
    """Write a backup with changed lines under a signature of a key."""
    with backup.open("rb") as file:
        lines: list[object] = list(read_archive(file, KEY))
    change(lines)
    with into.open("wb") as out, writing(out, KEY.public) as archive:
        for line in lines:
            if isinstance(line, TableHead):
                archive.put_rows(line, iter(()))
            elif isinstance(line, Head | HomeFile):
                archive.put(line)
        archive.sign(identity)
    return into


def test_a_backup_is_an_entry_of_the_log(home: Path, backup: Path) -> None:
    """The log says to which key a backup was sealed, and the backup holds that entry too."""
    settings = BACKED.load(home)
    with closing(BACKED.open_store(settings)) as store, store.reading("test.log") as session:
        [(_, entry)] = stored_log.entries(session)
    assert entry is not None
    assert (entry.kind.value, entry.role, list(entry.digests)) == ("backup", "administrator", ["recipient"])
    assert check_node(backup, KEY).head.log_size == 1
    assert backup.stat().st_mode & 0o777 == 0o600


def test_it_replaces_nothing(home: Path, backup: Path) -> None:
    """Neither a backup nor a home that is there is replaced."""
    with pytest.raises(InputError, match="is there already"):
        back_up_node(home, KEY.public, backup, CLOCK)
    with pytest.raises(InputError, match="not an empty folder"):
        restore_node(source(backup, home), home, clock=CLOCK)


def test_nothing_is_left_of_a_restore_that_fails(home: Path, backup: Path, tmp_path: Path) -> None:
    """Without the identity key, with another one, or with another home in the settings, no home comes into being."""
    new = tmp_path / "new"
    with pytest.raises(InputError, match="identity key"):
        restore_node(Source(backup, KEY, []), new, clock=CLOCK)
    other = tmp_path / "other" / "identity.pem"
    other.parent.mkdir()
    shutil.copy(tmp_path / "matcher" / "identity.pem", other)
    with pytest.raises(KeyMaterialError, match="another one"):
        restore_node(Source(backup, KEY, [other]), new, clock=CLOCK)
    settings = tmp_path / "settings.toml"
    settings.write_text((home / "node.toml").read_text().replace('home = "."', f'home = "{tmp_path}"'))
    with pytest.raises(InputError, match="the home"):
        restore_node(source(backup, home, settings), new, clock=CLOCK)
    assert not new.exists()
    new.mkdir(mode=0o700)
    with pytest.raises(InputError, match="high-water mark"):
        restore_node(source(backup, home), new, mark=home / "identity.pem", clock=CLOCK)
    with pytest.raises(InputError, match="identity key"):
        restore_node(Source(backup, KEY, []), new, clock=CLOCK)
    assert not any(new.iterdir())


def test_a_cut_or_changed_file_is_refused(home: Path, backup: Path, tmp_path: Path) -> None:
    """A cut file, a changed one, and one for another key restore nothing."""
    content = backup.read_bytes()
    for changed in (content[:-20], content[:-1] + bytes([content[-1] ^ 1]), content + b"x", b""):
        backup.write_bytes(changed)
        with pytest.raises(SealError):
            restore_node(source(backup, home), tmp_path / "new", clock=CLOCK)
    backup.write_bytes(content)
    with pytest.raises(SealError, match="sealed to the key"):
        check_node(backup, SealingKey(bytes(32)))
    assert not (tmp_path / "new").exists()


def test_what_others_sealed_is_refused(home: Path, backup: Path, tmp_path: Path) -> None:
    """Anybody can seal to a public key: without the service's signature nothing is restored."""
    stranger = IdentityKey.from_pem((tmp_path / "matcher" / "identity.pem").read_bytes())
    with pytest.raises(SignatureError):
        check_node(forged(tmp_path / "forged", lambda _: None, stranger, backup), KEY)

    def names_stranger(lines: list[object]) -> None:
        assert isinstance(lines[0], Head)
        lines[0] = lines[0].model_copy(update={"identity": stranger.public.hex, "log_size": 0, "log_root": ""})

    whole = forged(tmp_path / "forged", names_stranger, stranger, backup)
    assert check_node(whole, KEY).head.key == stranger.public
    with pytest.raises(KeyMaterialError, match="another one"):
        restore_node(source(whole, home), tmp_path / "new", clock=CLOCK)


def test_a_content_that_does_not_fit_is_refused(home: Path, backup: Path, tmp_path: Path) -> None:
    """A file outside of the home, a log without its entries, another service and a later release are refused."""
    own = IdentityKey.from_pem((home / "identity.pem").read_bytes())

    def escapes(lines: list[object]) -> None:
        lines.insert(1, HomeFile.of("keys/../../x", b""))

    def named(**changes: object) -> Callable[[list[object]], None]:
        def change(lines: list[object]) -> None:
            assert isinstance(lines[0], Head)
            lines[0] = lines[0].model_copy(update=changes)

        return change

    for change in (escapes, named(), named(service="matcher"), named(revision="9999"), named(backup=2)):
        with pytest.raises((InputError, AuditError, AquilaError)):
            check_node(forged(tmp_path / "forged", change, own, backup), KEY)
    no_table = forged(tmp_path / "forged", named(log_size=0, log_root=""), own, backup)
    assert check_node(no_table, KEY).rows["log_entry"] == 0


def test_bytes_that_are_no_backup(tmp_path: Path) -> None:
    """A sealed stream of other content is refused as such."""
    for content in (b"", b"{", b"[1]\n", b'{"backup":1}\n', b'{"x":1}\n'):
        path = tmp_path / "other"
        with path.open("wb") as out, writing(out, KEY.public) as archive:
            archive.into.write(content)
        with pytest.raises(InputError):
            check_node(path, KEY)


def test_private_keys_stay_out(home: Path, tmp_path: Path) -> None:
    """A certificate of the home is kept; a file with a private key is not, whatever setting names it."""
    (home / "cert.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    (home / "tls").mkdir(mode=0o700)
    write_secret(home / "tls" / "ca.key", b"key of the own CA")
    (home / "both.pem").write_text("-----BEGIN PRIVATE KEY-----\n")
    outside = tmp_path / "ca.pem"
    outside.write_text("-----BEGIN CERTIFICATE-----\n")
    with (home / "node.toml").open("a") as file:
        file.write(f'[tls]\ncertificate = "cert.pem"\nkey = "both.pem"\nca = "{outside}"\n[command]\nca = "both.pem"\n')
    made = back_up_node(home, KEY.public, tmp_path / "backup", CLOCK)
    assert set(made.files) == {"node.toml", "registry.toml", "cert.pem"}
    assert {(one.setting, one.secret) for one in made.head.needed} == {
        ("identity", True),
        ("tls.key", True),
        ("tls.ca", False),
        ("command.ca", True),
        ("home", True),
    }
    brought = Source(tmp_path / "backup", KEY, [home / "identity.pem", home / "tls" / "ca.key"])
    restored = restore_node(brought, tmp_path / "new", clock=CLOCK)
    assert (tmp_path / "new" / "tls" / "ca.key").read_bytes() == b"key of the own CA"
    assert (tmp_path / "new" / "cert.pem").exists()
    assert [one.split(":")[0] for one in restored.missing] == ["tls.key", "command.ca"]


def test_keys_that_no_setting_names_are_missed(home: Path, tmp_path: Path) -> None:
    """A service that starts without the key of people makes another one, so the restore says it."""
    (home / "tls").mkdir(mode=0o700)
    for name in ("people.key", "tls/ca.key"):
        write_secret(home / name, bytes(32))
    back_up_node(home, KEY.public, tmp_path / "backup", CLOCK)
    brought = [home / "identity.pem"]
    restored = restore_node(Source(tmp_path / "backup", KEY, brought), tmp_path / "first", clock=CLOCK)
    assert restored.missing == ("people.key", "tls/ca.key")
    assert "Without people.key" in _missing(restored.missing)[1]
    brought += [home / "people.key", home / "tls" / "ca.key"]
    restored = restore_node(Source(tmp_path / "backup", KEY, brought), tmp_path / "second", clock=CLOCK)
    assert (restored.missing, _missing(restored.missing)) == ((), [])


def test_a_database_of_another_release_is_not_backed_up(home: Path, package: str, tmp_path: Path) -> None:
    """A database that a release has not brought up to date is refused, and leaves no file."""
    add_migrations_of_next_release(package)
    with pytest.raises(StoreError, match=r"has the schema \d{4}, which this release does not use"):
        back_up(replace(BACKED, package=package), home, "SI", KEY.public, tmp_path / "backup", CLOCK)
    assert not (tmp_path / "backup").exists()
    (home / "node.db").unlink()
    with pytest.raises(AquilaError):
        back_up_node(home, KEY.public, tmp_path / "backup", CLOCK)


def test_an_earlier_schema_is_brought_up_to_date(home: Path, package: str, backup: Path, tmp_path: Path) -> None:
    """The next release restores a backup of this one in its own schema, and migrates it."""
    newest = add_migrations_of_next_release(package)
    next_release = replace(BACKED, package=package)
    with restoring(next_release, source(backup, home), tmp_path / "new") as restored:
        assert restored.checked.head.revision == head_revision(PACKAGE)
        with closing(next_release.open_store(restored.settings)) as store:
            with store.reading("test.revision") as session:
                assert revision_of(session.connection()) == head_revision(PACKAGE)
            assert migrate(store, package) == newest


def test_checkpoints_are_verified_by_the_keys_of_the_log() -> None:
    """One that a replaced key signed counts; one of another log, of a stranger, or that was changed does not."""
    old, new, stranger = (IdentityKey.generate(lambda size, first=first: bytes([first]) * size) for first in (1, 2, 3))
    head = Head(
        service="node",
        party="SI",
        release=aquila.__version__,
        revision="0001",
        database="sqlite",
        created_at=CLOCK(),
        identity=new.public.hex,
        log_keys=(old.public.hex, new.public.hex),
        log_size=0,
        log_root="",
    )

    def taken(origin: str, key: IdentityKey, size: int) -> bytes:
        note = Checkpoint(origin, size, bytes(32)).sign(key).to_bytes()
        LogVerification(head).check_row(Row("log_checkpoint", {"note": note}))
        return note

    origin = log_name("SI", old.public)
    note = taken(origin, old, 1)
    taken(origin, new, 2)
    with pytest.raises(AuditError, match="another log"):
        taken(log_name("SI", new.public), new, 1)
    with pytest.raises(AuditError, match="not signed"):
        taken(origin, stranger, 1)
    with pytest.raises(AuditError, match="is wrong"):
        LogVerification(head).check_row(Row("log_checkpoint", {"note": note.replace(b"\n1\n", b"\n3\n")}))
    with pytest.raises(AuditError, match="another log"):  # a backup from before keys could be replaced
        LogVerification(head.model_copy(update={"log_keys": ()})).check_row(Row("log_checkpoint", {"note": note}))


def test_from_one_database_to_the_other(home: Path, tmp_path: Path, postgres_url: URL) -> None:
    """A backup of SQLite is restored on PostgreSQL, whose numbers go on behind; it has to be empty."""
    settings = BACKED.load(home)
    with closing(BACKED.open_store(settings)) as store, store.transaction("test.rows") as session:
        session.execute(insert(ImportRow).values(IMPORT))
        session.execute(insert(RecordRow).values(RECORD))
    back_up_node(home, KEY.public, tmp_path / "backup", CLOCK)
    url = postgres_url.render_as_string(hide_password=False)
    (tmp_path / "pg.toml").write_text((home / "node.toml").read_text() + f'\n[database]\nurl = "{url}"\n')
    new = source(tmp_path / "backup", home, tmp_path / "pg.toml")
    restore_node(new, tmp_path / "new", clock=CLOCK)
    with closing(BACKED.open_store(BACKED.load(tmp_path / "new"))) as store:
        with store.reading("test.rows") as session:
            assert dict(session.execute(select(RecordRow.__table__)).mappings().one()) == RECORD
        with store.transaction("test.alarm") as session:
            found = session.execute(select(entries.ALARMS)).mappings().one()
            session.execute(insert(entries.ALARMS).values({k: v for k, v in found.items() if k != "alarm_id"}))
    with pytest.raises(InputError, match="not empty"):
        restore_node(new, tmp_path / "again", clock=CLOCK)
    assert not (tmp_path / "again").exists()
