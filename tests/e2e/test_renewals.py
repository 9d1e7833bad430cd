"""Two parties follow the operations page when an address, a secret or a certificate changes, and play rounds.

`test_ten_years` renews certificates before they end, `test_disasters` replaces identity keys, `test_keys_in_tokens` has
tokens, and `test_provider` the provider's secret.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import pytest
from sqlalchemy import URL, NullPool, create_engine, make_url, text

from clients.cli.exit_codes import ExitCode
from clients.cli.output.health_views import Status
from services.kit.people.keys import KEY_FILE, NEXT_KEY_FILE, TOKEN_FILE
from services.kit.storage.files import write_secret
from tests.support import manual
from tests.support.authority import Authority
from tests.support.certified_callers import CertifiedCallers
from tests.support.commanded_parties import ALARM_SECONDS, expected_hits
from tests.support.loaded_program import LOADED
from tests.support.mail_server import MailServer
from tests.support.operators import WAITS, Operator, send
from tests.support.postgres_databases import PostgresDatabases, running_postgres
from tests.support.process_world import Service, World, free_port, lists

pytestmark = [pytest.mark.e2e, pytest.mark.soak]

PARTIES = {"AL": "Albania", "MK": "North Macedonia"}
OPENED = "AL"
"""The party whose database and mail server ask for passwords."""
SECRETS = "Changing secrets"
ROLE = "aquila-node"


@dataclass
class Renewals(CertifiedCallers):
    server: URL = field(kw_only=True)
    database: str = field(kw_only=True)
    mail: MailServer = field(kw_only=True)
    callers: Authority = field(init=False)

    def begin_all(self) -> None:
        """Set up, where database and mail server ask for passwords, and the matcher for certificates."""
        self.protect_database()
        self.ceremony.before_start = self.name_secrets
        self.ceremony.hold()
        self.agree()
        self.callers = self.ask_for_certificates()
        self.meet()
        self.bring_lists()

    def play(self) -> None:
        """Play a round up to its end: its hits are those of the rehearsal."""
        self.finish(self.begin())

    def finish(self, round_id: str) -> None:
        self.submit(round_id)
        self.close(round_id)

    # Places

    def protect_database(self) -> None:
        engine = create_engine(self.server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(text(f"CREATE ROLE \"{ROLE}\" LOGIN PASSWORD 'first'"))
            connection.execute(text(f'ALTER DATABASE {make_url(self.database).database} OWNER TO "{ROLE}"'))
            [[found]] = connection.execute(text("SHOW hba_file"))
            with open(found, "r+", encoding="utf-8") as file:
                before = file.read()
                file.seek(0)
                file.write(f'local all "{ROLE}" scram-sha-256\nhost all "{ROLE}" all scram-sha-256\n{before}')
            connection.execute(text("SELECT pg_reload_conf()"))

    def name_secrets(self, operator: Operator) -> None:
        """Name the passwords of database and mail server in a party's settings, before its first start."""
        if operator.code != OPENED:
            return
        home = operator.process.home
        write_secret(home / "database.password", b"first\n")
        write_secret(home / "smtp.password", self.mail.password.encode())
        made = make_url(self.database)
        url = URL.create(made.drivername, ROLE, database=made.database, query=made.query).render_as_string()
        with (home / "node.toml").open("a", encoding="utf-8") as settings:
            settings.write(f'\n[database]\nurl = "{url}"\npassword_file = "database.password"\n')
            settings.write('\n[notifications]\naddress = "https://aquila.ministry.example:8701"\n')
            settings.write(f'\n[notifications.mail]\nhost = "127.0.0.1"\nport = {self.mail.port}\nuser = "node"\n')
            settings.write(f'sender = "aquila@ministry.example"\nca = "{self.mail.folder}/mail-ca.pem"\n')
            settings.write('password_file = "smtp.password"\n')

    # The matcher's address

    def move_matcher(self) -> None:
        section, secretariat, matcher = "The matcher moves", self.admin("matcher"), self.stage.matcher
        port = free_port()
        new = f"https://localhost:{port}"
        move = manual.command(section, "aquila matcher move --public-url https://NEW:8700 --home HOME")
        assert WAITS.search(secretariat.give(move, **{"https://NEW:8700": new}))
        assert f"listens on port {port}" in secretariat.give(move, **{"https://NEW:8700": new})
        secretariat.give(manual.command(section, "aquila matcher renew-certificate"))
        secretariat.give(manual.command(section, "systemctl restart"))
        matcher.port = port
        for operator in (secretariat, *self.ceremony.operators.values()):
            operator.matcher_port = port
        assert manual.command(section, "aquila login NAME").endswith(" --url https://NEW:8700 --ca ca.pem")
        self.accept_file()
        self.greet("matcher")

    def accept_file(self) -> None:
        """Let every administrator accept the secretariat's file, by the words that one of them reads."""
        section, operators = "The matcher moves", [self.admin(node.name) for node in self.nodes]
        for operator in operators:
            send(self.admin("matcher"), operator, "matcher.registry")
        waiting = operators[0].document(manual.command(section, "aquila party registry"))["waiting"]
        accept = manual.command(section, "aquila party accept")
        for operator in operators:
            assert WAITS.search(operator.give(accept, " ".join(waiting["words"])))
        self.agree()

    def greet(self, name: str) -> None:
        """Let the people of a service sign in that has another address or another CA."""
        for person in (self.people[name].first, self.people[name].second):
            person.sign_in_anew()

    # CAs

    def renew_ca(self) -> None:
        """Renew the CAs that homes made for themselves, at the matcher and at a node."""
        section = "Renewing certificates"
        for name, service in (("matcher", self.stage.matcher), ("MK", self.stage.services["MK"])):
            before = (service.home / "tls/ca.pem").read_bytes()
            command = manual.command(section, f"aquila {service.kind} renew-ca --home HOME")
            assert f"aquila {service.kind} renew-ca" in manual_row("tls/ca.key")
            if name == "matcher":
                assert WAITS.search(self.admin(name).give(command))
                assert (service.home / "tls/ca.pem").read_bytes() == before
            self.admin(name).give(command)
            assert (service.home / "tls/ca.pem").read_bytes() != before
            self.greet(name)
        self.accept_file()

    def take_ca_of_house(self) -> None:
        """Let the matcher take a CA of the house; no party loses the matcher meanwhile."""
        section, secretariat, matcher = "Renewing certificates", self.admin("matcher"), self.stage.matcher
        house, own = Authority.create(self.root, "house", 365), matcher.home / "tls"
        file, new = secretariat.folder / "cas.pem", self.root / "house.pem"
        state = manual.command(section, "aquila matcher move")
        file.write_bytes((own / "ca.pem").read_bytes() + new.read_bytes())
        for step in ("both", "new"):
            if step == "new":
                house.issue("matcher", days=365, host="localhost")
                places = {"matcher.pem": "service.pem", "matcher.key": "service.key", "house.pem": "ca.pem"}
                for made, place in places.items():
                    write_secret(own / place, (self.root / made).read_bytes())
                file.write_bytes(new.read_bytes())
            assert WAITS.search(secretariat.give(state, FILE="cas.pem"))
            secretariat.give(state, FILE="cas.pem")
            self.accept_waiting()
        self.greet("matcher")
        renew = manual.command(section, "aquila matcher renew-ca")
        assert "does not hold a CA" in secretariat.give(renew, ends_with=[ExitCode.MACHINE])

    def accept_waiting(self) -> None:
        operators = [self.admin(node.name) for node in self.nodes]
        read = manual.command("Set up", "aquila party registry")
        self.stage.until(lambda: operators[0].read(read)["waiting"] is not None, ALARM_SECONDS)
        words = " ".join(operators[0].read(read)["waiting"]["words"])
        for operator in operators:
            assert WAITS.search(operator.give("aquila party accept --home HOME", words))
        self.agree()

    # Expired certificates

    def expire_matcher(self) -> None:
        runbook, matcher, secretariat = "A certificate has expired", self.stage.matcher, self.admin("matcher")
        Authority.of_home(matcher.home).issue("service", days=-1, host="localhost")
        secretariat.give("systemctl restart aquila-matcher")  # connections that are open would go on
        self.see_expired(secretariat, "tls.certificate", "has expired")  # it cannot even be asked
        node, bad = self.admin("MK"), (Status.WARNING, Status.CRITICAL)
        self.stage.until(lambda: "has expired" in self.status(node, *bad), ALARM_SECONDS)
        assert "has expired" in node.give(manual.command(runbook, "aquila doctor"), ends_with=[ExitCode.REFUSED])
        secretariat.give(manual.command(runbook, "aquila matcher renew-certificate"))
        self.see_renewed(secretariat, node)

    def expire_caller(self) -> None:
        node = self.admin("MK")
        self.give_certificate(self.callers, "MK", days=-1)
        node.give("systemctl restart aquila-node")
        self.see_expired(node, "matcher.certificate", "matcher.certificate has ended")
        self.give_certificate(self.callers, "MK")
        self.see_renewed(node)

    def see_expired(self, operator: Operator, setting: str, said: str) -> None:
        self.stage.until(lambda: said in self.status(operator, Status.CRITICAL), ALARM_SECONDS)
        doctor = manual.command("A certificate has expired", "aquila doctor")
        found = operator.document(doctor, ends_with=[ExitCode.REFUSED])["findings"]
        critical = [one for one in found if one["grade"] == "critical" and one["subject"] == "certificates"]
        assert any(f"{setting} has ended" in one["text"] for one in critical), found

    def see_renewed(self, *operators: Operator) -> None:
        for operator in operators:
            operator.give(manual.command("A certificate has expired", "aquila doctor"))
            self.stage.until(partial(self.is_well, operator), ALARM_SECONDS)

    def is_well(self, operator: Operator) -> bool:
        return "CRITICAL" not in self.status(operator, *Status)

    def status(self, operator: Operator, *ends_with: Status) -> str:
        command = f"aquila {operator.process.kind} status --home HOME"
        said = operator.give(command, ends_with=tuple(Status))
        first = said.partition("\n")[0]
        return said if any(one.name in first for one in ends_with) else ""

    # Secrets

    def change_identities(self) -> None:
        """A party makes a key, drops it, and makes another one; the matcher renews its own."""
        assert "delete it" in manual_row("identity.next.pem")
        node, secretariat = self.admin(OPENED), self.admin("matcher")
        node.give("aquila node renew-identity --home HOME")
        (node.process.home / "identity.next.pem").unlink()
        (node.folder / f"{OPENED.lower()}.renewal").unlink()
        self.ceremony.renew_identity(OPENED)
        assert "aquila matcher renew-identity" in manual_row("identity")
        secretariat.give("aquila matcher renew-identity --home HOME")
        secretariat.give("systemctl restart aquila-matcher")
        self.accept_waiting()

    def change_keys_of_homes(self, service: Service) -> None:
        operator, kind, home = self.admin(service.name), service.kind, service.home
        old = (home / TOKEN_FILE).read_text().strip(), (home / KEY_FILE).read_bytes()
        for row, command in ((TOKEN_FILE, "renew-token"), (KEY_FILE, "renew-people-key")):
            assert f"aquila {kind} {command}" in manual_row(row)
            operator.give(f"aquila {kind} {command} --home HOME")
        assert (home / NEXT_KEY_FILE).exists()
        operator.give(f"systemctl restart aquila-{kind}")
        assert not (home / NEXT_KEY_FILE).exists()
        assert (home / KEY_FILE).read_bytes() != old[1]
        operator.document("aquila call get_accounts --home HOME")
        with pytest.raises(AssertionError, match="401"):
            service.call(old[0], "GET", "/v1/people/accounts")
        for person in (self.people[service.name].first, self.people[service.name].second):
            person.sign_in()

    def change_persons(self, service: Service) -> None:
        operator, pair = self.admin(service.name), self.people[service.name]
        ending = {f"aquila call post_{command} person=LOGIN" for command in ("deactivate", "activate")}
        assert {"aquila logout", *ending} <= row_commands("sessions")
        again = "aquila call post_reset person=LOGIN"
        assert {again, "aquila enrol LOGIN"} <= row_commands("a person's password")
        pair.first.give("aquila logout")
        for command in ("deactivate", "activate"):
            operator.give(f"aquila call post_{command} person=LOGIN --home HOME", LOGIN=pair.second.login)
        for person in (pair.first, pair.second):
            assert "Traceback" not in person.give("aquila whoami", ends_with=[ExitCode.REFUSED])
        pair.second.sign_in()
        reset = operator.document(f"{again} --home HOME", LOGIN=pair.first.login)
        pair.first.enrol_by(reset["code"])

    def change_passwords(self) -> None:
        operator, home = self.admin(OPENED), self.stage.services[OPENED].home
        doctor = "aquila doctor --home HOME"
        # The mail server: no restart.
        self.mail.password = "another password of the node's own"
        assert "[notifications.mail]" in operator.give(doctor, ends_with=[ExitCode.REFUSED])
        write_secret(home / "smtp.password", self.mail.password.encode())
        operator.give(doctor)
        # The database: the service goes on with its connections, and a new start takes the new password.
        with create_engine(self.server, isolation_level="AUTOCOMMIT", poolclass=NullPool).connect() as connection:
            connection.execute(text(f"ALTER ROLE \"{ROLE}\" PASSWORD 'second'"))
        assert "database" in operator.give(doctor, ends_with=[ExitCode.REFUSED])
        write_secret(home / "database.password", b"second\n")
        operator.give(doctor)
        operator.give("systemctl restart aquila-node")
        assert self.is_well(operator)

    def change_backup_key(self) -> None:
        node, folder = self.admin("MK"), self.root / "vault"
        folder.mkdir()
        for name in ("old", "new"):
            node.give(manual_row_command("backup.key", "aquila backup-key"), NEW=str(folder / f"{name}.key"))
            file, key = str(folder / f"{name}.aquila"), str(folder / f"{name}.key")
            node.give("aquila node backup --home HOME --to KEY --out FILE", KEY=f"{key}.pub", FILE=file)
        check = "aquila node restore FILE --key KEY --check"
        for backup in ("old", "new"):
            for key in ("old", "new"):
                ends = ExitCode.DONE if backup == key else ExitCode.PROTOCOL
                node.give(check, ends_with=[ends], FILE=f"{folder}/{backup}.aquila", KEY=f"{folder}/{key}.key")


def manual_row(secret: str) -> str:
    """Return the row of the page's table of secrets that is about one."""
    [row] = [line for line in manual.section(SECRETS).splitlines() if line.startswith((f"| `{secret}`", f"| {secret}"))]
    return row


def row_commands(secret: str) -> set[str]:
    return set(manual_row(secret).split("`")[1::2])


def manual_row_command(secret: str, beginning: str) -> str:
    [found] = [one for one in row_commands(secret) if one.startswith(beginning)]
    return found


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Renewals]:
    """Two parties, who have held the ceremony and imported their lists; each test goes on where another one ended."""
    root = tmp_path_factory.mktemp("renewals")
    for folder in ("world", "mail"):
        (root / folder).mkdir()
    stage = World(root / "world", program=LOADED, frugal=True, poll_seconds=1)
    files = {code: path for code, path in lists(root).items() if code in PARTIES}
    expected = expected_hits(files, root, LOADED)
    mail = MailServer(root / "mail")
    mail.start()
    try:
        with running_postgres() as server, PostgresDatabases(server) as databases:
            made = Renewals(root, stage, PARTIES, files, expected, server=server, database=databases.make(), mail=mail)
            try:
                made.begin_all()
                yield made
            finally:
                stage.stop()
    finally:
        mail.stop()


def test_the_matcher_moves(story: Renewals) -> None:
    round_id = story.begin()
    story.move_matcher()
    story.finish(round_id)


def test_certificates_that_have_ended(story: Renewals) -> None:
    """Status and doctor are critical and name them, on both sides; once they are renewed, a round has all hits."""
    story.expire_matcher()
    story.expire_caller()
    story.play()


def test_secrets(story: Renewals) -> None:
    """Each is changed by the table of the page: people sign in, and the round that was open has all hits."""
    round_id = story.begin()
    story.change_passwords()
    for service in story.stage.services.values():
        story.change_keys_of_homes(service)
    story.change_persons(story.stage.services["MK"])
    story.change_backup_key()
    story.finish(round_id)
    story.change_identities()


def test_authorities(story: Renewals) -> None:
    """The homes' own CAs are renewed, and the matcher takes the house's; an open round has all hits, and logs agree."""
    round_id = story.begin()
    story.renew_ca()
    story.take_ca_of_house()
    story.finish(round_id)
    story.audit()
