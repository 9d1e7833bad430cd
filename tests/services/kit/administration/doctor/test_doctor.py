"""The doctor finds each fault that is put into a home, states what to do, and changes nothing."""

import hashlib
import json
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from email.utils import formatdate
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import URL, insert, text
from sqlalchemy.engine import make_url

from aquila.interface.service.health import Grade
from aquila.protocol.registration.statements import next_statement, open_statement, sign_statement
from aquila.protocol.registry import RegisteredParty, Registry, read_registry, write_registry
from aquila.sentences import SENTENCES
from clients.cli.exit_codes import ExitCode
from clients.cli.main import main
from services.kit.administration import doctor
from services.kit.administration.doctor import Finding, Findings, examined
from services.kit.log.entries import ALARMS
from services.kit.settings import PeerSettings, ProviderSettings, TlsSettings
from services.kit.storage.migrate import migrate
from services.kit.storage.own_identity import prepare_renewal, read_key
from services.kit.storage.registry import mark_accepted, store_statement
from services.matcher.storage import home as matcher_home
from services.node.backup import back_up_node
from services.node.main import BACKED, PACKAGE
from services.node.storage import home as node_home
from tests.support import manual
from tests.support.authority import Authority
from tests.support.backups import KEY
from tests.support.databases import lay_tables
from tests.support.migration_packages import add_migrations_of_next_release

NOW = int(time.time())
DAY = 86_400


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A node's home without a fault, whose service does not run."""
    path = tmp_path / "home"
    key = node_home.create(path, "SI", "Slovenia", "http://127.0.0.1:9", port=0)
    matcher = matcher_home.create(tmp_path / "matcher", port=0)
    (path / "registry.toml").write_bytes(write_registry(Registry(matcher, {"SI": RegisteredParty("SI", "SI", key)})))
    (path / "registry.toml").chmod(0o600)
    lay_tables(path)
    (path / "people.key").write_bytes(bytes(32))
    (path / "people.key").chmod(0o600)
    back_up_node(path, KEY.public, tmp_path / "backup", lambda: NOW)
    return path


def run_doctor(home: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, str]]:
    status = main(["doctor", "--home", str(home), "--offline", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert all(bool(one["hint"]) is (one["grade"] != "ok") for one in document["findings"])
    return status, {one["code"]: one["grade"] for one in document["findings"]}


def faults(found: list[Finding]) -> dict[str, str]:
    assert all(bool(one.hint) is (one.grade is not Grade.OK) for one in found)
    return {one.sentence.code: one.grade.value for one in found if one.grade.value != "ok"}


def looked(check: Callable[[], Findings]) -> dict[str, str]:
    return faults(examined("test", check))


def state(folder: Path) -> dict[str, tuple[int, int, str]]:
    return {
        str(path): (
            path.stat().st_mode,
            path.stat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in (folder, *folder.rglob("*"))
    }


def test_a_home_without_a_fault(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is found, the exit status is 0, and nothing was changed; people read the same as a table."""
    before = state(home)
    status, found = run_doctor(home, capsys)
    assert status == 0
    assert set(found.values()) == {"ok"}, found
    assert state(home) == before
    assert main(["doctor", "--home", str(home), "--offline"]) == 0
    assert "0 critical findings, 0 warnings." in capsys.readouterr().out


def test_faults_of_files(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "ca.pem").write_text("no secret")
    (home / "ca.pem").chmod(0o644)
    assert run_doctor(home, capsys)[0] == 0
    (home / "operator.token").chmod(0o644)
    status, found = run_doctor(home, capsys)
    assert status == 1
    assert found["doctor_files_open"] == "critical"
    (home / "operator.token").chmod(0o600)
    (home / "people.key").unlink()
    status, found = run_doctor(home, capsys)
    assert (status, found["doctor_people_key_missing"]) == (0, "warning")
    identity = (home / "identity.pem").read_bytes()
    (home / "identity.pem").write_bytes((tmp_path / "matcher" / "identity.pem").read_bytes())
    assert run_doctor(home, capsys)[1]["registry_identity_key_differs"] == "critical"
    (home / "identity.pem").write_bytes(identity)
    registry = read_registry((home / "registry.toml").read_bytes())
    new = prepare_renewal(home / "identity.pem", registry, "SI", lost=False).key
    named = {"SI": replace(registry.parties["SI"], key=new)}
    (home / "registry.toml").write_bytes(write_registry(replace(registry, parties=named)))
    assert run_doctor(home, capsys)[1]["doctor_identity_waits"] == "warning"
    (home / "registry.toml").unlink()
    assert run_doctor(home, capsys)[1]["doctor_registry_missing"] == "critical"
    settings = (home / "node.toml").read_text()
    (home / "node.toml").write_text(settings + '[command]\nca = "nowhere.pem"\n')
    assert run_doctor(home, capsys)[1]["doctor_file_missing"] == "critical"
    (home / "node.toml").write_text(settings + "[command]\nx = 1\n")
    assert run_doctor(home, capsys)[1] == {"settings_file_unusable": "critical"}
    (home / "node.toml").write_text(settings + "[limits]\nfree_mebibytes = 1000000000\n")
    assert run_doctor(home, capsys)[1]["health_disk_full"] == "critical"


def test_faults_of_a_database(home: Path, package: str, capsys: pytest.CaptureFixture[str]) -> None:
    settings = BACKED.load(home)
    with closing(BACKED.open_store(settings)) as store, store.transaction("test.alarm") as session:
        session.execute(insert(ALARMS).values(origin="x", what="fork", sentence="{}", seen=None, got=b"", found_at=1))
    assert run_doctor(home, capsys)[1]["doctor_log_alarms"] == "critical"
    later = partial(doctor.examine_database, BACKED, settings, NOW + 9 * DAY)
    assert looked(later)["doctor_backup_old"] == "warning"
    (home / "node.db").unlink()
    assert run_doctor(home, capsys)[1]["doctor_database_missing"] == "warning"
    assert not (home / "node.db").exists()
    with closing(BACKED.open_store(settings, new=True)) as store:
        assert looked(partial(doctor.examine_database, BACKED, settings, NOW)) == {"doctor_database_empty": "warning"}
        migrate(store, PACKAGE)
        add_migrations_of_next_release(package)
        next_release = replace(BACKED, package=package)
        assert looked(partial(doctor.examine_database, next_release, settings, NOW)) == {
            "doctor_database_older": "warning"
        }
        assert looked(later) == {"doctor_no_backup": "warning"}
        with store.transaction("test.revision") as session:
            session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        assert looked(later) == {"database_schema_unknown": "critical"}


def damage(file: Path, offset: int) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:offset] + b"\xd5" * (len(content) - offset))


def serve(home: Path) -> tuple[int, list[str]]:
    """Return the exit status of a node that does not start, and what the command said of it."""
    words = [sys.executable, "-m", "clients.cli.main", "node", "serve", "--home", str(home)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, [line for line in done.stderr.splitlines() if line.startswith("aquila: ")]


def test_a_damaged_database_and_the_way_out(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A start and the doctor name the damage and the runbook, whose commands bring the node back from its backup."""
    private, backup, before = tmp_path / "backup.key", tmp_path / "node.aquila", tmp_path / "home-before"
    assert main(["backup-key", "--out", str(private)]) == 0
    assert main(["node", "backup", "--home", str(home), "--to", f"{private}.pub", "--out", str(backup)]) == 0
    damage(home / "node.db", 4_096)
    capsys.readouterr()
    assert serve(home) == (
        ExitCode.MACHINE,
        [
            f"aquila: error: the database {home / 'node.db'} is damaged",
            f"aquila: hint: {SENTENCES['database_damaged'].hint}",
        ],
    )
    status, found = run_doctor(home, capsys)
    assert (status, found["database_damaged"]) == (ExitCode.REFUSED, "critical")
    home.rename(before)
    restore = shlex.split(manual.command("A database is damaged", "aquila node restore"))
    places = {"FILE": str(backup), "backup.key": str(private), "/var/lib/aquila/node": str(home)}
    restore = restore[: restore.index("--mark")]  # this node has signed nothing yet
    words = [places.get(word, word.replace("/var/lib/aquila/node-before", str(before))) for word in restore]
    assert main(words[1:]) == 0, capsys.readouterr().err
    capsys.readouterr()
    assert "doctor_database_fine" in run_doctor(home, capsys)[1]


def test_a_database_page_that_nobody_reads(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The doctor reads the whole file: damage in its last page is found, too."""
    damage(home / "node.db", (home / "node.db").stat().st_size - 4_096)
    assert run_doctor(home, capsys)[1]["database_damaged"] == "critical"


def test_a_registry_that_cannot_be_read(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The doctor names the file and goes on, whatever the system says of it."""
    (home / "registry.toml").unlink()
    (home / "registry.toml").mkdir()
    found = run_doctor(home, capsys)[1]
    assert found["doctor_file_unusable"] == "critical"
    assert found["doctor_database_fine"] == "ok"
    status, said = serve(home)
    assert status == ExitCode.REFUSED
    assert "hint: give it to the service's user if it is there: chown" in said[1]


def test_faults_of_postgresql(home: Path, postgres_url: URL) -> None:
    url = postgres_url.render_as_string(hide_password=False)
    settings = BACKED.load(home)
    settings = settings.model_copy(update={"database": settings.database.model_copy(update={"url": url})})
    check = partial(doctor.examine_database, BACKED, settings, NOW)
    assert looked(check) == {"doctor_database_superuser": "warning", "doctor_database_empty": "warning"}
    with closing(BACKED.open_store(settings)) as store, store.transaction("test.commit") as session:
        session.execute(text(f"ALTER DATABASE {make_url(url).database} SET synchronous_commit = off"))
    assert looked(check)["doctor_database_asynchronous"] == "critical"
    away = settings.database.model_copy(update={"url": "postgresql+psycopg://nobody@127.0.0.1:9/none"})
    settings = settings.model_copy(update={"database": away})
    found = looked(partial(doctor.examine_database, BACKED, settings, NOW))
    assert found == {"database_unreachable": "critical"}


def test_faults_of_certificates(home: Path, tmp_path: Path) -> None:
    authority = Authority.create(tmp_path, "ca")
    for name, days in (("good", 90), ("soon", 10), ("over", -2)):
        authority.issue(name, days)
    (tmp_path / "chain.pem").write_bytes((tmp_path / "good.pem").read_bytes() + (tmp_path / "soon.pem").read_bytes())
    (tmp_path / "text.pem").write_text("text")
    settings = BACKED.load(home)

    def found(certificate: str, key: str, host: str = "127.0.0.1") -> dict[str, str]:
        tls = TlsSettings(certificate=tmp_path / f"{certificate}.pem", key=tmp_path / f"{key}.key")
        listen = settings.listen.model_copy(update={"public_url": f"https://{host}"})
        changed = settings.model_copy(update={"tls": tls, "listen": listen})
        return looked(partial(doctor.examine_certificates, changed, None, NOW))

    assert found("good", "good") == {}
    assert found("soon", "soon") == {"health_certificate_ends": "warning"}
    assert found("over", "over") == {"health_certificate_ended": "critical"}
    assert found("good", "soon") == {"tls_certificate_or_key_unreadable": "critical"}
    assert found("chain", "good") == {"doctor_chain_broken": "critical"}
    assert found("good", "good", "node.example.org") == {"doctor_certificate_without_name": "critical"}
    assert found("text", "good")["health_certificate_unreadable"] == "critical"
    assert found("nowhere", "good")["health_certificate_unreadable"] == "critical"
    shown = {"certificate": tmp_path / "soon.pem", "key": tmp_path / "soon.key", "ca": tmp_path / "ca.pem"}
    peer = PeerSettings(url="https://127.0.0.1:9", **shown)
    early = partial(doctor.examine_certificates, settings, peer, NOW - 200 * DAY)
    assert looked(early) == {"doctor_certificate_not_yet_valid": "critical"}
    reachable = settings.model_copy(update={"listen": settings.listen.model_copy(update={"host": "192.0.2.1"})})
    none = partial(doctor.examine_certificates, reachable, None, NOW)
    assert looked(none) == {"tls_off_on_reachable_host": "critical"}


class Answers(BaseHTTPRequestHandler):
    status, skew, body = 204, 0, b""

    def do_GET(self) -> None:
        self.send_response_only(self.status)
        self.send_header("Date", formatdate(time.time() + self.skew, usegmt=True))
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_matcher_is_called_where_the_accepted_registry_says(
    home: Path, tmp_path: Path, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = home / "node.toml"
    registry = read_registry((home / "registry.toml").read_bytes())
    with closing(BACKED.open_store(BACKED.load(home))) as store, read_key(tmp_path / "matcher/identity.pem") as key:
        envelope = sign_statement(next_statement(registry, None, NOW, address, None), key)
        statement = open_statement(envelope, key.public)
        with store.transaction("test") as session:
            store_statement(session, statement)
            mark_accepted(session, statement, NOW)
    for follows, expected in ((False, "doctor_unreachable"), (True, "doctor_reached")):
        if follows:
            settings.write_text(settings.read_text().replace("[matcher]\n", "[matcher]\nfollow_registry = true\n"))
        before = state(home)
        main(["doctor", "--home", str(home), "--json"])
        found = {one["code"] for one in json.loads(capsys.readouterr().out)["findings"] if one["subject"] == "matcher"}
        assert expected in found
        assert state(home) == before
    (home / "node.db").unlink()
    main(["doctor", "--home", str(home), "--json"])
    assert "doctor_unreachable" in capsys.readouterr().out


def test_faults_of_the_surroundings(home: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def clock() -> int:
        return int(time.time())

    check = partial(doctor.examine_peer, "matcher", PeerSettings(url=address), clock)
    assert looked(check) == {}
    for skew, grade in ((200, "warning"), (-4_000, "critical")):
        monkeypatch.setattr(Answers, "skew", skew)
        assert looked(check) == {"doctor_clock_differs": grade}
    monkeypatch.setattr(Answers, "status", 404)
    assert looked(check) == {"doctor_other_answer": "critical"}
    away = partial(doctor.examine_peer, "matcher", PeerSettings(url="http://127.0.0.1:9"), clock)
    assert looked(away) == {"doctor_unreachable": "critical"}
    provider = ProviderSettings(
        issuer=address, client_id="x", client_secret_file=home / "x", redirect_url=address, roles={}
    )
    monkeypatch.setattr(Answers, "status", 200)
    assert looked(partial(doctor.examine_provider, provider)) == {"doctor_other_issuer": "critical"}
    monkeypatch.setattr(Answers, "body", json.dumps({"issuer": address}).encode())
    assert looked(partial(doctor.examine_provider, provider)) == {}
    port = int(address.rpartition(":")[2])
    settings = BACKED.load(home)
    running = settings.model_copy(update={"listen": settings.listen.model_copy(update={"port": port})})
    assert looked(partial(doctor.examine_own_address, running)) == {}
    stopped = settings.model_copy(update={"listen": settings.listen.model_copy(update={"port": 9})})
    assert looked(partial(doctor.examine_own_address, stopped)) == {"doctor_not_running": "warning"}
