"""A matcher and several nodes as real processes on loopback, each with a home of its own, for the end-to-end tests.

Everything is done as its users would do it: by the `aquila` command and the operator interfaces. A world can kill any
of its processes and start it again on the same home.
"""

import contextlib
import csv
import json
import os
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol, TypeAlias

import httpx
import psutil
import pyotp

from aquila.audit.roles import Role, role_table
from aquila.audit.roles import Service as Kind
from aquila.interface.approval import ApprovalKind
from aquila.records.normalize.names import name_words
from clients.sdk import find_home
from clients.sdk.homes import SessionFiles, open_home
from services.kit.people.keys import TOKEN_FILE
from tests.support.authority import Authority

AQUILA = str(Path(sys.executable).parent / "aquila")
WAIT_SECONDS = 600.0  # until something hangs: a busy machine takes its time
AT_ONCE = 4  # services that are made or started at a time
PASSWORD = "four words are long enough"
PERSONS = ("first", "second")
_SECRETARIAT = "secretariat"  # the certificate that its people show
CHEAP_PASSWORDS = "\n[people]\nargon2_kibibytes = 19456\nargon2_passes = 2\n"
"""The least that settings allow."""
Hit: TypeAlias = tuple[str, str, str, str, str]
"""Party and record of each side, and the level."""
JUSTIFICATION = {
    "legal_basis": "PCC SEE, Article 17",
    "purpose": "prevention of terrorism",
    "case_reference": "CASE-1",
    "category": "suspects",
}


class Running(Protocol):
    """A process of a service, as `subprocess` has it."""

    pid: int
    stdout: IO[bytes] | None

    def send_signal(self, sig: int, /) -> None:
        """Send a signal, unless the process has ended."""

    def kill(self) -> None:
        """End it as a power cut would."""

    def terminate(self) -> None:
        """Ask it to end."""

    def poll(self) -> int | None:
        """Return its exit status, or None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return its exit status."""


class Conversation(NamedTuple):
    """A command that asks a person."""

    process: Running
    typed: IO[str]
    said: IO[str]


@dataclass(frozen=True)
class Program:
    """The `aquila` command of one release."""

    words: tuple[str, ...] = (AQUILA,)
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        typed: str,
        seconds: float = WAIT_SECONDS,
        folder: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command and return its exit status and what it printed."""
        return subprocess.run(
            [*self.words, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
            cwd=folder,
            env=os.environ | self.environment | environment,
            input=typed,
        )

    def open(self, arguments: Sequence[str], environment: Mapping[str, str]) -> Conversation:
        """Start a command that asks a person; arguments as `run`."""
        process = subprocess.Popen(
            [*self.words, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | self.environment | environment,
        )
        assert process.stdin is not None
        assert process.stderr is not None
        return Conversation(process, process.stdin, process.stderr)

    def start(self, arguments: Sequence[str], log: Path) -> Running:
        """Start a command that runs until it is ended."""
        with log.open("ab") as written:
            return subprocess.Popen(
                [*self.words, *arguments], stdout=subprocess.PIPE, stderr=written, env=os.environ | self.environment
            )


THIS = Program()
"""The command of the code that is tested."""


def run(
    *arguments: str,
    person: Path | None = None,
    typed: str = "",
    ends_with: int = 0,
    program: Program = THIS,
    seconds: float = WAIT_SECONDS,
) -> str:
    """Run the `aquila` command and return what it printed on stdout."""
    done = program.run(arguments, {} if person is None else {"HOME": str(person)}, typed, seconds)
    assert done.returncode == ends_with, f"aquila {' '.join(arguments)}: {done.stderr}"
    return done.stdout


def next_code(secret: str) -> str:
    """Return an authenticator's next code, which counts already; that of now may be used up."""
    return pyotp.TOTP(secret).at(int(time.time()) + 30)


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Authenticator(NamedTuple):
    secret: str
    last: str

    def has_another_code(self) -> bool:
        """Return whether the code is another one by now: each counts once."""
        return next_code(self.secret) != self.last


@dataclass
class Service:
    name: str
    kind: str
    home: Path
    port: int
    process: Running | None = None
    starts: int = 0
    ca: Path | None = None
    shown: tuple[Path, Path] | None = None
    program: Program = THIS
    reached_at: str = ""
    tokens: list[str] = field(default_factory=list)
    authenticators: dict[str, Authenticator] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"{'https' if self.ca else 'http'}://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What the process wrote on stderr, over all its lives."""
        return self.home.parent / f"{self.name}.log"

    def run(self, *arguments: str) -> str:
        """Run the `aquila` command of the service's release and return what it printed."""
        return run(*arguments, program=self.program)

    def start(self) -> None:
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        self.process = self.program.start([self.kind, "serve", "--home", str(self.home)], self.log)
        self.starts += 1

    def wait_until_ready(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert b"ready" in line, f"{self.name} did not start: {self.log.read_text(errors='replace')[-2000:]}"

    def kill(self) -> None:
        """End the process as a power cut would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.reap()

    def stop(self) -> None:
        """End the process as its supervisor would."""
        assert self.process is not None
        self.process.terminate()
        self.reap()

    def reap(self) -> None:
        assert self.process is not None
        self.process.wait(timeout=WAIT_SECONDS)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None

    @property
    def trusts(self) -> list[str]:
        """The words by which a command trusts the service's certificate."""
        return ["--ca", str(self.ca)] if self.ca else []

    @property
    def reached_by(self) -> list[str]:
        """The words by which a command of a person of the service reaches it."""
        return ["--home", str(self.home), *self.trusts]

    def family(self) -> list[psutil.Process]:
        assert self.process is not None
        own = psutil.Process(self.process.pid)
        return [own, *own.children(recursive=True)]

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """Call the operator interface as one person, and let the other approve what waits for a second one.

        Returns:
            The answer's JSON to the first person; an assertion shows a problem.
        """
        answer = self.call(self.tokens[0], method, path, **options)
        if isinstance(answer, dict) and "approval_id" in answer:
            approval = f"/v1/approvals/{answer['approval_id']}/approve"
            self.call(self.tokens[1], "POST", approval, json={"digest": answer["digest"]})
        return answer

    def approve_all(self) -> None:
        """Let the second person approve what the first one has asked for and still waits."""
        for one in self.call(self.tokens[0], "GET", "/v1/approvals")["approvals"]:
            if one["state"] == "waiting" and one["own"]:
                approval = f"/v1/approvals/{one['approval_id']}/approve"
                self.call(self.tokens[1], "POST", approval, json={"digest": one["digest"]})

    def approve_registry(self) -> None:
        """Let a person who approves requests here, and is no administrator, approve what waits of the registry."""
        login = f"registrar-{secrets.token_hex(4)}"
        role = Role.SECRETARIAT if self.kind == "matcher" else Role.APPROVER
        key = (self.home / TOKEN_FILE).read_text().strip()
        code = self.call(key, "POST", "/v1/people/accounts", json={"login": login, "roles": [role]})["code"]
        begun = {"login": login, "code": code}
        secret = self.call(key, "POST", "/v1/people/enrolment", json=begun)["secret"]
        shown = {"login": login, "enrolment": code, "password": PASSWORD, "code": next_code(secret)}
        token = self.call(key, "POST", "/v1/people/enrolment/confirm", json=shown)["token"]
        for one in self.call(token, "GET", "/v1/approvals", params={"waiting": "true"})["approvals"]:
            if one["kind"] == ApprovalKind.REGISTRY:
                approval = f"/v1/approvals/{one['approval_id']}/approve"
                self.call(token, "POST", approval, json={"digest": one["digest"]})

    def release_reports(self, round_id: str) -> None:
        """Let a person of a node release the reports that it holds back because of far too many hits."""
        for alarm in self.ask("GET", f"/v1/rounds/{round_id}/safeguards")["alarms"]:
            if alarm["released_at"] is None and alarm["refused_at"] is None:
                self.ask("POST", f"/v1/rounds/{round_id}/alarms/{alarm['submission_id']}/release")

    def call(self, token: str, method: str, path: str, **options: Any) -> Any:
        """Make a call with a token; the answer's JSON, or an assertion that shows the problem."""
        headers = {"authorization": f"Bearer {token}"}
        # Without TLS an empty context is enough: to read the system's certificates takes longer than the call.
        trust = ssl.create_default_context(cafile=self.ca) if self.ca else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self.shown is not None:
            trust.load_cert_chain(*self.shown)
        answer = httpx.request(method, self.url + path, headers=headers, timeout=WAIT_SECONDS, verify=trust, **options)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def enrol(self, login: str, roles: Sequence[str], person: Path, *, from_afar: bool = False) -> None:
        """Make an account with the home's key, enrol by the command, and keep the session's token.

        Args:
            from_afar: Whether the person knows the service's address alone, and has nothing of its home, but a
                certificate where the service asks for one.
        """
        token = (self.home / "operator.token").read_text().strip()
        made = self.call(token, "POST", "/v1/people/accounts", json={"login": login, "roles": list(roles)})
        self.enrol_by(login, made["code"], person, from_afar=from_afar)

    def enrol_by(self, login: str, code: str, person: Path, *, from_afar: bool = False) -> str:
        """Enrol by the command with the code of an account, and keep the session's token; arguments as `enrol`.

        Returns:
            The secret of the person's authenticator.
        """
        where = ["--url", self.url, *self.trusts] if from_afar else self.reached_by
        shown = ["--cert", str(self.shown[0]), "--key", str(self.shown[1])] if self.shown and from_afar else []
        asking = self.program.open([*shown, "enrol", login, *where], {"HOME": str(person)})
        with asking.typed, asking.said:
            asking.typed.write(f"{code}\n{PASSWORD}\n")
            asking.typed.flush()
            first = asking.said.readline()
            assert first.startswith("Put this secret"), first + asking.said.read()
            secret = asking.said.readline().strip()
            code = next_code(secret)
            asking.typed.write(f"{code}\n")  # that of now is over soon, and a busy machine is slow
            asking.typed.close()
            said = asking.said.read()
        assert asking.process.wait(timeout=WAIT_SECONDS) == 0, said
        home = open_home(person / ".config/aquila") if from_afar else find_home(self.home)
        files = SessionFiles(home, person / ".local/state/aquila/sessions")
        self.tokens.append(files.read(login))
        self.authenticators[login] = Authenticator(secret, code)
        return secret

    def sign_in(self, login: str, secret: str, person: Path) -> None:
        """Sign in by the command with an authenticator's secret, and keep the session's token."""
        code = next_code(secret)
        run("login", login, *self.reached_by, person=person, typed=f"{PASSWORD}\n{code}\n", program=self.program)
        self.authenticators[login] = Authenticator(secret, code)
        files = SessionFiles(find_home(self.home), person / ".local/state/aquila/sessions")
        self.tokens.append(files.read(login))


@dataclass
class World:
    """The matcher and the nodes of a round.

    Attributes:
        root: An empty folder for homes, logs and persons.
        database_urls: By the name of the service; SQLite in its home where there is none.
        callers_show: Whether the matcher answers only who shows a certificate of `authority`; needs `tls`. A node's has
            its name.
        more_settings: What begins a service's settings, by its name.
        services: By name, the matcher's being `matcher`.
        persons: The logins of the people of each service.
        program: The release of services and people.
        programs: By the name of a service, its release where it is another one.
        before_matcher: Puts something before the matcher, given its port, and returns the port under which nodes call.
        authority: The CA of the matcher's certificate, which is `matcher`.
        poll_seconds: Seconds between two looks at what is waited for.
        frugal: Whether services take the least of a machine: one thread for heavy work, not processes, and cheap
            passwords.
        cards: Files with the cards of parties whose nodes are somebody else's.
    """

    root: Path
    database_urls: Mapping[str, str] = field(default_factory=dict)
    tls: bool = False
    callers_show: bool = False
    more_settings: Mapping[str, str] = field(default_factory=dict)
    identities: Mapping[str, str] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    persons: Sequence[str] = PERSONS
    program: Program = THIS
    programs: Mapping[str, Program] = field(default_factory=dict)
    before_matcher: Callable[[int], int] | None = None
    authority: Authority | None = None
    poll_seconds: float = 0.05
    frugal: bool = False
    cards: Sequence[Path] = ()

    @property
    def matcher(self) -> Service:
        return self.services["matcher"]

    @property
    def nodes(self) -> list[Service]:
        return [service for name, service in sorted(self.services.items()) if name != "matcher"]

    def make(self, codes: list[str]) -> None:
        """Make all homes, let everyone register everyone, and start the processes."""
        matcher = self._add("matcher", "matcher")
        matcher.run(
            "matcher", "init", "--home", str(matcher.home), "--port", str(matcher.port), *self._identity("matcher")
        )
        if self.before_matcher is not None:
            scheme = "https" if self.tls else "http"
            matcher.reached_at = f"{scheme}://127.0.0.1:{self.before_matcher(matcher.port)}"
            settings = matcher.home / "matcher.toml"
            public = f'[listen]\npublic_url = "{matcher.reached_at}"'
            settings.write_text(settings.read_text().replace("[listen]", public, 1))
        trust = self._use_tls(matcher) if self.tls else []
        for code in codes:
            self._add(code, "node")
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda node: self._init_node(node, trust), self.nodes))
            cards = [*pool.map(self._card, self.services.values()), *map(str, self.cards)]
            register = ("party", "register", *cards, "--home")
            list(pool.map(lambda one: one.run(*register, str(one.home)), self.services.values()))
            list(pool.map(self._begin, self.services.values()))

    def _init_node(self, node: Service, trust: Sequence[str]) -> None:
        node.run(
            "node",
            "init",
            "--home",
            str(node.home),
            "--code",
            node.name,
            "--name",
            f"Party {node.name}",
            "--matcher",
            self.matcher.reached_at or self.matcher.url,
            "--port",
            str(node.port),
            "--poll-seconds",
            "0.1",
            *trust,
            *self._identity(node.name),
        )
        if self.callers_show:
            self._show(node, "matcher", node.name)

    def _show(self, service: Service, table: str, name: str) -> None:
        """Give a service a certificate of the CA, which it shows where a table of its settings says so."""
        assert self.authority is not None
        self.authority.issue(name)
        settings, files = service.home / f"{service.kind}.toml", self.root / name
        content, heading = settings.read_text(), f"[{table}]\n"
        if heading not in content:
            content += f"\n{heading}"
        shown = f'certificate = "{files}.pem"\nkey = "{files}.key"\n'
        settings.write_text(content.replace(heading, heading + shown, 1))

    def _identity(self, name: str) -> list[str]:
        """Return the words that put a service's identity key where it is wanted: into a file by default."""
        return ["--identity", self.identities[name]] if name in self.identities else []

    def _card(self, service: Service) -> str:
        """Write a service's card and return its path."""
        card = self.root / f"{service.name}.card.toml"
        card.write_text(service.run("party", "card", "--home", str(service.home)))
        return str(card)

    def _begin(self, service: Service) -> None:
        """Start a service with its settings, and let its persons enrol."""
        settings = service.home / f"{service.kind}.toml"
        content = self.more_settings.get(service.name, "") + settings.read_text()
        if self.frugal:
            content = f"workers = 1\n{content}{CHEAP_PASSWORDS}"
        if service.name in self.database_urls:
            content += f'\n[database]\nurl = "{self.database_urls[service.name]}"\n'
        settings.write_text(content)
        service.start()
        self._people(service)

    def _people(self, service: Service) -> None:
        """Let the persons enrol, who have every role; each has a folder of sessions on this machine."""
        roles = role_table().roles_of(Kind(service.kind))
        for person in self.persons:
            service.enrol(person, roles, self.person(person))

    def person(self, name: str) -> Path:
        folder = self.root / f"person-{name}"
        folder.mkdir(exist_ok=True)
        return folder

    def run(self, *arguments: str, by: str = "first") -> str:
        """Run the `aquila` command as one of the two persons."""
        return run(*arguments, person=self.person(by), program=self.program)

    def call_both(self, *arguments: str, home: Path) -> Any:
        """Let one person ask by a call, and the other read it and approve what was read."""
        asked = self.call(*arguments, home=home)
        read = self.call("get_approval", f"approval_id={asked['approval_id'][:8]}", home=home, by="second")
        self.call("post_approve", "approval_id=latest", f"digest={read['entry']['digest']}", home=home, by="second")
        return asked

    def call(self, *arguments: str, home: Path, by: str = "first") -> Any:
        """Call an operation by `aquila call` as one of the two persons; the answer's JSON."""
        return json.loads(self.run("call", *arguments, "--home", str(home), "--json", by=by))

    def _use_tls(self, matcher: Service) -> list[str]:
        """Give the matcher a certificate; the words by which a node's home learns to trust it."""
        self.authority = Authority.create(self.root, "ca")
        self.authority.issue("matcher")
        matcher.ca = self.root / "ca.pem"
        settings, files = matcher.home / "matcher.toml", self.root / "matcher"
        content = f'\n[tls]\ncertificate = "{files}.pem"\nkey = "{files}.key"\n'
        if self.callers_show:
            content += f'ca = "{matcher.ca}"\nverify_clients = true\n'
        settings.write_text(settings.read_text() + content)
        if self.callers_show:
            self._show(matcher, "command", _SECRETARIAT)
            matcher.shown = (self.root / f"{_SECRETARIAT}.pem", self.root / f"{_SECRETARIAT}.key")
        return ["--matcher-ca", str(matcher.ca)]

    def start(self, *services: Service) -> None:
        for service in services:
            service.launch()
        for service in services:
            service.wait_until_ready()

    def _add(self, name: str, kind: str) -> Service:
        service = Service(name, kind, self.root / name, free_port(), program=self.programs.get(name, self.program))
        self.services[name] = service
        return service

    def propose(self, **terms: Any) -> str:
        proposal = {
            "participants": [node.name for node in self.nodes],
            "area": "terrorism",
            "legal_basis": "PCC SEE, Article 17",
            "purpose": "prevention of terrorism",
            "category": "suspects",
            "chunk_elements": 64,
            "padding": {"inputs_per_record": [], "records_multiple": 1},
            **terms,
        }
        view = self.matcher.ask("POST", "/v1/operator/rounds", json=proposal)
        return str(view["round_id"])

    def consent(self, round_id: str, *nodes: Service, records: int | None = None) -> None:
        """Wait until the nodes know the round, and let them consent, for a list of so many records."""
        body = {} if records is None else {"records": records}
        for node in nodes or self.nodes:
            self.until(partial(self.knows, node, round_id))
            node.ask("POST", f"/v1/rounds/{round_id}/consent", json=body)

    def has_consented(self, node: Service, round_id: str) -> bool:
        """Say whether the people of a node have consented to a round, though it may not have signed that yet."""
        view = self.view(node, round_id)
        return view["consented"] or "consent" in view["wishes"]

    def submission_of(self, node: Service, round_id: str, import_id: str) -> str | None:
        """Return the id of a node's submission of an import, or None where there is none."""
        found = (one for one in self.view(node, round_id)["submissions"] if one["import_id"] == import_id)
        return next((str(one["submission_id"]) for one in found), None)

    def knows(self, node: Service, round_id: str) -> bool:
        return any(one["round_id"] == round_id for one in node.ask("GET", "/v1/rounds")["rounds"])

    def import_list(self, node: Service, path: Path) -> str:
        """Import a CSV file at a node and return the import's id."""
        report = node.ask("POST", "/v1/imports", params={"name": path.name, "format": "csv"}, content=path.read_bytes())
        return str(report["import_id"])

    def submit(self, node: Service, round_id: str, import_id: str, kind: str = "list") -> str:
        self.until(partial(self.is_open, node, round_id))
        request = {"import_id": import_id, "kind": kind, "justification": JUSTIFICATION}
        return str(node.ask("POST", f"/v1/rounds/{round_id}/submissions", json=request)["submission_id"])

    def is_open(self, node: Service, round_id: str) -> bool:
        return self.phase(node, round_id) != "proposed"

    def phase(self, service: Service, round_id: str) -> str:
        return str(self.view(service, round_id)["entry"]["phase"])

    def view(self, service: Service, round_id: str) -> dict[str, Any]:
        prefix = "/v1/operator/rounds" if service.kind == "matcher" else "/v1/rounds"
        view: dict[str, Any] = service.ask("GET", f"{prefix}/{round_id}")
        return view

    def hits(self, node: Service, round_id: str) -> list[dict[str, Any]]:
        hits: list[dict[str, Any]] = node.ask("GET", f"/v1/rounds/{round_id}/hits")["hits"]
        return hits

    def has_hits(self, round_id: str) -> bool:
        """Say whether every node has its hits and the matcher knows it."""
        if not all(party["acknowledged"] for party in self.view(self.matcher, round_id)["parties"]):
            return False
        return all(self.view(node, round_id)["hits"] is not None for node in self.nodes)

    def wait_for_hits(self, round_id: str) -> None:
        """Wait until every node has its hits and the matcher knows it."""
        self.until(lambda: self.has_hits(round_id))

    def close(self, round_id: str) -> None:
        """Close the round, and wait until every node has destroyed its keys and said so."""
        self.ask_to_close(round_id)
        self.until(partial(self.is_closed, round_id))

    def ask_to_close(self, round_id: str) -> None:
        self.matcher.ask("POST", f"/v1/operator/rounds/{round_id}/close")

    def is_closed(self, round_id: str) -> bool:
        """Say whether every node has destroyed its keys and said so."""
        if any(self.view(node, round_id)["keys_present"] for node in self.nodes):
            return False
        return all(party["closed"] for party in self.view(self.matcher, round_id)["parties"])

    def is_answered(self, node: Service, round_id: str, submission: str) -> bool:
        """Say whether a node has the answer to its submission, and the other side of each of its hits too."""
        found = node.ask("GET", f"/v1/rounds/{round_id}/hits")
        if not any(one["submission_id"] == submission and one["state"] == "answered" for one in found["answers"]):
            return False
        asked = {hit["hit_id"] for hit in found["hits"] if hit["submission_id"] == submission}
        others = [hit["hit_id"] for other in self.nodes if other is not node for hit in self.hits(other, round_id)]
        return asked <= set(others)

    def until(self, true: Callable[[], bool], seconds: float = WAIT_SECONDS) -> None:
        """Wait until something holds; a failure shows the end of every log."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.suppress(httpx.TransportError):
                if true():
                    return
            time.sleep(self.poll_seconds)
        logs = {s.name: s.log.read_text(errors="replace")[-1500:] for s in self.services.values()}
        raise AssertionError("waited in vain\n" + "\n".join(f"--- {name}\n{text}" for name, text in logs.items()))

    def stop(self) -> None:
        for service in self.services.values():
            if service.process is not None:
                service.process.kill()
                service.reap()

    def files(self, *services: Service) -> Iterator[Path]:
        """Yield every file under the homes of these services, and their logs."""
        for service in services:
            yield from (path for path in service.home.rglob("*") if path.is_file())
            yield service.log


def paired_hits(world: World, round_id: str) -> set[Hit]:
    """Return what both sides' hits say together: party and record of each side, and the level."""
    return paired_sides({node.name: world.hits(node, round_id) for node in world.nodes})


def paired_sides(hits: Mapping[str, Sequence[Mapping[str, Any]]]) -> set[Hit]:
    sides: dict[str, list[tuple[str, str, str]]] = {}
    for code, own in hits.items():
        for hit in own:
            sides.setdefault(hit["hit_id"], []).append((code, hit["record_id"], hit["certainty"]))
    assert all(len(side) == 2 for side in sides.values()), "every hit has two sides"
    return {(a[0], a[1], b[0], b[1], a[2]) for a, b in (sorted(side) for side in sides.values())}


def rehearsed_hits(
    files: Mapping[str, Path],
    scratch: Path,
    program: Program = THIS,
    seconds: float = WAIT_SECONDS,
    rules: str = "default",
    padding: str = "none",
) -> set[Hit]:
    """Return the hits of a release's `aquila rehearse` on the same files, as `paired_hits` gives them."""
    out = scratch / "hits.csv"
    parties = [part for code, path in sorted(files.items()) for part in ("--party", f"{code}={path}")]
    words = (*parties, "--rules", rules, "--padding", padding, "--out", str(out))
    run("rehearse", *words, program=program, seconds=seconds)
    with out.open(encoding="utf-8", newline="") as stream:
        return {
            (row["party_a"], row["record_id_a"], row["party_b"], row["record_id_b"], row["certainty"])
            for row in csv.DictReader(stream)
        }


def lists(folder: Path) -> dict[str, Path]:
    """Write three small lists with known common persons, in the scripts of their countries."""
    people = {
        "AL": [("Ardit", "Hoxha", "1984-03-12"), ("Jusuf", "Djordjević", "1979-11-02"), ("Besnik", "Kra", "1990")],
        "MK": [("Ардит", "Хоџа", "1984-12-03"), ("Стојан", "Петровски", "1971-05-30"), ("Mila", "Il", "1988-01-09")],
        "RS": [("Јусуф", "Ђорђевић", "1979-11-02"), ("Stojan", "Petrovski", "1971-05-30"), ("Ana", "K", "1995-07-21")],
    }
    files = {}
    for code, rows in people.items():
        path = folder / f"{code}.csv"
        lines = ["record_id,given_names,family_names,date_of_birth,document_numbers"]
        lines += [f"{code}-{i},{given},{family},{born},{code}777{i}55" for i, (given, family, born) in enumerate(rows)]
        lines += [f"{code}-f{i},Filler{code}{i},Person{i}x{code},19{50 + i}-02-1{i % 10}," for i in range(20)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        files[code] = path
    return files


def secrets_of(files: Mapping[str, Path]) -> set[bytes]:
    """Return every name, date and number of the lists, in the spellings in which it might leak."""
    found: set[str] = set()
    for path in files.values():
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                values = [row[name] for name in ("given_names", "family_names", "date_of_birth", "document_numbers")]
                # Shorter ones occur by chance in megabytes of digests and of base64.
                found |= {value for value in values if len(value.encode()) > 7}
    spellings = {form for value in found for form in (value, value.lower(), value.upper(), json.dumps(value)[1:-1])}
    return {form.encode() for form in spellings}


def folded_words(path: Path) -> set[bytes]:
    """Return the names of a list as their own node keeps them for its search: in one alphabet, in one spelling."""
    with path.open(encoding="utf-8", newline="") as stream:
        names = [row[name] for row in csv.DictReader(stream) for name in ("given_names", "family_names")]
    return {word.encode() for name in names for word in name_words(name)}


def leaks(paths: Iterator[Path], needles: set[bytes]) -> list[str]:
    return [f"{path.name}: {needle!r}" for path in paths for needle in needles if needle in path.read_bytes()]
