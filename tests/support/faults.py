"""A seeded program of faults for a world of processes: killed, stopped, frozen, restored, and with a spoiled network.

After each fault every process runs, so that what follows shows whether anything was lost. Only the network stays as it
is until its next fault. Which faults come, in which order and for whom follows from the seed;
at which moment of a round they come depends on the machine too, and what has to hold does not.
"""

import contextlib
import signal
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path
from random import Random

import psutil

from tests.bench.queries.faulty_network import FaultyNetwork, NetworkFaults
from tests.support.moved_clocks import MovedClocks
from tests.support.process_world import Service, World
from tests.support.small_disks import fill

_NETWORKS = (
    NetworkFaults(delay=0.05),
    NetworkFaults(broken_share=0.3),
    NetworkFaults(bytes_per_second=200_000),
    NetworkFaults(),
)
_DOWN_SECONDS = 0.3  # at most, between the end of a process and its next start
_APART_SECONDS = 2.0  # at most, between the ends of several processes
_CALL_SECONDS = 0.2  # within which a process is killed that answers a call
_START_SECONDS = 2.0  # within which a process is killed while it starts
_EXPIRED_SECONDS = 60.0  # at most, until a caller is refused
_LOOK_SECONDS = 0.05  # between two looks at callers' logs
_EXPIRED = "has expired"
_WRONG_SECONDS = 5.0  # at most, of a clock
_DISTANCES = (-1_000, -120, 120, 1_000)  # seconds; more than 300 make a signed call too old or too new
_FULL_SECONDS = 5.0  # at most


class Fault(StrEnum):
    KILL = "a process is killed"
    KILL_AT_START = "a process is killed, and again while it starts"
    KILL_IN_CALL = "a process is killed while it answers a person"
    KILL_SEVERAL = "several processes are killed, each at a moment of its own"
    POWER_CUT = "all processes are killed at once"
    RESTART = "a process is stopped and started"
    FREEZE = "a process is frozen for a while"
    NETWORK = "connections break, and the network gets slow, unreliable or good again"
    CERTIFICATE = "the matcher's certificate has expired for a while"
    CLIENT_CERTIFICATE = "a node's certificate, by which the matcher knows its callers, has expired for a while"
    CLOCK = "a clock goes wrong for a while"
    DISK = "the disk is full for a while"
    RESTORE = "a machine is lost between two rounds, and restored from a backup"


KILLS = (Fault.KILL, Fault.KILL_AT_START, Fault.KILL_SEVERAL, Fault.POWER_CUT)
"""The kinds in which processes are killed."""

_IN_A_DECK = {Fault.KILL: 4, Fault.KILL_SEVERAL: 2}
"""How often a kind comes before all kinds come again; once where nothing is said."""

_LOST_IN_A_DECK = {"node": 2, "matcher": 1}
"""How often a machine of this kind is lost before all kinds are lost again."""


class FaultProgram:
    """The program of faults of one world.

    Attributes:
        killed: How often each service was killed, by name.
        restored: How often each service was restored, by name.
    """

    def __init__(
        self,
        world: World,
        network: FaultyNetwork,
        seed: int,
        *,
        longest_freeze: float = 2.0,
        longest_expiry: float = _EXPIRED_SECONDS,
        clocks: MovedClocks | None = None,
        disk: Path | None = None,
        lose: Callable[[Service], None] | None = None,
        kinds: Collection[Fault] = tuple(Fault),
    ) -> None:
        """Prepare.

        Args:
            world: Whose processes are meant; it uses TLS, and its nodes call the matcher through the network.
            longest_freeze: Seconds for which a process is frozen at most.
            longest_expiry: Seconds for which a certificate has expired at most, if no caller is refused for it.
            clocks: Of all services; without them no clock goes wrong.
            disk: A folder of the small file system on which all homes lie; without it no disk is filled.
            lose: Loses a service's machine and restores it; without it none is lost.
        """
        self.made: Counter[Fault] = Counter()
        self.killed: Counter[str] = Counter()
        self.restored: Counter[str] = Counter()
        self._world, self._network = world, network
        self._longest_freeze, self._longest_expiry = longest_freeze, longest_expiry
        self._random, self._times = Random(seed), Random(seed)
        self._deck: list[Fault] = []
        self._networks: list[NetworkFaults] = []
        self._orphans: list[psutil.Process] = []
        self._makers = {
            Fault.KILL: self._kill,
            Fault.KILL_AT_START: self._kill_at_start,
            Fault.KILL_SEVERAL: self._kill_several,
            Fault.POWER_CUT: self._cut_power,
            Fault.RESTART: self._restart,
            Fault.FREEZE: self._freeze,
            Fault.NETWORK: self._change_network,
            Fault.CERTIFICATE: self._let_certificate_expire,
        }
        if world.callers_show:
            self._makers[Fault.CLIENT_CERTIFICATE] = self._let_client_certificate_expire
        self._clocks, self._disk = clocks, disk
        if clocks is not None:
            self._makers[Fault.CLOCK] = self._move_clock
        if disk is not None:
            self._makers[Fault.DISK] = self._fill_disk
        self._makers = {kind: maker for kind, maker in self._makers.items() if kind in kinds}
        self._lose = lose if Fault.RESTORE in kinds else None
        self._lost: list[str] = []

    @property
    def kills(self) -> int:
        return self.killed.total()

    @property
    def kinds(self) -> set[Fault]:
        """Return the kinds of faults that come: by themselves, while people act, and between rounds."""
        acting = {Fault.KILL_IN_CALL} if Fault.KILL in self._makers else set()
        return set(self._makers) | acting | ({Fault.RESTORE} if self._lose else set())

    def make_one(self) -> None:
        """Make the next fault; a certificate over which nobody was refused does not count."""
        if not self._deck:
            self._deck = [kind for kind in self._makers for _ in range(_IN_A_DECK.get(kind, 1))]
            self._random.shuffle(self._deck)
        kind = self._deck.pop()
        if self._makers[kind]() is not False:
            self.made[kind] += 1

    def kill_in_call(self, victim: Service) -> None:
        """Kill a process that a person has just called, and start it again."""
        self.pause(_CALL_SECONDS)
        self.end_at_once(victim)
        victim.start()
        self.made[Fault.KILL_IN_CALL] += 1

    def lose_one(self) -> None:
        """Lose a machine and restore it; to be called when no round is open, since a restore ends all that are."""
        if self._lose is None:
            return
        if not self._lost:
            self._lost = [kind for kind, times in _LOST_IN_A_DECK.items() for _ in range(times)]
            self._random.shuffle(self._lost)
        kind = self._lost.pop()
        victim = self._random.choice([one for one in self._world.services.values() if one.kind == kind])
        self._lose(victim)
        self.restored[victim.name] += 1
        self.made[Fault.RESTORE] += 1

    def end_at_once(self, service: Service) -> None:
        self._orphans += service.family()
        service.kill()
        self.killed[service.name] += 1

    def pause(self, longest: float) -> None:
        time.sleep(self._times.uniform(0.0, longest))

    def perhaps(self, share: float) -> bool:
        return self._times.random() < share

    def end(self) -> None:
        """Make the network good, and wait until no process is left of those that were killed."""
        self._network.change(NetworkFaults())
        self._world.until(lambda: not any(map(_runs, self._orphans)))

    def _victims(self, count: int) -> Sequence[Service]:
        return self._random.sample(list(self._world.services.values()), count)

    def _kill(self) -> None:
        [victim] = self._victims(1)
        self.end_at_once(victim)
        self.pause(_DOWN_SECONDS)
        victim.start()

    def _kill_at_start(self) -> None:
        [victim] = self._victims(1)
        self.end_at_once(victim)
        victim.launch()
        self.pause(_START_SECONDS)
        self.end_at_once(victim)
        victim.start()

    def _kill_several(self) -> None:
        victims = self._victims(self._random.randint(2, len(self._world.services)))
        moments = [(self._times.uniform(0.0, _APART_SECONDS), self._times.uniform(0.0, _DOWN_SECONDS)) for _ in victims]
        with ThreadPoolExecutor(len(victims)) as pool:
            list(pool.map(self._kill_at, victims, moments))

    def _kill_at(self, victim: Service, moments: tuple[float, float]) -> None:
        """Kill a process after some seconds, and start it again after some more."""
        before, down = moments
        time.sleep(before)
        self.end_at_once(victim)
        time.sleep(down)
        victim.start()

    def _cut_power(self) -> None:
        victims = self._victims(len(self._world.services))
        for victim in victims:
            self.end_at_once(victim)
        self.pause(_DOWN_SECONDS)
        self._world.start(*victims)

    def _restart(self) -> None:
        [victim] = self._victims(1)
        self._orphans += victim.family()
        victim.stop()
        victim.start()

    def _freeze(self) -> None:
        [victim] = self._victims(1)
        frozen = victim.family()
        for one in frozen:
            one.send_signal(signal.SIGSTOP)
        self.pause(self._longest_freeze)
        for one in frozen:
            one.send_signal(signal.SIGCONT)

    def _change_network(self) -> None:
        if not self._networks:
            self._networks = self._random.sample(_NETWORKS, len(_NETWORKS))
        self._network.change(self._networks.pop())

    def _move_clock(self) -> None:
        assert self._clocks is not None
        [victim] = self._victims(1)
        self._clocks.move(victim.name, self._random.choice(_DISTANCES))
        self.pause(_WRONG_SECONDS)
        if self.perhaps(0.5):
            self.end_at_once(victim)
            victim.start()
        self._clocks.move(victim.name, 0)

    def _fill_disk(self) -> None:
        assert self._disk is not None
        [victim] = self._victims(1)
        ballast = self._disk / "ballast"
        with contextlib.suppress(OSError):
            fill(ballast)
        self.pause(_FULL_SECONDS)
        is_killed = self.perhaps(0.5)
        if is_killed:
            self.end_at_once(victim)
        ballast.unlink()
        if is_killed:
            victim.start()

    def _let_certificate_expire(self) -> bool:
        return self._expire("matcher", self._world.nodes)

    def _let_client_certificate_expire(self) -> bool:
        victim = self._random.choice(self._world.nodes)
        return self._expire(victim.name, [victim])

    def _expire(self, name: str, callers: Sequence[Service]) -> bool:
        """Let a certificate have expired until one of its callers logs that, and return whether one did."""
        assert self._world.authority is not None
        before = {caller.log: caller.log.stat().st_size for caller in callers}
        self._world.authority.issue(name, days=-1)
        self._network.change(NetworkFaults())  # open connections go on under any certificate
        ends = time.monotonic() + self._longest_expiry
        while not (is_refused := any(_EXPIRED in _written(*one) for one in before.items())):
            if time.monotonic() >= ends:
                break
            time.sleep(_LOOK_SECONDS)
        self._world.authority.issue(name)
        return is_refused


def _written(log: Path, before: int) -> str:
    with log.open("rb") as file:
        file.seek(before)
        return file.read().decode(errors="replace")


def _runs(process: psutil.Process) -> bool:
    """Return whether a process is there and not merely waiting to be reaped."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
