"""The doctor: looks at a home and its surroundings, states faults with their remedies, and never changes anything."""

import contextlib
import os
import shutil
import sqlite3
import ssl
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

import httpx
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from sqlalchemy import Connection, create_engine, func, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from aquila.audit.entries import EntryKind
from aquila.errors import AquilaError
from aquila.interface.service.health import Grade
from aquila.protocol.registry import read_registry
from aquila.sentences import Sentence, hint_of, text_of
from services.kit.administration.backup.home import BackedService, file_settings, is_secret
from services.kit.http.certificates import certificates_of
from services.kit.http.tls import certificate_fault, tls_context
from services.kit.log.entries import ALARMS, ENTRIES
from services.kit.log.entries import count_forged as count_forged_entries
from services.kit.people.keys import KEY_FILE, NEXT_KEY_FILE, TOKEN_FILE, OperatorToken, row_key_of
from services.kit.serving.application import names_of
from services.kit.serving.health.checks import WARNING_DAYS, certificate_faults, days_left, disk_faults, explained
from services.kit.settings import MEBIBYTE, KeyedSettings, PeerSettings, ProviderSettings, ServiceSettings, is_loopback
from services.kit.storage.files import check_private
from services.kit.storage.migrate import head_revision, known_revisions, revision_of
from services.kit.storage.own_identity import read_key, read_next
from services.kit.storage.pkcs11 import Pkcs11Key
from services.kit.storage.row_seals import RowKey, count_forged
from services.kit.storage.store import database_url, store_error
from services.kit.work.executors import open_cluster


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding."""

    subject: str
    grade: Grade
    sentence: Sentence

    @property
    def text(self) -> str:
        return text_of(self.sentence)

    @property
    def hint(self) -> str:
        return "" if self.grade is Grade.OK else hint_of(explained(self.sentence))


Findings: TypeAlias = Iterator[Finding]


def fine(subject: str, code: str, **fields: str | int) -> Finding:
    """Return the finding that something is as it should be."""
    return Finding(subject, Grade.OK, Sentence.of(code, **fields))


def warning(subject: str, code: str, **fields: str | int) -> Finding:
    """Return a finding that a person should look at before long."""
    return Finding(subject, Grade.WARNING, Sentence.of(code, **fields))


def critical(subject: str, code: str, **fields: str | int) -> Finding:
    """Return a finding with which the service cannot work."""
    return Finding(subject, Grade.CRITICAL, Sentence.of(code, **fields))


def examined(subject: str, check: Callable[[], Findings]) -> list[Finding]:
    """Return the findings of a check; an error of the tree or of the system that it raises is its last one."""
    found: list[Finding] = []
    try:
        found.extend(check())
    except AquilaError as error:
        found.append(Finding(subject, Grade.CRITICAL, error.sentence))
    except OSError as error:
        said = error.strerror or type(error).__name__
        found.append(critical(subject, "doctor_file_unusable", file=str(error.filename), fault=said))
    return found


_SHOWN = 3
_KEYS = "keys"
_DATABASE = ("node.db", "matcher.db")


def examine_rights(settings: KeyedSettings) -> Findings:
    """Yield findings about who can read the home and who owns its files."""
    home, secret = settings.home, _secrets(settings)
    open_paths, foreign, count = [], [], 0
    owner = home.stat().st_uid
    for path in (home, *home.rglob("*")):
        try:
            state = path.lstat()
        except OSError:
            continue  # a running service writes and deletes files
        count += 1
        if (
            not stat.S_ISLNK(state.st_mode)
            and stat.S_IMODE(state.st_mode) & 0o077
            and (path in secret or path.name.startswith(_DATABASE) or _KEYS in {path.name, path.parent.name})
        ):
            open_paths.append(path)
        if state.st_uid != owner:
            foreign.append(path)
    if open_paths:
        modes = "; ".join(f"chmod {'700' if path.is_dir() else '600'} {path}" for path in open_paths[:_SHOWN])
        yield critical("home", "doctor_files_open", count=len(open_paths), remedy=modes)
    if foreign:
        yield critical("home", "doctor_files_of_others", count=len(foreign), file=str(foreign[0]), home=str(home))
    if owner != os.geteuid():
        yield warning("home", "doctor_other_user", home=str(home))
    if not open_paths and not foreign:
        yield fine("home", "doctor_rights_fine", count=count)


def _secrets(settings: KeyedSettings) -> set[Path]:
    """Return the home and those of its files, by name, that nobody else may read."""
    named = {path for setting, path in file_settings(settings) if is_secret(setting)}
    own = (TOKEN_FILE, KEY_FILE, NEXT_KEY_FILE)
    return {settings.home, *(settings.home / name for name in own), *named}


def examine_files(settings: KeyedSettings) -> Findings:
    """Yield findings about files that the settings name, and about the home's other keys."""
    for setting, path in file_settings(settings):
        if setting in {"identity", "registry"}:
            continue
        if not path.exists():
            yield critical("files", "doctor_file_missing", setting=setting, file=str(path))
        elif is_secret(setting):
            check_private(path)
    OperatorToken.load(settings.home / TOKEN_FILE)
    if not (settings.home / KEY_FILE).exists():
        yield warning("files", "doctor_people_key_missing", file=KEY_FILE)
    else:
        check_private(settings.home / KEY_FILE)


def examine_identity(settings: KeyedSettings) -> Findings:
    """Yield findings about the identity key, in its file or in its token; raises as `read_key` does."""
    with read_key(settings.identity) as key:
        fingerprint = key.public.short_fingerprint
        if not isinstance(key, Pkcs11Key):
            yield fine("identity", "doctor_identity", fingerprint=fingerprint)
            return
        names = {"token": key.uri.token_name, "key": key.uri.key_name}
        yield fine("identity", "doctor_identity_in_token", fingerprint=fingerprint, **names)
        if key.can_be_read():
            yield warning("identity", "doctor_identity_readable", **names)


def examine_registry(settings: KeyedSettings, code: str) -> Findings:
    """Yield findings about the registry and the own key in it."""
    if not settings.registry.exists():
        yield critical("registry", "doctor_registry_missing", file=str(settings.registry))
        return
    registry = read_registry(settings.registry.read_bytes())
    waiting = read_next(settings.identity)
    if waiting is not None and registry.key_of(code) == waiting.public:
        yield warning("registry", "doctor_identity_waits")
        return
    with read_key(settings.identity) as identity:
        if registry.key_of(code) != identity.public:
            yield critical("registry", "registry_identity_key_differs", party=code)
            return
    yield fine("registry", "doctor_registry_fine", parties=", ".join(sorted(registry.parties)) or "no party yet")


def examine_disk(settings: KeyedSettings) -> Findings:
    """Yield findings about the room on the home's disk; raises OSError where the home is gone."""
    kept = settings.limits.free_mebibytes * MEBIBYTE
    free = max(0, shutil.disk_usage(settings.home).free - kept)
    faults = [Finding("disk", grade, sentence) for grade, sentence in disk_faults(free, kept)]
    yield from faults or [fine("disk", "doctor_disk_fine", free=free // MEBIBYTE)]


def examine_certificates(settings: ServiceSettings, peer: PeerSettings | None, now: int) -> Findings:
    """Yield findings about all certificates that the settings name."""
    ends = certificates_of(settings, peer)
    for grade, sentence in certificate_faults(ends, now):
        yield Finding("certificates", grade, sentence)
    for end in ends.current():
        days = days_left(end, now)
        if days is not None and days >= WARNING_DAYS:
            yield fine("certificates", "doctor_certificate_fine", setting=end.setting, days=days)
    if settings.tls is not None:
        yield from _chain_faults("tls.certificate", settings.tls.certificate, now)
    if peer is not None and peer.certificate is not None:
        yield from _chain_faults("matcher.certificate", peer.certificate, now)
    yield from _name_faults(settings)


def _chain_faults(setting: str, path: Path, now: int) -> Iterator[Finding]:
    try:
        chain = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):
        return  # found above
    for lower, upper in pairwise(chain):
        try:
            lower.verify_directly_issued_by(upper)
        except (ValueError, TypeError, InvalidSignature):
            yield critical("certificates", "doctor_chain_broken", setting=setting)
    if chain[0].not_valid_before_utc.timestamp() > now:
        yield critical("certificates", "doctor_certificate_not_yet_valid", setting=setting)


def _is_any(host: str) -> bool:
    """Return whether a host stands for all addresses of this machine."""
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def _name_faults(settings: ServiceSettings) -> Iterator[Finding]:
    """Yield the fault of a certificate that lacks the name under which the service is called, or of none."""
    listen = settings.listen
    host = urlsplit(listen.public_url).hostname or listen.host
    if settings.tls is None:
        if not is_loopback(listen.host):
            yield critical("certificates", "tls_off_on_reachable_host", host=listen.host)
        else:
            yield fine("certificates", "doctor_only_loopback")
    elif not _is_any(host) and not is_loopback(host):
        # With no other names than those of loopback, the rest is what the certificate has.
        local = listen.model_copy(update={"host": "localhost", "public_url": "", "names": ()})
        if host not in names_of(settings.model_copy(update={"listen": local})):
            yield critical("certificates", "doctor_certificate_without_name", setting="tls.certificate", host=host)


_OLD_BACKUP_DAYS = 7
_DAY = 86_400


def examine_database(service: BackedService, settings: KeyedSettings, now: int) -> Findings:
    """Yield findings about a database, which is opened for reading alone."""
    url = database_url(settings.database, settings.home / service.database_file)
    try:
        with reading(service, settings) as connection:
            if connection is None:
                yield warning("database", "doctor_database_missing", file=str(settings.home / service.database_file))
            else:
                yield from _examine(service, connection, now, row_key_of(settings.home))
    except (SQLAlchemyError, sqlite3.Error) as error:
        yield Finding("database", Grade.CRITICAL, store_error(error, "doctor", url).sentence)


@contextlib.contextmanager
def reading(service: BackedService, settings: KeyedSettings) -> Iterator[Connection | None]:
    """Open a service's database for reading alone; None where the file of a SQLite database is missing.

    Raises:
        KeyMaterialError: The file is open to others.
        SQLAlchemyError: The database cannot be opened.
    """
    url = database_url(settings.database, settings.home / service.database_file)
    if url.get_backend_name() == "sqlite":
        path = settings.home / service.database_file if not settings.database.url else None
        path = path or settings.home / str(url.database)
        if not path.exists():
            yield None
            return
        check_private(path)
        # Without a write-ahead log nobody has it open, and `immutable` leaves no file behind.
        mode = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "mode=ro&immutable=1"
        engine = create_engine(f"sqlite:///file:{path}?{mode}&uri=true", hide_parameters=True)
    else:
        arguments = {"connect_timeout": 10, "options": "-c default_transaction_read_only=on"}
        engine = create_engine(url, connect_args=arguments, hide_parameters=True)
    try:
        with contextlib.closing(engine.connect()) as connection:
            yield connection
    finally:
        engine.dispose()


def _examine(service: BackedService, connection: Connection, now: int, key: RowKey | None) -> Iterator[Finding]:
    if connection.dialect.name == "postgresql":
        yield from _postgresql(connection)
    elif connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() != "ok":
        yield critical("database", "database_damaged", place=str(connection.engine.url.database))
        return
    if not inspect(connection).get_table_names():
        yield warning("database", "doctor_database_empty")
        return
    revision = revision_of(connection)
    if revision not in known_revisions(service.package):
        yield critical("database", "database_schema_unknown", revision=revision)
        return
    if revision != head_revision(service.package):
        yield warning("database", "doctor_database_older", revision=revision)
        return
    yield fine("database", "doctor_database_fine", kind=connection.dialect.name, revision=revision)
    alarms = connection.scalar(select(func.count()).select_from(ALARMS).where(ALARMS.c.acknowledged_at.is_(None)))
    if alarms:
        yield critical("log", "doctor_log_alarms", count=alarms)
    if key is not None:
        yield from _forged(service, connection, key)
    newest = connection.scalar(select(func.max(ENTRIES.c.time)).where(ENTRIES.c.kind == EntryKind.BACKUP.value))
    if newest is None:
        yield warning("backup", "doctor_no_backup", service=service.name)
    elif now - newest > _OLD_BACKUP_DAYS * _DAY:
        yield warning("backup", "doctor_backup_old", days=(now - newest) // _DAY, service=service.name)
    else:
        yield fine("backup", "doctor_backup_fine", days=max(0, now - newest) // _DAY)


def _forged(service: BackedService, connection: Connection, key: RowKey) -> Iterator[Finding]:
    """Yield a finding for each table with rows that the service did not write."""
    with Session(connection) as session:
        found = count_forged(session, service.tables, key)
        found[ENTRIES.name] += count_forged_entries(session, key)
    for table, count in sorted((+found).items()):
        yield critical("rows", "health_rows_not_authentic", count=count, table=table)


def _postgresql(connection: Connection) -> Iterator[Finding]:
    rights = connection.execute(
        text(
            "SELECT has_schema_privilege(current_schema(), 'CREATE'), rolsuper "
            "FROM pg_roles WHERE rolname = current_user"
        )
    ).one()
    if not rights[0]:
        yield critical("database", "doctor_database_rights")
    if rights[1]:
        yield warning("database", "doctor_database_superuser")
    if connection.scalar(text("SHOW synchronous_commit")) in {"off", "local"}:
        yield critical("database", "doctor_database_asynchronous")


_SECONDS = 10
_MOST_SKEW = 300
_WARNED_SKEW = 60


def examine_peer(name: str, settings: PeerSettings, clock: Callable[[], int]) -> Findings:
    """Yield findings about another service: its answer, and the difference of the clocks."""
    before = clock()
    answer, fault = _get(settings, "/health")
    if answer is None:
        yield critical(name, "doctor_unreachable", host=urlsplit(settings.url).netloc, reason=fault)  # type: ignore[arg-type]  # a sentence is a field
        return
    if answer.status_code != HTTPStatus.NO_CONTENT:
        yield critical(name, "doctor_other_answer", host=urlsplit(settings.url).netloc, status=answer.status_code)
        return
    yield fine(name, "doctor_reached", host=urlsplit(settings.url).netloc)
    yield from _clock(answer.headers.get("date", ""), (before + clock()) // 2)


def examine_own_address(settings: ServiceSettings) -> Findings:
    """Yield a finding about whether the service runs."""
    listen = settings.listen
    own = "::1" if ":" in listen.host else "127.0.0.1"
    host = own if _is_any(listen.host) else listen.host
    if listen.port == 0:
        return
    scheme = "http" if settings.tls is None else "https"
    url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{listen.port}"
    try:
        # Whether it answers, not who it is: the certificate is looked at as a file.
        httpx.get(f"{url}/health", verify=False, timeout=_SECONDS, trust_env=False)  # noqa: S501 - see above
    except (httpx.ReadError, httpx.RemoteProtocolError):
        yield fine("service", "doctor_running", url=url)  # it wants a certificate of its callers
    except httpx.HTTPError:
        yield warning("service", "doctor_not_running", url=url)
    else:
        yield fine("service", "doctor_running", url=url)


def examine_cluster(settings: ServiceSettings) -> Findings:
    """Yield a finding about the Dask cluster of the settings; raises as `open_cluster` does."""
    opened = open_cluster(settings)
    opened.close()
    yield fine("workers", "doctor_workers_fine", count=opened.workers)


def examine_provider(settings: ProviderSettings) -> Findings:
    """Yield findings about the ministry's identity provider."""
    peer = PeerSettings(url=settings.issuer, ca=settings.ca)
    answer, fault = _get(peer, "/.well-known/openid-configuration")
    host = urlsplit(settings.issuer).netloc
    if answer is None:
        yield critical("provider", "doctor_unreachable", host=host, reason=fault)  # type: ignore[arg-type]  # a sentence is a field
        return
    try:
        issuer = answer.json()["issuer"]
    except (ValueError, KeyError, TypeError):
        issuer = None
    if issuer != settings.issuer:
        yield critical("provider", "doctor_other_issuer", host=host)
    else:
        yield fine("provider", "doctor_reached", host=host)


def _get(settings: PeerSettings, path: str) -> tuple[httpx.Response | None, Sentence]:
    """Return the answer to a call without a signature, or why there is none."""
    verify: ssl.SSLContext | bool = tls_context(settings) if settings.url.startswith("https") else True
    try:
        return httpx.get(
            settings.url.rstrip("/") + path, verify=verify, timeout=_SECONDS, trust_env=False
        ), Sentence.of("doctor_reached", host="")
    except httpx.HTTPError as error:
        code = certificate_fault(error)
        return None, Sentence.of(code, peer=settings.url) if code else Sentence.of(
            "doctor_no_connection", kind=type(error).__name__
        )


def _clock(date: str, now: int) -> Iterator[Finding]:
    try:
        there = int(parsedate_to_datetime(date).timestamp())
    except (ValueError, TypeError):
        yield warning("clock", "doctor_clock_unknown")
        return
    skew = abs(there - now)
    if skew > _MOST_SKEW:
        yield critical("clock", "doctor_clock_differs", seconds=skew)
    elif skew > _WARNED_SKEW:
        yield warning("clock", "doctor_clock_differs", seconds=skew)
    else:
        yield fine("clock", "doctor_clock_fine", seconds=skew)
