"""Reports to the supervisor that started the service, by systemd's protocol (sd_notify(3)): ready, alive, stopping.

It is one datagram for each report, to the socket that the supervisor names. Without a supervisor nothing is sent.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field

from services.kit.logging import Log

_LOG = Log("kit.supervisor")
_SOCKET, _MICROSECONDS, _PROCESS = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"
_PARTS = 3  # reports in the supervisor's time, so that one or two may come late


@dataclass(slots=True)
class Supervisor:
    """The supervisor of this process.

    Attributes:
        address: Its socket: a path, or an abstract name that begins with `@`; empty without a supervisor.
        watchdog_seconds: The time after which it ends a service that has not reported; 0 if it does not.
    """

    address: str = ""
    watchdog_seconds: float = 0.0
    _fed_at: float = field(default=0.0, init=False)

    @classmethod
    def of_process(cls, environment: MutableMapping[str, str], process: int) -> Supervisor:
        """Return the supervisor that an environment names, and take its names out: they are not for workers.

        Args:
            environment: The process's environment.
            process: The process's id: another process's watchdog is not this one's.
        """
        address = environment.pop(_SOCKET, "")
        microseconds, owner = environment.pop(_MICROSECONDS, ""), environment.pop(_PROCESS, str(process))
        own = microseconds.isascii() and microseconds.isdigit() and owner == str(process)
        return cls(address, int(microseconds) / 1e6 if own else 0.0)

    def ready(self) -> None:
        """Report that the service accepts calls."""
        self._send("READY=1")
        self._fed_at = time.monotonic()

    def stopping(self) -> None:
        """Report that the service is about to end."""
        self._send("STOPPING=1")

    def feed(self, check: Callable[[], None]) -> None:
        """Report that the service makes progress, when the next report is due.

        Args:
            check: Raises an error where it makes none: then nothing is reported, and the supervisor restarts it.
        """
        now = time.monotonic()
        if not self.watchdog_seconds or now - self._fed_at < self.watchdog_seconds / _PARTS:
            return
        self._fed_at = now
        try:
            check()
        except Exception as error:  # noqa: BLE001 - whatever it is, the service is not reported alive
            _LOG.error("watchdog_not_fed", error=error)
            return
        self._send("WATCHDOG=1")

    def _send(self, report: str) -> None:
        """Send a report; without its supervisor the service goes on."""
        if not self.address:
            return
        name = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.setblocking(False)  # noqa: FBT003 - the standard library's signature
                sender.sendto(report.encode(), name)
        except OSError as error:
            _LOG.warning("supervisor_not_reached", error=error)
