"""Services that were installed by the blocks of the operations page as they stand there, each on a Debian of its own.

`operators` has the people who give the page's other commands at processes. Here nothing stands for anything: root gives
root's, and every other one is given by the user whom the page names, in that user's folder.
"""

import shlex
import subprocess
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aquila
from tests.support import manual
from tests.support.approving import APPROVING
from tests.support.bundles import bring_signed
from tests.support.commanded_parties import CommandedParties
from tests.support.debian import Debian
from tests.support.operators import WAITS, Ceremony, Operator, at_this_place
from tests.support.persons import Pair, Person
from tests.support.process_world import PASSWORD, WAIT_SECONDS, Service, next_code

INSTALLING, USERS = "Installing without a network", "Users, folders and units"
ADDRESSES, BACKUP, HEALTH = "Which addresses a service may reach", "Backup and restore", "Is it well?"
MATCHER = ("192.0.2.10", "matcher.example.org")
"""Address and name that the page gives the matcher."""


@dataclass
class Installed(Service):
    """A service, which root installs by the page; `home` is its home as this machine sees it."""

    machine: Debian = field(kw_only=True)
    release: str = aquila.__version__
    on_postgres: bool = False

    @property
    def user(self) -> str:
        """The service's user, which has the name of its unit."""
        return f"aquila-{self.kind}"

    @property
    def own_home(self) -> str:
        """Its home, as its machine sees it."""
        return f"/var/lib/aquila/{self.kind}"

    @property
    def log(self) -> Path:
        """What it wrote, and what systemd says of it, as a file."""
        written = self.machine.folder / "service.log"
        written.write_text(self.machine.journal(f"{self.user}*"), encoding="utf-8")
        return written

    def root(self, commands: str) -> str:
        """Let root give commands of the page for this service and its release; return what they printed."""
        commands = commands.replace("X.Y.Z", self.release)
        commands = commands.replace("aquila-node", self.user).replace("/var/lib/aquila/node", self.own_home)
        return self.machine.as_root(commands)

    def write(self, path: str, content: str) -> None:
        """Add to a file of its machine, as root does with an editor."""
        file = self.machine.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as stream:
            stream.write(content)

    def approve_registry(self) -> None:
        """Let another person approve what waits of the registry, on this machine."""
        python = '"$(dirname "$(readlink -f "$(command -v aquila)")")/python"'
        done = self.machine.as_user(self.user, f"{python} -c {shlex.quote(APPROVING)} {self.own_home}")
        assert done.stdout == "approved\n", done.stdout + done.stderr

    # The chapters of the page, in its order

    def install(self, bundle: Path) -> None:
        """Verify the release, unpack and install it, and make user, folders and units."""
        bring_signed(bundle, self.machine.root / "root")
        verify, install = manual.blocks(INSTALLING)
        seen = self.root(verify)
        assert 'Good "aquila-release" signature' in seen
        assert f"{bundle.name}: OK" in seen
        assert f"aquila {self.release}" in self.root(install)
        [block] = manual.blocks(USERS)
        self.root(block)
        whole = self.root(manual.command(USERS, "su - aquila-node"))
        assert whole.startswith(f"aquila {self.release}\n")

    def prepare_database(self) -> None:
        [block] = manual.blocks("PostgreSQL")
        assert self.root(block) == "REVOKE\n"
        self.on_postgres = True

    def choose_database(self) -> None:
        """Name it in the settings of a home that was just made."""
        [block] = manual.blocks("PostgreSQL", "toml")
        self.write(f"{self.own_home}/{self.kind}.toml".lstrip("/"), f"\n{block.replace('aquila-node', self.user)}")

    def allow(self, addresses: Mapping[str, str]) -> None:
        """Allow the service to reach the addresses of the page's drop-in, or others in their place."""
        [block] = manual.blocks(ADDRESSES)
        for documented, other in addresses.items():
            block = block.replace(documented, other)
        self.root(block)

    def name_hosts(self, own_name: str, others: Mapping[str, str]) -> None:
        """Let the machine know the own name as loopback's, and addresses by the names of others."""
        self.root(manual.command(ADDRESSES, "echo 127.0.0.1").replace(MATCHER[1], own_name))
        self.write("etc/hosts", "".join(f"{address} {name}\n" for name, address in others.items()))

    def back_up_daily(self, public_key: Path) -> None:
        """Make folder and timer, and the first backup at once."""
        self.write("root/backup.key.pub", public_key.read_text("utf-8"))
        for beginning in ("install -d", "install -D", "systemctl enable --now", "systemctl start"):
            self.root(manual.command(BACKUP, beginning))
        assert f"{self.user}-backup.timer" in self.root("systemctl list-timers --no-pager")

    def backups(self) -> list[Path]:
        """Return the backups that there are, the newest one last."""
        return sorted((self.machine.root / "srv/backup").glob(f"{self.kind}-*.aquila"))

    def upgrade(self, bundle: Path, release: str) -> None:
        """Back it up, and put another release in the place of the one that is installed, with its units."""
        before = len(self.backups())
        self.root(manual.command("Upgrades", "systemctl start aquila-node-backup"))
        assert len(self.backups()) == before + 1
        self.release = release
        bring_signed(bundle, self.machine.root / "root")
        verify, install = manual.blocks(INSTALLING)
        [upgrade] = manual.blocks("Upgrades")
        unpack, *_ = install.splitlines()
        self.root(f"{verify}{unpack}")
        self.root(upgrade)

    # Is it well?

    def status(self) -> subprocess.CompletedProcess[str]:
        """Return how the service fares, as its user sees it."""
        command = manual.command(HEALTH, f"aquila {self.kind} status").replace("…", self.own_home)
        return self.machine.as_user(self.user, command)

    def is_well(self) -> bool:
        """Say whether nothing is wrong with the service."""
        shown = self.status()
        who = "MATCHER" if self.kind == "matcher" else f"NODE {self.name}"
        assert shown.returncode or shown.stdout.startswith(f"AQUILA {who} OK"), shown.stdout
        return not shown.returncode

    def assert_healthy(self) -> None:
        """Let the doctor find nothing wrong, and systemd nothing that failed or was started again."""
        done = self.machine.as_user(self.user, f"aquila doctor --home {self.own_home}")
        assert done.returncode == 0, done.stdout + done.stderr
        shown = self.machine.show(self.user)
        assert (shown["ActiveState"], shown["Result"], shown["NRestarts"]) == ("active", "success", "0"), shown
        assert self.machine.as_root("systemctl --failed --no-legend --plain") == ""


@dataclass
class _AtMachine(Operator):
    """Somebody who gives commands as a user of a service's machine."""

    process: Installed
    user: str = ""

    def _run(
        self, command: str, typed: str, places: Mapping[str, str], ends_with: Collection[int] = (0,)
    ) -> subprocess.CompletedProcess[str]:
        command = at_this_place(command, {"HOME": self.process.own_home, "…": self.process.own_home, **places})
        done = self.process.machine.as_user(self.user, command, f"{typed}\n" if typed else "")
        assert done.returncode in ends_with, f"{command}: {done.stdout}{done.stderr}"
        return done


@dataclass
class Administrator(_AtMachine):
    started: Callable[[Installed], None] = lambda _: None
    """What is done when the service was started for the first time."""

    def give(self, command: str, typed: str = "", ends_with: Collection[int] = (0,), **places: str) -> str:
        """Give a documented command: as it is written, but for the party's code and name."""
        self.given.append(command)
        if self.code:
            command = command.replace("SI --name Slovenia", f"{self.code} --name {self.name}")
            command = command.replace("si.", f"{self.code.lower()}.")
        if command.startswith("systemctl"):
            printed = self.process.root(command)
            if "enable" in command:
                self.started(self.process)
            return printed
        makes_home = command.startswith(("aquila node join", "aquila matcher init"))
        if command.startswith("aquila node join"):
            self._bring(f"{self.code.lower()}.invite")
        done = self._run(command, typed, places, ends_with)
        if WAITS.search(done.stdout):
            self.process.approve_registry()
        if makes_home and self.process.on_postgres:
            self.process.choose_database()
            found = self._run("aquila doctor --home HOME", "", {}, (0, 1)).stdout
            assert "no tables" in found, found
        return done.stdout + done.stderr

    def _bring(self, invitation: str) -> None:
        """Let root, who got it, give an invitation to the service's user."""
        (self.folder / invitation).rename(self.process.machine.root / "root" / invitation)
        command = manual.command("Set up", "install -o aquila-node -m 600")
        self.process.root(command.replace("si.", f"{self.code.lower()}."))


@dataclass
class Resident(_AtMachine, Person):
    def enrol(self, administrator: Operator, roles: Sequence[str]) -> None:
        """Get an account of the administrator, set password and authenticator, and be signed in."""
        options = " ".join(f"roles={role}" for role in roles)
        command = manual.command("People", "aquila call post_account").replace("roles=officer", options)
        made = administrator.document(command, LOGIN=self.login)
        where = manual.command("People", "aquila login NAME").replace("login NAME", f"enrol {self.login}")
        where = where.replace("node.example.org:8701", self.process.reached_at)
        asking = self.process.machine.open(self.user, where)
        assert asking.stdin is not None
        assert asking.stderr is not None
        with asking.stdin, asking.stderr:
            asking.stdin.write(f"{made['code']}\n{PASSWORD}\n")
            asking.stdin.flush()
            first = asking.stderr.readline()
            assert first.startswith("Put this secret"), first + asking.stderr.read()
            self.secret = asking.stderr.readline().strip()
            asking.stdin.write(f"{next_code(self.secret)}\n")
            asking.stdin.close()
            said = asking.stderr.read()
        assert asking.wait(timeout=WAIT_SECONDS) == 0, said


@dataclass
class InstalledCeremony(Ceremony):
    """A ceremony at services that are installed; nothing of it is done otherwise than the page says."""

    started: Callable[[Installed], None] = lambda _: None

    def __post_init__(self) -> None:
        self.secretariat, *others = (
            Administrator(one, one.port, one.machine.root / "home" / one.user, user=one.user, started=self.started)
            for one in (self.stage.matcher, *self.stage.nodes)
            if isinstance(one, Installed)
        )
        for operator in others:
            operator.code = operator.process.name
            operator.name = self.parties[operator.code]
        self.operators = {operator.code: operator for operator in others}


@dataclass
class InstalledParties(CommandedParties):
    """Parties and a secretariat on machines of their own, who follow the page.

    Attributes:
        started: What is done when a service was started for the first time.
    """

    started: Callable[[Installed], None] = lambda _: None

    def __post_init__(self) -> None:
        self.ceremony = InstalledCeremony(self.stage, self.parties, started=self.started)

    def meet(self) -> None:
        """Let two people of every service enrol, each with a user of their own and the CA of the service."""
        self.people = {}
        for service in self.stage.services.values():
            assert isinstance(service, Installed)
            pair = []
            for name in ("first", "second"):
                login = f"{name}-{service.name.lower()}"
                service.root(f"useradd --create-home --shell /bin/bash {login}")
                service.root(f"install -m 644 /var/lib/aquila/node/tls/ca.pem /home/{login}")
                folder = service.machine.root / "home" / login
                pair.append(Resident(service, service.port, folder, service.name, login=login, user=login))
            self.people[service.name] = Pair(*pair)
        self.enrol_all()
